"""Pages with AppTest against a running API: no data, little data, errors, signed out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta, tzinfo
from io import BytesIO
from pathlib import Path
from time import sleep
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, NumberInput
from typer.testing import CliRunner

from analytics.association.within_person import MIN_RATINGS
from analytics.hrv.relative_stress import MIN_BASELINE_DAYS
from api.services.reminders.plans import change_plan
from api.services.withdrawal import carry_out_withdrawals
from cli.main import app
from dashboard.pages import operation
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import open_stores
from store.models import Programme, Prompt, PromptState, Rating, TherapySession, TurnResult
from store.models.records import Purpose, Role
from tests.support.clinic import Clinic, fill
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together
from tests.support.live_strap import LiveStrap

PATIENT_PAGES = (
    "today",
    "programme",
    "trend",
    "link",
    "course",
    "nights",
    "my_devices",
    "reminders",
    "offers",
    "bring_in",
    "my_data",
    "consents",
    "screening",
)


class SetClock(datetime):
    """A clock that stands where it is set."""

    at: datetime

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        moment = cls.at.astimezone(tz)
        return cls.combine(moment.date(), moment.time(), tzinfo=tz)


def script(page: str) -> None:
    import importlib

    from dashboard.page_shell import with_shell

    with_shell(importlib.import_module(f"dashboard.pages.{page}").PAGE.run)()


def opened(clinic: Clinic, page: str, who: str = "ada") -> AppTest:
    test = AppTest.from_function(script, args=(page,), default_timeout=30)
    test.session_state["token"] = clinic[who].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic[who].get("/v1/me").json()
    test.run()
    assert not test.exception, test.exception
    return test


def words(test: AppTest) -> str:
    parts: list[Any] = [*test.markdown, *test.caption, *test.title, *test.subheader, *test.info]
    return " ".join(str(part.value) for part in (*parts, *test.warning))


@pytest.mark.parametrize("page", PATIENT_PAGES)
def test_a_page_without_data_says_so_and_has_its_caveat(clinic: Clinic, page: str) -> None:
    text = words(opened(clinic, page))
    assert "not a medical device" in text
    assert "nan" not in text.lower().split()
    assert "None" not in text.split()


@pytest.mark.parametrize("page", PATIENT_PAGES)
def test_a_page_with_little_data_has_no_number_without_a_basis(clinic: Clinic, page: str) -> None:
    fill(clinic.stores, clinic.people["ada"], days=2)
    text = words(opened(clinic, page))
    assert "nan" not in text.lower().split()
    if page == "link":
        assert "more are needed" in text


def test_a_rating_with_words(clinic: Clinic) -> None:
    test = opened(clinic, "today")
    test.session_state["pain"] = 3
    test.session_state["stress"] = 4
    test.run()
    test.text_input(key="note").set_value("a long call").run()
    save = next(button for button in test.button if button.label == "Save")
    save.click().run()
    assert "Saved. Thank you." in words(test)
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["note"]) == (3, 4, "a long call")


def test_a_question_for_pain_alone_shows_and_keeps_pain_alone(clinic: Clinic) -> None:
    person, now = clinic.people["ada"], clinic.stores.now()
    change_plan(clinic.stores, person, lambda plan: plan, enabled=True)
    asked = Prompt(
        *(new_id(), person.id, "asked", "random", now, person.zone, 0.1, 0, now),
        *(now + 45 * MINUTE, PromptState.SENT),
        sent_ns=now,
        asks="pain",
    )
    clinic.stores.prompts.take_turn(now, lambda turn: TurnResult(turn.plan, (asked,)), person.id)
    test = opened(clinic, "today")
    assert "Choose a number." in words(test)
    assert "**Pain**" in words(test) and "**Stress**" not in words(test)
    test.session_state["pain"] = 3
    test.run()
    next(button for button in test.button if button.label == "Save").click().run()
    assert not test.exception, test.exception
    assert ": pain 3." in words(test)
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["prompt_id"]) == (3, None, asked.id)
    for page in ("my_data", "trend", "course", "link"):  # where it is read again
        assert not opened(clinic, page).exception


def test_an_earlier_moment_stays_as_chosen_while_the_clock_goes_on(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    midnight = datetime.now(zone).replace(hour=0, minute=20, second=0, microsecond=0)
    if midnight > datetime.now(zone):
        midnight -= timedelta(days=1)
    monkeypatch.setattr("dashboard.components.rating.datetime", SetClock)
    monkeypatch.setattr(SetClock, "at", midnight, raising=False)
    test = opened(clinic, "today")
    test.session_state["pain"] = 3
    test.session_state["stress"] = 4
    test.toggle(key="earlier").set_value(True).run()
    # An hour before twenty past midnight is yesterday, not tonight, which is to come.
    yesterday = midnight.date() - timedelta(days=1)
    assert (test.date_input[0].value, test.time_input[0].value) == (yesterday, time(23, 20))
    test.date_input[0].set_value(yesterday).run()
    test.time_input[0].set_value(time(10, 15)).run()
    monkeypatch.setattr(SetClock, "at", midnight + timedelta(minutes=3))
    next(button for button in test.button if button.label == "Save").click().run()
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert datetime.fromisoformat(rating["about"]) == datetime.combine(
        yesterday, time(10, 15), tzinfo=zone
    )


def test_a_rating_that_is_changed_can_be_left_as_it_was(clinic: Clinic) -> None:
    test = opened(clinic, "today")
    test.session_state["pain"] = 3
    test.session_state["stress"] = 4
    test.run()
    for label in ("Save", "Change it"):
        next(button for button in test.button if button.label == label).click().run()
    assert test.title[0].value == "Change your rating"
    test.session_state["pain"] = 9
    next(button for button in test.button if button.label == "Leave it as it was").click().run()
    assert "pain 3, stress 4" in words(test)
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["version"]) == (3, 1)


def test_one_rating_is_counted_in_the_singular(clinic: Clinic) -> None:
    clinic["ada"].post("/v1/ratings", json={"pain": 3, "stress": 4})
    text = words(opened(clinic, "trend"))
    assert "1 rating;" in text and "1 ratings" not in text
    assert "0 so far" not in text
    assert "1 rating before" in words(opened(clinic, "course"))


def test_on_a_harder_day_something_pleasant_comes_back(clinic: Clinic) -> None:
    for pain in (2, 3, 2, 4, 3):
        clinic["ada"].post("/v1/ratings", json={"pain": pain, "stress": 3})
    clinic["ada"].post("/v1/notes", json={"kind": "pleasant", "words": "the first snow"})
    for pain, comes in ((2, False), (6, True)):
        test = opened(clinic, "today")
        test.session_state["pain"] = pain
        test.session_state["stress"] = 4
        test.run()
        next(button for button in test.button if button.label == "Save").click().run()
        assert ("the first snow" in words(test)) == comes


def test_a_new_patient_is_welcomed_until_the_first_consent(clinic: Clinic) -> None:
    clinic.add("ida", Role.PATIENT, agrees=False)
    assert "**Welcome.**" in words(opened(clinic, "today", "ida"))
    before = opened(clinic, "screening", "ida")
    next(toggle for toggle in before.toggle if "keeps my heartbeats" in toggle.label).set_value(
        True
    ).run()
    answers = clinic["ida"].get("/v1/consents").json()["answers"]
    assert [(answer["purpose"], answer["given"]) for answer in answers] == [(Purpose.KEEPING, True)]
    assert "**Welcome.**" not in words(opened(clinic, "today", "ida"))


@pytest.mark.parametrize("page", ["today", "programme"])
def test_nothing_can_be_entered_before_keeping_is_agreed_to(clinic: Clinic, page: str) -> None:
    clinic.add("ida", Role.PATIENT, agrees=False)
    test = opened(clinic, page, "ida")
    assert [button.label for button in test.button] == ["Yes, I agree", "Not now"]
    assert not [*test.text_input, *test.radio, *test.segmented_control]
    assert "One question first" in words(test)
    clinic.agree("ida", Purpose.KEEPING)
    assert "One question first" not in words(opened(clinic, page, "ida"))


def test_a_withdrawal_is_shown_until_it_is_carried_out_and_after(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    test = opened(clinic, "consents")
    test.toggle(key="consent-keeping-True").set_value(False).run()
    text = words(test)
    assert "What was kept is erased on" in text
    assert "Until then you can agree again" in text
    for page in ("today", "trend", "link", "course"):
        assert "keeps nothing new" in words(opened(clinic, page))
    later = replace(clinic.stores, now=lambda: clinic.stores.now() + 2 * DAY)
    assert len(carry_out_withdrawals(later, None)) == 1
    text = words(opened(clinic, "consents"))
    assert "all of it was erased" in text
    assert ", 2 ratings, 0 notes" in text
    assert "Your account and your answers here remain" in text


def test_the_therapist_is_told_who_has_not_agreed(clinic: Clinic) -> None:
    clinic.add("ida", Role.PATIENT, agrees=False)
    clinic.stores.access.put_care(clinic.id("tom"), clinic.id("ida"), clinic.stores.now())
    clinic.agree("eve", Purpose.KEEPING, given=False)
    text = words(opened(clinic, "caseload", "tom"))
    assert "Has not agreed yet that Ebbtide keeps their data" in text
    assert "Has not agreed yet that you see their data." in text
    assert "Has taken back that Ebbtide keeps their data" in text


def test_the_heart_rate_appears_when_a_strap_is_worn(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    assert "strap is not worn now" in words(opened(clinic, "today"))
    LiveStrap(clinic)
    assert "Heart 59 a minute" in words(opened(clinic, "today"))


def test_who_has_no_strap_is_not_said_to_have_taken_it_off(clinic: Clinic) -> None:
    text = words(opened(clinic, "today"))
    assert "strap is not worn" not in text
    assert "need nothing but your ratings" in text
    assert "night with the strap" not in text


def test_the_first_days_are_a_path_that_ends(clinic: Clinic) -> None:
    begin = words(opened(clinic, "today"))
    assert f"Then: 0 of {MIN_RATINGS} ratings of pain and stress" in begin
    assert "Now: your first rating" in begin
    assert f"about {MIN_RATINGS // 2} days" in begin
    fill(clinic.stores, clinic.people["ada"], days=1)
    for page in ("today", "link", "trend"):
        text = words(opened(clinic, page))
        assert "Done: your first rating" in text
        assert f"2 of {MIN_RATINGS} ratings" in text
        assert f"1 of {MIN_BASELINE_DAYS + 1} days with heartbeats" in text
        assert "Not enough yet" not in text
        assert "Pain and the heart" not in text
    fill(clinic.stores, clinic.people["eve"], days=MIN_RATINGS // 2)
    for page in ("today", "link", "trend"):
        assert "Your first days" not in words(opened(clinic, page, "eve"))


def test_the_first_days_of_a_device_that_sends_heart_rates_alone(clinic: Clinic) -> None:
    """It said that a strap can come any day."""
    person = clinic.people["ada"]
    begin = clinic.stores.now() // DAY * DAY - DAY
    stream = Stream(new_id(), Origin.STRAP, "a watch", begin)
    clinic.stores.beats.put_stream(person.subject_id, stream)
    batch = [Notification(n, begin + n * SECOND, 66, (), ()) for n in range(1, 600)]
    clinic.stores.beats.append(person.subject_id, stream.id, batch)
    text = words(opened(clinic, "today"))
    assert "Done: your first heart rates" in text
    assert f"1 of {MIN_BASELINE_DAYS + 1} days with a heart rate" in text
    assert "HRV cannot be computed" in text
    assert "heartbeats, to learn" not in text
    assert "night with the strap" not in text
    assert "need nothing but your ratings" not in text


def test_the_programme_waits_begins_and_is_read(clinic: Clinic) -> None:
    test = opened(clinic, "programme")
    assert "clinician has ruled out" in words(test)
    assert not test.button
    before = opened(clinic, "screening")
    before.radio[0].set_value("Yes, and I have none of the signs above").run()
    assert "The programme is open" in words(before)
    test = opened(clinic, "programme")
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
    test = opened(clinic, "programme")
    test.radio[0].set_value("Somatic tracking").run()
    test.button(key="tracking_begin").click().run()
    assert "Arriving" in words(test)
    test.button(key="tracking_end").click().run()
    assert "Whatever happened was fine" in words(test)
    test.button(key="tracking_keep").click().run()
    (practice,) = clinic["ada"].get("/v1/practices").json()
    assert practice["kind"] == "somatic tracking"
    test.radio[0].set_value("Noticing something pleasant").run()
    test.button(key="savouring_begin").click().run()
    assert "Nothing has to happen now" in words(test)
    assert not [button for button in test.button if button.label == "Smaller"]
    test.button(key="savouring_end").click().run()
    test.button(key="savouring_keep").click().run()
    assert [item["kind"] for item in clinic["ada"].get("/v1/practices").json()] == [
        "somatic tracking",
        "savouring",
    ]
    test.radio[0].set_value("Lowering stress").run()
    test.button(key="breathing_begin").click().run()
    test.button(key="breathing_end").click().run()
    assert len(clinic["ada"].get("/v1/practices").json()) == 2  # too short to be one


def test_consent_is_given_and_taken_back(clinic: Clinic) -> None:
    test = opened(clinic, "my_data")
    test.toggle(key="consent-care-False").set_value(True).run()
    assert clinic["ada"].get("/v1/consents").json()["holds"]["care"]
    test.toggle(key="consent-care-True").set_value(False).run()
    holds = clinic["ada"].get("/v1/consents").json()
    assert not holds["holds"]["care"]
    answers = [answer["wording"] for answer in holds["answers"]]
    assert answers == ["test, 1", *["care, English, 1"] * 2]


def test_a_rating_is_corrected_and_withdrawn_in_my_data(clinic: Clinic) -> None:
    clinic["ada"].post("/v1/ratings", json={"pain": 3, "stress": 4})
    test = opened(clinic, "my_data")
    # In the order of a narrow window: numbers, then buttons, and none that withdraws between them.
    order = [element.label for element in test.main if isinstance(element, Button | NumberInput)]
    order = [label for label in order if label in ("Pain", "Stress", "Correct it", "Withdraw it")]
    assert order == ["Pain", "Stress", "Correct it", "Withdraw it"]
    test.number_input[0].set_value(5).run()
    next(button for button in test.button if button.label == "Correct it").click().run()
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["version"]) == (5, 4, 2)
    next(button for button in test.button if button.label == "Withdraw it").click().run()
    assert clinic["ada"].get("/v1/ratings").json()["ratings"] == []


def test_a_recording_is_removed_in_my_data(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    (stream,) = clinic["ada"].get("/v1/streams").json()["streams"]
    test = opened(clinic, "my_data")
    assert f"{stream['beats']} heartbeats" in test.selectbox[-1].options[0]
    assert f"{stream['beats']} heartbeats" in words(test)  # a narrow list is cut
    assert "cannot be brought back" in words(test)
    remove = next(button for button in test.button if button.label == "Remove this recording")
    remove.click().run()  # without the tick, nothing
    assert clinic["ada"].get("/v1/streams").json()["beats"] == stream["beats"]
    assert "Nothing was removed" in words(test)
    test.checkbox(key=f"sure-{stream['id']}").check()
    remove = next(button for button in test.button if button.label == "Remove this recording")
    remove.click().run()
    assert clinic["ada"].get("/v1/streams").json()["streams"] == []
    assert [item.value for item in test.success] == ["The recording was removed."]
    assert "No heartbeats yet." in words(opened(clinic, "my_data"))


def test_the_access_log_names_what_was_seen(clinic: Clinic) -> None:
    agree_together(clinic, "ada")
    clinic["ann"].get("/v1/research/ratings").raise_for_status()
    (table,) = opened(clinic, "my_data").table
    assert "research" in table.value.to_string()
    assert "{" not in table.value.to_string()


def test_erasure_requires_the_password(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    test = opened(clinic, "my_data")
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


def test_an_unavailable_server_and_an_ended_session_are_explained(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in ("trend", "link", "my_data"):
        with monkeypatch.context() as patch:
            patch.setenv("EBBTIDE_API_URL", "http://127.0.0.1:9")
            test = AppTest.from_function(script, args=(page,), default_timeout=30)
            test.session_state["token"] = "t"
            test.session_state["me"] = clinic["ada"].get("/v1/me").json()
            test.run()
            assert not test.exception
            assert "does not answer just now" in words(test)
    test = AppTest.from_function(script, args=("link",), default_timeout=30)
    test.session_state["token"] = "one that has ended"
    test.session_state["me"] = clinic["ada"].get("/v1/me").json()
    test.run()
    assert "Please sign in again" in words(test)
    assert "me" not in test.session_state


def test_a_caseload_and_the_summary_before_a_session(clinic: Clinic) -> None:
    stores, person = clinic.stores, clinic.people["ada"]
    assert "not agreed" in words(opened(clinic, "caseload", "tom"))
    assert "Nobody in your care has agreed" in words(opened(clinic, "patient", "tom"))
    clinic.agree("ada", Purpose.CARE)
    for day in range(20):
        at = stores.now() - (20 - day) * DAY
        stores.records.add_rating(
            Rating(new_id(), 1, person.id, at, at, "UTC", 7 - day // 4, 5, None, False)
        )
    stores.records.add_session(TherapySession(new_id(), person.id, 1, stores.now() - 9 * DAY))
    stores.records.add_session(TherapySession(new_id(), person.id, 2, stores.now() + 9 * HOUR))
    assert "Meeting 2 on" in words(opened(clinic, "caseload", "tom"))
    test = opened(clinic, "patient", "tom")
    text = words(test).replace("\\", "") + " ".join(fold.label for fold in test.expander)
    for part in ("Since the last meeting", "Over the programme", "Pain and stress", "95% interval"):
        assert part in text
    assert "no statement of cause" in text
    assert "does not share it now" in text
    test.text_area[0].set_value("afraid of bending").run()
    test.text_area[1].set_value("track once a day").run()
    assert "Saved at" in words(test)
    assert clinic["ada"].get("/v1/homework").json()[0]["homework"] == "track once a day"


def test_the_summary_before_a_session_is_one_page_of_pdf() -> None:
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
    text = sheet.extract_text()
    # Characters without a glyph become question marks; Latin, Greek and Cyrillic have glyphs.
    assert "Łucja Šťastná – Ωραία Жанна ?" in text
    assert "24 November 2026" in text and "simulated" in text
    assert "line 3 word" in text and "no statement of cause" in " ".join(text.split())


def test_research_lists_coverage_and_the_call_of_an_export(clinic: Clinic) -> None:
    assert "So few people agreed to research" in words(opened(clinic, "research", "ann"))
    agree_together(clinic, "ada")
    fill(clinic.stores, clinic.people["ada"], days=2, weeks_ago=RELEASED_WEEKS)
    test = opened(clinic, "research", "ann")
    assert "5 people agreed" in words(test)
    assert "/v1/research/ratings.csv" in test.code[0].value
    assert "read.csv(url(" in test.code[1].value
    assert "What is left out, and why" in [fold.label for fold in test.expander]
    assert "Not enough yet to say" in words(test)


def test_the_address_of_research_keeps_a_query(clinic: Clinic) -> None:
    agree_together(clinic, "ada")
    fill(clinic.stores, clinic.people["ada"], days=2, weeks_ago=RELEASED_WEEKS)
    people = [
        row["person"][:8] for row in clinic["ann"].get("/v1/research/people").json()["people"]
    ]
    test = AppTest.from_function(script, args=("research",), default_timeout=30)
    test.session_state["token"] = clinic["ann"].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic["ann"].get("/v1/me").json()
    test.query_params |= {"table": "hrv", "form": "nothing", "person": [*people, "gone"]}
    test.run()
    assert not test.exception
    assert test.selectbox[0].value == "hrv"
    assert sorted(test.multiselect[0].value) == sorted(people)
    assert "/v1/research/hrv.csv?person=" in test.code[0].value
    assert test.query_params["form"] == "parquet"
    assert "gone" not in test.query_params["person"]
    test.selectbox[0].select("gaps").run()
    assert test.query_params["table"] == "gaps"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"person": ["gone", "lost"]}, "these are all people"),
        ({"table": "salaries", "columns": "pain"}, "names what there is not: salaries, columns"),
        ({"person": ["here", "here", "gone"]}, "1 of the 2 people"),
    ],
)
def test_a_bookmark_of_research_that_no_longer_fits_says_so(
    clinic: Clinic, query: dict[str, Any], said: str
) -> None:
    agree_together(clinic, "ada")
    fill(clinic.stores, clinic.people["ada"], days=2, weeks_ago=RELEASED_WEEKS)
    first = clinic["ann"].get("/v1/research/people").json()["people"][0]["person"][:8]
    people = [first if name == "here" else name for name in query.get("person", [])]
    test = AppTest.from_function(script, args=("research",), default_timeout=30)
    test.session_state["token"] = clinic["ann"].headers["Authorization"].removeprefix("Bearer ")
    test.session_state["me"] = clinic["ann"].get("/v1/me").json()
    test.query_params |= {**query, "person": people}
    test.run()
    assert not test.exception
    text = words(test)
    assert said in text
    # One person alone is never asked for: neither rows nor a call.
    assert ("Choose 5 to 1000 people" in text) == (first in people)
    assert any(button.label == "Show the first rows" for button in test.button) == (
        first not in people
    )


def test_people_are_administered_without_health_data(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    test = opened(clinic, "people", "adam")
    text = words(test)
    assert "sees nothing before the patient has agreed" in text
    assert "everything of theirs that is signed in ends" in text
    test.checkbox[0].uncheck().run()
    assert clinic.stores.access.patients_of(clinic.id("tom")) == [clinic.id("eve")]
    next(button for button in test.button if button.label == "New password link").click().run()
    assert len(test.code[0].value) > 30


def test_reminders_begin_and_pause_on_their_page(clinic: Clinic) -> None:
    page = opened(clinic, "reminders")
    next(item for item in page.button if item.label == "Remind me").click().run()
    assert not page.exception
    plan = clinic.stores.prompts.plan(clinic.id("ada"))
    assert plan is not None and plan.enabled
    next(item for item in page.button if item.label == "Not today").click().run()
    assert not page.exception
    assert any("A pause until" in item.value for item in page.info)
    next(item for item in page.button if item.label == "Go on today").click().run()
    next(item for item in page.button if item.label == "End reminders").click().run()
    plan = clinic.stores.prompts.plan(clinic.id("ada"))
    assert plan is not None and not plan.enabled
    words = " ".join(item.value for item in page.markdown).lower()
    assert "streak" not in words and "!" not in words


def test_recordings_are_told_by_the_reader_s_own_clock(
    clinic: Clinic,
) -> None:
    fill(clinic.stores, clinic.people["eve"], days=1)  # beats from 9:00 to 11:00 UTC
    (stream,) = clinic["eve"].get("/v1/streams").json()["streams"][-1:]
    begun = datetime.fromisoformat(stream["first_beat"])
    assert begun.utcoffset() == timedelta()
    own = begun.astimezone(ZoneInfo("Europe/Berlin"))
    said = words(opened(clinic, "my_data", "eve")).replace("\\", "")
    assert f"{own:%H:%M}" in said and f"{begun:%H:%M}" not in said


def test_practice_by_lot_begins_and_ends_on_its_page_and_the_therapist_sees_it(
    clinic: Clinic,
) -> None:
    clinic.agree("ada", Purpose.CARE)
    clinic["ada"].put("/v1/reminders", json={"enabled": True})
    clinic.stores.programme.put_programme(Programme(clinic.id("ada"), 1, 1))
    tom = opened(clinic, "patient", "tom")
    next(item for item in tom.button if item.label == "Propose practice by lot").click().run()
    assert not tom.exception
    page = opened(clinic, "offers")
    assert "You can always practise when you like, say not now, or stop" in words(page)
    next(item for item in page.button if item.label == "I agree to that").click().run()
    assert not page.exception and "The first offer can come on" in words(page)
    assert "On: breathing, at about 50" in words(opened(clinic, "patient", "tom"))
    next(item for item in page.button if item.label == "Stop").click().run()
    assert not page.exception
    (plan,) = clinic.stores.offers.plans(clinic.id("ada"))
    assert plan.proposed_by == clinic.id("tom") and plan.ended_why == "the person stopped them"
    clinic.agree("ada", Purpose.CARE, given=False)


def test_a_therapist_proposes_more_and_the_patient_decides(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)
    clinic["ada"].put("/v1/reminders", json={"enabled": True})
    page = opened(clinic, "patient", "tom")
    next(item for item in page.button if item.label == "Propose more around meetings").click().run()
    assert not page.exception
    own = opened(clinic, "reminders")
    next(item for item in own.button if item.label == "I agree").click().run()
    burst = clinic["ada"].get("/v1/reminders").json()["burst"]
    assert burst == {"days": 1, "a_day": 4, "agreed": True}
    clinic.agree("ada", Purpose.CARE, given=False)


def test_running_it_says_whether_a_backup_can_be_put_back(clinic: Clinic, tmp_path: Path) -> None:
    ledger = clinic.stores.ledger
    assert ledger is not None
    ledger.add_backup(tmp_path, clinic.stores.now())
    assert "No backup was put back to try it yet" in words(opened(clinic, "operation", "adam"))
    ledger.add_trial(tmp_path, clinic.stores.now(), is_whole=False)
    said = words(opened(clinic, "operation", "adam"))
    assert "could not be read" in said and "to try it yet" not in said
    ledger.add_trial(tmp_path, clinic.stores.now() + 1, is_whole=True)
    said = words(opened(clinic, "operation", "adam"))
    assert "could not be read" not in said and "to try it yet" not in said


def test_running_it_says_how_what_is_not_running_is_started(clinic: Clinic) -> None:
    said = words(opened(clinic, "operation", "adam")).replace("\\", "")
    for command in (
        "--at 02:30 nightly; where jobs are queued, ebbtide worker.",
        "--at 03:00 backup --in /srv/backups.",
        "--at 02:30 retention --apply; where jobs are queued, ebbtide worker.",
    ):
        assert f"This starts it: ebbtide daily {command}" in said


def test_the_daily_commands_that_running_it_names_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice each, as on two days: a backup into a folder that is there fails on the second."""
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path / "data"))
    open_stores(Settings()).close()
    for name, line in operation._DAILY.items():
        command = line.replace("/srv/backups", str(tmp_path / "backups")).split()[2:]
        assert command[0] == name
        for _ in range(2):
            done = CliRunner().invoke(app, command)
            assert done.exit_code == 0, done.output
            sleep(1.1)  # a backup is named by the second
    assert len(list((tmp_path / "backups").glob("ebbtide-backup-*"))) == 2
