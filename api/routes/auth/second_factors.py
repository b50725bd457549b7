"""Codes of an authenticator app, recovery codes, and the password once more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.attempts import require_counted
from api.http.client_address import ClientNetwork
from api.http.deps import SetupCaller, StoresDep
from api.http.password_hashing import HasherDep
from api.http.problems import ProblemError, describe_problems
from api.http.request_state import note_account
from api.http.second_factors import FreshCaller, verify_code
from api.schemas.auth import Password
from api.services import lockout, passwords, second_factors
from api.services.access_tokens import Caller
from api.services.account_log import log_act
from api.services.password_links import find_second_factor_owner, use_second_factor_link
from api.services.second_factors import SETUP_NS
from ebbtide.timestamps import to_datetime
from store import Stores

router = APIRouter(tags=["sign in"])
_Code = Annotated[str, Field(max_length=40, examples=["123456"])]


class SecondFactorsOut(BaseModel):
    """What one signs in with beside a password. ``required``: staff here need one; ``fresh``: one
    signed in, or gave the password, within the last 15 minutes, so that it can be changed.
    """

    passkeys: int
    app: bool = Field(description="Whether the password needs a code of an app")
    recovery_codes: int = Field(description="How many are left")
    required: bool
    fresh: bool
    local_only: bool = Field(description="The account has no password")
    allowed: bool = Field(description="False: the clinic's provider is the only way in")


class VerifyIn(BaseModel):
    """One's password once more, and a code where one is needed and the session had none."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    code: _Code | None = None


class AppOut(BaseModel):
    """Give ``secret`` to the app, as text or as ``uri`` in a QR code, and send the code that it
    shows with ``token``.
    """

    token: str
    secret: str
    uri: str = Field(examples=["otpauth://totp/Ebbtide:ada@example.org?secret=...&issuer=Ebbtide"])
    expires: datetime


class AppIn(BaseModel):
    """The token of the secret, and the first code of the app."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    code: _Code


class RecoveryCodesOut(BaseModel):
    """Each signs in once in place of a code of the app, with the password. Shown only now."""

    recovery_codes: list[str] = Field(examples=[["abcde-fghjk"]])


class SecondFactorResetIn(BaseModel):
    """The one-time token of a link or code, and the account's password."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    password: Password


@router.get("/me/second-factors", responses=describe_problems(401, 403))
def get_second_factors(
    request: Request, caller: SetupCaller, stores: StoresDep
) -> SecondFactorsOut:
    """What one signs in with beside a password."""
    settings = request.app.state.settings
    methods = second_factors.find_methods(stores, caller.person)
    return SecondFactorsOut(
        passkeys=methods.passkeys,
        app=methods.app,
        recovery_codes=methods.recovery_codes,
        required=second_factors.is_required(settings.staff_second_factor, caller.person),
        fresh=second_factors.is_fresh(stores, caller),
        local_only=caller.person.local_only,
        allowed=passwords.may_use_password(settings.passwords, caller.person.role),
    )


@router.post("/me/verify", status_code=204, responses=describe_problems(401, 403, 422, 429, 503))
async def verify(
    request: Request,
    body: VerifyIn,
    caller: SetupCaller,
    stores: StoresDep,
    hasher: HasherDep,
    network: ClientNetwork,
) -> None:
    """Give one's password once more, before one changes with what one signs in. It counts for 15
    minutes of this session.
    """
    person, token = caller.person, caller.access_token
    attempt = await run_in_threadpool(lockout.begin_own_password, stores, token.id)
    await require_counted(stores, attempt, hasher.verify(body.password, person.password_hash))
    has_code = False
    if not token.second_factor:
        setting = request.app.state.settings.staff_second_factor
        try:
            has_code = await verify_code(stores, hasher, setting, person, body.code, network, None)
        except ProblemError as error:  # 401 would say that the session is over
            if error.status != 401:
                raise
            raise ProblemError(403, error.detail, kind=error.kind) from error
    await run_in_threadpool(
        stores.access.mark_token_verified, token.token_hash, stores.now(), has_code
    )


@router.post("/me/app", status_code=201, responses=describe_problems(401, 403))
def begin_app(caller: FreshCaller, stores: StoresDep) -> AppOut:
    """Begin to set up codes of an app (TOTP). Nothing changes before `PUT /v1/me/app`."""
    made = second_factors.begin_app(stores, caller.person)
    return AppOut(
        token=made.token,
        secret=made.secret,
        uri=made.uri,
        expires=to_datetime(stores.now() + SETUP_NS),
    )


@router.put("/me/app", responses=describe_problems(401, 403, 422, 503))
async def set_app(
    body: AppIn, caller: FreshCaller, stores: StoresDep, hasher: HasherDep
) -> RecoveryCodesOut:
    """Confirm the app with its first code. From now on the password needs a code, and an earlier
    app's are worth nothing. The answer has ten recovery codes.
    """
    codes = await hasher.run(
        second_factors.finish_app, stores, caller.person, body.token, body.code
    )
    if codes is None:
        raise ProblemError(
            422,
            "is not the code that the app shows now. Check the clock of the phone, or begin anew.",
            field="body.code",
        )
    await run_in_threadpool(_mark, stores, caller)
    return RecoveryCodesOut(recovery_codes=codes)


@router.delete("/me/app", status_code=204, responses=describe_problems(401, 403, 404, 409))
def remove_app(request: Request, caller: FreshCaller, stores: StoresDep) -> None:
    """Remove the app, and the recovery codes: the password is enough again."""
    setting = request.app.state.settings.staff_second_factor
    methods = second_factors.find_methods(stores, caller.person)
    is_last = methods.app and methods.passkeys == 0
    if is_last and second_factors.is_required(setting, caller.person):
        raise ProblemError(409, "It is the last one, and staff need one here: add a passkey first.")
    if not stores.access.remove_totp(caller.person.id):
        raise ProblemError(404, "There is no app.")
    log_act(stores, caller.person, caller.person, "removed codes of an app")


@router.post("/me/recovery-codes", status_code=201, responses=describe_problems(401, 403, 409, 503))
async def renew_recovery_codes(
    caller: FreshCaller, stores: StoresDep, hasher: HasherDep
) -> RecoveryCodesOut:
    """Make ten new recovery codes. Earlier ones end."""
    has_one = await run_in_threadpool(stores.access.has_second_factor, caller.person.id)
    if not has_one:
        raise ProblemError(409, "Recovery codes stand in for a passkey or an app: add one first.")
    codes = await hasher.run(second_factors.renew_recovery_codes, stores, caller.person)
    return RecoveryCodesOut(recovery_codes=codes)


@router.post(
    "/second-factor-reset", status_code=204, responses=describe_problems(403, 404, 422, 429, 503)
)
async def reset_second_factors(
    request: Request,
    body: SecondFactorResetIn,
    stores: StoresDep,
    hasher: HasherDep,
    network: ClientNetwork,
) -> None:
    """Remove one's passkeys, app and recovery codes, after a loss, with the one-time token of a
    link or code and one's password. It signs nobody in, and everything that was signed in ends.
    """
    gone = ProblemError(404, "This link was used already, or its time is over.")
    person = await run_in_threadpool(find_second_factor_owner, stores, body.token)
    if person is None:
        raise gone
    note_account(request, person.id)
    attempt = await run_in_threadpool(lockout.begin_sign_in, stores, person.email, network, None)
    await require_counted(stores, attempt, hasher.verify(body.password, person.password_hash))
    if not await run_in_threadpool(use_second_factor_link, stores, body.token):
        raise gone


def _mark(stores: Stores, caller: Caller) -> None:
    """Note that this session had the second factor that it has just set up."""
    token = caller.access_token
    stores.access.mark_token_verified(token.token_hash, token.verified_ns, True)
