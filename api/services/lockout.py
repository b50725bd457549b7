"""Lock an address for a while after some wrong passwords in a row. An address that has no account
is locked too, so that the answer does not tell whether there is one.
"""

from __future__ import annotations

import hashlib

from api.services.errors import LockedOutError
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores

MAX_FAILURES, LOCKOUT_NS = 10, 15 * MINUTE


def require_unlocked(stores: Stores, email: str) -> None:
    """Raise LockedOutError where this address failed too often in the last ``LOCKOUT_NS``."""
    attempts = stores.access.attempts(_key(email))
    remaining_ns = attempts.since_ns + LOCKOUT_NS - stores.now()
    if attempts.failures >= MAX_FAILURES and remaining_ns > 0:
        raise LockedOutError(
            "Too many wrong passwords for this address. Try again in "
            f"{remaining_ns // MINUTE + 1} minutes, or ask your administrator for a new password.",
            wait_s=remaining_ns // SECOND + 1,
        )


def record_failure(stores: Stores, email: str) -> None:
    """Count a wrong password."""
    stores.access.add_failure(_key(email), stores.now(), LOCKOUT_NS)


def reset_failures(stores: Stores, email: str) -> None:
    """Set the count of an address to zero, after a right password."""
    stores.access.clear_failures(_key(email))


def _key(email: str) -> str:
    return hashlib.sha256(f"sign-in {email.strip().lower()}".encode()).hexdigest()
