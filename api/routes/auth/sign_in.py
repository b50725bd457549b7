"""Signing in and out, who one is, and one's password."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import (
    DEVICE_LIFETIME,
    AskingAccount,
    AskingAnyhow,
    InHouse,
    Token,
    hash_of,
    new_sign_in,
)
from api.http.problems import ProblemError, described
from api.services import lockout, passwords
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import to_datetime
from store.protocols.access import OneTimePurpose, Scope, SignInKind
from store.protocols.records import Person, Role
from store.stores import House

router = APIRouter(tags=["sign in"])
Password = Field(max_length=passwords.LONGEST, examples=["a long phrase of yours"])


class SignInAsk(BaseModel):
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


class PasswordAsk(BaseModel):
    """The old password and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: str = Password
    new: str = Password


class PasswordResetAsk(BaseModel):
    """The one-time token of an administrator, and the new password."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    new: str = Password


@router.post("/sign-in", responses=described(401, 422))
def sign_in(asked: SignInAsk, house: InHouse) -> SignInAnswer:
    """Exchange address and password for a token. A session lasts 7 days, and ends when it is not
    used for 12 hours.
    """
    lockout.require_unlocked(house, asked.email)
    person = house.records.person_by_email(asked.email.strip())
    right = passwords.matches(asked.password, person.password_hash if person else None)
    if person is None or not right or not house.rights.active(person.id):
        lockout.failed(house, asked.email)
        # The same words for all, so that nobody learns who has an account.
        raise ProblemError(401, "The address or the password is not right.", kind="wrong-password")
    lockout.went_well(house, asked.email)
    if asked.device is None:
        return _answer(*_of_session(house, person))
    if person.role is not Role.PATIENT:
        raise ProblemError(422, "Only a patient's beats are recorded.", field="body.device")
    token, kept = new_sign_in(
        house,
        person,
        SignInKind.DEVICE,
        asked.device,
        frozenset({Scope.UPLOAD}),
        DEVICE_LIFETIME,
    )
    return _answer(token, kept.expires_ns)


@router.post("/sign-out", status_code=204, responses=described(401))
def sign_out(_: AskingAnyhow, token: Token, house: InHouse) -> None:
    """End this sign-in; its token is worth nothing from now on."""
    house.rights.end_sign_in(hash_of(token))


@router.get("/me", responses=described(401))
def me(person: AskingAnyhow) -> Me:
    """Who is signed in."""
    return shown(person)


@router.put("/me/password", status_code=204, responses=described(401, 403, 422))
def change_password(
    asked: PasswordAsk, person: AskingAccount, token: Token, house: InHouse
) -> None:
    """Change one's password. All other sessions, devices and scripts have to sign in again."""
    lockout.require_unlocked(house, person.email)
    if not passwords.matches(asked.old, person.password_hash):
        lockout.failed(house, person.email)
        raise ProblemError(422, "is not your password.", field="body.old")
    _set_password(house, person, asked.new, but=hash_of(token))


@router.post("/password-reset", status_code=204, responses=described(404, 422))
def reset_password(asked: PasswordResetAsk, house: InHouse) -> None:
    """Set a new password with the one-time token that an administrator made. Everything that was
    signed in has to sign in again.
    """
    _require_good(asked.new, None)
    found = house.rights.take_one_time(hash_of(asked.token), OneTimePurpose.PASSWORD, house.now())
    person = None
    if found is not None and found.person_id is not None:
        person = house.records.person(found.person_id)
    if person is None:
        raise ProblemError(404, "This link was used already, or its time is over.")
    _set_password(house, person, asked.new, but=None)
    lockout.went_well(house, person.email)


def shown(person: Person) -> Me:
    """A person as the API tells it to themselves."""
    return Me(
        id=person.id,
        email=person.email,
        name=person.name,
        zone=person.zone,
        role=person.role,
        simulated=person.simulated,
    )


def _set_password(house: House, person: Person, new: str, but: str | None) -> None:
    _require_good(new, person)
    house.rights.set_password(person.id, passwords.hashed(new))
    house.rights.end_sign_ins(person.id, but)


def _require_good(new: str, person: Person | None) -> None:
    try:
        passwords.require_good(new, () if person is None else (person.email, person.name))
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.new") from error


def _of_session(house: House, person: Person) -> tuple[str, int]:
    token, kept = new_sign_in(house, person)
    return token, kept.expires_ns


def _answer(token: str, expires_ns: int) -> SignInAnswer:
    return SignInAnswer(token=token, expires=to_datetime(expires_ns))
