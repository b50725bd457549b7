"""Create accounts. There is no public registration: an administrator, or the owner of the computer,
creates accounts on the command line or invites people.
"""

from __future__ import annotations

import re

from api.services import passwords
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import validate_zone
from store import RecordStore
from store.models import Person, Role


def create_account(
    records: RecordStore,
    *,
    email: str,
    password: str,
    name: str,
    zone: str,
    now_ns: int,
    role: Role = Role.PATIENT,
    simulated: bool = False,
) -> Person:
    """Create an account.

    Raises EbbtideError for an address, password or zone that is not valid, and EmailTakenError.
    """
    validate_email(email)
    passwords.validate_password(password, (email, name))
    return store_account(
        records,
        email=email,
        password_hash=passwords.hash_password(password),
        name=name,
        zone=zone,
        now_ns=now_ns,
        role=role,
        simulated=simulated,
    )


def store_account(
    records: RecordStore,
    *,
    email: str,
    password_hash: str,
    name: str,
    zone: str,
    now_ns: int,
    role: Role = Role.PATIENT,
    simulated: bool = False,
) -> Person:
    """Create an account with a password that was validated and hashed before."""
    person = new_person(
        email=email,
        password_hash=password_hash,
        name=name,
        zone=zone,
        now_ns=now_ns,
        role=role,
        simulated=simulated,
    )
    records.add_person(person)
    return person


def new_person(
    *,
    email: str,
    password_hash: str,
    name: str,
    zone: str,
    now_ns: int,
    role: Role = Role.PATIENT,
    simulated: bool = False,
) -> Person:
    """Validate what an account has, and return it, not stored yet. Raises EbbtideError."""
    return Person(
        id=new_id(),
        subject_id=new_id(),
        email=validate_email(email),
        name=validate_name(name),
        zone=validate_zone(zone),
        role=role,
        simulated=simulated,
        password_hash=password_hash,
        created_ns=now_ns,
    )


def validate_email(email: str) -> str:
    """Return the address. Raises EbbtideError where it is not an e-mail address."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or len(email) > 254:
        raise EbbtideError(f"'{email}' is not an e-mail address.", "Give one like ada@example.org.")
    return email


def validate_name(name: str) -> str:
    """Return the name without spaces around it. Raises EbbtideError for an empty or long one."""
    if not name.strip() or len(name) > 200:
        raise EbbtideError("The name is empty or too long.", "Use 1 to 200 characters.")
    return name.strip()
