"""What the tests of pages share: people over a running API, and AppTest's way with ``__main__``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from store import Stores
from tests.support.clinic import Clinic, opened_clinic

# Each run of AppTest looks through all installed packages for components, a second of a core, and
# the tests make some hundreds of runs.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


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
