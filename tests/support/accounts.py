"""Accounts for tests and benchmarks."""

from __future__ import annotations

from api.services.accounts import create_account
from store import Stores
from store.models import Consent, Person, Purpose, Role

PASSWORD = "correct horse battery"


def add_account(
    stores: Stores,
    email: str,
    *,
    name: str = "N",
    zone: str = "UTC",
    role: Role = Role.PATIENT,
    simulated: bool = False,
    agrees: bool = True,
) -> Person:
    """Create an account with ``PASSWORD``, as of now. A patient ``agrees`` to keeping."""
    person = create_account(
        stores.records,
        email=email,
        password=PASSWORD,
        name=name,
        zone=zone,
        now_ns=stores.now(),
        role=role,
        simulated=simulated,
    )
    if agrees and role is Role.PATIENT:
        answer_on_keeping(stores, person)
    return person


def answer_on_keeping(stores: Stores, person: Person, given: bool = True) -> None:
    """Answer on keeping; not through the API, so that nothing is due to be erased."""
    answer = Consent(person.id, Purpose.KEEPING, given, "test, 1", stores.now())
    stores.records.add_consent(answer)
