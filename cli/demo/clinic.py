"""Fill the sample clinic: four roles to be tried, and twelve weeks of a dozen patients.

Beats go to the store directly: to play twelve weeks through a strap would take minutes. The strap
that plays on while the demo runs takes the way of a real one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from api.services import passwords
from api.services.access_tokens import DEVICE_LIFETIME_NS, issue_token
from api.services.accounts import store_account
from cli.demo.courses import COURSES, FORMER, Course, CourseDay, generate_days, session_moments
from cli.demo.heart import Minutes, SampleHeart
from cli.demo.nights import generate_nights
from cli.demo.offers import add_offers
from cli.demo.prompts import add_prompts
from cli.language import _
from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.i18n import N_
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import (
    PLANNED_BY_PROGRAMME,
    Consent,
    Note,
    NoteKind,
    Person,
    Practice,
    PracticeKind,
    Programme,
    Purpose,
    QuestionnaireResponse,
    Rating,
    Role,
    SessionNotes,
    TherapySession,
    pack_answers,
)
from store.models.access import Scope, TokenKind

ZONE = "Europe/Berlin"
_SEED = 2022
_WORDING = "demo, 1"
_BEATS_AT_ONCE = 20_000
_WORN_FROM, _SLEEP_FROM = 8, 23  # hours, local time
_AT_FIRST = 6  # days of beats that are there when the pages open: enough for a stress index
_PART = 14  # days of beats that are stored before their windows are computed
_NIGHTS = 14  # of the last days, of which every third night is worn


@dataclass(frozen=True, slots=True)
class SampleAccounts:
    """Who can be tried: one of each role, and all patients with their courses.

    ``strap_token``: with which the first patient's strap is uploaded.
    """

    patients: tuple[tuple[Person, Course], ...]
    therapist: Person
    analyst: Person
    admin: Person
    strap_token: str

    @property
    def by_role(self) -> dict[Role, Person]:
        """The account that a visitor is in each role."""
        return {
            Role.PATIENT: self.patients[0][0],
            Role.THERAPIST: self.therapist,
            Role.ANALYST: self.analyst,
            Role.ADMINISTRATOR: self.admin,
        }


def add_accounts(stores: Stores, password: str, now_ns: int) -> SampleAccounts:
    """Create the accounts, with one password; each patient has agreed to all uses, and is in the
    therapist's care.
    """
    password_hash = passwords.hash_password(password)

    def add(name: str, role: Role, at_ns: int) -> Person:
        return store_account(
            stores.records,
            email=f"{name.lower()}@ebbtide.example",
            password_hash=password_hash,
            name=name,  # pages add that it is simulated
            zone=ZONE,
            now_ns=at_ns,
            role=role,
            simulated=True,
        )

    since = now_ns - (12 * 7 + 1) * DAY
    therapist = add("Therapist", Role.THERAPIST, since)
    analyst, admin = add("Analyst", Role.ANALYST, since), add("Admin", Role.ADMINISTRATOR, since)
    patients = []
    for course in COURSES:
        joined = now_ns - (course.weeks * 7 + 1) * DAY
        person = add(course.name, Role.PATIENT, joined)
        for purpose in Purpose:
            stores.records.add_consent(Consent(person.id, purpose, True, _WORDING, joined))
        stores.access.put_care(therapist.id, person.id, joined)
        patients.append((person, course))
    scopes, lifetime_ns = frozenset({Scope.UPLOAD}), DEVICE_LIFETIME_NS
    token, _row = issue_token(
        *(stores, patients[0][0], TokenKind.DEVICE, "sample strap", scopes, lifetime_ns)
    )
    return SampleAccounts(tuple(patients), therapist, analyst, admin, token)


def fill_records(
    stores: Stores, person: Person, course: Course, therapist: Person, last: date
) -> None:
    """Store ratings, sessions, notes and practices of a patient up to the day ``last``."""
    days = generate_days(course, last, ZONE, _seed(course))
    begun = days[0].ratings[0].about_ns - HOUR
    stores.programme.put_programme(Programme(person.id, begun, begun))
    for number, held_ns in enumerate(session_moments(days, ZONE), 1):
        held = TherapySession(new_id(), person.id, number, held_ns)
        stores.records.add_session(held)
        if number in _HOMEWORK:
            notes, homework = _HOMEWORK[number]
            stores.programme.put_session_notes(
                SessionNotes(person.id, number, _(notes), _(homework), therapist.id, 1, held_ns), 0
            )
    # Who was here long ago is not asked any more.
    prompts = {} if course.weeks_ago else add_prompts(stores, person, days, ZONE, stores.now())
    for day in days:
        for rating in day.ratings:
            if rating.is_given:
                stores.records.add_rating(
                    Rating(
                        new_id(),
                        1,
                        person.id,
                        rating.about_ns,
                        rating.about_ns + MINUTE,
                        ZONE,
                        rating.pain,
                        rating.stress,
                        rating.pleasant,
                        True,
                        prompt_id=prompts.get(rating.about_ns),
                    )
                )
    if course.by_lot:
        add_offers(stores, person, days, ZONE, prompts, course.link)
    if course.wears_ring:
        rng = np.random.default_rng((_seed(course), len(days)))
        nights = generate_nights(days, course.rmssd_ms, course.rate_bpm, ZONE, rng)
        stores.nights.put_nights(person.id, nights, stores.now())
    _add_notes_and_practices(stores, person, days)
    _add_answers(stores, person, days)


def fill_beats(
    stores: Stores, person: Person, course: Course, last: date, days_back: tuple[int, int]
) -> int:
    """Store the beats of some days of a patient, counted back from the day ``last``, such as
    (14, 0) of the last two weeks, as a stream of its own; how many beats.
    """
    days = generate_days(course, last, ZONE, _seed(course))
    heart = SampleHeart(course.rate_bpm, course.rmssd_ms)
    chosen = range(max(0, len(days) - days_back[0]), len(days) - days_back[1])
    if course.worn_hours is None or not chosen:
        return 0
    begun = days[chosen.start].ratings[0].about_ns - 2 * HOUR
    stream = Stream(new_id(), Origin.SIMULATED, "sample strap", begun)
    stores.beats.put_stream(person.subject_id, stream)
    sequence, before_ns = 1, None
    gaps: list[Gap] = []
    for number in chosen:
        rng = np.random.default_rng((_seed(course), number))
        for start_ns, minutes, reason in _worn(course, days, number, rng):
            ticks = heart.generate_rr(minutes, rng)
            times = start_ns + np.cumsum(ticks) * SECOND // STRAP_TICKS_PER_SECOND
            gaps = [] if before_ns is None else [Gap(sequence, before_ns, int(times[0]), reason)]
            notifications = [
                Notification(
                    sequence + place, at_ns, round(61_440 / tick), (tick,), (at_ns,), contact=True
                )
                for place, (tick, at_ns) in enumerate(
                    zip(ticks.tolist(), times.tolist(), strict=True)
                )
            ]
            for at in range(0, len(notifications), _BEATS_AT_ONCE):
                part = notifications[at : at + _BEATS_AT_ONCE]
                stores.beats.append(person.subject_id, stream.id, part, gaps if at == 0 else [])
            sequence += len(notifications)
            before_ns = int(times[-1])
    return sequence - 1


def fill_first(stores: Stores, accounts: SampleAccounts, now_ns: int) -> None:
    """Store what the first page displays: the records and the last days of the first patient."""
    person, course = accounts.patients[0]
    fill_records(stores, person, course, accounts.therapist, last_day(now_ns))
    fill_beats(stores, person, course, last_day(now_ns), (_AT_FIRST, 0))


def add_former(stores: Stores, now_ns: int) -> list[tuple[Person, Course]]:
    """Create the accounts of people who were here long ago and whose data research may use. They
    are in nobody's care, and nobody knows their password.
    """
    password_hash = passwords.hash_password(secrets.token_urlsafe())
    people = []
    for course in FORMER:
        joined = now_ns - ((course.weeks + course.weeks_ago) * 7 + 1) * DAY
        person = store_account(
            stores.records,
            email=f"{course.name.lower()}@ebbtide.example",
            password_hash=password_hash,
            name=course.name,
            zone=ZONE,
            now_ns=joined,
            simulated=True,
        )
        for purpose in (Purpose.KEEPING, Purpose.RESEARCH):
            stores.records.add_consent(Consent(person.id, purpose, True, _WORDING, joined))
        people.append((person, course))
    return people


def fill_rest(data_dir: Path, accounts: SampleAccounts, now_ns: int) -> None:
    """Store everything else, the newest first, and compute the windows in advance. For a process
    of its own: it takes a minute of a core.
    """
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import closing

    from api.services.nightly import run_nightly
    from ebbtide.settings import Settings
    from store.factory import open_stores

    last = last_day(now_ns)
    with (
        closing(open_stores(Settings(data_dir=data_dir))) as stores,
        ThreadPoolExecutor(1) as executor,
    ):
        first, *others = accounts.patients
        for person, course in others:
            fill_records(stores, person, course, accounts.therapist, last)
        for person, course in add_former(stores, now_ns):
            long_ago = last - timedelta(weeks=course.weeks_ago)
            fill_records(stores, person, course, accounts.therapist, long_ago)
        for person, course in others:
            fill_beats(stores, person, course, last, (course.weeks * 7, 0))
            run_nightly(stores, executor, 1)
        for end in range(0, first[1].weeks * 7, _PART):
            fill_beats(stores, *first, last, (end + _PART, max(end, _AT_FIRST)))
            run_nightly(stores, executor, 1)


def last_day(now_ns: int) -> date:
    """The day before today, in the sample clinic's zone: today is the visitor's."""
    return to_datetime(now_ns, ZONE).date() - timedelta(days=1)


def _worn(
    course: Course, days: list[CourseDay], number: int, rng: np.random.Generator
) -> Iterator[tuple[int, Minutes, GapReason]]:
    """Give when the strap was worn on a day: the first moment, its minutes, and why there were no
    beats before.
    """
    day = days[number]
    if day.is_away or number in range(*course.no_strap):
        return
    if not course.worn_hours:
        for rating in day.ratings:
            if rating.is_given:
                minutes = _minutes(day, rating.about_ns, 6, rng)
                yield rating.about_ns - 6 * MINUTE, minutes, GapReason.PAUSED
        return
    morning = to_datetime(day.ratings[0].about_ns, ZONE).replace(
        hour=_WORN_FROM, minute=0, second=0, microsecond=0, tzinfo=ZoneInfo(ZONE)
    )
    start_ns = int(morning.timestamp()) * SECOND
    reason = GapReason.PAUSED
    for begin, end, why in _pieces(course.worn_hours * 60, rng):
        moment = start_ns + begin * MINUTE
        yield moment, _minutes(day, moment + (end - begin) * MINUTE, end - begin, rng), reason
        reason = why
    if len(days) - _NIGHTS <= number < len(days) - 1 and number % 3 == 0:
        asleep = start_ns + (_SLEEP_FROM - _WORN_FROM) * HOUR
        yield asleep, _night(asleep, 7 * 60), GapReason.PAUSED


def _pieces(total: int, rng: np.random.Generator) -> Iterator[tuple[int, int, GapReason]]:
    """Cut a day's minutes at what happens to straps: dry electrodes, a phone left behind."""
    begin = 0
    for why, longest in ((GapReason.CONTACT_LOST, 12), (GapReason.LINK_LOST, 40)):
        if rng.random() < 0.6:
            continue
        cut = begin + int(rng.integers(60, 240))
        yield begin, cut, why
        begin = cut + int(rng.integers(2, longest))
    yield begin, total, GapReason.PAUSED


def _minutes(day: CourseDay, end_ns: int, count: int, rng: np.random.Generator) -> Minutes:
    at_ns = end_ns - np.arange(count, 0, -1, dtype=np.int64) * MINUTE
    exercise = np.zeros(count)
    if count > 120 and rng.random() < 0.5:
        at = int(rng.integers(0, count - 60))
        exercise[at : at + 35] = _ramp(35)
    return Minutes(_hours(at_ns), day.stress_at(at_ns), exercise, np.zeros(count))


def _night(start_ns: int, count: int) -> Minutes:
    at_ns = start_ns + np.arange(count, dtype=np.int64) * MINUTE
    none = np.zeros(count)
    return Minutes(_hours(at_ns), np.full(count, 2.0), none, np.minimum(1, _ramp(count) * 4))


def _ramp(count: int) -> NDArray[np.float64]:
    return np.asarray(np.sin(np.linspace(0, np.pi, count)) ** 0.5)


def _hours(at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    first = to_datetime(int(at_ns[0]), ZONE)
    hour = first.hour + first.minute / 60
    return np.asarray((hour + (at_ns - at_ns[0]) / HOUR) % 24)


def _seed(course: Course) -> int:
    return _SEED + 10 * (*COURSES, *FORMER).index(course)


_HOMEWORK = {
    1: (N_("Explained how pain can be a false alarm."), N_("Three short recordings a day.")),
    2: (N_("First somatic tracking together."), N_("Somatic tracking once a day, a few minutes.")),
    4: (
        N_("Fear of sitting is less."),
        N_("Sit as you like, with lightness; note what felt good."),
    ),
    8: (N_("Spoke about what helped, and about setbacks."), N_("Go on with what you enjoy.")),
}
_NOTES = (
    (3, NoteKind.TRIGGER, N_("long meetings")),
    (4, NoteKind.FEAR, N_("bending down")),
    (8, NoteKind.STRESSOR, N_("a deadline")),
    (10, NoteKind.TRIGGER, N_("long meetings")),
    (12, NoteKind.HELPED, N_("a walk at noon")),
    (13, NoteKind.PLEASANT, N_("warm hands")),
    (20, NoteKind.HELPED, N_("a walk at noon")),
    (26, NoteKind.PLEASANT, N_("laughing with a friend")),
    (40, NoteKind.TRIGGER, N_("long meetings")),
    (55, NoteKind.PLEASANT, N_("the garden")),
)


def _add_notes_and_practices(stores: Stores, person: Person, days: list[CourseDay]) -> None:
    for number, kind, words in _NOTES:
        if number < len(days) and not days[number].is_away:
            about = days[number].ratings[1].about_ns
            stores.programme.put_note(
                Note(new_id(), person.id, kind, _(words), about, about + MINUTE)
            )
    for number in range(2, len(days), 3):
        rating = days[number].ratings[2]
        if days[number].is_away or not rating.is_given:
            continue
        start = rating.about_ns + 10 * MINUTE
        practice = Practice(
            new_id(),
            person.id,
            PracticeKind.TRACKING,
            start,
            start + 6 * MINUTE,
            None,
            rating.pain,
            rating.stress,
            max(0, rating.pain - number % 2),
            max(0, rating.stress - 1),
        )
        if number % 2:
            practice = replace(practice, kind=PracticeKind.BREATHING, breaths_per_min=6.0)
        stores.programme.put_practice(practice)


def _add_answers(stores: Stores, person: Person, days: list[CourseDay]) -> None:
    """Answer GAD-7 and PHQ-9 before, in the middle and after, as far as the course goes: what the
    stress of that week was decides how much. The ninth question is always "not at all".
    """
    held = [item.held_ns for item in stores.records.sessions(person.id)]
    begun = stores.programme.programme(person.id).started_ns
    moments = {"before": begun, "mid": held[3] if len(held) > 3 else None}
    moments["after"] = held[7] if len(held) > 7 else None
    ratings = [rating for day in days for rating in day.ratings if rating.is_given]
    for occasion, moment in moments.items():
        if moment is None or not ratings:
            continue
        near = min(ratings, key=lambda rating: abs(rating.about_ns - moment))
        about = near.about_ns + 15 * MINUTE
        for name, items in (("gad7", 7), ("phq9", 8)):
            values = {str(item): min(3, (near.stress + item) // 4) for item in range(1, items + 1)}
            if name == "phq9":
                values["9"] = 0
            stores.programme.add_response(
                QuestionnaireResponse(
                    id=new_id(),
                    version=1,
                    person_id=person.id,
                    questionnaire=name,
                    definition_version=1,
                    language="en",
                    answers=pack_answers(values),
                    about_ns=about,
                    entered_ns=about + MINUTE,
                    zone=ZONE,
                    occasion=occasion,
                    planned_by=PLANNED_BY_PROGRAMME,
                    simulated=True,
                )
            )
