"""From the bytes of a notification to beats with times: decode, drop duplicates, place in time.

``IntervalFit`` compares the intervals with the wall clock. Where they do not fit, what was written
stays as it is, and a gap ``OFF_THE_CLOCK`` over the last minute keeps it out of every metric. With
a scale that is certain a new stream begins; otherwise notifications are accepted without their
intervals until a minute of them fits again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ebbtide.beats import Gap, GapReason, Notification
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.outbox.outbox import StreamState
from ingest.straps.heart_rate import Fault, HeartRateMeasurement, MalformedMeasurementError
from ingest.straps.strap import RawNotification, Strap
from ingest.timing.beat_clock import MAX_AHEAD, BeatClock, ClockSteppedBackError, Placement
from ingest.timing.duplicates import DuplicateFilter
from ingest.timing.interval_fit import IntervalFit, Misfit

# A strap that fills unused places with a code does so in most notifications.
_PADS_AFTER = 3
_LONG_INTERVAL = 3 * SECOND


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new notification with its beats placed in time, and the gap before them.

    The outbox gives the sequence numbers. ``starts_stream``: it cannot go on in the same stream,
    since the computer's clock was set back behind the last beat or the scale of the intervals is
    another. ``misfit``: the intervals of the last minute do not fit the clock. ``rest`` are the
    intervals after a place without a value, which follow no beat.
    """

    notification: Notification
    gap: Gap | None = None
    starts_stream: bool = False
    faults: tuple[Fault, ...] = ()
    misfit: Misfit | None = None
    rest: Accepted | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The beats of this notification arrived before."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The bytes are no measurement; ``reason`` says why, for a person."""

    reason: str


class NotificationPipeline:
    """Processes the notifications of one strap, in the order of their arrival.

    ``previous``: the stream that is continued, if there is one.
    """

    def __init__(self, strap: Strap, previous: StreamState | None = None) -> None:
        self._strap = strap
        self.ticks_per_second = strap.ticks_per_second
        self._clock = BeatClock(
            strap.ticks_per_second,
            previous.last_beat_ns if previous else None,
            GapReason.PAUSED if previous and previous.paused else GapReason.LINK_LOST,
        )
        self._duplicates = DuplicateFilter(strap.ticks_per_second)
        self._fit = IntervalFit(strap.ticks_per_second)
        self._next_scale: int | None = None
        self._distrusted: Misfit | None = None
        self._with_codes = 0
        self._doubled: Misfit | None = None

    @property
    def is_distrusted(self) -> bool:
        """Whether intervals are left out at the moment because they do not fit the clock."""
        return self._distrusted is not None

    def interrupt(self, reason: GapReason) -> None:
        """Begin a gap: the count of beats is broken, and the strap may repeat its last ones."""
        self._clock.interrupt(reason)
        self._duplicates.interrupt()
        self._fit.reset()

    def process(self, raw: RawNotification) -> Accepted | Duplicate | Malformed:
        """Decode ``raw``, compare it with those before, and place its beats in time."""
        try:
            measurement = self._strap.decode(raw.payload)
        except MalformedMeasurementError as error:
            # Its beats are missing from the count (clock), and its arrival shows that the
            # connection was not held up (filter).
            self._lose_count()
            self._duplicates.is_duplicate(raw.payload, (), raw.received_ns)
            return Malformed(str(error))
        was_doubled = self._duplicates.is_doubled
        if self._duplicates.is_duplicate(raw.payload, measurement.rr_ticks, raw.received_ns):
            self._note_doubled(was_doubled)
            return Duplicate()
        measurement = self._without_impossible(raw, measurement)
        starts_stream = self._next_scale is not None
        if self._next_scale is not None:
            self._start_over(self._next_scale)
        doubled, self._doubled = self._doubled, None
        misfit = self._check_fit(raw, measurement) or doubled
        if misfit is not None or self._distrusted is not None:
            return self._accept_unplaced(raw, measurement, misfit)
        return self._accept_runs(raw, measurement, starts_stream)

    def _lose_count(self) -> None:
        self._clock.interrupt(GapReason.NO_RR_SENT)
        self._fit.reset()

    def _start_over(self, ticks_per_second: int) -> None:
        self._next_scale = None
        self.ticks_per_second = ticks_per_second
        self._clock = BeatClock(ticks_per_second)
        self._duplicates = DuplicateFilter(ticks_per_second)
        self._fit = IntervalFit(ticks_per_second)

    def _note_doubled(self, before: bool) -> None:
        """All is delivered twice, seen just now: some copies were accepted before."""
        if self._duplicates.is_doubled and not before:
            self._fit.reset()
            self._clock.interrupt(GapReason.OFF_THE_CLOCK)
            self._doubled = Misfit(self._duplicates.doubled_since_ns, 2.0, is_doubled=True)

    def _without_impossible(
        self, raw: RawNotification, measurement: HeartRateMeasurement
    ) -> HeartRateMeasurement:
        """Leave out intervals that began before the beat before them, by a second or more.

        Some straps send such a code (9999) within the range of intervals.
        """
        last = self._clock.last_beat_ns
        if not measurement.rr_ticks or last is None or self._clock.broken:
            return measurement
        longest = raw.received_ns - last + MAX_AHEAD
        scale = self.ticks_per_second
        if not any(
            ticks * SECOND // scale > max(longest, _LONG_INTERVAL) for ticks in measurement.rr_ticks
        ):
            return measurement
        ticks_left: list[int] = []
        no_value_at = list(measurement.no_value_at)
        for ticks in measurement.rr_ticks:
            if ticks * SECOND // scale > max(longest, _LONG_INTERVAL):
                no_value_at.append(len(ticks_left))
            else:
                ticks_left.append(ticks)
        return replace(
            measurement,
            rr_ticks=tuple(ticks_left),
            no_value_at=tuple(sorted(no_value_at)),
            faults=(*measurement.faults, Fault.NO_VALUE),
        )

    def _check_fit(self, raw: RawNotification, measurement: HeartRateMeasurement) -> Misfit | None:
        misfit = self._fit.add(measurement.rr_ticks, raw.received_ns, measurement.heart_rate_bpm)
        if self._distrusted is not None:
            if misfit is not None and misfit.ticks_per_second is not None:
                self._distrusted, self._next_scale = None, misfit.ticks_per_second
                return misfit
            if self._fit.is_good:
                self._distrusted = None
            return None
        if misfit is None:
            return None
        self._clock.interrupt(GapReason.OFF_THE_CLOCK)
        if misfit.ticks_per_second is None:
            self._distrusted = misfit
        else:
            self._next_scale = misfit.ticks_per_second
        return misfit

    def _accept_unplaced(
        self, raw: RawNotification, measurement: HeartRateMeasurement, misfit: Misfit | None
    ) -> Accepted:
        """Accept the heart rate alone, with the gap over what was written since the misfit."""
        gap = None
        if misfit is not None:
            end = max(raw.received_ns, (self._clock.last_beat_ns or 0) + 1)
            gap = (min(misfit.since_ns, end), end, GapReason.OFF_THE_CLOCK)
        unplaced = replace(measurement, rr_ticks=())
        return replace(_accept(raw, unplaced, Placement((), gap)), misfit=misfit)

    def _accept_runs(
        self, raw: RawNotification, measurement: HeartRateMeasurement, starts_stream: bool
    ) -> Accepted:
        """Place each run of intervals between places without a value."""
        ticks = measurement.rr_ticks
        cuts = sorted(set(self._missing_beats(measurement)))
        parts = [
            replace(measurement, rr_ticks=ticks[start:end])
            for start, end in zip([0, *cuts], [*cuts, len(ticks)], strict=True)
        ]
        accepted: list[Accepted] = []
        for number, part in enumerate(parts):
            if number:
                self._lose_count()
            if part.rr_ticks or (number == len(parts) - 1 and not accepted):
                accepted.append(self._accept_one(raw, part, starts_stream and not accepted))
        if not accepted:
            accepted.append(self._accept_one(raw, parts[0], starts_stream))
        whole = accepted.pop()
        while accepted:
            whole = replace(accepted.pop(), rest=whole)
        return whole

    def _missing_beats(self, measurement: HeartRateMeasurement) -> tuple[int, ...]:
        """Where a beat is missing: not where a strap fills unused places with a code."""
        places, ticks = measurement.no_value_at, measurement.rr_ticks
        if not places:
            self._with_codes = 0
            return ()
        self._with_codes += 1
        if not ticks or places[0] < len(ticks):
            return places
        # More beats than a second and a beat hold, or the same in most notifications.
        longest = max(ticks) / self.ticks_per_second
        pads = (len(ticks) + len(places)) * min(ticks) / self.ticks_per_second > 1.1 + longest
        return () if pads or self._with_codes > _PADS_AFTER else places

    def _accept_one(
        self, raw: RawNotification, measurement: HeartRateMeasurement, starts_stream: bool
    ) -> Accepted:
        try:
            placement = self._place(raw, measurement)
        except ClockSteppedBackError:
            self._clock = BeatClock(self.ticks_per_second)
            self._fit.reset()
            placement, starts_stream = self._place(raw, measurement), True
        return replace(_accept(raw, measurement, placement), starts_stream=starts_stream)

    def _place(self, raw: RawNotification, measurement: HeartRateMeasurement) -> Placement:
        return self._clock.place(
            measurement.rr_ticks,
            raw.received_ns,
            raw.monotonic_ns,
            measurement.contact,
            measurement.heart_rate_bpm,
        )


def _accept(
    raw: RawNotification, measurement: HeartRateMeasurement, placement: Placement
) -> Accepted:
    notification = Notification(
        sequence=0,
        # To the millisecond: finer is Bluetooth jitter, and costs three bytes a beat.
        received_ns=raw.received_ns // MILLISECOND * MILLISECOND,
        heart_rate_bpm=measurement.heart_rate_bpm,
        rr_ticks=measurement.rr_ticks,
        beat_times_ns=placement.beat_times_ns,
        contact=measurement.contact,
        energy_kj=measurement.energy_kj,
    )
    gap = None if placement.gap is None else Gap(0, *placement.gap)
    return Accepted(notification, gap, faults=measurement.faults)
