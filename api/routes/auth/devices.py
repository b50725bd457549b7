"""Phones on which the app at ``/app`` is signed in: sign in, list, revoke."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.http.client_address import ClientNetwork
from api.http.deps import PatientAccount, StoresDep, get_caller
from api.http.password_hashing import HasherDep
from api.http.passwords import renew_hash, verify_password, wrong_password
from api.http.problems import ProblemError, describe_problems
from api.http.request_state import note_account
from api.schemas.auth import AccountOut, Password
from api.schemas.common import RecordOut
from api.services import lockout
from api.services.access_tokens import Caller
from api.services.phones import (
    SignedInPhone,
    issue_phone_code,
    phones,
    sign_phone_in,
    use_phone_code,
)
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import AccessToken, Person, Role, Scope, TokenKind

router = APIRouter(tags=["sign in"])
AccountCaller = Annotated[Caller, Security(get_caller, scopes=[Scope.ACCOUNT])]
PhoneCaller = Annotated[Caller, Security(get_caller, scopes=[Scope.READ])]


class DeviceSignInIn(BaseModel):
    """The code of the page *My devices*, or address and password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"code": "K7M2Q-9XBTD", "device_name": "My phone"}]},
    )

    code: str | None = Field(
        default=None, max_length=40, description="Of `POST /v1/device-codes`; case does not matter"
    )
    email: str | None = Field(default=None, max_length=254)
    password: Password | None = None
    second_factor_code: str | None = Field(
        default=None,
        max_length=40,
        description="Of the person's app, or a recovery code, where that is asked for (401 of the "
        "type `second-factor`)",
    )
    device_name: str = Field(min_length=1, max_length=100, examples=["My phone"])

    @model_validator(mode="after")
    def _require_one_way(self) -> Self:
        has_password = self.email is not None and self.password is not None
        if (self.code is not None) == has_password:
            raise ValueError("Send a code, or email and password")
        return self


class DeviceOut(RecordOut):
    """A phone that is signed in."""

    id: str
    name: str = Field(examples=["My phone"])
    created: datetime = Field(description="When it was signed in")
    used: datetime = Field(description="To the minute")
    expires: datetime
    this: bool = Field(description="The one that this request came from")

    @classmethod
    def from_token(cls, token: AccessToken, this_id: str) -> DeviceOut:
        """A stored token of a phone. ``this_id``: that of the caller's own."""
        return cls.from_record(
            token,
            created=to_datetime(token.created_ns),
            used=to_datetime(token.used_ns),
            expires=to_datetime(token.expires_ns),
            this=token.id == this_id,
        )


class DeviceSignInOut(BaseModel):
    """What a phone holds while somebody is signed in on it."""

    token: str = Field(examples=["phone-kq3v0bX..."])
    expires: datetime = Field(description="Earlier where it is not used for 90 days")
    device: DeviceOut
    person: AccountOut
    storage_key: str = Field(
        description="256 bits, base64url without padding: with what the phone encrypts what it "
        "holds. The same on every phone of the person, until their account is erased",
        examples=["q80..."],
    )


class DeviceCodeOut(BaseModel):
    """A code that signs one phone in."""

    code: str = Field(description="Shown only now", examples=["K7M2Q-9XBTD"])
    expires: datetime


@router.post(
    "/devices/sign-in", status_code=201, responses=describe_problems(401, 403, 409, 422, 429, 503)
)
async def sign_in_device(
    request: Request,
    body: DeviceSignInIn,
    stores: StoresDep,
    hasher: HasherDep,
    network: ClientNetwork,
) -> DeviceSignInOut:
    """Sign a patient in on a phone, for a year, or until it is not used for 90 days. The token
    reaches only what the app needs (403, `not-for-devices`), and once it has ended it is answered
    401 of the type `device-revoked`; after an erasure of the person, 410 of the type
    `account-erased`.

    A person is signed in on at most ten: 409 of the type `too-many-phones`. Attempts count as those
    of `POST /v1/sign-in`; codes count by network.
    """
    if body.code is not None:
        person, second_factor = await run_in_threadpool(
            _use_code, request, stores, body.code, network
        )
        refusal = _wrong_code()
    else:
        assert body.email is not None and body.password is not None  # _require_one_way
        verified = await verify_password(
            *(request, stores, hasher, body.email, body.password),
            *(body.second_factor_code, network),
        )
        person, second_factor, refusal = verified.person, verified.has_code, wrong_password()
    if person.role is not Role.PATIENT:
        raise ProblemError(
            403,
            "The app is for patients: it records and rates. Use the pages in a browser.",
            kind="role",
        )
    signed_in = await run_in_threadpool(
        lambda: sign_phone_in(stores, person, body.device_name, second_factor=second_factor)
    )
    if signed_in is None:
        raise refusal
    if body.password is not None:
        await renew_hash(stores, hasher, person, body.password)
    return _describe(signed_in, person)


@router.post("/device-codes", status_code=201, responses=describe_problems(401, 403))
def add_device_code(_: PatientAccount, caller: AccountCaller, stores: StoresDep) -> DeviceCodeOut:
    """Make a code that signs one phone in: once, within five minutes, and not after this session
    was signed out. An earlier one ends.
    """
    code, expires_ns = issue_phone_code(stores, caller)
    return DeviceCodeOut(code=code, expires=to_datetime(expires_ns))


@router.get("/devices", responses=describe_problems(401, 403))
def devices(_: PatientAccount, caller: AccountCaller, stores: StoresDep) -> list[DeviceOut]:
    """The phones on which the person signed in is signed in."""
    return [
        DeviceOut.from_token(token, caller.access_token.id)
        for token in phones(stores, caller.person)
    ]


@router.get("/devices/current", responses=describe_problems(401, 403, 404))
def current_device(caller: PhoneCaller) -> DeviceOut:
    """The phone that this request comes from."""
    return DeviceOut.from_token(_require_phone(caller), caller.access_token.id)


@router.delete("/devices/current", status_code=204, responses=describe_problems(401, 403, 404))
def sign_out_device(
    caller: Annotated[Caller, Security(get_caller, scopes=[Scope.WRITE])], stores: StoresDep
) -> None:
    """Sign out on the phone that this request comes from."""
    stores.access.end_token(_require_phone(caller).token_hash)


@router.delete(
    "/devices/{device_id:uuid}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def revoke_device(device_id: uuid.UUID, person: PatientAccount, stores: StoresDep) -> None:
    """Sign a phone out from here. What it holds stays locked until the same person signs in."""
    is_phone = any(token.id == str(device_id) for token in phones(stores, person))
    if not is_phone or not stores.access.revoke_token(person.id, str(device_id)):
        raise ProblemError(404, "There is no such phone of yours.")


def _use_code(request: Request, stores: Stores, code: str, network: str) -> tuple[Person, bool]:
    attempt = lockout.begin_phone_code(stores, network)
    issuer = use_phone_code(stores, code)
    if issuer is None:
        raise _wrong_code()
    note_account(request, issuer.person.id)
    attempt.undo(stores)  # one less, no more: who has an account may guess at those of others
    return issuer.person, issuer.access_token.second_factor


def _wrong_code() -> ProblemError:
    return ProblemError(
        401,
        "This code is not right, was used already, or its five minutes are over. Make a new one.",
        kind="wrong-code",
    )


def _require_phone(caller: Caller) -> AccessToken:
    if caller.access_token.kind is not TokenKind.PHONE:
        raise ProblemError(404, "This request does not come from the app on a phone.")
    return caller.access_token


def _describe(signed_in: SignedInPhone, person: Person) -> DeviceSignInOut:
    stored = signed_in.access_token
    return DeviceSignInOut(
        token=signed_in.token,
        expires=to_datetime(stored.expires_ns),
        device=DeviceOut.from_token(stored, stored.id),
        person=AccountOut.from_record(person),
        storage_key=base64.urlsafe_b64encode(signed_in.storage_key).rstrip(b"=").decode(),
    )
