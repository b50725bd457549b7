"""Place the intervals of a FIT file, whose HRV messages hold no time.

The messages around them do. A watch that writes a record a second writes the intervals of that
second before it, so that the record serves as their arrival. Others write a record a minute, or
all intervals after the last record. There, beats are placed by the running sum of the intervals
from the start of the timer, and the sum is checked against the times of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ebbtide.timestamps import SECOND, to_datetime
from ingest.files.builder import RecordingBuilder

TICKS_PER_SECOND = 1000  # the file holds milliseconds

_MAX_DENSE_S = 8  # of intervals between two times, for these to serve as arrivals
_MAX_DENSE_COUNT = 16  # a notification holds no more
# Between the last beat and the time written after it: an interval, the second to which times
# are rounded, and up to five intervals that wait for a message of five to be full.
_MAX_LATE_NS = 8 * SECOND
# Sums and times agree within this: rounding to a second at both ends, a beat at either end, and
# 0.5% for a strap whose clock drifts or a few intervals that were lost.
_TOLERANCE_NS = 4 * SECOND
_TOLERANCE_SHARE = 0.005


@dataclass(slots=True)
class Batch:
    """Intervals that stand between two times. ``before_ns`` and ``after_ns``: those times."""

    ticks: list[int]
    before_ns: int | None
    after_ns: int

    @property
    def span_ns(self) -> int:
        """The sum of the intervals."""
        return sum(self.ticks) * SECOND // TICKS_PER_SECOND


@dataclass(slots=True)
class Timeline:
    """Times and intervals in the order of the file.

    ``start_ns`` and ``end_ns``: of the timer, or else the first and last time of a record.
    ``pauses``: (start, end) of the timer's stops in between.
    """

    batches: list[Batch] = field(default_factory=list)
    start_ns: int | None = None
    end_ns: int | None = None
    pauses: list[tuple[int, int]] = field(default_factory=list)

    def is_dense(self) -> bool:
        """Whether the times after the intervals can serve as their arrivals."""
        return all(
            len(batch.ticks) <= _MAX_DENSE_COUNT and batch.span_ns <= _MAX_DENSE_S * SECOND
            for batch in self.batches
        )


def place_intervals(timeline: Timeline, builder: RecordingBuilder) -> list[str]:
    """Add all intervals of ``timeline`` to ``builder``; what could not be reconciled, in words."""
    if not timeline.batches:
        return []
    if timeline.is_dense():
        for batch in timeline.batches:
            builder.add_arrival(batch.ticks, batch.after_ns)
        return []
    return _Placer(timeline, builder).place()


class _Placer:
    """Places by running sums. ``_at``: the end of the last interval placed."""

    def __init__(self, timeline: Timeline, builder: RecordingBuilder) -> None:
        self._timeline = timeline
        self._builder = builder
        first = timeline.batches[0]
        start = timeline.start_ns
        self._start = first.after_ns - first.span_ns if start is None else start
        last = max(batch.after_ns for batch in timeline.batches)
        self._end = max(last, timeline.end_ns or last)
        self._at = self._start
        self._run: list[int] = []
        self._run_start = self._start
        self._problems: list[str] = []

    def place(self) -> list[str]:
        """Place all batches."""
        every = [ticks for batch in self._timeline.batches for ticks in batch.ticks]
        total = sum(every) * SECOND // TICKS_PER_SECOND
        elapsed = self._end - self._start
        paused = self._paused(self._start, self._end)
        if _agree(total, elapsed) and abs(total - elapsed) <= abs(total - elapsed + paused):
            self._extend(every)
        elif paused and _agree(total, elapsed - paused):
            self._extend_between_pauses(every)
        else:
            self._place_each(self._in_order())
        self._flush()
        beyond = self._at - self._end
        if beyond > _tolerance(elapsed):
            self._problems.append(
                f"the intervals add up to {_s(total)} s, and the activity has {_s(elapsed)} s: the "
                f"last are placed up to {_s(beyond)} s after its end. Their lengths are as in the "
                "file, their times are not certain"
            )
        return self._problems

    def _in_order(self) -> Sequence[Batch]:
        """The batches, each with the time that follows its last beat.

        Where a record a minute comes before its intervals and not after them, the first record
        stands without intervals and the last intervals have none after them.
        """
        batches = self._timeline.batches
        first = batches[0]
        if (
            len(batches) > 1
            and first.before_ns is not None
            and _agree(first.before_ns - self._start, first.span_ns)
            and first.before_ns - self._start > _MAX_LATE_NS
        ):
            moved = []
            before: int | None = None
            for batch in batches:
                after = batch.after_ns if batch.before_ns is None else batch.before_ns
                moved.append(Batch(batch.ticks, before, after))
                before = after
            return moved
        return batches

    def _place_each(self, batches: Sequence[Batch]) -> None:
        usual_late = 0
        for batch in batches:
            span = batch.span_ns
            late = batch.after_ns - self._at - span
            since = self._start if batch.before_ns is None else batch.before_ns
            slot = batch.after_ns - since
            apart = span > slot + _TOLERANCE_NS
            available = batch.after_ns - self._at
            if apart:
                paused = self._paused(self._at, batch.after_ns)
                if paused and not _agree(span, available) and _agree(span, available - paused):
                    self._extend_between_pauses(batch.ticks)
                    continue
                if not _agree(span, available):
                    self._say_apart(span, available, batch.after_ns)
                self._extend(batch.ticks)
                continue
            if late - usual_late > _MAX_LATE_NS:
                lost = slot - span
                if lost > _MAX_LATE_NS:
                    self._problems.append(
                        f"from {_clock(since)} to {_clock(batch.after_ns)} the intervals fill "
                        f"{_s(span)} of {_s(slot)} s: when the others were lost is not in the "
                        f"file, so that beats there may be up to {_s(lost)} s from where they are "
                        "placed"
                    )
                # Of a slot that is filled in part, the beats go on from those before it; after a
                # slot without beats, they end with the slot.
                if lost <= _MAX_LATE_NS or since - self._at > _MAX_LATE_NS:
                    self._break(batch.after_ns - usual_late - span)
            else:
                usual_late = max(0, min(usual_late or late, late))
            self._extend(batch.ticks)

    def _say_apart(self, span: int, available: int, until_ns: int) -> None:
        self._problems.append(
            f"the intervals stand apart from the records and add up to {_s(span)} s, where "
            f"{_s(available)} s passed from {_clock(self._at)} to {_clock(until_ns)}: they are "
            f"placed from its beginning, and may be up to {_s(abs(available - span))} s from where "
            "they were"
        )

    def _extend(self, ticks: Sequence[int]) -> None:
        self._run += ticks
        self._at += sum(ticks) * SECOND // TICKS_PER_SECOND

    def _extend_between_pauses(self, ticks: Sequence[int]) -> None:
        """Extend, leaving out the pauses of the timer."""
        pauses = [pause for pause in self._timeline.pauses if pause[1] > self._at]
        for one in ticks:
            if pauses and self._at >= pauses[0][0] - SECOND // 2:
                self._break(pauses.pop(0)[1])
            self._extend((one,))

    def _break(self, start_ns: int) -> None:
        self._flush()
        self._run_start = self._at = max(start_ns, self._at)

    def _flush(self) -> None:
        if self._run:
            self._at = self._builder.add_run(self._run, self._run_start)
            self._run = []
        self._run_start = self._at

    def _paused(self, start_ns: int, end_ns: int) -> int:
        return sum(
            min(end, end_ns) - max(start, start_ns)
            for start, end in self._timeline.pauses
            if end > start_ns and start < end_ns
        )


def _tolerance(span_ns: int) -> int:
    return _TOLERANCE_NS + round(_TOLERANCE_SHARE * abs(span_ns))


def _agree(a_ns: int, b_ns: int) -> bool:
    return abs(a_ns - b_ns) <= _tolerance(max(a_ns, b_ns))


def _clock(time_ns: int) -> str:
    return f"{to_datetime(time_ns):%H:%M:%S} UTC"


def _s(span_ns: int) -> str:
    return f"{span_ns / SECOND:.0f}"
