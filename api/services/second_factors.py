"""Codes of an authenticator app (TOTP, RFC 6238) and recovery codes, and who needs one."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass

from api.services.access_tokens import Caller
from api.services.account_log import log_act
from api.services.one_time_tokens import (
    find_one_time_token,
    issue_one_time_token,
    take_one_time_token,
)
from ebbtide.settings import StaffSecondFactor
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores
from store.models import OneTimePurpose, Person, RecoveryCode, Role, Totp

SETUP_NS = 15 * MINUTE
FRESH_NS = 15 * MINUTE  # after a sign-in, or the password once more
RECOVERY_CODES = 10
_STEPS = 1  # of 30 s that a phone's clock may be off, to either side
# Letters and digits that are not taken for others: 49 bits in ten of them.
_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"
_CODE_LENGTH = 10
# Argon2id with the least parameters of OWASP's cheat sheet: ten codes are hashed in one request,
# and a code is random, unlike a password.
_TIME_COST, _MEMORY_KIB = 2, 19 * 1024


@dataclass(frozen=True, slots=True)
class Setup:
    """What an app is set up with: the secret, as text and as the address in a QR code. ``token``
    comes back with the first code.
    """

    token: str
    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Methods:
    """What a person has beside a password."""

    passkeys: int
    app: bool
    recovery_codes: int

    @property
    def is_any(self) -> bool:
        """Whether there is a passkey or an app."""
        return self.app or self.passkeys > 0


def find_methods(stores: Stores, person: Person) -> Methods:
    """Return what a person has beside a password."""
    access = stores.access
    return Methods(
        len(access.passkeys(person.id)),
        access.find_totp(person.id) is not None,
        len(access.recovery_codes(person.id)),
    )


def is_required(setting: StaffSecondFactor, person: Person) -> bool:
    """Whether EBBTIDE_STAFF_SECOND_FACTOR asks a second factor of this person."""
    return setting == "required" and person.role is not Role.PATIENT


def is_code_needed(stores: Stores, setting: StaffSecondFactor, person: Person) -> bool:
    """Whether this person's password alone signs nobody in: they set up an app, or are staff who
    need a second factor and have one.
    """
    if stores.access.find_totp(person.id) is not None:
        return True
    return is_required(setting, person) and stores.access.has_second_factor(person.id)


def is_missing(setting: StaffSecondFactor, caller: Caller) -> bool:
    """Whether a caller may only set up a second factor, and sign out."""
    return is_required(setting, caller.person) and not caller.access_token.second_factor


def is_fresh(stores: Stores, caller: Caller) -> bool:
    """Whether a caller signed in, or gave their password, just now. An account without a password
    cannot: it is as safe as the user account of its computer.
    """
    token = caller.access_token
    since_ns = max(token.created_ns, token.verified_ns)
    return caller.person.local_only or stores.now() - since_ns <= FRESH_NS


def begin_app(stores: Stores, person: Person) -> Setup:
    """Make a secret for an app. Nothing changes until ``finish_app`` gets a code of it."""
    import pyotp

    secret = pyotp.random_base32()
    token, _ = issue_one_time_token(
        *(stores, OneTimePurpose.TOTP_SETUP, SETUP_NS),
        person_id=person.id,
        body=json.dumps({"secret": secret}),
    )
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.email, issuer_name="Ebbtide")
    return Setup(token, secret, uri)


def finish_app(stores: Stores, person: Person, token: str, code: str) -> list[str] | None:
    """Store the secret of an app whose first code is right, in place of an earlier one, and return
    new recovery codes. None where the code is not right, or the time is over.
    """
    found = find_one_time_token(stores, token, OneTimePurpose.TOTP_SETUP)
    if found is None or found.person_id != person.id:
        return None
    secret = str(json.loads(found.body)["secret"])
    step = _find_step(stores, secret, code)
    if step is None or take_one_time_token(stores, token, OneTimePurpose.TOTP_SETUP) is None:
        return None
    codes, rows = _make_recovery_codes(stores, person)
    # Its first code is used up with it.
    stores.access.set_totp(Totp(person.id, secret, step, stores.now()), rows)
    log_act(stores, person, person, "set up codes of an app")
    return codes


def renew_recovery_codes(stores: Stores, person: Person) -> list[str]:
    """Make new recovery codes; earlier ones end."""
    codes, rows = _make_recovery_codes(stores, person)
    stores.access.set_recovery_codes(person.id, rows)
    log_act(stores, person, person, "made new recovery codes")
    return codes


def use_code(stores: Stores, person: Person, code: str) -> bool:
    """Use up a code of the app, or a recovery code; whether it was right, and not used before."""
    written = re.sub(r"[\s-]", "", code).lower()
    if re.fullmatch(r"[0-9]{6}", written):
        totp = stores.access.find_totp(person.id)
        step = None if totp is None else _find_step(stores, totp.secret, written)
        return step is not None and stores.access.use_totp(person.id, step)
    if len(written) != _CODE_LENGTH:
        return False
    stored = stores.access.recovery_codes(person.id)
    if not stored:
        return False
    hashed = _hash_code(written, stored[0].salt)
    if not stores.access.use_recovery_code(person.id, hashed):
        return False
    log_act(stores, person, person, "signed in with a recovery code")
    return True


def _find_step(stores: Stores, secret: str, code: str) -> int | None:
    """Find the number of the 30 s whose code this is, in the time that counts as now."""
    import pyotp

    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(
            re.sub(r"\s", "", code), for_time=stores.now() // SECOND, valid_window=_STEPS
        )
    except (pyotp.OTPVerificationError, ValueError):
        return None


def _make_recovery_codes(stores: Stores, person: Person) -> tuple[list[str], list[RecoveryCode]]:
    salt, now = secrets.token_hex(16), stores.now()
    codes = [
        "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    rows = [RecoveryCode(_hash_code(code, salt), person.id, salt, now) for code in codes]
    return [f"{code[:5]}-{code[5:]}" for code in codes], rows


def _hash_code(code: str, salt: str) -> str:
    from argon2.low_level import Type, hash_secret_raw

    raw = hash_secret_raw(
        code.encode(), bytes.fromhex(salt), _TIME_COST, _MEMORY_KIB, 1, 32, Type.ID
    )
    return raw.hex()
