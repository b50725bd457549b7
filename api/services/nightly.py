"""The nightly analysis of a clinic: ``analysed``, a pure function, mapped over patients.

What it is given holds arrays and no store, so that it can run in another process, or on another
machine. What is done is kept at once: a night that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from analytics.association.hrv_before_rating import Span
from analytics.hrv.windows import BeatArrays, Movement
from api.routes.analysis.link import content_of, link_report
from api.services.daily_windows import METHOD_KEPT, missing_days, windows_of_day
from api.services.inputs import beat_arrays
from api.services.rating_windows import RatedBeats, rated_beats, rated_windows
from api.services.stress_baseline import Histories
from api.services.stress_index_input import movement_of
from ebbtide.timestamps import DAY
from store.protocols.beats import KeptDay
from store.protocols.records import KeptReport, Person
from store.stores import House

_MOST_BEATS = 2_000_000  # of one piece of work: some 100 MB
_ALWAYS = (0, 2**62)


@dataclass(frozen=True, slots=True, eq=False)
class DaysOfBeats:
    """Days whose windows are not worked out yet: (day, name of its content, beats, movement)."""

    days: tuple[tuple[int, str, BeatArrays, Movement], ...]


@dataclass(frozen=True, slots=True)
class KeptDays:
    """Their windows."""

    days: dict[int, KeptDay]


@dataclass(frozen=True, slots=True)
class ReportBody:
    """A report as JSON."""

    body: str


@dataclass(slots=True)
class Night:
    """What was done. ``failed``: (subject, what was wrong)."""

    people: int = 0
    days: int = 0
    reports: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def analysed(work: DaysOfBeats | RatedBeats) -> KeptDays | ReportBody:
    """The windows of days, or the report of a person. Nothing else is looked at or changed."""
    if isinstance(work, RatedBeats):
        return ReportBody(link_report(rated_windows(work)).model_dump_json())
    return KeptDays(
        {
            day: windows_of_day(content, day, beats, movement)
            for day, content, beats, movement in work.days
        }
    )


def run_night(
    house: House,
    executor: Executor,
    at_once: int,
    progress: Callable[[int, int], None] | None = None,
) -> Night:
    """Bring every patient's windows and report up to date. ``at_once``: pieces of work under way.

    A patient with whom something goes wrong is named and does not stop the others.
    """
    night = Night()
    people = house.records.people()
    todo: Iterator[Person] = iter(people)
    begun: dict[Future[KeptDays | ReportBody], tuple[Person, str]] = {}
    # Each day and report once a night: while a strap uploads, today is never done.
    days_done: dict[str, set[int]] = {}
    reported: set[str] = set()

    def begin(person: Person) -> None:
        """The next piece of this person's work; or they are done."""
        try:
            found = None
            if person.id not in reported:
                found = _next_work(house, person, days_done.setdefault(person.id, set()))
        except Exception as error:  # whatever a damaged store may raise
            night.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))
            found = None
        if found is None:
            days_done.pop(person.id, None)
            night.people += 1
            if progress is not None:
                progress(night.people, len(people))
            return
        work, content = found
        begun[executor.submit(analysed, work)] = (person, content)

    while True:
        while len(begun) < at_once and (person := next(todo, None)) is not None:
            begin(person)
        if not begun:
            return night
        done, _ = wait(begun, return_when=FIRST_COMPLETED)
        for future in done:
            person, content = begun.pop(future)
            try:
                result = future.result()
                _keep(house, person, content, result, night)
                if isinstance(result, KeptDays):
                    days_done[person.id].update(result.days)
                else:
                    reported.add(person.id)
            except Exception as error:
                night.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))
                night.people += 1
            else:
                begin(person)


def _next_work(
    house: House, person: Person, days_done: set[int]
) -> tuple[DaysOfBeats | RatedBeats, str] | None:
    """What is to be done next for this person, and the name of its content."""
    missing = {
        day: content for day, content in missing_days(house, person).items() if day not in days_done
    }
    if missing:
        return DaysOfBeats(tuple(_read_days(house, person, missing))), METHOD_KEPT
    ratings = house.records.ratings(person.id, *_ALWAYS)
    span = Span.MINUTES_30
    content = content_of(house, person, ratings, span)
    kept = house.records.report(person.id, span)
    if kept is not None and kept.content == content:
        return None
    # Not kept from one person to the next: each is looked at once a night.
    return rated_beats(ratings, person, house, Histories(), span), content


def _read_days(
    house: House, person: Person, missing: dict[int, str]
) -> Iterator[tuple[int, str, BeatArrays, Movement]]:
    beats_read = 0
    for day, content in sorted(missing.items()):
        start, end = day * DAY, (day + 1) * DAY
        beats = beat_arrays(house.beats.read(person.subject_id, start, end))
        yield day, content, beats, movement_of(house, person, start, end)
        beats_read += len(beats.time_ns)
        if beats_read > _MOST_BEATS:
            return


def _keep(
    house: House, person: Person, content: str, found: KeptDays | ReportBody, night: Night
) -> None:
    if isinstance(found, KeptDays):
        house.beats.keep_windows(person.subject_id, METHOD_KEPT, found.days)
        night.days += len(found.days)
    else:
        house.records.put_report(KeptReport(person.id, Span.MINUTES_30, content, found.body))
        night.reports += 1
