"""My devices in a real browser, over a BlueZ that is played on a private D-Bus: a strap is found,
paired, seen live, and forgotten; with axe.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.conftest import skip_or_fail
from tests.support.browser import check_width, violations
from tests.support.played_bluez import PlayedBluez, PlayedStrap, has_dbus
from tests.support.ports import free_port
from tests.support.started import first_run, started
from tests.support.wearer import Wearer

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Home:
    """A started Ebbtide of Ada's, with Bluetooth, and the strap that she wears."""

    url: str
    token: str
    port: int
    strap: PlayedStrap


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    if not has_dbus():
        skip_or_fail("dbus-daemon is not installed")
    worn = PlayedStrap("Polar H10 8C4CAD25", "C0:00:00:00:00:01")
    other = PlayedStrap("Tickr 0815", "C0:00:00:00:00:02", signal_dbm=-84)
    folder, port = tmp_path_factory.mktemp("home"), free_port()
    with pytest.MonkeyPatch.context() as patch, PlayedBluez(worn, other) as bluez:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bluez.bus_address)
        with started(folder, port) as address, closing(first_run(address, port)) as api:
            token = api.headers["Authorization"].removeprefix("Bearer ")
            yield Home(f"http://127.0.0.1:{port}", token, port, worn)


@pytest.fixture
def wearer(home: Home) -> Iterator[Wearer]:
    found = Wearer(home.strap)
    yield found
    found.end()


def test_a_strap_is_found_paired_seen_live_and_forgotten(
    home: Home, wearer: Wearer, context: BrowserContext
) -> None:
    cookie = {"name": f"ebbtide_session_{home.port}", "value": home.token, "url": home.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(home.url)
    main = page.get_by_test_id("stMainBlockContainer")
    main.get_by_role("link", name="My devices").click()
    expect(page.get_by_role("heading", name="My devices")).to_be_visible()
    check_width(page, "devices-none")
    assert violations(page) == []
    page.get_by_role("button", name="Look for my strap").click()
    expect(page.get_by_text("Polar H10 8C4CAD25")).to_be_visible()
    expect(page.get_by_text("Tickr 0815")).to_be_visible()
    expect(page.get_by_text("Probably the one that you wear.")).to_have_count(1)
    check_width(page, "devices-found")
    assert violations(page) == []
    page.get_by_role("button", name="This is mine").first.click()
    expect(page.get_by_text("is yours now")).to_be_visible()
    expect(page.get_by_text("a minute. It records, and all is well.")).to_be_visible()
    expect(page.get_by_text("battery 80%")).to_be_visible()
    check_width(page, "devices-live")
    assert violations(page) == []
    wearer.contact = False
    expect(page.get_by_text("feels no skin. Moisten the electrodes")).to_be_visible()
    check_width(page, "devices-no-contact")
    page.get_by_text("Name, or forget").click()
    asked = page.get_by_text("What it recorded stays.")
    for _ in range(3):  # Streamlit loses a click in the instant in which it draws anew
        page.get_by_role("button", name="Forget this strap").click()
        with suppress(AssertionError):
            expect(asked).to_be_visible(timeout=10_000)
            break
    expect(asked).to_be_visible()
    check_width(page, "devices-forget")
    page.get_by_role("button", name="Yes, forget it").click()
    expect(page.get_by_role("button", name="Look for my strap")).to_be_visible()
    expect(page.get_by_text("Polar H10 8C4CAD25")).to_have_count(0)
