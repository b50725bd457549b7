"""Signing in and out, who one is, and one's password."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.attempts import require_counted
from api.http.client_address import ClientNetwork
from api.http.deps import (
    SetupCallerAnyScope,
    SetupUserAnyScope,
    StoresDep,
    Token,
    get_caller,
)
from api.http.mail import MailerDep
from api.http.password_hashing import HasherDep, PasswordHasher
from api.http.passwords import (
    VerifiedPassword,
    renew_hash,
    require_password_role,
    verify_password,
    wrong_password,
)
from api.http.problems import ProblemError, describe_problems
from api.http.request_state import note_account
from api.schemas.auth import AccountOut, Password, SignInOut
from api.services import lockout, passwords, second_factors
from api.services.access_tokens import (
    DEVICE_LIFETIME_NS,
    Caller,
    Computer,
    issue_signed_in_token,
    session_times_ns,
    token_hash,
)
from api.services.password_links import (
    find_link_owner,
    mail_changed_password,
    mail_forgotten_password,
    use_password_link,
)
from ebbtide.errors import EbbtideError
from store import Stores
from store.models import Person
from store.models.access import Scope, TokenKind
from store.models.records import Role

router = APIRouter(tags=["sign in"])
AccountCaller = Annotated[Caller, Security(get_caller, scopes=[Scope.ACCOUNT])]


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
    known_device: str | None = Field(
        default=None,
        max_length=200,
        description="What an earlier sign-in from this device answered under this name",
    )
    code: str | None = Field(
        default=None,
        max_length=40,
        description="Of the person's app, or a recovery code, where that is asked for (401 of the "
        "type `second-factor`)",
        examples=["123456"],
    )
    computer: Computer | None = Field(
        default=None,
        description="What it is signed in on. A patient's `own`: 90 days, 30 unused; `shared`: 12 "
        "hours, one unused",
        examples=["own"],
    )


class PasswordIn(BaseModel):
    """The old password and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class ForgottenIn(BaseModel):
    """The address of an account."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, examples=["sample@ebbtide.example"])


class PasswordResetIn(BaseModel):
    """The one-time token of a link or code, and the new password."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    new: Password


@router.post("/sign-in", responses=describe_problems(401, 403, 422, 429, 503))
async def sign_in(
    request: Request,
    body: SignInIn,
    stores: StoresDep,
    hasher: HasherDep,
    network: ClientNetwork,
) -> SignInOut:
    """Exchange address and password for a token. A session lasts 7 days, and ends when it is not
    used for 12 hours, unless ``computer`` says something else.

    Wrong passwords count by address and network: after ten the next one waits 30 s (429, with
    ``Retry-After``), then twice as long each time, up to 15 minutes. A device that has signed in
    before sends its ``known_device`` and counts for itself. Where the person set up codes of an
    app, the right password without ``code`` is answered 401 of the type ``second-factor``; send
    both then. Wrong codes count like wrong passwords.
    """
    verified = await verify_password(
        *(request, stores, hasher, body.email, body.password, body.code, network),
        body.known_device,
    )
    signed_in = await run_in_threadpool(_finish_sign_in, body, stores, verified)
    await renew_hash(stores, hasher, verified.person, body.password)
    return signed_in


def _finish_sign_in(body: SignInIn, stores: Stores, verified: VerifiedPassword) -> SignInOut:
    person, has_code = verified.person, verified.has_code
    if body.device is not None and person.role is not Role.PATIENT:
        raise ProblemError(422, "Only a patient's beats are recorded.", field="body.device")
    if body.device is None:
        lifetime_ns, idle_ns = session_times_ns(person, body.computer)
        issued = issue_signed_in_token(
            *(stores, person),
            lifetime_ns=lifetime_ns,
            idle_ns=idle_ns,
            second_factor=has_code,
        )
    else:
        issued = issue_signed_in_token(
            stores,
            person,
            TokenKind.DEVICE,
            body.device,
            frozenset({Scope.UPLOAD}),
            DEVICE_LIFETIME_NS,
            second_factor=has_code,
        )
    if issued is None:
        raise wrong_password()
    secret = None if verified.attempt.is_known_device else lockout.remember_device(stores, person)
    token, access_token = issued
    return SignInOut.from_token(token, access_token.expires_ns, secret)


@router.post("/sign-out", status_code=204, responses=describe_problems(401))
def sign_out(_: SetupUserAnyScope, token: Token, stores: StoresDep) -> None:
    """End this sign-in; its token is worth nothing from now on."""
    stores.access.end_token(token_hash(token))


@router.get("/me", responses=describe_problems(401))
def me(request: Request, caller: SetupCallerAnyScope) -> AccountOut:
    """Who is signed in."""
    setting = request.app.state.settings.staff_second_factor
    return AccountOut.from_record(
        caller.person, second_factor_missing=second_factors.is_missing(setting, caller)
    )


@router.put(
    "/me/password", status_code=204, responses=describe_problems(401, 403, 409, 422, 429, 503)
)
async def change_password(
    body: PasswordIn,
    caller: AccountCaller,
    stores: StoresDep,
    hasher: HasherDep,
    mailer: MailerDep,
    background: BackgroundTasks,
) -> None:
    """Change one's password. All other sessions, devices and scripts have to sign in again."""
    person = caller.person
    attempt = await run_in_threadpool(lockout.begin_own_password, stores, caller.access_token.id)
    verifying = hasher.verify(body.old, person.password_hash)
    await require_counted(stores, attempt, verifying, field="body.old")
    await _validate_password(hasher, body.new, person)
    password_hash = await hasher.hash(body.new)
    is_changed = await run_in_threadpool(
        partial(
            stores.access.set_password,
            person.id,
            password_hash,
            caller.access_token.token_hash,
            was=person.password_hash,
        )
    )
    if not is_changed:
        raise ProblemError(409, "The password was changed meanwhile. Sign in again.")
    if mailer is not None:
        background.add_task(mail_changed_password, mailer, person)


@router.post("/password-reset/mail", status_code=202, responses=describe_problems(404, 422))
async def mail_reset(
    body: ForgottenIn, stores: StoresDep, mailer: MailerDep, background: BackgroundTasks
) -> None:
    """Mail a link with which one sets a new password, to an address that has an account. The answer
    does not tell whether it has. The link is good once, for an hour; earlier ones end.
    """
    if mailer is None:
        raise ProblemError(
            404, "This Ebbtide sends no mail: ask your therapist or administrator for a code."
        )
    background.add_task(mail_forgotten_password, stores, mailer, body.email)


@router.post("/password-reset", status_code=204, responses=describe_problems(403, 404, 422, 503))
async def reset_password(
    request: Request,
    body: PasswordResetIn,
    stores: StoresDep,
    hasher: HasherDep,
    mailer: MailerDep,
    background: BackgroundTasks,
) -> None:
    """Set a new password with the one-time token of a link or code. It signs nobody in, and
    everything that was signed in has to sign in again.
    """
    gone = ProblemError(404, "This link was used already, or its time is over.")
    # The token first: without one, nobody has a password estimated or hashed.
    person = await run_in_threadpool(find_link_owner, stores, body.token)
    if person is None:
        raise gone
    note_account(request, person.id)
    require_password_role(request, person)
    await _validate_password(hasher, body.new, person)
    password_hash = await hasher.hash(body.new)
    if not await run_in_threadpool(use_password_link, stores, body.token, password_hash):
        raise gone
    if mailer is not None:
        background.add_task(mail_changed_password, mailer, person)


async def _validate_password(hasher: PasswordHasher, new: str, person: Person) -> None:
    try:
        passwords.validate_length(new)
        await hasher.run(passwords.validate_password, new, (person.email, person.name))
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.new") from error
