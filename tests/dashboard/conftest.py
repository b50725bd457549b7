"""What the tests of pages share: people over a running API, and AppTest's way with ``__main__``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from store import Stores
from tests.support.clinic import Clinic, opened_clinic


@pytest.fixture
def clinic(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """People of every role; the pages ask their API."""
    with opened_clinic(stores) as opened:
        monkeypatch.setenv("EBBTIDE_API_URL", opened.url)
        yield opened


@pytest.fixture(autouse=True)
def _main() -> Iterator[None]:
    """Restore ``__main__``, which AppTest replaces: processes spawned later would import it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
