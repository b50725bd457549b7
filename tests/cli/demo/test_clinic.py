"""The sample clinic: what was put in is in the store, each marked as simulated."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.association.within_person import within_person_link
from api.services.accounts import store_account
from api.services.cohort import cohort_link, load_cohort
from api.services.consent import is_consented
from api.services.offers.log import load_log
from api.services.offers.results import compute_offer_report, load_offer_inputs
from cli.demo.clinic import add_accounts, add_former, fill_beats, fill_first, fill_records, last_day
from cli.demo.courses import COURSES, WEEKS, Course, generate_days
from cli.demo.offers import STRESS_EFFECT
from ebbtide.beats import GapReason, Origin
from ebbtide.timestamps import DAY, FOREVER, HOUR, MINUTE
from store import Stores
from store.models import Purpose, Role

ZONE = "Europe/Berlin"


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_a_course_is_as_it_is_described(course: Course) -> None:
    days = generate_days(course, date(2026, 11, 20), ZONE, 1)
    assert days == generate_days(course, date(2026, 11, 20), ZONE, 1)
    assert days[-1].date == date(2026, 11, 20)
    assert len(days) == (course.weeks * 7 if course.weeks > 1 else 6)
    given = [rating.is_given for day in days if not day.is_away for rating in day.ratings]
    assert abs(np.mean(given) - course.rated) < 4 * np.sqrt(0.25 / len(given))
    assert not any(r.is_given for day in days if day.is_away for r in day.ratings)
    first = np.mean([r.pain for day in days[:7] for r in day.ratings])
    assert abs(first - np.mean([value for week, value in course.pain if week <= 1])) < 1.5


def test_a_dozen_courses_differ() -> None:
    assert len(COURSES) == len({course.about for course in COURSES}) == 12
    changes = [course.pain[-1][1] - course.pain[0][1] for course in COURSES]
    assert min(changes) < -3 and max(changes) > 1


def test_everybody_can_be_tried(stores: Stores) -> None:
    accounts = add_accounts(stores, "tide-1234-5678", stores.now())
    assert set(accounts.by_role) == set(Role)
    for person, _ in accounts.patients:
        assert person.simulated
        answers = stores.records.consents(person.id)
        assert all(is_consented(answers, purpose, stores.now()) for purpose in Purpose)
    cared = set(stores.access.patients_of(accounts.therapist.id))
    assert cared == {person.id for person, _ in accounts.patients}


def test_what_was_put_in_is_stored(stores: Stores) -> None:
    now_ns = stores.now()
    accounts = add_accounts(stores, "tide-1234-5678", now_ns)
    person, course = accounts.patients[1]
    last = last_day(now_ns)
    fill_records(stores, person, course, accounts.therapist, last)
    days = generate_days(course, last, ZONE, 2022 + 10)
    given = [rating for day in days for rating in day.ratings if rating.is_given]
    stored = stores.records.ratings(person.id, *FOREVER)
    assert [(r.about_ns, r.pain, r.stress) for r in stored] == [
        (r.about_ns, r.pain, r.stress) for r in given
    ]
    assert all(rating.simulated for rating in stored)
    assert len(stores.records.sessions(person.id)) == 8
    prompts = stores.prompts.prompts(person.id, *FOREVER)
    answered = {item.id for item in prompts if item.answered_ns is not None}
    assert {rating.prompt_id for rating in stored} == {*answered, None}  # some were volunteered
    assert 0 < sum(item.let_go_ns is not None for item in prompts) < len(prompts) - len(answered)

    beats = fill_beats(stores, person, course, last, (7, 0))
    (covered,) = stores.beats.coverage(person.subject_id)
    assert covered.beats == covered.acknowledged == beats > 5_000
    assert covered.stream.origin is Origin.SIMULATED
    assert covered.last_ns is not None and covered.last_ns < now_ns
    assert fill_beats(stores, person, course, last, (WEEKS * 7, WEEKS * 7)) == 0


def test_who_wears_it_all_day_has_gaps_with_reasons(stores: Stores) -> None:
    now_ns = stores.now()
    accounts = add_accounts(stores, "tide-1234-5678", now_ns)
    fill_first(stores, accounts, now_ns)
    person, course = accounts.patients[0]
    fill_beats(stores, person, course, last_day(now_ns), (10, 2))
    gaps = [item.gap for item in stores.beats.gaps(person.subject_id, *FOREVER)]
    assert {gap.reason for gap in gaps} == {
        GapReason.PAUSED,
        GapReason.CONTACT_LOST,
        GapReason.LINK_LOST,
    }
    assert all(gap.end_ns - gap.start_ns < 2 * DAY for gap in gaps)
    worn = sum(item.beats for item in stores.beats.coverage(person.subject_id)) / 66 * MINUTE
    assert worn > 10 * 11 * HOUR


def test_the_link_that_was_put_in_is_found() -> None:
    """Over the courses, as a check that the sample says what its description says."""
    for name, low, high in (("Ada", 0.3, 0.7), ("Esi", -0.2, 0.2), ("Liv", 0.5, 1.0)):
        course = next(course for course in COURSES if course.name == name)
        days = generate_days(course, date(2026, 11, 20), ZONE, 3)
        ratings = [rating for day in days for rating in day.ratings if rating.is_given]
        found = within_person_link(
            np.array([r.about_ns for r in ratings], dtype=np.int64),
            np.array([float(r.stress) for r in ratings]),
            np.array([float(r.pain) for r in ratings]),
        )
        assert found.estimate is not None and low < found.estimate < high, name


@pytest.mark.parametrize("number", [0, 4])
def test_the_effect_of_offers_that_was_put_in_lies_in_its_interval(
    stores: Stores, number: int
) -> None:
    accounts = add_accounts(stores, "tide-1234-5678", stores.now())
    person, course = accounts.patients[number]
    fill_records(stores, person, course, accounts.therapist, last_day(stores.now()))
    assert load_log(stores, person).problem is None
    report = compute_offer_report(load_offer_inputs(stores, person, with_heart=False))
    stress, pain = report.effects[:2]
    assert stress.low is not None and stress.high is not None
    assert stress.low < STRESS_EFFECT < stress.high < 0, stress.sentence
    assert (pain.low or -9) < course.link * STRESS_EFFECT < (pain.high or 9), pain.sentence
    assert report.simulated and not report.harm.must_stop
    assert 0 < report.taken < report.offered and report.not_available


def test_research_has_a_link_from_the_first_day(stores: Stores) -> None:
    """Weeks reach analysts 4 to 35 weeks later: those of a year ago are all there."""
    former = add_former(stores, stores.now())
    for person, course in former:
        long_ago = last_day(stores.now()) - timedelta(weeks=course.weeks_ago)
        fill_records(stores, person, course, person, long_ago)
    analyst = store_account(
        stores.records,
        email="analyst@example.org",
        password_hash="",
        name="Analyst",
        zone=ZONE,
        now_ns=stores.now(),
        role=Role.ANALYST,
    )
    found = cohort_link(stores, load_cohort(stores, analyst, 5).require()).link
    assert found.missing_reason is None and found.n_subjects == len(former)
    assert found.low is not None and 0 < found.low < 0.5
