"""The nightly analysis of a clinic: ``analyse_task``, a pure function, mapped over patients.

What it is given holds arrays and no store, so that it can run in another process, or on another
machine. What is done is kept at once: a night that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from analytics.association.hrv_before_rating import Span
from analytics.hrv.windows import BeatArrays, Movement
from api.routes.analysis.link import link_report, report_fingerprint
from api.services.daily_windows import STORED_METHOD, compute_day, missing_days
from api.services.inputs import to_beat_arrays
from api.services.rating_windows import RatingBeats, load_rating_windows, read_rating_beats
from api.services.stress_baseline import StressBaselineCache
from api.services.stress_index_input import load_movement
from ebbtide.timestamps import DAY
from store import Stores
from store.models import DailyWindows, Person, StoredReport

_MAX_BEATS = 2_000_000  # of one piece of work: some 100 MB
_ALWAYS = (0, 2**62)


@dataclass(frozen=True, slots=True, eq=False)
class DaysOfBeats:
    """Days whose windows are not worked out yet: (day, name of its content, beats, movement)."""

    days: tuple[tuple[int, str, BeatArrays, Movement], ...]


@dataclass(frozen=True, slots=True)
class StoredDays:
    """Their windows."""

    days: dict[int, DailyWindows]


@dataclass(frozen=True, slots=True)
class ReportBody:
    """A report as JSON."""

    body: str


@dataclass(slots=True)
class NightlyResult:
    """What was done. ``failed``: (subject, what was wrong)."""

    people: int = 0
    days: int = 0
    reports: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def analyse_task(work: DaysOfBeats | RatingBeats) -> StoredDays | ReportBody:
    """The windows of days, or the report of a person. Nothing else is looked at or changed."""
    if isinstance(work, RatingBeats):
        return ReportBody(link_report(load_rating_windows(work)).model_dump_json())
    return StoredDays(
        {
            day: compute_day(content, day, beats, movement)
            for day, content, beats, movement in work.days
        }
    )


def run_nightly(
    stores: Stores,
    executor: Executor,
    at_once: int,
    progress: Callable[[int, int], None] | None = None,
) -> NightlyResult:
    """Bring every patient's windows and report up to date. ``at_once``: pieces of work under way.

    A patient with whom something goes wrong is named and does not stop the others.
    """
    night = NightlyResult()
    people = stores.records.people()
    todo: Iterator[Person] = iter(people)
    begun: dict[Future[StoredDays | ReportBody], tuple[Person, str]] = {}
    # Each day and report once a night: while a strap uploads, today is never done.
    days_done: dict[str, set[int]] = {}
    reported: set[str] = set()

    def begin(person: Person) -> None:
        """The next piece of this person's work; or they are done."""
        try:
            found = None
            if person.id not in reported:
                found = _next_work(stores, person, days_done.setdefault(person.id, set()))
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
        begun[executor.submit(analyse_task, work)] = (person, content)

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
                _store(stores, person, content, result, night)
                if isinstance(result, StoredDays):
                    days_done[person.id].update(result.days)
                else:
                    reported.add(person.id)
            except Exception as error:
                night.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))
                night.people += 1
            else:
                begin(person)


def _next_work(
    stores: Stores, person: Person, days_done: set[int]
) -> tuple[DaysOfBeats | RatingBeats, str] | None:
    """What is to be done next for this person, and the name of its content."""
    missing = {
        day: content
        for day, content in missing_days(stores, person).items()
        if day not in days_done
    }
    if missing:
        return DaysOfBeats(tuple(_read_days(stores, person, missing))), STORED_METHOD
    ratings = stores.records.ratings(person.id, *_ALWAYS)
    span = Span.MINUTES_30
    content = report_fingerprint(stores, person, ratings, span)
    kept = stores.records.report(person.id, span)
    if kept is not None and kept.content == content:
        return None
    # Not kept from one person to the next: each is looked at once a night.
    return read_rating_beats(ratings, person, stores, StressBaselineCache(), span), content


def _read_days(
    stores: Stores, person: Person, missing: dict[int, str]
) -> Iterator[tuple[int, str, BeatArrays, Movement]]:
    beats_read = 0
    for day, content in sorted(missing.items()):
        start, end = day * DAY, (day + 1) * DAY
        beats = to_beat_arrays(stores.beats.read(person.subject_id, start, end))
        yield day, content, beats, load_movement(stores, person, start, end)
        beats_read += len(beats.time_ns)
        if beats_read > _MAX_BEATS:
            return


def _store(
    stores: Stores,
    person: Person,
    content: str,
    found: StoredDays | ReportBody,
    night: NightlyResult,
) -> None:
    if isinstance(found, StoredDays):
        stores.beats.store_windows(person.subject_id, STORED_METHOD, found.days)
        night.days += len(found.days)
    else:
        stores.records.put_report(StoredReport(person.id, Span.MINUTES_30, content, found.body))
        night.reports += 1
