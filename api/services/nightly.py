"""The nightly analysis: ``analyse_task``, a pure function, mapped over patients.

A task holds arrays and no store, so that it can run in another process or on another machine. Each
day and report is stored at once: a run that was stopped continues where it was.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from analytics.association.hrv_before_rating import Span
from analytics.hrv.reported import ReportedRates
from analytics.hrv.windows import BeatArrays, HrvWindows, Movement
from api.services.caseload import refresh_changes
from api.services.consent import may_be_used
from api.services.daily_windows import STORED_METHOD, compute_day, missing_days
from api.services.inputs import load_beats, load_movement, load_rates
from api.services.kept_windows import (
    GroupKey,
    KeptGroup,
    NewGroup,
    find_group,
    group_key,
    keep_windows,
    load_kept_windows,
)
from api.services.link_report import days_of_report, link_report, report_fingerprint
from api.services.offers.safety import stop_if_harmful
from api.services.prompted import PromptedRatings, read_prompt_beats, split_ratings
from api.services.rating_windows import (
    RatingWindows,
    WindowGroup,
    compute_groups,
    group_windows,
)
from api.services.recorded_nights import store_recorded_nights
from api.services.stress_baseline import StressBaselineCache
from ebbtide.timestamps import DAY, FOREVER
from store import Stores
from store.models import DailyWindows, Person, StoredReport

_MAX_BEATS = 200_000  # of one task: some 8 MB, which are here and on the way to each process
_SPAN = Span.MINUTES_30  # before a rating, of the report that is stored


@dataclass(frozen=True, slots=True, eq=False)
class DaysOfBeats:
    """Days whose windows are missing: (day, its fingerprint, beats, movement, heart
    rates that devices reported).
    """

    days: tuple[tuple[int, str, BeatArrays, Movement, ReportedRates], ...]


@dataclass(frozen=True, slots=True, eq=False)
class BeatsBeforeRatings:
    """Some of the groups of windows before a person's ratings; ``number`` names the task."""

    number: int
    groups: tuple[WindowGroup, ...]


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The windows of days."""

    days: dict[int, DailyWindows]


@dataclass(frozen=True, slots=True, eq=False)
class WindowsBefore:
    """The windows of the groups of a task."""

    number: int
    windows: tuple[HrvWindows, ...]


@dataclass(frozen=True, slots=True)
class ReportBody:
    """A report as JSON."""

    body: str


_Task = DaysOfBeats | BeatsBeforeRatings | RatingWindows
_Output = StoredDays | WindowsBefore | ReportBody


@dataclass(slots=True)
class NightlyResult:
    """What was done. ``failed``: (subject, what was wrong)."""

    people: int = 0
    days: int = 0
    reports: int = 0
    nights: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def analyse_task(task: _Task) -> _Output:
    """Compute the windows of days or before ratings, or the report of a person. Pure: it reads no
    store.
    """
    if isinstance(task, RatingWindows):
        return ReportBody(link_report(task).model_dump_json())
    if isinstance(task, BeatsBeforeRatings):
        return WindowsBefore(task.number, tuple(compute_groups(task.groups)))
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
    """Bring the windows and reports of these people up to date, ``max_tasks`` at the same time, of
    one person where nobody else has any.

    A patient whose analysis fails is listed in the result and does not stop the others. Nothing is
    computed for those who took back consent to keeping.
    """
    result = NightlyResult()
    people = [
        person for person in people if may_be_used(stores.records.consents(person.id), stores.now())
    ]
    for patient in people:
        _stop_harmful_offers(stores, patient, result)
    todo = deque(people)
    begun: list[_PersonAnalysis] = []
    running: dict[Future[_Output], _PersonAnalysis] = {}

    def submit_any() -> bool:
        """Submit a task, of those who are begun if they have one. Whether there was any."""
        for analysis in list(begun):
            task = analysis.next_task()
            if task is not None:
                analysis.running += 1
                running[executor.submit(analyse_task, task)] = analysis
                return True
            if not analysis.running:
                begun.remove(analysis)
                analysis.finish(result)
                result.people += 1
                if progress is not None:
                    progress(result.people, len(people))
        if todo:
            begun.append(_PersonAnalysis(stores, todo.popleft()))
            return True
        return False

    while True:
        while len(running) < max_tasks and submit_any():
            pass
        if not running:
            return result
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            running.pop(future).take(future, result)


class _PersonAnalysis:
    """The tasks of one person in a run, in their order, and what becomes of them."""

    def __init__(self, stores: Stores, person: Person) -> None:
        self.running = 0
        self._stores, self._person = stores, person
        self._failure: BaseException | None = None
        self._tasks = self._plan()
        self._is_waiting = False
        self._fingerprint = ""
        # The windows before ratings, and by their numbers the tasks for more that run.
        self._groups: dict[GroupKey, KeptGroup] = {}
        self._batches: dict[int, list[NewGroup]] = {}
        self._numbers = itertools.count()

    def next_task(self) -> _Task | None:
        """Read the next task. None: there is none before what runs is done, or at all."""
        if self._is_waiting and self.running:
            return None
        self._is_waiting = False
        try:
            for task in self._tasks:
                if task is not None:
                    return task
                if self.running:
                    self._is_waiting = True
                    return None
        except Exception as error:  # whatever a damaged store may raise
            self._fail(error)
        return None

    def _plan(self) -> Generator[_Task | None, None, None]:
        """Yield the tasks; None where all before must be stored first."""
        stores, person = self._stores, self._person
        # Each day and report once in a run: while a strap uploads, today is never done.
        days_done: set[int] = set()
        while missing := {
            day: fingerprint
            for day, fingerprint in missing_days(stores, person).items()
            if day not in days_done
        }:
            days_done.update(missing)
            while missing:
                yield DaysOfBeats(tuple(_pop_days(stores, person, missing)))
            yield None
        found = split_ratings(stores, person, stores.records.ratings(person.id, *FOREVER))
        days = days_of_report(stores, person, found.ratings)
        self._fingerprint = report_fingerprint(person, found, _SPAN, days)
        stored = stores.records.report(person.id, _SPAN)
        if stored is None or stored.fingerprint != self._fingerprint:
            yield from self._plan_report(found, days)

    def _plan_report(
        self, found: PromptedRatings, days: dict[int, str]
    ) -> Generator[_Task | None, None, None]:
        stores, person = self._stores, self._person
        starts, window_index = group_windows(found.ratings, _SPAN)
        kept = load_kept_windows(stores, person, _SPAN)
        batch: list[NewGroup] = []
        beats_read = 0
        for of_group in starts:
            group = find_group(stores, person, of_group, kept, days)
            if isinstance(group, KeptGroup):
                self._groups[group_key(of_group)] = group
                continue
            batch.append(group)
            beats_read += len(group.group.beats.time_ns) + len(group.group.rates.time_ns)
            if beats_read > _MAX_BEATS:
                yield self._make_task(batch)
                batch, beats_read = [], 0
        if batch:
            yield self._make_task(batch)
        yield None
        ordered = {key: self._groups[key] for key in map(group_key, starts)}
        if kept.keys() != ordered.keys() or any(
            kept[key] is not group for key, group in ordered.items()
        ):
            keep_windows(stores, person, _SPAN, ordered)
        # A cache of its own: each person is analysed once in a run.
        baseline = StressBaselineCache().load(stores, person) if found.ratings else None
        yield RatingWindows(
            tuple(found.ratings),
            person.zone,
            _SPAN,
            window_index,
            baseline,
            tuple(group.windows for group in ordered.values()),
            frozenset().union(*(group.origins for group in ordered.values())),
            prompts=read_prompt_beats(stores, person, found),
        )

    def _make_task(self, batch: list[NewGroup]) -> BeatsBeforeRatings:
        number = next(self._numbers)
        self._batches[number] = batch
        return BeatsBeforeRatings(number, tuple(new.group for new in batch))

    def take(self, future: Future[_Output], result: NightlyResult) -> None:
        """Store what a task gave."""
        self.running -= 1
        try:
            output = future.result()
            if isinstance(output, WindowsBefore):
                batch = self._batches.pop(output.number)
                for new, windows in zip(batch, output.windows, strict=True):
                    self._groups[new.key] = new.with_windows(windows)
            elif isinstance(output, StoredDays):
                subject_id = self._person.subject_id
                self._stores.beats.store_windows(subject_id, STORED_METHOD, output.days)
                result.days += len(output.days)
            else:
                self._stores.records.put_report(
                    StoredReport(self._person.id, _SPAN, self._fingerprint, output.body)
                )
                result.reports += 1
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Keep the first failure. Nothing more is computed."""
        self._failure = self._failure or error
        self._tasks.close()

    def finish(self, result: NightlyResult) -> None:
        """Store the nights in the person's recordings, now that the windows of all days are there,
        or list what failed.
        """
        try:
            if self._failure is not None:
                raise self._failure
            done = store_recorded_nights(self._stores, self._person)
            result.nights += done.new + done.grown
        except Exception as error:  # whatever a damaged store may raise
            result.failed.append((self._person.subject_id, f"{type(error).__name__}: {error}"))


def _stop_harmful_offers(stores: Stores, person: Person, result: NightlyResult) -> None:
    """The rule that stops, should a rating have come while nothing could look at it."""
    try:
        stop_if_harmful(stores, person)
    except Exception as error:  # whatever a damaged store may raise
        result.failed.append((person.subject_id, f"{type(error).__name__}: {error}"))


def _pop_days(
    stores: Stores, person: Person, missing: dict[int, str]
) -> Iterator[tuple[int, str, BeatArrays, Movement, ReportedRates]]:
    """Read the first of the days, as many as make a task, and take them off."""
    beats_read = 0
    while missing and beats_read <= _MAX_BEATS:
        day = min(missing)
        start, end = day * DAY, (day + 1) * DAY
        beats = load_beats(stores, person, start, end)
        rates, _ = load_rates(stores, person, start, end)
        yield day, missing.pop(day), beats, load_movement(stores, person, start, end), rates
        beats_read += len(beats.time_ns) + len(rates.time_ns)
