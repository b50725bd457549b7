"""Home use: the first account, and signing in with a link of this machine (``ebbtide start``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import StoresDep
from api.http.loopback import require_loopback
from api.http.password_hashing import HasherDep, PasswordHasher
from api.http.problems import ProblemError, describe_problems
from api.http.request_state import note_account
from api.schemas.auth import Password, SignInOut
from api.services import passwords
from api.services.access_tokens import Computer, issue_signed_in_token, session_times_ns
from api.services.accounts import validate_email, validate_name
from api.services.first_run import create_first_account, is_first_run, use_local_link
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import validate_zone
from store import Stores
from store.models import Person

router = APIRouter(tags=["sign in"])
_GONE = "This was used already, or its time is over. Start Ebbtide again: ebbtide start."
Secret = Annotated[str, Field(max_length=200, examples=["kq3v0bX..."])]


class FirstRunIn(BaseModel):
    """The secret of ``ebbtide start``, and who begins. Without ``password`` the account has none,
    and only links of this machine sign in.
    """

    model_config = ConfigDict(extra="forbid")

    secret: Secret
    name: str = Field(min_length=1, max_length=200, examples=["Ada"])
    zone: str = Field(max_length=64, examples=["Europe/Berlin"])
    email: str | None = Field(default=None, max_length=254, examples=["ada@example.org"])
    password: Password | None = None


class SecretIn(BaseModel):
    """The secret of ``ebbtide start``."""

    model_config = ConfigDict(extra="forbid")

    secret: Secret


_HERE = [Depends(require_loopback)]


@router.post(
    "/first-run/check",
    status_code=204,
    dependencies=_HERE,
    responses=describe_problems(403, 404, 422),
)
def check_first_run(body: SecretIn, stores: StoresDep) -> None:
    """Say whether the first account can be made with this secret: it is valid, and there is no
    account yet. It can still be used.
    """
    if not is_first_run(stores, body.secret):
        raise ProblemError(404, _GONE)


@router.post(
    "/first-run",
    status_code=201,
    dependencies=_HERE,
    responses=describe_problems(403, 404, 422, 503),
)
async def first_run(
    request: Request, body: FirstRunIn, stores: StoresDep, hasher: HasherDep
) -> SignInOut:
    """Make the first account of this store, a patient's, and sign it in. Only while there is no
    account, from the machine itself, and with the secret that ``ebbtide start`` made, once.
    """
    # The secret first: without one, nobody has a password estimated or hashed.
    if not await run_in_threadpool(is_first_run, stores, body.secret):
        raise ProblemError(404, _GONE)
    _validate(body)
    password_hash = ""
    if body.password is not None:
        password_hash = await _hash_password(hasher, body, body.password)
    person = await run_in_threadpool(_create, stores, body, password_hash)
    if person is None:
        raise ProblemError(404, _GONE)
    note_account(request, person.id)
    on_first_account: Callable[[Person], None] | None = request.app.state.on_first_account
    if on_first_account is not None:
        await run_in_threadpool(on_first_account, person)
    return await run_in_threadpool(
        _sign_in, stores, person, "own" if person.local_only else "shared"
    )


@router.post("/sign-in/link", dependencies=_HERE, responses=describe_problems(403, 404, 422))
def sign_in_with_link(request: Request, body: SecretIn, stores: StoresDep) -> SignInOut:
    """Sign in with a link that ``ebbtide start`` made, once, from the machine itself. Only for an
    account without a password.
    """
    person = use_local_link(stores, body.secret)
    if person is None:
        raise ProblemError(404, _GONE)
    note_account(request, person.id)
    return _sign_in(stores, person, "own")


def _validate(body: FirstRunIn) -> None:
    if (body.email is None) != (body.password is None):
        raise ProblemError(
            422, "An address and a password belong together: send both or none.", field="body.email"
        )
    checks: tuple[tuple[str, Callable[[str], str], str], ...] = (
        ("name", validate_name, body.name),
        ("zone", validate_zone, body.zone),
    )
    if body.email is not None:
        checks = (*checks, ("email", validate_email, body.email))
    for field, validate, value in checks:
        try:
            validate(value)
        except EbbtideError as error:
            raise ProblemError(422, str(error), field=f"body.{field}") from error


async def _hash_password(hasher: PasswordHasher, body: FirstRunIn, password: str) -> str:
    try:
        passwords.validate_length(password)
        about = (body.email or "", body.name)
        await hasher.run(passwords.validate_password, password, about)
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.password") from error
    return await hasher.hash(password)


def _create(stores: Stores, body: FirstRunIn, password_hash: str) -> Person | None:
    return create_first_account(
        stores,
        body.secret,
        name=body.name,
        zone=body.zone,
        email=body.email,
        password_hash=password_hash,
    )


def _sign_in(stores: Stores, person: Person, computer: Computer) -> SignInOut:
    lifetime_ns, idle_ns = session_times_ns(person, computer)
    issued = issue_signed_in_token(stores, person, lifetime_ns=lifetime_ns, idle_ns=idle_ns)
    if issued is None:
        raise ProblemError(404, _GONE)
    token, access_token = issued
    return SignInOut.from_token(token, access_token.expires_ns)
