"""Verify address, password and, where it is asked for, a code: of pages, recorders and phones."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.http.attempts import verify_counted
from api.http.password_hashing import PasswordHasher
from api.http.problems import ProblemError
from api.http.request_state import note_account
from api.http.second_factors import verify_code
from api.services import lockout, passwords
from store import Stores
from store.models import Person


@dataclass(frozen=True, slots=True)
class VerifiedPassword:
    """Whose address and password were right; ``has_code``: and a code, which was asked for."""

    person: Person
    attempt: lockout.Attempt
    has_code: bool


async def verify_password(
    request: Request,
    stores: Stores,
    hasher: PasswordHasher,
    email: str,
    password: str,
    code: str | None,
    network: str,
    known_device: str | None = None,
) -> VerifiedPassword:
    """Verify an attempt to sign in, which counts. Raises ProblemError where something is wrong or
    missing, LockedOutError after too many.
    """
    person = await run_in_threadpool(stores.records.person_by_email, email.strip())
    if person is not None:
        note_account(request, person.id)
    attempt = await run_in_threadpool(lockout.begin_sign_in, stores, email, network, known_device)
    verifying = hasher.verify(password, person.password_hash if person else None)
    is_right = await verify_counted(stores, attempt, verifying)
    if person is None or not is_right:
        raise wrong_password()
    require_password_role(request, person)
    await run_in_threadpool(attempt.succeed, stores)  # a wrong code is no wrong password
    setting = request.app.state.settings.staff_second_factor
    has_code = await verify_code(stores, hasher, setting, person, code, network, known_device)
    return VerifiedPassword(person, attempt, has_code)


def wrong_password() -> ProblemError:
    """The same text for all, so that nobody learns who has an account."""
    return ProblemError(401, "The address or the password is not right.", kind="wrong-password")


def require_password_role(request: Request, person: Person) -> None:
    """Refuse a password where the clinic's provider is the only way in (EBBTIDE_PASSWORDS)."""
    if not passwords.may_use_password(request.app.state.passwords, person.role):
        raise ProblemError(
            403, "Sign in with your clinic's sign-in: passwords are not taken here.", kind="role"
        )


async def renew_hash(stores: Stores, hasher: PasswordHasher, person: Person, password: str) -> None:
    """Hash a password anew that was hashed with weaker parameters."""
    if person.password_hash is None or not passwords.is_outdated(person.password_hash):
        return
    renewed = await hasher.hash(password)
    await run_in_threadpool(
        stores.access.renew_password_hash, person.id, renewed, was=person.password_hash
    )
