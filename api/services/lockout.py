"""Guessing passwords: after some failures in a row, an address is locked for a while. Also one that
nobody has, so that the answer tells nothing.
"""

from __future__ import annotations

import hashlib

from api.http.problems import ProblemError
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores

MAX_FAILURES, LOCKOUT_NS = 10, 15 * MINUTE


def require_unlocked(stores: Stores, email: str) -> None:
    """Raises ProblemError where this address failed too often in the last quarter of an hour."""
    found = stores.access.attempts(_key(email))
    left = found.since_ns + LOCKOUT_NS - stores.now()
    if found.failures >= MAX_FAILURES and left > 0:
        raise ProblemError(
            429,
            f"Too many wrong passwords for this address. Try again in {left // MINUTE + 1} minutes,"
            " or ask your administrator for a new password.",
            headers={"Retry-After": str(left // SECOND + 1)},
            kind="locked",
        )


def record_failure(stores: Stores, email: str) -> None:
    """Count a failure."""
    stores.access.add_failure(_key(email), stores.now(), LOCKOUT_NS)


def reset_failures(stores: Stores, email: str) -> None:
    """Forget the failures before."""
    stores.access.clear_failures(_key(email))


def _key(email: str) -> str:
    return hashlib.sha256(f"sign-in {email.strip().lower()}".encode()).hexdigest()
