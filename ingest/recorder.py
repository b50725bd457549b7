"""Strap to outbox: decode, place in time, keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ebbtide import instants
from ebbtide.records import Gap, GapReason, Notification, Stream, new_id
from ingest.beat_clock import BeatClock, ClockSteppedBackError
from ingest.heart_rate_measurement import MalformedMeasurementError, decode
from ingest.outbox import Entry, Outbox, StreamState
from ingest.strap import Arrival, Interruption, Strap

_PLAYED_BATCH = 500


@dataclass(slots=True)
class Recording:
    """What one recorder has done so far."""

    beats: int = 0
    notifications: int = 0
    gaps: int = 0
    heart_rate_bpm: int | None = None
    malformed: list[str] = field(default_factory=list)


class Recorder:
    """Keeps what one strap sends for one account.

    Goes on with the newest stream of the same strap, unless ``new_stream``. Played recordings
    (arrivals without a monotonic time) are kept in batches, live ones each by itself: a
    notification that has arrived is on the disk before the next is looked at.
    """

    def __init__(
        self,
        strap: Strap,
        outbox: Outbox,
        account: str,
        *,
        new_stream: bool = False,
        on_kept: Callable[[Recording], None] | None = None,
    ) -> None:
        self._strap = strap
        self._outbox = outbox
        self._account = account
        self._on_kept = on_kept
        known = None if new_stream else outbox.find_stream(account, strap.origin, strap.name)
        self._state = known
        self._clock = BeatClock(after_ns=known.last_beat_ns if known else None)
        self._entries: list[Entry] = []
        self.recording = Recording()
        self.stream_ids: list[str] = [known.stream.id] if known else []

    async def run(self) -> Recording:
        """Record until the strap has no more to send."""
        try:
            async for event in self._strap.events():
                if isinstance(event, Interruption):
                    self._clock.interrupt(event.reason)
                    continue
                self._take(event)
                if event.monotonic_ns is not None or len(self._entries) >= _PLAYED_BATCH:
                    self._keep()
        finally:
            self._keep()
        return self.recording

    def _take(self, arrival: Arrival) -> None:
        try:
            measurement = decode(arrival.payload)
        except MalformedMeasurementError as error:
            # What it held is unknown, so the count of beats is broken here.
            self.recording.malformed.append(str(error))
            self._clock.interrupt(GapReason.NO_RR_SENT)
            return
        try:
            placement = self._clock.place(
                measurement.rr_ticks,
                arrival.received_ns,
                arrival.monotonic_ns,
                measurement.contact,
            )
        except ClockSteppedBackError:
            self._keep()
            self._begin_stream(arrival.received_ns)
            placement = self._clock.place(
                measurement.rr_ticks,
                arrival.received_ns,
                arrival.monotonic_ns,
                measurement.contact,
            )
        gap = None
        if placement.gap is not None:
            gap = Gap(0, *placement.gap)
            self.recording.gaps += 1
        self._entries.append(
            Entry(
                arrival.payload,
                Notification(
                    sequence=0,
                    received_ns=arrival.received_ns,
                    heart_rate_bpm=measurement.heart_rate_bpm,
                    rr_ticks=measurement.rr_ticks,
                    beat_times_ns=placement.beat_times_ns,
                    contact=measurement.contact,
                    energy_kj=measurement.energy_kj,
                ),
                gap,
            )
        )
        self.recording.heart_rate_bpm = measurement.heart_rate_bpm

    def _keep(self) -> None:
        if not self._entries:
            return
        if self._state is None:
            self._begin_stream(self._entries[0].notification.received_ns)
        assert self._state is not None
        self._outbox.append(self._state.stream.id, self._entries)
        self.recording.notifications += len(self._entries)
        self.recording.beats += sum(len(e.notification.rr_ticks) for e in self._entries)
        self._entries.clear()
        if self._on_kept is not None:
            self._on_kept(self.recording)

    def _begin_stream(self, at_ns: int) -> None:
        stream = Stream(new_id(), self._strap.origin, self._strap.name, at_ns)
        begun: StreamState = self._outbox.open_stream(stream, self._account)
        if self._state is not None:
            self._clock = BeatClock()
        self._state = begun
        self.stream_ids.append(stream.id)


def played_until_now(span: int) -> int:
    """When a recording of this length must start to end about now."""
    return instants.now() - span - 2 * instants.SECOND
