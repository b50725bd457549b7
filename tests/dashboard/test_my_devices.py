"""My devices with AppTest against an API with a recorder that is set by the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from api.schemas.recorder import FoundOut, PairedOut, RecorderOut, ScanOut, StrapOut
from api.services.recorder import NotTheirsError, RecorderBusyError, UnknownStrapError
from dashboard.components.strap_words import (
    COMPUTER_TROUBLES,
    describe_battery,
    describe_last_heard,
    describe_signal,
    describe_strap,
    find_worn,
)
from tests.support.clinic import Clinic, fill

H10, TICKR = "C0:00:00:00:00:01", "C0:00:00:00:00:02"
WORN = {"connection": "connected", "heart_rate_bpm": 72, "contact": True, "has_intervals": True}


class SetRecorder:
    """A recorder of ada's, whose straps and scan are as the test sets them."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.straps: list[StrapOut] = []
        self.found: list[FoundOut] = []
        self.more: dict[str, Any] = {}
        self.is_scanning = False
        self.refusal: str | None = None
        self.said: list[str] = []

    def state(self, account: str, zone: str) -> RecorderOut:
        self._check(account)
        fields: dict[str, Any] = {
            **{"problem": None, "bluetooth": None, "upload": None, "waiting": 0},
            **{"most_links": 0, "straps_of_others": 0, **self.more},
        }
        return RecorderOut(computer="desk", straps=self.straps, **fields)

    def start_scan(self, account: str, seconds: int) -> ScanOut:
        self._check(account)
        self.is_scanning = True
        return self.scan(account)

    def scan(self, account: str) -> ScanOut:
        return ScanOut(
            is_running=self.is_scanning, seconds_left=20 * self.is_scanning, found=self.found
        )

    def pair(self, account: str, address: str, name: str | None) -> PairedOut:
        if self.refusal is not None:
            raise RecorderBusyError(self.refusal)
        found = next(item for item in self.found if item.address == address)
        self.straps.append(StrapOut(address=address, name=name or found.name))
        return PairedOut(strap=self.straps[-1], heard="intervals")

    def rename(self, account: str, address: str, name: str) -> StrapOut:
        self.straps = [
            strap.model_copy(update={"name": name}) if strap.address == address else strap
            for strap in self.straps
        ]
        return next(strap for strap in self.straps if strap.address == address)

    def forget(self, account: str, address: str) -> None:
        left = [strap for strap in self.straps if strap.address != address]
        if len(left) == len(self.straps):
            raise UnknownStrapError("No strap with this address is paired with you.")
        self.straps = left

    def note_off_said(self, account: str, address: str) -> None:
        self.said.append(address)
        self.straps = [strap.model_copy(update={"off_notice": False}) for strap in self.straps]

    def _check(self, account: str) -> None:
        if account != self.owner:
            raise NotTheirsError("desk does not record for you.")


def script() -> None:
    from dashboard.page_shell import with_shell
    from dashboard.pages.my_devices import PAGE

    with_shell(PAGE.run)()


@pytest.fixture
def recorder(clinic: Clinic) -> SetRecorder:
    found = SetRecorder(clinic.id("ada"))
    assert clinic.app is not None
    clinic.app.state.recorder = found
    return found


def opened(clinic: Clinic, who: str = "ada") -> AppTest:
    test = AppTest.from_function(script, default_timeout=30)
    test.session_state["token"] = clinic[who].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic[who].get("/v1/me").json()
    return ran(test)


def ran(test: AppTest) -> AppTest:
    test.run()
    assert not test.exception, test.exception
    return test


def words(test: AppTest) -> str:
    parts: list[Any] = [*test.markdown, *test.caption, *test.subheader, *test.info, *test.success]
    return " ".join(str(part.value) for part in parts).replace("\\", "")


def press(test: AppTest, label: str, nth: int = 0) -> AppTest:
    [button for button in test.button if button.label == label][nth].click().run()
    assert not test.exception, test.exception
    return test


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


def found(address: str, name: str, dbm: int | None, **more: Any) -> FoundOut:
    return FoundOut(
        **{"address": address, "name": name, "signal_dbm": dbm, "is_certain": True} | more
    )


def test_a_strap_is_found_paired_named_and_forgotten(clinic: Clinic, recorder: SetRecorder) -> None:
    test = opened(clinic)
    assert "Moisten the electrodes" in words(test)
    press(test, "Look for my strap")
    recorder.found = [
        found(H10, "Polar H10 8C4CAD25", -52),
        found(TICKR, "Tickr", -81),
        found("C0:00:00:00:00:03", "Bea's", -90, paired_with="somebody else"),
        found("C0:00:00:00:00:04", "Heart thing", -60, is_certain=False),
    ]
    text = words(ran(test))
    assert "▮▮▮▮ very near" in text
    assert text.count("Probably the one that you wear.") == 1
    assert "of somebody else on this computer" in text
    assert labels(test).count("This is mine") == 3
    press(test, "This is mine")
    assert "**Polar H10 8C4CAD25** is yours now" in words(test)
    assert [strap.address for strap in recorder.straps] == [H10]
    test.text_input[0].set_value("Mine").run()
    press(test, "Save the name")
    assert "**Mine**" in words(test)
    press(test, "Forget this strap")
    assert "What it recorded stays" in words(test)
    press(test, "Keep it")
    assert len(recorder.straps) == 1
    press(press(test, "Forget this strap"), "Yes, forget it")
    assert recorder.straps == []
    assert "**Mine**" not in words(test)


def test_a_refusal_is_said_in_its_words_and_nothing_found_says_what_to_do(
    clinic: Clinic, recorder: SetRecorder
) -> None:
    test = press(opened(clinic), "Look for my strap")
    recorder.is_scanning = False
    assert "No strap was heard. Moisten" in words(ran(test))
    recorder.found, recorder.refusal = [found(H10, "H10", -50)], "It was heard and did not answer."
    press(press(test, "Look again"), "This is mine")
    assert "It was heard and did not answer." in words(test)
    assert "Look for my strap" in labels(test)


def test_a_strap_that_is_off_is_said_once(clinic: Clinic, recorder: SetRecorder) -> None:
    heard = datetime.now(UTC) - timedelta(minutes=12)
    recorder.straps = [StrapOut(address=H10, name="H10", last_heard=heard, off_notice=True)]
    test = opened(clinic)
    assert "**H10** is off since" in words(test)
    assert recorder.said == [H10]
    assert "is off since" in words(ran(test))  # while this page is open
    assert "is off since" not in words(opened(clinic))


def test_live_heart_contact_and_what_is_wrong(clinic: Clinic, recorder: SetRecorder) -> None:
    recorder.straps = [
        StrapOut(address=H10, name="H10", battery_percent=12, **WORN),
        StrapOut(address=TICKR, name="Tickr", **{**WORN, "contact": False}),
    ]
    text = words(opened(clinic))
    assert "Heart **72** a minute. It records, and all is well." in text
    assert "battery 12%: time for a new one soon" in text
    assert "It is on, and feels no skin. Moisten the electrodes" in text
    assert "The computer *desk* records" in text
    recorder.more = {"upload": "consent", "straps_of_others": 1}
    text = words(opened(clinic))
    assert "waits on that computer until you agree" in text
    assert "It also records 1 of somebody else's" in text
    for kind, trouble in (("problem", "disk"), ("bluetooth", "no adapter")):
        recorder.more = {kind: trouble}
        assert COMPUTER_TROUBLES[trouble] in words(opened(clinic))


def test_who_records_where_this_service_does_not(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    text = words(opened(clinic))
    assert "Here nothing is recorded" in text
    assert "ebbtide pair" in text


def test_somebody_for_whom_it_does_not_record_sees_that(
    clinic: Clinic, recorder: SetRecorder
) -> None:
    recorder.straps = [StrapOut(address=H10, name="Ada's strap")]
    text = words(opened(clinic, "eve"))
    assert "desk does not record for you." in text
    assert "Ada's strap" not in text


def test_words_of_straps_signals_and_times() -> None:
    whole = {"problem": None, "bluetooth": None}
    strap = {**StrapOut(address=H10, name="H10").model_dump(), "connection": "trouble"}
    said = {
        describe_strap({**strap, "trouble": trouble}, whole)
        for trouble in ("not heard", "no answer", "address changed", "no link left", "other")
    }
    assert len(said) == 5
    assert describe_strap(strap, {**whole, "bluetooth": "no adapter"}) == "Not recorded just now."
    connected = {**strap, **WORN}
    assert "Single beats" in describe_strap({**connected, "has_intervals": False}, whole)
    assert "Waiting for a beat" in describe_strap({**connected, "heart_rate_bpm": None}, whole)
    assert [describe_signal(dbm).split(" ", 1)[1] for dbm in (-50, -70, -85, -95)] == [
        "very near",
        "near",
        "further away",
        "far away",
    ]
    assert describe_signal(None) == ""
    assert describe_battery(None) is None
    now = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    ages = (timedelta(seconds=3), timedelta(minutes=7), timedelta(hours=3), timedelta(hours=20))
    assert [describe_last_heard((now - age).isoformat(), now).split(" at ")[0] for age in ages] == [
        "heard just now",
        "heard 7 min ago",
        "heard today",
        "heard yesterday",
    ]
    assert "20 November" in describe_last_heard((now - timedelta(days=4)).isoformat(), now)


def test_the_strap_that_is_worn_is_the_only_one_or_the_strongest_by_far() -> None:
    def free(address: str, dbm: int | None) -> dict[str, Any]:
        return found(address, "x", dbm).model_dump()

    assert find_worn([]) is None
    assert find_worn([free("a", None)]) == "a"
    assert find_worn([free("a", -50), free("b", -70)]) == "a"
    assert find_worn([free("a", -50), free("b", -55)]) is None
    taken = {**free("b", -40), "paired_with": "somebody else"}
    assert find_worn([taken, free("a", -80)]) == "a"
