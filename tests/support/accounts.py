"""Accounts for tests and benchmarks."""

from __future__ import annotations

from api.services.accounts import create_account
from store import Stores
from store.models import Person, Role

PASSWORD = "correct horse battery"


def add_account(
    stores: Stores,
    email: str,
    *,
    name: str = "N",
    zone: str = "UTC",
    role: Role = Role.PATIENT,
    simulated: bool = False,
) -> Person:
    """Create an account with ``PASSWORD``, as of now."""
    return create_account(
        stores.records,
        email=email,
        password=PASSWORD,
        name=name,
        zone=zone,
        now_ns=stores.now(),
        role=role,
        simulated=simulated,
    )
