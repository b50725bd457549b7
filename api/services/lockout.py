"""Make guessing of passwords slow, without locking out the person whose password it is.

Wrong passwords are counted by account and network together, so that a stranger who guesses slows
down nobody but himself. Before the account alone counts, strangers have to guess from 20 networks:
then whoever comes from a device that has not signed in before waits up to a minute. A device that
has signed in before proves it with a secret, and counts for itself.

An attempt is counted before its password is verified: of 60 at once no more are verified than of 60
in a row. An address without an account is counted in the same way, so that the answer does not tell
whether there is one.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from api.services.access_tokens import token_hash
from api.services.errors import LockedOutError
from ebbtide.timestamps import DAY, MINUTE, SECOND
from store import Stores
from store.models import AttemptLimit, Person

MAX_FAILURES = 10  # without a delay, from one network or device
FIRST_DELAY_NS, MAX_DELAY_NS = 30 * SECOND, 15 * MINUTE
MAX_ACCOUNT_FAILURES = 200  # of an account from all networks
FIRST_ACCOUNT_DELAY_NS, MAX_ACCOUNT_DELAY_NS = 5 * SECOND, MINUTE
# Of six digits, three are right at a time: beyond these an account's codes are guessed every 15
# minutes, right once in 2,600 days.
MAX_ACCOUNT_CODES = 30
FORGET_AFTER_NS = DAY
DEVICE_LIFETIME_NS = 400 * DAY  # as long as browsers store a cookie


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was counted. ``key``: of its network or device; ``shared``: of the account
    alone.
    """

    key: str
    shared: tuple[str, ...] = ()
    is_known_device: bool = False

    def succeed(self, stores: Stores) -> None:
        """The password was right: forget the wrong ones before it."""
        stores.access.clear_failures(self.key)
        if self.shared:
            stores.access.undo_attempt(self.shared)

    def undo(self, stores: Stores) -> None:
        """The password was not verified."""
        stores.access.undo_attempt((self.key, *self.shared))


def begin_sign_in(stores: Stores, email: str, network: str, device: str | None) -> Attempt:
    """Count an attempt to sign in. Raises LockedOutError where the next one is not due yet."""
    account = email.strip().lower()
    device_hash = token_hash(device or "")
    owner_id = stores.access.find_known_device(device_hash, stores.now())
    person = stores.records.person_by_email(email.strip())
    if person is not None and owner_id == person.id:
        attempt = Attempt(_key("device", device_hash, account), is_known_device=True)
    else:
        key, shared = _key("network", network, account), _account_key(account)
        # One network counts no more than its first ten: it cannot fill the account's count alone.
        is_counted = stores.access.attempts(key).failures < MAX_FAILURES
        attempt = Attempt(key, (shared,) if is_counted else ())
    limits = [_limit(attempt.key)]
    limits += [
        AttemptLimit(key, MAX_ACCOUNT_FAILURES, FIRST_ACCOUNT_DELAY_NS, MAX_ACCOUNT_DELAY_NS)
        for key in attempt.shared
    ]
    _begin(stores, limits)
    return attempt


def begin_code(stores: Stores, person: Person, network: str, device: str | None) -> Attempt:
    """Count a code that comes with the right password. Raises LockedOutError. Who does not have the
    password gets no further than that, and slows down nobody here; nor does who has it, for devices
    that have signed in before.
    """
    device_hash = token_hash(device or "")
    if stores.access.find_known_device(device_hash, stores.now()) == person.id:
        attempt = Attempt(_key("code device", device_hash, person.id), is_known_device=True)
        limits = []
    else:
        account = _key("code account", person.id)
        attempt = Attempt(_key("code network", network, person.id), (account,))
        limits = [AttemptLimit(account, MAX_ACCOUNT_CODES, FIRST_DELAY_NS, MAX_DELAY_NS)]
    _begin(stores, [_limit(attempt.key), *limits], _WRONG_CODES)
    return attempt


def begin_phone_code(stores: Stores, network: str) -> Attempt:
    """Count that a phone gave a code: by its network, since a code names nobody before it is right.
    Raises LockedOutError.
    """
    attempt = Attempt(_key("phone code", network))
    _begin(stores, [_limit(attempt.key)], _WRONG_PHONE_CODES)
    return attempt


def begin_own_password(stores: Stores, token_id: str) -> Attempt:
    """Count that somebody who is signed in gave their password once more. It counts for this token:
    who guesses at an open screen slows down no other.
    """
    attempt = Attempt(_key("token", token_id))
    _begin(stores, [_limit(attempt.key)])
    return attempt


def is_mail_due(stores: Stores, email: str) -> bool:
    """Whether one more link may be sent to this address: three, then one in 20 minutes or more."""
    limit = AttemptLimit(_key("mail", email.strip().lower()), 3, 20 * MINUTE, 60 * MINUTE)
    return stores.access.begin_attempt([limit], stores.now(), FORGET_AFTER_NS) == 0


def remember_device(stores: Stores, person: Person) -> str:
    """Make the secret with which a device shows that this person signed in with it."""
    secret, now = secrets.token_urlsafe(32), stores.now()
    stores.access.add_known_device(token_hash(secret), person.id, now, now + DEVICE_LIFETIME_NS)
    return secret


def reset_account(stores: Stores, email: str) -> None:
    """Forget the wrong passwords of an account from all networks, after a new password."""
    stores.access.clear_failures(_account_key(email.strip().lower()))


_WRONG_PASSWORDS = (
    "Too many wrong passwords for this address. Try again in {wait}, or set a new password: by "
    "mail, or with a code of your therapist or administrator."
)
_WRONG_CODES = (
    "Too many wrong codes. Try again in {wait}, or sign in with your passkey if you have one."
)

_WRONG_PHONE_CODES = (
    "Too many codes that were not right. Try again in {wait}, with a new code of the page My "
    "devices."
)


def _begin(stores: Stores, limits: list[AttemptLimit], words: str = _WRONG_PASSWORDS) -> None:
    wait_ns = stores.access.begin_attempt(limits, stores.now(), FORGET_AFTER_NS)
    if wait_ns > 0:
        wait_s = -(-wait_ns // SECOND)
        wait = f"{wait_s} s" if wait_s < 120 else f"{-(-wait_s // 60)} minutes"
        raise LockedOutError(words.format(wait=wait), wait_s=wait_s)


def _limit(key: str) -> AttemptLimit:
    return AttemptLimit(key, MAX_FAILURES, FIRST_DELAY_NS, MAX_DELAY_NS)


def _account_key(account: str) -> str:
    return _key("account", account)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(("sign-in", *parts)).encode()).hexdigest()
