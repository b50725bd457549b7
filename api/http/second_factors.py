"""Require second factors: a code beside the password, and a sign-in that was just now."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.http.attempts import verify_counted
from api.http.deps import SetupCaller, StoresDep
from api.http.password_hashing import PasswordHasher
from api.http.problems import ProblemError
from api.services import lockout, passwords, second_factors
from api.services.access_tokens import Caller
from ebbtide.settings import Settings, StaffSecondFactor
from store import Stores
from store.models import Person


async def verify_code(
    stores: Stores,
    hasher: PasswordHasher,
    setting: StaffSecondFactor,
    person: Person,
    code: str | None,
    network: str,
    known_device: str | None,
) -> bool:
    """Verify the code of a person whose password was right; whether one was needed. Raises
    ProblemError where it is missing or wrong, LockedOutError after too many.
    """
    if not await run_in_threadpool(second_factors.is_code_needed, stores, setting, person):
        return False
    if code is None:
        raise await run_in_threadpool(_describe_missing, stores, person)
    attempt = await run_in_threadpool(lockout.begin_code, stores, person, network, known_device)
    verifying = hasher.run(second_factors.use_code, stores, person, code)
    if not await verify_counted(stores, attempt, verifying):
        raise ProblemError(
            401,
            "This code is not right, or was used already. Wait for the next one; a recovery code "
            "is good once.",
            kind="wrong-code",
        )
    await run_in_threadpool(attempt.succeed, stores)
    return True


def _describe_missing(stores: Stores, person: Person) -> ProblemError:
    methods = second_factors.find_methods(stores, person)
    if methods.app:
        words = "Now the six digits that your app shows, or one of your recovery codes."
    elif methods.recovery_codes:
        words = "Sign in with your passkey, or give one of your recovery codes."
    else:
        words = "Sign in with your passkey: here staff need more than a password."
    return ProblemError(401, words, kind="second-factor")


def get_fresh_caller(request: Request, caller: SetupCaller, stores: StoresDep) -> Caller:
    """The caller, who changes with what they sign in: with the second factor that they have, and
    after giving their password just now.
    """
    settings: Settings = request.app.state.settings
    if not passwords.may_use_password(settings.passwords, caller.person.role):
        raise ProblemError(403, "You sign in with your clinic's sign-in, and with nothing here.")
    if not caller.access_token.second_factor and second_factors.is_code_needed(
        stores, settings.staff_second_factor, caller.person
    ):
        raise ProblemError(
            403,
            "Sign in again, with your passkey or a code of your app, to change this.",
            kind="second-factor",
        )
    if not second_factors.is_fresh(stores, caller):
        raise ProblemError(403, "For this, give your password once more.", kind="not-fresh")
    return caller


FreshCaller = Annotated[Caller, Depends(get_fresh_caller)]
