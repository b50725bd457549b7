"""The nightly analysis: ``analyse_task``, a pure function, mapped over patients.

A task holds arrays and no store, so that it can run in another process or on another machine. Each
result is stored at once: a run that was stopped continues where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from analytics.association.hrv_before_rating import Span
from analytics.hrv.reported import ReportedRates
from analytics.hrv.windows import BeatArrays, Movement
from api.services.caseload import refresh_changes
from api.services.consent import may_be_used
from api.services.daily_windows import STORED_METHOD, compute_day, missing_days
from api.services.inputs import load_beats, load_movement, load_rates
from api.services.link_report import link_report, report_fingerprint
from api.services.offers.safety import stop_if_harmful
from api.services.prompted import read_prompt_beats, split_ratings
from api.services.rating_windows import RatingBeats, compute_rating_windows, read_rating_beats
from api.services.recorded_nights import store_recorded_nights
from api.services.stress_baseline import StressBaselineCache
from ebbtide.timestamps import DAY, FOREVER
from store import Stores
from store.models import DailyWindows, Person, StoredReport

_MAX_BEATS = 200_000  # of one task: some 8 MB, which are here and on the way to each process


@dataclass(frozen=True, slots=True, eq=False)
class DaysOfBeats:
    """Days whose windows are missing: (day, its fingerprint, beats, movement, heart
    rates that devices reported).
    """

    days: tuple[tuple[int, str, BeatArrays, Movement, ReportedRates], ...]


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The windows of days."""

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
    nights: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def analyse_task(task: DaysOfBeats | RatingBeats) -> StoredDays | ReportBody:
    """Compute the windows of days, or the report of a person. Pure: it reads no store."""
    if isinstance(task, RatingBeats):
        return ReportBody(link_report(compute_rating_windows(task)).model_dump_json())
    return StoredDays(
        {
            day: compute_day(fingerprint, beats, movement, rates, day)
            for day, fingerprint, beats, movement, rates in task.days
        }
    )


def run_nightly(
    stores: Stores,
    executor: Executor,
    max_tasks: int,
    progress: Callable[[int, int], None] | None = None,
) -> NightlyResult:
    """Bring every patient's windows and report up to date, ``max_tasks`` at the same time; see
    ``analyse_people``.
    """
    result = analyse_people(stores, stores.records.people(), executor, max_tasks, progress)
    refresh_changes(stores)
    return result


def analyse_people(
    stores: Stores,
    people: Sequence[Person],
    executor: Executor,
    max_tasks: int,
    progress: Callable[[int, int], None] | None = None,
) -> NightlyResult:
    """Bring the windows and reports of these people up to date, ``max_tasks`` at the same time.

    A patient whose analysis fails is listed in the result and does not stop the others. Nothing is
    computed for those who took back consent to keeping.
    """
    result = NightlyResult()
    people = [
        person for person in people if may_be_used(stores.records.consents(person.id), stores.now())
    ]
    for patient in people:
        _stop_harmful_offers(stores, patient, result)
    todo: Iterator[Person] = iter(people)
    running: dict[Future[StoredDays | ReportBody], tuple[Person, str]] = {}
    # Each day and report once in a run: while a strap uploads, today is never done.
    days_done: dict[str, set[int]] = {}
    reported: set[str] = set()

    def submit_next(person: Person) -> None:
        """Submit the person's next task; or they are done."""
        try:
            following = None
            if person.id not in reported:
                following = _next_task(stores, person, days_done.setdefault(person.id, set()))
        except Exception as error:  # whatever a damaged store may raise
            result.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))
            following = None
        if following is None:
            days_done.pop(person.id, None)
            _find_nights(stores, person, result)
            result.people += 1
            if progress is not None:
                progress(result.people, len(people))
            return
        task, fingerprint = following
        running[executor.submit(analyse_task, task)] = (person, fingerprint)

    while True:
        while len(running) < max_tasks and (person := next(todo, None)) is not None:
            submit_next(person)
        if not running:
            return result
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            person, fingerprint = running.pop(future)
            try:
                output = future.result()
                _store(stores, person, fingerprint, output, result)
                if isinstance(output, StoredDays):
                    days_done[person.id].update(output.days)
                else:
                    reported.add(person.id)
            except Exception as error:
                result.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))
                result.people += 1
            else:
                submit_next(person)


def _stop_harmful_offers(stores: Stores, person: Person, result: NightlyResult) -> None:
    """The rule that stops, should a rating have come while nothing could look at it."""
    try:
        stop_if_harmful(stores, person)
    except Exception as error:  # whatever a damaged store may raise
        result.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))


def _find_nights(stores: Stores, person: Person, result: NightlyResult) -> None:
    """Store the nights in the person's recordings, once the windows of all days are there."""
    try:
        done = store_recorded_nights(stores, person)
        result.nights += done.new + done.grown
    except Exception as error:  # whatever a damaged store may raise
        result.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))


def _next_task(
    stores: Stores, person: Person, days_done: set[int]
) -> tuple[DaysOfBeats | RatingBeats, str] | None:
    """The next task of this person, and the fingerprint of a report."""
    missing = {
        day: fingerprint
        for day, fingerprint in missing_days(stores, person).items()
        if day not in days_done
    }
    if missing:
        return DaysOfBeats(tuple(_read_days(stores, person, missing))), ""
    found = split_ratings(stores, person, stores.records.ratings(person.id, *FOREVER))
    span = Span.MINUTES_30
    fingerprint = report_fingerprint(stores, person, found, span)
    stored = stores.records.report(person.id, span)
    if stored is not None and stored.fingerprint == fingerprint:
        return None
    # A cache of its own: each person is analysed once in a run.
    prompts = read_prompt_beats(stores, person, found)
    beats = read_rating_beats(
        *(found.ratings, person, stores, StressBaselineCache(), span), prompts=prompts
    )
    return beats, fingerprint


def _read_days(
    stores: Stores, person: Person, missing: dict[int, str]
) -> Iterator[tuple[int, str, BeatArrays, Movement, ReportedRates]]:
    beats_read = 0
    for day, fingerprint in sorted(missing.items()):
        start, end = day * DAY, (day + 1) * DAY
        beats = load_beats(stores, person, start, end)
        rates, _ = load_rates(stores, person, start, end)
        yield day, fingerprint, beats, load_movement(stores, person, start, end), rates
        beats_read += len(beats.time_ns) + len(rates.time_ns)
        if beats_read > _MAX_BEATS:
            return


def _store(
    stores: Stores,
    person: Person,
    fingerprint: str,
    output: StoredDays | ReportBody,
    result: NightlyResult,
) -> None:
    if isinstance(output, StoredDays):
        stores.beats.store_windows(person.subject_id, STORED_METHOD, output.days)
        result.days += len(output.days)
    else:
        stores.records.put_report(
            StoredReport(person.id, Span.MINUTES_30, fingerprint, output.body)
        )
        result.reports += 1
