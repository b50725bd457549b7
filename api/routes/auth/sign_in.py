"""Signing in and out, who one is, and one's password."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import (
    CurrentAccount,
    CurrentUserAnyScope,
    StoresDep,
    Token,
)
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import AccountOut, Password, SignInOut
from api.services import lockout, passwords
from api.services.access_tokens import DEVICE_LIFETIME_NS, issue_token, token_hash
from api.services.one_time_tokens import take_person_token
from ebbtide.errors import EbbtideError
from store import Stores
from store.models import OneTimePurpose, Person
from store.models.access import Scope, TokenKind
from store.models.records import Role

router = APIRouter(tags=["sign in"])


class SignInIn(BaseModel):
    """Address and password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"email": "sample@ebbtide.example", "password": "a long phrase of yours"}]
        },
    )

    email: str = Field(max_length=254)
    password: Password
    device: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="For a device that records: a token of this name that can upload beats, and "
        "nothing else, for a year",
        examples=["laptop at home"],
    )


class PasswordIn(BaseModel):
    """The old password and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class PasswordResetIn(BaseModel):
    """The one-time token of an administrator, and the new password."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    new: Password


@router.post("/sign-in", responses=describe_problems(401, 422))
def sign_in(body: SignInIn, stores: StoresDep) -> SignInOut:
    """Exchange address and password for a token. A session lasts 7 days, and ends when it is not
    used for 12 hours.
    """
    lockout.require_unlocked(stores, body.email)
    person = stores.records.person_by_email(body.email.strip())
    is_right = passwords.verify_password(body.password, person.password_hash if person else None)
    if person is None or not is_right or not stores.access.is_active(person.id):
        lockout.record_failure(stores, body.email)
        # The same text for all, so that nobody learns who has an account.
        raise ProblemError(401, "The address or the password is not right.", kind="wrong-password")
    lockout.reset_failures(stores, body.email)
    if body.device is None:
        token, access_token = issue_token(stores, person)
        return SignInOut.from_token(token, access_token.expires_ns)
    if person.role is not Role.PATIENT:
        raise ProblemError(422, "Only a patient's beats are recorded.", field="body.device")
    token, access_token = issue_token(
        stores,
        person,
        TokenKind.DEVICE,
        body.device,
        frozenset({Scope.UPLOAD}),
        DEVICE_LIFETIME_NS,
    )
    return SignInOut.from_token(token, access_token.expires_ns)


@router.post("/sign-out", status_code=204, responses=describe_problems(401))
def sign_out(_: CurrentUserAnyScope, token: Token, stores: StoresDep) -> None:
    """End this sign-in; its token is worth nothing from now on."""
    stores.access.end_token(token_hash(token))


@router.get("/me", responses=describe_problems(401))
def me(person: CurrentUserAnyScope) -> AccountOut:
    """Who is signed in."""
    return AccountOut.from_record(person)


@router.put("/me/password", status_code=204, responses=describe_problems(401, 403, 422))
def change_password(
    body: PasswordIn, person: CurrentAccount, token: Token, stores: StoresDep
) -> None:
    """Change one's password. All other sessions, devices and scripts have to sign in again."""
    lockout.require_unlocked(stores, person.email)
    if not passwords.verify_password(body.old, person.password_hash):
        lockout.record_failure(stores, person.email)
        raise ProblemError(422, "is not your password.", field="body.old")
    _set_password(stores, person, body.new, but=token_hash(token))


@router.post("/password-reset", status_code=204, responses=describe_problems(404, 422))
def reset_password(body: PasswordResetIn, stores: StoresDep) -> None:
    """Set a new password with the one-time token that an administrator made. Everything that was
    signed in has to sign in again.
    """
    _validate_password(body.new, None)
    person = take_person_token(stores, body.token, OneTimePurpose.PASSWORD)
    if person is None:
        raise ProblemError(404, "This link was used already, or its time is over.")
    _set_password(stores, person, body.new, but=None)
    lockout.reset_failures(stores, person.email)


def _set_password(stores: Stores, person: Person, new: str, but: str | None) -> None:
    _validate_password(new, person)
    stores.access.set_password(person.id, passwords.hash_password(new))
    stores.access.end_tokens(person.id, but)


def _validate_password(new: str, person: Person | None) -> None:
    try:
        passwords.validate_password(new, () if person is None else (person.email, person.name))
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.new") from error
