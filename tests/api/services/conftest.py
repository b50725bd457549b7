"""Who uses the services."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from store import Stores
from store.models import Person


@pytest.fixture
def ada(signed_in: Callable[..., httpx.Client], stores: Stores) -> tuple[httpx.Client, Person]:
    """A patient, and a client that is signed in as her."""
    client = signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    return client, person
