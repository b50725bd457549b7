"""From the bytes of a notification to beats with times: decode, drop duplicates, place in time."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.beats import Gap, GapReason, Notification
from ebbtide.timestamps import MILLISECOND
from ingest.outbox.outbox import StreamState
from ingest.straps.heart_rate import HeartRateMeasurement, MalformedMeasurementError
from ingest.straps.strap import RawNotification, Strap
from ingest.timing.beat_clock import BeatClock, ClockSteppedBackError, Placement
from ingest.timing.duplicates import DuplicateFilter


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new notification with its beats placed in time, and the gap before them.

    The outbox gives the sequence numbers. ``starts_stream``: the computer's clock was set back
    behind the last beat, so that this one cannot go on in the same stream.
    """

    notification: Notification
    gap: Gap | None = None
    starts_stream: bool = False


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
        self._duplicates = DuplicateFilter(strap.ticks_per_second)
        self._clock = BeatClock(
            strap.ticks_per_second,
            previous.last_beat_ns if previous else None,
            GapReason.PAUSED if previous and previous.paused else GapReason.LINK_LOST,
        )

    def interrupt(self, reason: GapReason) -> None:
        """Begin a gap: the count of beats is broken, and the strap may repeat its last ones."""
        self._clock.interrupt(reason)
        self._duplicates.interrupt()

    def process(self, raw: RawNotification) -> Accepted | Duplicate | Malformed:
        """Decode ``raw``, compare it with those before, and place its beats in time."""
        try:
            measurement = self._strap.decode(raw.payload)
        except MalformedMeasurementError as error:
            # Its beats are missing from the count (clock), and its arrival shows that the
            # connection was not held up (filter).
            self._clock.interrupt(GapReason.NO_RR_SENT)
            self._duplicates.is_duplicate(raw.payload, (), raw.received_ns)
            return Malformed(str(error))
        if self._duplicates.is_duplicate(raw.payload, measurement.rr_ticks, raw.received_ns):
            return Duplicate()
        try:
            return _accept(raw, measurement, self._place(raw, measurement))
        except ClockSteppedBackError:
            self._clock = BeatClock(self._strap.ticks_per_second)
            return _accept(raw, measurement, self._place(raw, measurement), starts_stream=True)

    def _place(self, raw: RawNotification, measurement: HeartRateMeasurement) -> Placement:
        return self._clock.place(
            measurement.rr_ticks, raw.received_ns, raw.monotonic_ns, measurement.contact
        )


def _accept(
    raw: RawNotification,
    measurement: HeartRateMeasurement,
    placement: Placement,
    *,
    starts_stream: bool = False,
) -> Accepted:
    notification = Notification(
        sequence=0,
        # To the millisecond: finer is noise of the radio, and three bytes a beat.
        received_ns=raw.received_ns // MILLISECOND * MILLISECOND,
        heart_rate_bpm=measurement.heart_rate_bpm,
        rr_ticks=measurement.rr_ticks,
        beat_times_ns=placement.beat_times_ns,
        contact=measurement.contact,
        energy_kj=measurement.energy_kj,
    )
    gap = None if placement.gap is None else Gap(0, *placement.gap)
    return Accepted(notification, gap, starts_stream)
