"""Runs of sequence numbers: what a store has, what it lacks, and what names the content of a day.

The same rules for every engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from ebbtide.beats import Notification
from ebbtide.timestamps import DAY
from store.errors import BeatsOutOfOrderError

# Small uploads are joined to the run before them until it holds this many notifications.
FULL_RUN = 4096


def new_runs(
    notifications: Sequence[Notification], kept: Sequence[tuple[int, int]]
) -> Iterator[list[Notification]]:
    """The notifications that no (first, last) of ``kept`` has, as unbroken runs."""
    run: list[Notification] = []
    for notification in notifications:
        if any(first <= notification.sequence <= last for first, last in kept):
            if run:
                yield run
            run = []
        else:
            run.append(notification)
    if run:
        yield run


def acknowledged_sequence(runs: Iterable[tuple[int, int]]) -> int:
    """The highest number up to which nothing is missing; ``runs`` of (first, last) by first."""
    number = 0
    for first, last in runs:
        if first != number + 1:
            break
        number = last
    return number


def require_order(
    stream_id: str, start_ns: int, end_ns: int, before_ns: int | None, after_ns: int | None
) -> None:
    """Raises BeatsOutOfOrderError unless the beats of a run, in [start_ns, end_ns), are later than
    the end ``before_ns`` of the run before it, and earlier than the start of the one after it.
    """
    if (before_ns is not None and start_ns < before_ns) or (
        after_ns is not None and end_ns > after_ns
    ):
        raise BeatsOutOfOrderError(
            f"Beats of stream {stream_id} are not later than those before them.",
            "Times must increase with the sequence numbers of a stream; begin a new stream.",
        )


def days_of(runs: Iterable[tuple[int | None, int | None]]) -> list[int]:
    """The UTC days that runs of beats, in [start_ns, end_ns), touch; by time."""
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
) -> dict[int, str]:
    """What names the content of each UTC day. ``runs``: (stream, first, last, beats, start_ns,
    end_ns), by stream and first; ``moved``: (day, spans of movement).
    """
    names: dict[int, hashlib._Hash] = {}
    for *facts, begins, ends in runs:
        first, last = max(begins, start_ns) // DAY, (min(ends, end_ns) - 1) // DAY
        for day in range(first, last + 1):
            names.setdefault(day, hashlib.sha256()).update(repr(facts).encode())
    for day, count in moved:
        if day in names:
            names[day].update(f"movement {count}".encode())
    return {day: name.hexdigest() for day, name in names.items()}
