"""The programme: the question before it, plan, readings, notes, practices, homework."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.programme.around_practice import practice_effect
from analytics.programme.trigger_patterns import trigger_pattern, wilson_interval
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Note, Practice, Rating, TherapySession
from store.models.programme import NoteKind, PracticeKind
from store.models.records import Purpose
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.clock import Clock
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together, identity_of


def test_the_programme_waits_for_a_clinician(clinic: Clinic) -> None:
    ada = clinic["ada"]
    programme = ada.get("/v1/programme").json()
    assert programme["next_step"] == "ask a clinician"
    assert programme["sessions"] == []
    assert_problem(ada.put("/v1/programme", json={"started": True}), 422, "ruled out")
    assert ada.post("/v1/ratings", json={"pain": 1, "stress": 1}).status_code == 201
    cleared = ada.put("/v1/programme", json={"physical_cause_ruled_out": True}).json()
    assert cleared["next_step"] == "begin"
    begun = ada.put("/v1/programme", json={"started": True, "ratings_a_day": 1}).json()
    assert (begun["week"], begun["ratings_a_day"]) == (1, 1)
    assert [item["number"] for item in begun["sessions"]] == list(range(1, 9))
    last = datetime.fromisoformat(begun["sessions"][-1]["suggested"])
    first = datetime.fromisoformat(begun["sessions"][0]["suggested"])
    assert timedelta(days=20) < last - first < timedelta(days=28)
    assert [item["months"] for item in begun["follow_ups"]] == [1, 3, 6, 12]
    # A session with a date replaces the suggested one, and the follow-ups move along.
    held = (last + timedelta(days=30)).isoformat()
    ada.put("/v1/sessions/8", json={"held": held}).raise_for_status()
    moved = ada.get("/v1/programme").json()
    assert datetime.fromisoformat(moved["sessions"][7]["held"]) == datetime.fromisoformat(held)
    assert moved["follow_ups"][0]["due"] > begun["follow_ups"][0]["due"]
    # Taken back: it stops.
    stopped = ada.put("/v1/programme", json={"physical_cause_ruled_out": False}).json()
    assert (stopped["started"], stopped["next_step"]) == (None, "ask a clinician")


def test_one_small_step_a_day_and_then_nothing(stores: Stores) -> None:
    clock = Clock(stores)
    clock.now_ns = clock.now_ns // DAY * DAY + 12 * HOUR  # a day later is another date, then
    with opened_clinic(replace(stores, now=clock)) as clinic:
        ada = clinic["ada"]
        ada.put("/v1/programme", json={"physical_cause_ruled_out": True, "started": True})
        first = ada.get("/v1/programme").json()
        assert (first["next_step"], first["next_reading"]) == ("read", first["readings"][0])
        reading = first["next_reading"]
        assert ada.put(f"/v1/programme/readings/{reading}").status_code == 204
        assert_problem(ada.put("/v1/programme/readings/nothing"), 404)
        after = ada.get("/v1/programme").json()
        assert after["read"] == [reading]
        assert after["next_step"] in ("somatic tracking", "paced breathing")
        now = to_datetime(clock.now_ns)
        practice = {
            "kind": "somatic tracking",
            "start": (now - timedelta(minutes=9)).isoformat(),
            "end": (now - timedelta(minutes=2)).isoformat(),
        }
        # Sitting still for a reading of the heart is no practice.
        rest = practice | {"kind": "seated rest"}
        ada.put(f"/v1/practices/{uuid.uuid4()}", json=rest).raise_for_status()
        assert ada.get("/v1/programme").json()["next_step"] == after["next_step"]
        ada.put(f"/v1/practices/{uuid.uuid4()}", json=practice).raise_for_status()
        assert ada.get("/v1/programme").json()["next_step"] == "nothing"
        clock.now_ns += 11 * HOUR
        clock.now_ns += 11 * HOUR if ada.get("/v1/me").is_success else 0
        assert ada.get("/v1/programme").json()["next_step"] != "nothing"


def rating(person_id: str, at: int, pain: int, stress: int = 3) -> Rating:
    return Rating(new_id(), 1, person_id, at, at, "Europe/Berlin", pain, stress, None, False)


def test_what_was_noted_on_harder_days(clinic: Clinic) -> None:
    ada, stores, person = clinic["ada"], clinic.stores, clinic.people["ada"]
    begin = stores.now() // DAY * DAY - 31 * DAY + 10 * HOUR
    for day in range(30):
        hard = day % 5 == 2
        # Pain falls all the time; harder days stand out from those around them.
        stores.records.add_rating(
            rating(person.id, begin + day * DAY, round(8 - day / 6) + (2 if hard else 0))
        )
        if hard or day in (0, 1):
            words = "Sitting  long" if day % 2 else "sitting long"
            stores.programme.put_note(
                Note(new_id(), person.id, NoteKind.TRIGGER, words, begin + day * DAY, begin)
            )
        if day < 10:
            stores.programme.put_note(
                Note(new_id(), person.id, NoteKind.STRESSOR, "work", begin + day * DAY, begin)
            )
    found = ada.get("/v1/notes/patterns").json()
    assert found["missing"] is None
    by_words = {row["words"].lower().replace("  ", " "): row for row in found["patterns"]}
    sitting, work = by_words["sitting long"], by_words["work"]
    # Of the six days that stand out, the first and the last have too little around them.
    assert (sitting["noted"], sitting["harder"], sitting["harder_days"]) == (8, 4, 4)
    assert (sitting["other"], sitting["other_days"]) == (0, 20)
    assert sitting["clear"]
    # Noted in the first days, when pain was high: it does not come with harder days.
    assert work["low"] < 0 < work["high"]
    assert not work["clear"]
    assert ada.get("/v1/notes", params={"kind": "stressor"}).json()[0]["words"] == "work"


def test_notes_are_stored_once_and_removed(clinic: Clinic) -> None:
    ada = clinic["ada"]
    own = str(uuid.uuid4())
    body = {"kind": "pleasant", "words": " warm sun ", "id": own}
    for _ in range(2):
        assert ada.post("/v1/notes", json=body).json()["words"] == "warm sun"
    assert len(ada.get("/v1/notes").json()) == 1
    assert_problem(clinic["eve"].post("/v1/notes", json=body), 409)
    assert_problem(ada.post("/v1/notes", json={"kind": "fear", "words": "  "}), 422, "body.words")
    assert_problem(clinic["eve"].delete(f"/v1/notes/{own}"), 404)
    assert ada.delete(f"/v1/notes/{own}").status_code == 204
    assert ada.get("/v1/notes").json() == []
    assert ada.get("/v1/notes/patterns").json()["missing"]


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_holds_the_share(count: tuple[int, int]) -> None:
    low, high = wilson_interval(*count)
    share = count[0] / count[1]
    assert -1e-9 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1 + 1e-9


def test_newcombes_own_example() -> None:
    """Newcombe 1998, table II, (a): 56 of 70 against 48 of 80, method 10: 0.0524 to 0.3339."""
    days = np.arange(150)
    found = trigger_pattern(days, np.zeros(150))
    marked = replace(found, days=days, harder=days < 70, missing_reason=None)
    noted = {"x": set(range(56)) | set(range(70, 118))}
    one = marked.noted_on(noted)["x"]
    assert (one.low, one.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_falling_pain_alone_makes_no_trigger() -> None:
    """Whatever was noted in the first half only is not more often on harder days."""
    rng = np.random.default_rng(0)
    clear = 0
    for _ in range(400):
        days = np.arange(40)
        pain = np.clip(np.round(8 - days / 7 + rng.normal(0, 1, 40)), 0, 10)
        found = trigger_pattern(days, pain)
        early = set(np.flatnonzero((days < 20) & (rng.random(40) < 0.5)).tolist())
        one = found.noted_on({"x": early}).get("x")
        clear += one is not None and one.clear
    assert clear / 400 < 0.06


def practised(clinic: Clinic, name: str, many: int) -> None:
    """Beats around practices: 70 a minute before, 60 during, 66 after."""
    stores, person = clinic.stores, clinic.people[name]
    begin = stores.now() - (many + 1) * DAY
    stream = Stream(new_id(), Origin.STRAP, "a strap", begin)
    stores.beats.put_stream(person.subject_id, stream)
    sequence = 1
    for day in range(many):
        at = begin + day * DAY
        batch = []
        for minutes, rate in ((6, 70), (7, 60), (6, 66)):
            end = at + minutes * MINUTE
            while at < end:
                ticks = round(61_440 / rate) + 8 * (sequence % 2) + day % 3
                at += ticks * SECOND // 1024
                batch.append(Notification(sequence, at, rate, (ticks,), (at,), True))
                sequence += 1
        stores.beats.append(person.subject_id, stream.id, batch)
        start = begin + day * DAY + 6 * MINUTE
        stores.programme.put_practice(
            Practice(
                new_id(),
                person.id,
                PracticeKind.TRACKING,
                start,
                start + 7 * MINUTE,
                None,
                6,
                5,
                5 - day % 2,
                None,
            )
        )


def test_heart_and_ratings_around_practice(clinic: Clinic) -> None:
    practised(clinic, "ada", 6)
    found = clinic["ada"].get("/v1/practices/around").json()
    rows = {(row["what"], row["then"]): row for row in found["rows"]}
    during = rows["mean_hr_bpm", "during"]
    assert during["n"] == 6
    assert during["change"] == pytest.approx(-10, abs=0.5)
    assert during["low"] < during["change"] < during["high"] < 0
    assert during["clear"]
    assert rows["mean_hr_bpm", "after"]["change"] == pytest.approx(-4, abs=0.5)
    assert rows["pain", "after"]["change"] == pytest.approx(-1.5)
    assert "6" not in (rows["stress", "after"]["missing"] or "")
    assert rows["stress", "after"]["n"] == 0
    assert "5 are needed" in rows["stress", "after"]["missing"]
    assert "bad moment" in found["caution"]
    few = clinic["eve"].get("/v1/practices/around").json()
    assert all(row["change"] is None and row["missing"] for row in few["rows"])


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=5, max_size=30))
def test_the_mean_change_lies_in_its_interval(pairs: list[tuple[float, float]]) -> None:
    before, then = (np.array(column) for column in zip(*pairs, strict=True))
    found = practice_effect(before, then)
    if np.ptp(then - before) == 0:
        assert (
            found.change is None
            and found.low is None
            and "the same in all" in str(found.missing_reason)
        )
        return
    assert found.change is not None and found.low is not None and found.high is not None
    assert found.low <= found.change <= found.high


def test_a_change_that_is_always_the_same_has_no_interval_of_no_width() -> None:
    found = practice_effect(np.full(14, 5.0), np.full(14, 4.0))
    assert (found.n, found.change, found.low, found.clear) == (14, None, None, False)
    assert found.missing_reason is not None and "the same in all 14" in found.missing_reason


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end": "2026-01-01T09:00:00Z"}, "body.end"),
        ({"end": "2026-01-01T15:00:00Z"}, "body.end"),
        ({"start": "2026-01-01T10:00:00"}, "body.start"),
        ({"pain_before": 11}, "body.pain_before"),
        ({"breaths_per_min": 90}, "body.breaths_per_min"),
    ],
)
def test_a_practice_that_cannot_be_is_named(
    clinic: Clinic, change: dict[str, Any], field: str
) -> None:
    body = {
        "kind": "paced breathing",
        "start": "2026-01-01T10:00:00Z",
        "end": "2026-01-01T10:07:00Z",
        **change,
    }
    answer = clinic["ada"].put(f"/v1/practices/{uuid.uuid4()}", json=body)
    assert_problem(answer, 422)
    assert [e["field"] for e in answer.json()["errors"]] == [field]


def test_session_notes_are_the_therapists_and_homework_is_both(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)
    path = f"/v1/patients/{clinic.id('ada')}/sessions/1/notes"
    tom = clinic["tom"]
    stored = tom.put(path, json={"notes": "afraid of bending", "homework": "Track once a day"})
    assert stored.json()["version"] == 1
    assert_problem(tom.put(path, json={"notes": "another", "homework": ""}), 409)
    again = tom.put(path, json={"notes": "less afraid", "homework": "Walk", "version": 1})
    assert again.json()["version"] == 2
    listed = tom.get(f"/v1/patients/{clinic.id('ada')}/session-notes").json()
    assert [row["notes"] for row in listed] == ["less afraid"]
    homework = clinic["ada"].get("/v1/homework")
    assert [row["homework"] for row in homework.json()] == ["Walk"]
    assert "afraid" not in homework.text
    assert_problem(clinic["ada"].get("/v1/session-notes"), 404)
    assert_problem(tom.get("/v1/homework"), 403)


def test_a_caseload_is_sorted_by_need(clinic: Clinic) -> None:
    stores, now = clinic.stores, clinic.stores.now()
    for name in ("ada", "eve"):
        clinic.agree(name, Purpose.CARE)
    rng = np.random.default_rng(2)
    for day in range(28):
        at = now - (28 - day) * DAY + HOUR
        fall = 6 if day < 14 else 3
        stores.records.add_rating(rating(clinic.id("eve"), at, fall + int(rng.integers(0, 2))))
    rows = clinic["tom"].get("/v1/patients").json()
    assert [row["name"] for row in rows] == ["The name of eve", "The name of ada"]
    assert rows[0]["needs"] == ["changed"]
    assert "in two weeks (95% interval" in rows[0]["told"][0]
    assert rows[1]["needs"] == ["silent"]
    stores.records.add_session(TherapySession(new_id(), clinic.id("ada"), 3, now + DAY))
    rows = clinic["tom"].get("/v1/patients").json()
    assert [row["name"] for row in rows] == ["The name of ada", "The name of eve"]
    assert rows[0]["needs"] == ["session soon", "silent"]
    clinic.agree("ada", Purpose.CARE, given=False)
    last = clinic["tom"].get("/v1/patients").json()[-1]
    assert (last["name"], last["agreed"], last["needs"], last["last_rating"]) == (
        "The name of ada",
        False,
        [],
        None,
    )
    assert {entry["what"] for entry in clinic["ada"].get("/v1/me/looks").json()["looks"]} == {
        "GET /v1/patients"
    }


def test_follow_ups_compare_with_the_first_week(clinic: Clinic) -> None:
    stores, person = clinic.stores, clinic.people["ada"]
    begin = stores.now() - 120 * DAY
    rng = np.random.default_rng(3)
    for day in range(118):
        pain = (7 if day < 20 else 2) + int(rng.integers(0, 2))
        stores.records.add_rating(rating(person.id, begin + day * DAY, pain))
    stores.records.add_session(TherapySession(new_id(), person.id, 8, begin + 28 * DAY))
    found = clinic["ada"].get("/v1/therapy").json()["follow_ups"]
    assert [item["months"] for item in found] == [1, 3]
    assert found[0]["pain"]["change"] == pytest.approx(-5, abs=0.7)
    assert found[0]["pain"]["high"] < 0


def test_the_link_of_a_clinic_with_its_assumptions(clinic: Clinic) -> None:
    stores = clinic.stores
    rng = np.random.default_rng(5)
    assert_problem(clinic["tom"].get("/v1/research/clinic-link"), 403)
    assert_problem(clinic["ann"].get("/v1/research/clinic-link"), 403, "Fewer than 5 people")
    agree_together(clinic, "ada", "eve")
    for name in ("ada", "eve"):
        for k in range(60):
            begin = stores.now() // DAY * DAY - (31 + 7 * RELEASED_WEEKS) * DAY + 9 * HOUR
            at = begin + k * 12 * HOUR
            stress = int(rng.integers(2, 9))
            pain = int(np.clip(round(0.6 * stress + rng.normal(2, 1)), 0, 10))
            stores.records.add_rating(rating(clinic.id(name), at, pain, stress))
    found = clinic["ann"].get("/v1/research/clinic-link").json()
    assert (found["people"], found["ratings"]) == (2, 120)
    assert len(found["assumptions"]) >= 5
    assert "brings" in found["assumptions"][-1]["otherwise"]
    assert found["estimate"] is None or found["low"] < found["estimate"] < found["high"]
    ann = clinic.people["ann"]
    names = {identity_of(stores, ann, clinic.people[name]).name for name in ("ada", "eve")}
    assert {row["person"] for row in found["by_person"]} <= names
    assert clinic["ada"].get("/v1/me/looks").json()["looks"][0]["what"].endswith("clinic-link")


def test_notes_of_ratings_are_stored_and_hidden_from_analysts(clinic: Clinic) -> None:
    agree_together(clinic, "ada")
    about = to_datetime(clinic.stores.now() - RELEASED_WEEKS * 7 * DAY)
    about = (about - timedelta(days=about.weekday())).replace(hour=12)
    body = {"pain": 3, "stress": 4, "note": " a long call ", "pleasant_note": "tea"}
    body["about"] = about.isoformat()
    stored = clinic["ada"].post("/v1/ratings", json=body).raise_for_status().json()
    assert (stored["note"], stored["pleasant_note"]) == ("a long call", "tea")
    seen = clinic["ann"].get("/v1/research/ratings")
    assert [row["pain"] for row in seen.json()["rows"]] == [3]
    assert "a long call" not in seen.text
