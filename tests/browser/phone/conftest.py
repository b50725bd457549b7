"""A patient's phone: a browser with Web Bluetooth, a played strap, a running API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from store import Stores
from tests.conftest import skip_or_fail
from tests.support.phone_recording import Phone, make_phone, opened_site
from tests.support.played_bluez import PlayedBluez, PlayedStrap, has_dbus


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def strap() -> PlayedStrap:
    return PlayedStrap("Polar H10 8C4CAD25", battery=77)


@pytest.fixture
def bluez(strap: PlayedStrap) -> Iterator[PlayedBluez]:
    if not has_dbus():
        skip_or_fail("dbus-daemon is not installed")
    with PlayedBluez(strap) as played:
        yield played


@pytest.fixture
def phone(chromium: str, stores: Stores, bluez: PlayedBluez, tmp_path: Path) -> Iterator[Phone]:
    with opened_site(stores) as site:
        yield make_phone(site, stores, tmp_path / "profile", bluez.bus_address)
