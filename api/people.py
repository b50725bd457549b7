"""Making an account. There is no public registration: a clinic, or the owner of the machine, does
it from the command line.
"""

from __future__ import annotations

import re

from api import passwords
from ebbtide.errors import EbbtideError
from ebbtide.instants import check_zone
from ebbtide.records import new_id
from store.records import Person, RecordStore, Role


def add_patient(
    records: RecordStore,
    *,
    email: str,
    password: str,
    name: str,
    zone: str,
    now_ns: int,
    simulated: bool = False,
) -> Person:
    """Make a patient's account.

    Raises EbbtideError for an address, password or zone that cannot be, and EmailTakenError.
    """
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or len(email) > 254:
        raise EbbtideError(f"'{email}' is not an e-mail address.", "Give one like ada@example.org.")
    if len(password) < passwords.SHORTEST:
        raise EbbtideError(
            "The password is too short.", f"Use at least {passwords.SHORTEST} characters."
        )
    if not name.strip() or len(name) > 200:
        raise EbbtideError("The name is empty or too long.", "Use 1 to 200 characters.")
    person = Person(
        id=new_id(),
        subject_id=new_id(),
        email=email,
        name=name.strip(),
        zone=check_zone(zone),
        role=Role.PATIENT,
        simulated=simulated,
        password_hash=passwords.hashed(password),
        created_ns=now_ns,
    )
    records.add_person(person)
    return person
