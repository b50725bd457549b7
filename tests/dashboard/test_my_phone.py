"""My phone, a part of My devices, with AppTest: a code, the list, the end, and where none works."""

from __future__ import annotations

from datetime import datetime
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from api.services.phones import CODE_LIFETIME_NS, phones, sign_phone_in
from dashboard.client import DashboardClient
from dashboard.components import phone
from dashboard.i18n.formatting import format_time
from tests.support.clinic import Clinic


def script() -> None:
    from dashboard.page_shell import with_shell
    from dashboard.pages.my_devices import PAGE

    with_shell(PAGE.run)()


def opened(clinic: Clinic) -> AppTest:
    test = AppTest.from_function(script, default_timeout=30)
    test.session_state["token"] = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic["ada"].get("/v1/me").json()
    return ran(test)


def ran(test: AppTest) -> AppTest:
    test.run()
    assert not test.exception, test.exception
    return test


def words(test: AppTest) -> str:
    parts: list[Any] = [*test.markdown, *test.caption, *test.subheader, *test.code]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def press(test: AppTest, label: str) -> AppTest:
    next(button for button in test.button if button.label == label).click().run()
    assert not test.exception, test.exception
    return test


def test_a_code_is_shown_and_signs_the_phone_in_that_the_list_then_ends(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "page_origin", lambda: "https://clinic.example.org")
    test = opened(clinic)
    assert "iPhone" in words(test) and "Nights" in words(test)
    press(test, "Show a code for the app")
    address, code = test.code[0].value.splitlines()
    assert address == "https://clinic.example.org/app"
    signed_in = clinic["eve"].post(  # whoever has the code
        "/v1/devices/sign-in", json={"code": code, "device_name": "Pixel *of* Ada"}
    )
    assert signed_in.status_code == 201
    assert signed_in.json()["person"]["id"] == clinic.id("ada")
    press(test, "Done, hide the code for the app")
    assert code not in words(test)
    assert "Pixel *of* Ada" in words(test)
    press(test, "Sign this phone out")
    assert "stays on it" in words(test)
    press(test, "No, leave it")
    assert len(phones(clinic.stores, clinic.people["ada"])) == 1
    press(test, "Sign this phone out")
    press(test, "Yes, sign it out")
    assert "Pixel" not in words(test)
    assert phones(clinic.stores, clinic.people["ada"]) == []


def test_a_code_whose_time_is_over_is_not_shown(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "page_origin", lambda: "https://clinic.example.org")
    monkeypatch.setattr("api.services.phones.CODE_LIFETIME_NS", -CODE_LIFETIME_NS)
    test = press(opened(clinic), "Show a code for the app")
    assert [button.label for button in test.button if "code" in button.label] == [
        "Show a code for the app"
    ]


def test_without_encryption_the_page_says_so_and_shows_no_code(clinic: Clinic) -> None:
    other = sign_phone_in(clinic.stores, clinic.people["eve"], "Eve's", second_factor=False)
    assert other is not None
    test = opened(clinic)
    assert "encrypted address" in words(test)
    assert "Eve's" not in words(test)
    assert not [button for button in test.button if "code" in button.label]


def test_on_the_computer_itself_a_code_opens_the_app_though_there_is_no_encryption(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "STARTED", Event())
    phone.STARTED.set()
    monkeypatch.setattr(DashboardClient, "computer", lambda _: {"home_url": None})
    monkeypatch.setattr(phone, "page_origin", lambda: "http://192.0.2.7:8397")
    assert not [button for button in opened(clinic).button if "code" in button.label]
    monkeypatch.setattr(phone, "page_origin", lambda: "http://localhost:8397")
    test = press(opened(clinic), "Show a code for the app on this computer")
    (link,) = test.get("link_button")
    address, code = link.proto.url.split("#code=")
    assert address == "http://localhost:8397/app"
    signed_in = clinic["eve"].post(  # whoever has the code
        "/v1/devices/sign-in", json={"code": code, "device_name": "This computer"}
    )
    assert signed_in.json()["person"]["id"] == clinic.id("ada")


def test_a_code_ends_by_the_clock_of_its_person(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "page_origin", lambda: "https://clinic.example.org")
    test = press(opened(clinic), "Show a code for the app")
    ends = datetime.fromisoformat(test.session_state["device_code"]["expires"])
    here = ends.astimezone(ZoneInfo(clinic.people["ada"].zone))
    assert here.utcoffset() != ends.utcoffset()
    assert f"until {format_time(here)}" in words(test)
