"""Signing in and out, who one is, and one's password."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import (
    DEVICE_LIFETIME,
    CurrentAccount,
    CurrentUserAnyScope,
    StoresDep,
    Token,
    issue_token,
    token_hash,
)
from api.http.problems import ProblemError, describe_problems
from api.services import lockout, passwords
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import OneTimePurpose, Person, Role, Scope, TokenKind

router = APIRouter(tags=["sign in"])
Password = Field(max_length=passwords.MAX_LENGTH, examples=["a long phrase of yours"])


class SignInIn(BaseModel):
    """Address and password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"email": "sample@ebbtide.example", "password": "a long phrase of yours"}]
        },
    )

    email: str = Field(max_length=254)
    password: str = Password
    device: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="For a device that records: a token of this name that can upload beats, and "
        "nothing else, for a year",
        examples=["laptop at home"],
    )


class SignInOut(BaseModel):
    """Send the token as ``Authorization: Bearer ...``."""

    token: str = Field(examples=["kq3v0bX..."])
    expires: datetime


class AccountOut(BaseModel):
    """The person signed in. ``simulated``: a sample, not a real person."""

    id: str
    email: str = Field(examples=["sample@ebbtide.example"])
    name: str = Field(examples=["Sample patient (simulated)"])
    zone: str = Field(examples=["Europe/Berlin"])
    role: Role
    simulated: bool


class PasswordIn(BaseModel):
    """The old password and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: str = Password
    new: str = Password


class PasswordResetIn(BaseModel):
    """The one-time token of an administrator, and the new password."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    new: str = Password


@router.post("/sign-in", responses=describe_problems(401, 422))
def sign_in(asked: SignInIn, stores: StoresDep) -> SignInOut:
    """Exchange address and password for a token. A session lasts 7 days, and ends when it is not
    used for 12 hours.
    """
    lockout.require_unlocked(stores, asked.email)
    person = stores.records.person_by_email(asked.email.strip())
    right = passwords.verify_password(asked.password, person.password_hash if person else None)
    if person is None or not right or not stores.access.active(person.id):
        lockout.record_failure(stores, asked.email)
        # The same words for all, so that nobody learns who has an account.
        raise ProblemError(401, "The address or the password is not right.", kind="wrong-password")
    lockout.reset_failures(stores, asked.email)
    if asked.device is None:
        return _sign_in_response(*_of_session(stores, person))
    if person.role is not Role.PATIENT:
        raise ProblemError(422, "Only a patient's beats are recorded.", field="body.device")
    token, kept = issue_token(
        stores,
        person,
        TokenKind.DEVICE,
        asked.device,
        frozenset({Scope.UPLOAD}),
        DEVICE_LIFETIME,
    )
    return _sign_in_response(token, kept.expires_ns)


@router.post("/sign-out", status_code=204, responses=describe_problems(401))
def sign_out(_: CurrentUserAnyScope, token: Token, stores: StoresDep) -> None:
    """End this sign-in; its token is worth nothing from now on."""
    stores.access.end_token(token_hash(token))


@router.get("/me", responses=describe_problems(401))
def me(person: CurrentUserAnyScope) -> AccountOut:
    """Who is signed in."""
    return to_account_out(person)


@router.put("/me/password", status_code=204, responses=describe_problems(401, 403, 422))
def change_password(
    asked: PasswordIn, person: CurrentAccount, token: Token, stores: StoresDep
) -> None:
    """Change one's password. All other sessions, devices and scripts have to sign in again."""
    lockout.require_unlocked(stores, person.email)
    if not passwords.verify_password(asked.old, person.password_hash):
        lockout.record_failure(stores, person.email)
        raise ProblemError(422, "is not your password.", field="body.old")
    _set_password(stores, person, asked.new, but=token_hash(token))


@router.post("/password-reset", status_code=204, responses=describe_problems(404, 422))
def reset_password(asked: PasswordResetIn, stores: StoresDep) -> None:
    """Set a new password with the one-time token that an administrator made. Everything that was
    signed in has to sign in again.
    """
    _validate_password(asked.new, None)
    found = stores.access.take_one_time_token(
        token_hash(asked.token), OneTimePurpose.PASSWORD, stores.now()
    )
    person = None
    if found is not None and found.person_id is not None:
        person = stores.records.person(found.person_id)
    if person is None:
        raise ProblemError(404, "This link was used already, or its time is over.")
    _set_password(stores, person, asked.new, but=None)
    lockout.reset_failures(stores, person.email)


def to_account_out(person: Person) -> AccountOut:
    """A person as the API tells it to themselves."""
    return AccountOut(
        id=person.id,
        email=person.email,
        name=person.name,
        zone=person.zone,
        role=person.role,
        simulated=person.simulated,
    )


def _set_password(stores: Stores, person: Person, new: str, but: str | None) -> None:
    _validate_password(new, person)
    stores.access.set_password(person.id, passwords.hash_password(new))
    stores.access.end_tokens(person.id, but)


def _validate_password(new: str, person: Person | None) -> None:
    try:
        passwords.validate_password(new, () if person is None else (person.email, person.name))
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.new") from error


def _of_session(stores: Stores, person: Person) -> tuple[str, int]:
    token, kept = issue_token(stores, person)
    return token, kept.expires_ns


def _sign_in_response(token: str, expires_ns: int) -> SignInOut:
    return SignInOut(token=token, expires=to_datetime(expires_ns))
