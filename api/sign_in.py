"""Signing in and out, and who one is."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import passwords
from api.access import Asking, InHouse, Token, hash_of, new_sign_in
from api.problems import ProblemError, described
from ebbtide.instants import to_datetime
from store.records import Role

router = APIRouter(tags=["sign in"])


class SignInAsk(BaseModel):
    """Address and password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"email": "sample@ebbtide.example", "password": "a long phrase of yours"}]
        },
    )

    email: str = Field(max_length=254)
    password: str = Field(max_length=1000)


class SignInAnswer(BaseModel):
    """Send the token as ``Authorization: Bearer ...``."""

    token: str = Field(examples=["kq3v0bX..."])
    expires: datetime


class Me(BaseModel):
    """The person signed in. ``simulated``: a sample, not a real person."""

    id: str
    email: str = Field(examples=["sample@ebbtide.example"])
    name: str = Field(examples=["Sample patient (simulated)"])
    zone: str = Field(examples=["Europe/Berlin"])
    role: Role
    simulated: bool


@router.post("/sign-in", responses=described(401, 422))
def sign_in(asked: SignInAsk, house: InHouse) -> SignInAnswer:
    """Exchange address and password for a token that lasts 30 days."""
    person = house.records.person_by_email(asked.email.strip())
    if not passwords.matches(asked.password, person.password_hash if person else None):
        # The same words for both, so that nobody learns who has an account.
        raise ProblemError(401, "The address or the password is not right.")
    assert person is not None
    token, kept = new_sign_in(house, person)
    return SignInAnswer(token=token, expires=to_datetime(kept.expires_ns))


@router.post("/sign-out", status_code=204, responses=described(401))
def sign_out(_: Asking, token: Token, house: InHouse) -> None:
    """End this sign-in; its token is worth nothing from now on."""
    house.records.end_sign_in(hash_of(token))


@router.get("/me", responses=described(401))
def me(person: Asking) -> Me:
    """Who is signed in."""
    return Me(
        id=person.id,
        email=person.email,
        name=person.name,
        zone=person.zone,
        role=person.role,
        simulated=person.simulated,
    )
