"""Runs of sequence numbers: what of an upload is new, and the fingerprints of days.

The same rules for every engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ebbtide.beats import Gap, Notification
from ebbtide.timestamps import DAY
from store.errors import BeatsOutOfOrderError

# Small uploads are joined to the run before them until it holds this many notifications.
FULL_RUN = 4096


@dataclass(frozen=True, slots=True)
class Run:
    """Notifications ``first`` to ``last``, with ``beats`` beats in [start_ns, end_ns), and
    ``rates`` heart rates without intervals that came in [rates_start_ns, rates_end_ns).
    """

    first: int
    last: int
    beats: int
    start_ns: int | None
    end_ns: int | None
    rates: int = 0
    rates_start_ns: int | None = None
    rates_end_ns: int | None = None

    def __len__(self) -> int:
        return self.last - self.first + 1

    def join(self, later: Run) -> Run:
        """Return this run and the one that begins with the next number as one."""
        return Run(
            self.first,
            later.last,
            self.beats + later.beats,
            later.start_ns if self.start_ns is None else self.start_ns,
            self.end_ns if later.end_ns is None else later.end_ns,
            self.rates + later.rates,
            # A clock that was set may make the later ones earlier.
            min(
                (t for t in (self.rates_start_ns, later.rates_start_ns) if t is not None),
                default=None,
            ),
            max(
                (t for t in (self.rates_end_ns, later.rates_end_ns) if t is not None), default=None
            ),
        )


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is not stored yet, with its notifications."""

    run: Run
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """What of an upload is to be stored. All else is stored already, and stays as it is."""

    runs: tuple[NewRun, ...]
    gaps: tuple[Gap, ...]

    @property
    def notifications(self) -> list[Notification]:
        """All new notifications, in order."""
        return [item for new in self.runs for item in new.notifications]


def plan_append(
    stream_id: str,
    notifications: Sequence[Notification],
    gaps: Sequence[Gap],
    stored: Iterable[Run],
) -> AppendPlan:
    """Decide what of an upload is new.

    A notification is new where no stored run has its sequence number. A gap is new with the
    notification that ends it: a repeated upload changes neither. ``stored``: the stream's runs
    that have numbers of the upload, and the nearest run with beats on either side of it.

    Raises BeatsOutOfOrderError when new beats are not between those of the runs around them.
    """
    stored_runs = list(stored)
    new = tuple(_split_new(notifications, stored_runs))
    _require_order(stream_id, stored_runs, [item.run for item in new])
    ended_by: dict[int, Gap] = {}
    numbers = {item.sequence for run in new for item in run.notifications}
    for gap in gaps:
        if gap.sequence in numbers:
            ended_by.setdefault(gap.sequence, gap)
    return AppendPlan(new, tuple(ended_by.values()))


def _split_new(notifications: Sequence[Notification], stored: Sequence[Run]) -> Iterator[NewRun]:
    """Split what no stored run has into runs without a hole."""
    pending: list[Notification] = []
    for notification in notifications:
        if any(run.first <= notification.sequence <= run.last for run in stored):
            if pending:
                yield _new_run(pending)
            pending = []
        else:
            pending.append(notification)
    if pending:
        yield _new_run(pending)


def _new_run(notifications: Sequence[Notification]) -> NewRun:
    times = [time for item in notifications for time in item.beat_times_ns]
    start_ns, end_ns = (times[0], times[-1] + 1) if times else (None, None)
    first, last = notifications[0].sequence, notifications[-1].sequence
    run = Run(first, last, len(times), start_ns, end_ns, *rates_span(notifications))
    return NewRun(run, tuple(notifications))


def rates_span(notifications: Iterable[Notification]) -> tuple[int, int | None, int | None]:
    """How many of these are heart rates without intervals, and from when to when they came."""
    received = [item.received_ns for item in notifications if is_rate(item)]
    return (len(received), min(received), max(received) + 1) if received else (0, None, None)


def is_rate(item: Notification) -> bool:
    """Whether this is a heart rate without intervals, and not one in the air."""
    return not item.rr_ticks and item.heart_rate_bpm > 0 and item.contact is not False


def _require_order(stream_id: str, stored: Iterable[Run], new: Iterable[Run]) -> None:
    """Raise BeatsOutOfOrderError unless the beats of each new run lie between its neighbours'."""
    runs = [(run, False) for run in stored] + [(run, True) for run in new]
    runs = [item for item in runs if item[0].beats]
    runs.sort(key=lambda item: item[0].first)
    for (before, before_is_new), (after, after_is_new) in pairwise(runs):
        if not (before_is_new or after_is_new):
            continue
        if before.end_ns is None or after.start_ns is None or after.start_ns < before.end_ns:
            raise BeatsOutOfOrderError(
                f"Beats of stream {stream_id} are not later than those before them.",
                "Times must increase with the sequence numbers of a stream; begin a new stream.",
            )


def acknowledged_sequence(runs: Iterable[tuple[int, int]]) -> int:
    """The highest number up to which nothing is missing; ``runs`` of (first, last) by first."""
    number = 0
    for first, last in runs:
        if first != number + 1:
            break
        number = last
    return number


def days_of(runs: Iterable[tuple[int | None, int | None]]) -> list[int]:
    """List the UTC days that runs of beats, in [start_ns, end_ns), touch; by time."""
    days: set[int] = set()
    for start_ns, end_ns in runs:
        if start_ns is not None and end_ns is not None:
            days.update(range(start_ns // DAY, (end_ns - 1) // DAY + 1))
    return sorted(days)


def day_fingerprints(
    runs: Iterable[tuple[str, int, int, int, int, int]],
    moved: Iterable[tuple[int, int]],
    start_ns: int,
    end_ns: int,
    rated: Iterable[tuple[str, int, int, int, int, int]] = (),
) -> dict[int, str]:
    """Return the fingerprint of each UTC day. ``runs``: (stream, first, last, beats, start_ns,
    end_ns), by stream and first; ``moved``: (day, spans of movement); ``rated``: as
    ``runs``, of heart rates without intervals.
    """
    names: dict[int, hashlib._Hash] = {}
    for kind, spans in (("", runs), ("rates ", rated)):
        for *facts, begins, ends in spans:
            first, last = max(begins, start_ns) // DAY, (min(ends, end_ns) - 1) // DAY
            for day in range(first, last + 1):
                names.setdefault(day, hashlib.sha256()).update(f"{kind}{facts!r}".encode())
    for day, count in moved:
        if day in names:
            names[day].update(f"movement {count}".encode())
    return {day: name.hexdigest() for day, name in names.items()}
