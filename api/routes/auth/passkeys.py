"""Passkeys: fingerprint, face or PIN instead of a password (WebAuthn)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import SetupCaller, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.request_state import note_account
from api.http.second_factors import FreshCaller
from api.schemas.auth import SignInOut
from api.schemas.common import RecordOut
from api.services import passkeys, passwords, second_factors
from api.services.access_tokens import (
    Computer,
    issue_signed_in_token,
    session_times_ns,
)
from api.services.account_log import log_act
from api.services.errors import PasskeyError
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import Passkey, Person

router = APIRouter(tags=["sign in"])
# In base64url: 1,023 bytes of an id (WebAuthn, 6.5.1); of the others, more than any browser sends.
_Id = Annotated[str, Field(min_length=1, max_length=1364, pattern="^[A-Za-z0-9_-]+$")]
_Bytes = Annotated[str, Field(max_length=6000, pattern="^[A-Za-z0-9_-]*$")]


class PageIn(BaseModel):
    """The page that asks. The browser's answer has to be from there."""

    model_config = ConfigDict(extra="forbid")

    origin: str = Field(max_length=300, examples=["http://localhost:8421"])


class OptionsOut(BaseModel):
    """What the browser is called with: ``navigator.credentials``, bytes in base64url."""

    public_key: dict[str, Any]


class AttestationIn(BaseModel):
    """What the browser made."""

    model_config = ConfigDict(extra="forbid")

    clientDataJSON: _Bytes  # noqa: N815 - the name in WebAuthn
    attestationObject: _Bytes  # noqa: N815


class NewCredentialIn(BaseModel):
    """A new credential, as ``PublicKeyCredential.toJSON`` has it."""

    model_config = ConfigDict(extra="forbid")

    id: _Id
    rawId: _Id  # noqa: N815
    type: Literal["public-key"]
    response: AttestationIn


class NewPasskeyIn(BaseModel):
    """A name to know it by, and the answer of the browser."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, examples=["My laptop"])
    credential: NewCredentialIn


class AssertionIn(BaseModel):
    """What the browser signed."""

    model_config = ConfigDict(extra="forbid")

    clientDataJSON: _Bytes  # noqa: N815
    authenticatorData: _Bytes  # noqa: N815
    signature: _Bytes
    userHandle: _Bytes  # noqa: N815


class CredentialIn(BaseModel):
    """A credential in use, as ``PublicKeyCredential.toJSON`` has it."""

    model_config = ConfigDict(extra="forbid")

    id: _Id
    rawId: _Id  # noqa: N815
    type: Literal["public-key"]
    response: AssertionIn


class PasskeySignInIn(BaseModel):
    """The answer of the browser."""

    model_config = ConfigDict(extra="forbid")

    credential: CredentialIn
    computer: Computer | None = Field(default=None, description="As of `POST /v1/sign-in`")


class PasskeyOut(RecordOut):
    """A passkey of one's own."""

    id: str
    name: str = Field(examples=["My laptop"])
    rp_id: str = Field(description="The address that it is for", examples=["localhost"])
    created: datetime
    used: datetime

    @classmethod
    def from_passkey(cls, passkey: Passkey) -> PasskeyOut:
        """A stored passkey."""
        return cls.from_record(
            passkey, created=to_datetime(passkey.created_ns), used=to_datetime(passkey.used_ns)
        )


@router.post("/sign-in/passkey/options", responses=describe_problems(422))
def begin_passkey_sign_in(request: Request, body: PageIn, stores: StoresDep) -> OptionsOut:
    """Begin to sign in with a passkey. The challenge is good once, for five minutes."""
    pages_url = request.app.state.settings.dashboard_url
    return OptionsOut(public_key=passkeys.begin_use(stores, body.origin, pages_url))


@router.post("/sign-in/passkey", responses=describe_problems(401, 403, 422))
def sign_in_with_passkey(request: Request, body: PasskeySignInIn, stores: StoresDep) -> SignInOut:
    """Sign in with a passkey alone: it asks for fingerprint, face or PIN, and so is two factors.
    Times are those of `POST /v1/sign-in`.
    """
    settings = request.app.state.settings
    try:
        person = passkeys.finish_use(stores, body.credential.model_dump(), settings.dashboard_url)
    except PasskeyError as error:
        raise ProblemError(401, str(error), kind="wrong-passkey") from error
    note_account(request, person.id)
    if not passwords.may_use_password(settings.passwords, person.role):
        raise ProblemError(
            403, "Sign in with your clinic's sign-in: passkeys are not taken here.", kind="role"
        )
    return _sign_in(stores, person, body.computer)


def _sign_in(stores: Stores, person: Person, computer: Computer | None) -> SignInOut:
    lifetime_ns, idle_ns = session_times_ns(person, computer)
    issued = issue_signed_in_token(
        stores, person, lifetime_ns=lifetime_ns, idle_ns=idle_ns, second_factor=True
    )
    if issued is None:
        raise ProblemError(401, "You may not sign in here any more.", kind="wrong-passkey")
    token, access_token = issued
    return SignInOut.from_token(token, access_token.expires_ns)


@router.post("/me/passkeys/options", responses=describe_problems(401, 403, 422))
def begin_passkey(
    request: Request, body: PageIn, caller: FreshCaller, stores: StoresDep
) -> OptionsOut:
    """Begin to add a passkey, within 15 minutes of signing in or of `POST /v1/me/verify`. The
    challenge is good once, for five minutes.
    """
    pages_url = request.app.state.settings.dashboard_url
    return OptionsOut(
        public_key=passkeys.begin_adding(stores, caller.person, body.origin, pages_url)
    )


@router.post("/me/passkeys", status_code=201, responses=describe_problems(401, 403, 422))
def add_passkey(
    request: Request, body: NewPasskeyIn, caller: FreshCaller, stores: StoresDep
) -> PasskeyOut:
    """Add a passkey. It shows in one's access log."""
    name = body.name.strip()
    if not name:
        raise ProblemError(422, "is empty.", field="body.name")
    pages_url = request.app.state.settings.dashboard_url
    passkey = passkeys.finish_adding(
        stores, caller.person, body.credential.model_dump(), name, pages_url
    )
    stores.access.mark_token_verified(
        caller.access_token.token_hash, caller.access_token.verified_ns, True
    )
    return PasskeyOut.from_passkey(passkey)


@router.get("/me/passkeys", responses=describe_problems(401, 403))
def list_passkeys(caller: SetupCaller, stores: StoresDep) -> list[PasskeyOut]:
    """One's passkeys, oldest first."""
    return [PasskeyOut.from_passkey(item) for item in stores.access.passkeys(caller.person.id)]


@router.delete(
    "/me/passkeys/{passkey_id:uuid}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 409, 422),
)
def remove_passkey(
    request: Request, passkey_id: uuid.UUID, caller: FreshCaller, stores: StoresDep
) -> None:
    """Remove a passkey, within 15 minutes of signing in or of `POST /v1/me/verify`."""
    setting = request.app.state.settings.staff_second_factor
    methods = second_factors.find_methods(stores, caller.person)
    is_last = methods.passkeys == 1 and not methods.app
    if is_last and second_factors.is_required(setting, caller.person):
        raise ProblemError(409, "It is the last one, and staff need one here: add another first.")
    if not stores.access.remove_passkey(caller.person.id, str(passkey_id)):
        raise ProblemError(404, "There is no such passkey of yours.")
    log_act(stores, caller.person, caller.person, "removed a passkey")
