"""Who asks. Tokens are random; only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.house import House, house_of
from api.problems import ProblemError
from ebbtide.instants import DAY
from store.records import Person, SignIn

TOKEN_LIFETIME = 30 * DAY
_bearer = HTTPBearer(auto_error=False, description="The token that POST /v1/sign-in gives")

InHouse = Annotated[House, Depends(house_of)]


def new_sign_in(house: House, person: Person) -> tuple[str, SignIn]:
    """A fresh token for this person, kept as a hash."""
    token = secrets.token_urlsafe(32)
    now = house.now()
    sign_in = SignIn(hash_of(token), person.id, now, now + TOKEN_LIFETIME)
    house.records.add_sign_in(sign_in)
    return token, sign_in


def hash_of(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The token that came with the request."""
    if credentials is None:
        raise _sign_in_first()
    return credentials.credentials


Token = Annotated[str, Depends(token_of)]


def person_of(house: InHouse, token: Token) -> Person:
    """The person who asks. Everything they reach hangs on this."""
    person = house.records.signed_in(hash_of(token), house.now())
    if person is None:
        raise _sign_in_first()
    return person


Asking = Annotated[Person, Depends(person_of)]


def _sign_in_first() -> ProblemError:
    return ProblemError(
        401, "Sign in first (POST /v1/sign-in).", headers={"WWW-Authenticate": "Bearer"}
    )
