"""The fine cases of pages, with AppTest against a running API: empty, thin, wrong, away, ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR
from store.protocols.records import Purpose, Rating, Role, TherapySession
from store.stores import Stores
from tests.support.beats import Strap
from tests.support.clinic import Clinic, fill, opened_clinic

PATIENT_PAGES = (
    "today_page",
    "programme_page",
    "trend_page",
    "link_page",
    "therapy_page",
    "my_data_page",
    "before_page",
)


def script(page: str) -> None:
    import importlib

    from dashboard.page_shell import with_shell

    with_shell(getattr(importlib.import_module(f"dashboard.{page}"), page))()


@pytest.fixture
def clinic(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        monkeypatch.setenv("EBBTIDE_API_URL", opened.url)
        yield opened


def opened(clinic: Clinic, page: str, who: str = "ada") -> AppTest:
    test = AppTest.from_function(script, args=(page,), default_timeout=30)
    test.session_state["token"] = clinic[who].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic[who].get("/v1/me").json()
    test.run()
    assert not test.exception, test.exception
    return test


@pytest.fixture(autouse=True)
def _main() -> Iterator[None]:
    """A script of AppTest calls itself ``__main__``; what others spawn must not begin there."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


def words(test: AppTest) -> str:
    parts: list[Any] = [*test.markdown, *test.caption, *test.title, *test.subheader, *test.info]
    return " ".join(str(part.value) for part in (*parts, *test.warning))


@pytest.mark.parametrize("page", PATIENT_PAGES)
def test_a_page_with_nothing_yet_says_so_and_has_its_caveat(clinic: Clinic, page: str) -> None:
    told = words(opened(clinic, page))
    assert "not a medical device" in told
    assert "nan" not in told.lower().split()
    assert "None" not in told.split()


@pytest.mark.parametrize("page", PATIENT_PAGES)
def test_a_page_with_a_little_shows_no_number_it_cannot_know(clinic: Clinic, page: str) -> None:
    fill(clinic.stores, clinic.people["ada"], days=2)
    told = words(opened(clinic, page))
    assert "nan" not in told.lower().split()
    if page == "link_page":
        assert "more are needed" in told


def test_a_rating_with_words(clinic: Clinic) -> None:
    test = opened(clinic, "today_page")
    test.session_state["pain"] = 3
    test.session_state["stress"] = 4
    test.run()
    test.text_input(key="note").set_value("a long call").run()
    save = next(button for button in test.button if button.label == "Save")
    save.click().run()
    assert "Saved. Thank you." in words(test)
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["note"]) == (3, 4, "a long call")


def test_on_a_harder_day_something_pleasant_comes_back(clinic: Clinic) -> None:
    for pain in (2, 3, 2, 4, 3):
        clinic["ada"].post("/v1/ratings", json={"pain": pain, "stress": 3})
    clinic["ada"].post("/v1/notes", json={"kind": "pleasant", "words": "the first snow"})
    for pain, comes in ((2, False), (6, True)):
        test = opened(clinic, "today_page")
        test.session_state["pain"] = pain
        test.session_state["stress"] = 4
        test.run()
        next(button for button in test.button if button.label == "Save").click().run()
        assert ("the first snow" in words(test)) == comes


def test_who_is_new_is_shown_where_to_begin(clinic: Clinic) -> None:
    clinic.add("ida", Role.PATIENT)
    assert "**Welcome.**" in words(opened(clinic, "today_page", "ida"))
    before = opened(clinic, "before_page", "ida")
    next(one for one in before.toggle if "keeps my heartbeats" in one.label).set_value(True).run()
    answers = clinic["ida"].get("/v1/consents").json()["answers"]
    assert [(answer["purpose"], answer["given"]) for answer in answers] == [(Purpose.KEEPING, True)]
    assert "**Welcome.**" not in words(opened(clinic, "today_page", "ida"))


def test_the_heart_is_told_when_a_strap_is_worn(clinic: Clinic) -> None:
    assert "strap is not worn now" in words(opened(clinic, "today_page"))
    Strap(clinic)
    assert "Heart 59 a minute" in words(opened(clinic, "today_page"))


def test_the_programme_waits_begins_and_is_read(clinic: Clinic) -> None:
    test = opened(clinic, "programme_page")
    assert "clinician has ruled out" in words(test)
    assert not test.button
    before = opened(clinic, "before_page")
    before.radio[0].set_value("Yes, and I have none of the signs above").run()
    assert "The programme is open" in words(before)
    test = opened(clinic, "programme_page")
    test.button[0].click().run()
    assert "Week 1 of about four" in words(test)
    test.button(key="read-pain-is-made-in-the-brain").click().run()
    assert clinic["ada"].get("/v1/programme").json()["read"] == ["pain-is-made-in-the-brain"]
    test.radio[0].set_value("Pleasant sensations").run()
    test.text_input[0].set_value("warm tea")
    next(button for button in test.button if button.label == "Keep").click().run()
    assert "warm tea" in words(test)
    test.radio[0].set_value("Understanding my pain").run()
    assert "Not what brings harder days" in words(test) or "Nothing noted yet" in words(test)


def test_a_practice_from_before_to_after(clinic: Clinic) -> None:
    clinic["ada"].put("/v1/programme", json={"physical_cause_ruled_out": True, "started": True})
    test = opened(clinic, "programme_page")
    test.radio[0].set_value("Somatic tracking").run()
    test.button(key="tracking_begin").click().run()
    assert "Arriving" in words(test)
    test.button(key="tracking_end").click().run()
    assert "Whatever happened was fine" in words(test)
    test.button(key="tracking_keep").click().run()
    (practice,) = clinic["ada"].get("/v1/practices").json()
    assert practice["kind"] == "somatic tracking"
    test.radio[0].set_value("Lowering stress").run()
    test.button(key="breathing_begin").click().run()
    test.button(key="breathing_end").click().run()
    assert len(clinic["ada"].get("/v1/practices").json()) == 1  # too short to be one


def test_consent_is_given_and_taken_back(clinic: Clinic) -> None:
    test = opened(clinic, "my_data_page")
    test.toggle(key="consent-care-False").set_value(True).run()
    assert clinic["ada"].get("/v1/consents").json()["holds"]["care"]
    test.toggle(key="consent-care-True").set_value(False).run()
    holds = clinic["ada"].get("/v1/consents").json()
    assert not holds["holds"]["care"]
    assert [answer["wording"] for answer in holds["answers"]] == ["care, English, 1"] * 2


def test_a_rating_is_corrected_and_withdrawn_in_my_data(clinic: Clinic) -> None:
    clinic["ada"].post("/v1/ratings", json={"pain": 3, "stress": 4})
    test = opened(clinic, "my_data_page")
    test.number_input[0].set_value(5).run()
    next(button for button in test.button if button.label == "Correct it").click().run()
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["version"]) == (5, 4, 2)
    next(button for button in test.button if button.label == "Withdraw it").click().run()
    assert clinic["ada"].get("/v1/ratings").json()["ratings"] == []


def test_erasing_takes_the_password(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    test = opened(clinic, "my_data_page")
    password = next(field for field in test.text_input if field.label == "Your password")
    password.set_value("not this")
    next(box for box in test.checkbox if box.label == "I am sure").check()
    next(button for button in test.button if button.label == "Erase").click().run()
    assert "is not your password" in words(test)
    assert clinic["ada"].get("/v1/me").status_code == 200
    answer = clinic["ada"].post("/v1/me/erase", json={"password": "correct horse battery"})
    assert answer.json()["ratings"] == 2
    assert clinic["ada"].get("/v1/me").status_code == 401
    assert clinic.stores.records.person(clinic.id("ada")) is None


def test_the_server_is_away_and_the_session_is_over(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in ("trend_page", "link_page", "my_data_page"):
        with monkeypatch.context() as patch:
            patch.setenv("EBBTIDE_API_URL", "http://127.0.0.1:9")
            test = AppTest.from_function(script, args=(page,), default_timeout=30)
            test.session_state["token"] = "t"
            test.session_state["me"] = clinic["ada"].get("/v1/me").json()
            test.run()
            assert not test.exception
            assert "does not answer just now" in words(test)
    test = AppTest.from_function(script, args=("link_page",), default_timeout=30)
    test.session_state["token"] = "one that has ended"
    test.session_state["me"] = clinic["ada"].get("/v1/me").json()
    test.run()
    assert "Please sign in again" in words(test)
    assert "me" not in test.session_state


def test_a_caseload_and_the_page_before_a_session(clinic: Clinic) -> None:
    stores, person = clinic.stores, clinic.people["ada"]
    assert "not agreed" in words(opened(clinic, "caseload_page", "tom"))
    assert "Nobody in your care has agreed" in words(opened(clinic, "patient_page", "tom"))
    clinic.agree("ada", Purpose.CARE)
    for day in range(20):
        at = stores.now() - (20 - day) * DAY
        stores.records.add_rating(
            Rating(new_id(), 1, person.id, at, at, "UTC", 7 - day // 4, 5, None, False)
        )
    stores.records.add_session(TherapySession(new_id(), person.id, 1, stores.now() - 9 * DAY))
    stores.records.add_session(TherapySession(new_id(), person.id, 2, stores.now() + 9 * HOUR))
    assert "Session 2 on" in words(opened(clinic, "caseload_page", "tom"))
    test = opened(clinic, "patient_page", "tom")
    told = words(test)
    for part in ("Since the last meeting", "Over the programme", "Pain and stress", "95% interval"):
        assert part in told
    assert "no statement of cause" in told
    assert "does not share it now" in told
    test.text_area[0].set_value("afraid of bending")
    test.text_area[1].set_value("track once a day")
    next(button for button in test.button if button.label == "Keep").click().run()
    assert clinic["ada"].get("/v1/homework").json()[0]["homework"] == "track once a day"


def test_the_page_before_a_session_is_one_page_of_pdf() -> None:
    from datetime import UTC, datetime

    from dashboard.reports.session_pdf import session_pdf
    from dashboard.reports.session_summary import SessionSummary

    page = SessionSummary(
        "Łucja Šťastná – Ωραία Жанна 東", datetime(2026, 11, 24, tzinfo=UTC), True
    )
    page.parts["Long"] = [f"line {k} " + "word " * 60 for k in range(60)]
    data = session_pdf(page)()
    assert data.startswith(b"%PDF")
    (sheet,) = PdfReader(BytesIO(data)).pages
    told = sheet.extract_text()
    # What the font lacks is a question mark; names of half the world are not.
    assert "Łucja Šťastná – Ωραία Жанна ?" in told
    assert "24 November 2026" in told and "simulated" in told
    assert "line 3 word" in told and "no statement of cause" in " ".join(told.split())


def test_research_shows_what_there_is_and_the_call(clinic: Clinic) -> None:
    assert "0 people agreed" in words(opened(clinic, "research_page", "ann"))
    clinic.agree("ada", Purpose.RESEARCH)
    fill(clinic.stores, clinic.people["ada"], days=2)
    test = opened(clinic, "research_page", "ann")
    assert "1 people agreed" in words(test)
    assert "/v1/research/ratings?format=parquet" in test.code[0].value
    assert "api.research.ratings()" in test.code[1].value
    assert "Not enough yet to say" in words(test)


def test_people_are_run_without_health_data(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    test = opened(clinic, "people_page", "adam")
    told = words(test)
    assert "sees nothing before the patient has agreed" in told
    test.checkbox[0].uncheck().run()
    assert clinic.stores.access.in_care_of(clinic.id("tom")) == [clinic.id("eve")]
    next(button for button in test.button if button.label == "New password link").click().run()
    assert len(test.code[0].value) > 30
