"""Strap to outbox: decode, place in time, keep."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ebbtide import timestamps
from ebbtide.beats import Gap, GapReason, Notification, Stream, new_id
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import ConnectionRecord, Entry
from ingest.straps.activity import ActivityMeter
from ingest.straps.ecg_file import EcgFile
from ingest.straps.heart_rate import HeartRateMeasurement, MalformedMeasurementError
from ingest.straps.strap import (
    ConnectionChange,
    ConnectionState,
    RawEcg,
    RawMotion,
    RawNotification,
    SignalBreak,
    Strap,
)
from ingest.timing.beat_clock import BeatClock, ClockSteppedBackError, Placement
from ingest.timing.duplicates import DuplicateFilter

_PLAYED_BATCH = 500
_RECENT_BEATS = 400  # two minutes of a fast heart, for the live line

_MS = timestamps.MILLISECOND


@dataclass(frozen=True, slots=True)
class RecentBeat:
    """A beat of the last minutes; ``follows``: its interval began at the beat before it."""

    time_ns: int
    rr_ticks: int
    contact: bool | None
    follows: bool


@dataclass(slots=True)
class Recording:
    """What one recorder has done so far, and how the strap is doing."""

    beats: int = 0
    notifications: int = 0
    without_rr: int = 0
    gaps: int = 0
    repeated: int = 0
    malformed: int = 0
    last_malformed: str | None = None
    heart_rate_bpm: int | None = None
    contact: bool | None = None
    last_arrival_ns: int | None = None
    link: ConnectionState = ConnectionState.LOOKING
    detail: str = ""
    connections: int = 0
    recent: deque[RecentBeat] = field(default_factory=lambda: deque(maxlen=_RECENT_BEATS))


class Recorder:
    """Keeps what one strap sends for one account.

    Goes on with the newest stream of the same strap, unless ``new_stream``. Played recordings
    (arrivals without a steady time) are kept in batches, live ones each by itself: a notification
    that has arrived is on the disk before the next is looked at. ``on_change`` is called after
    everything that changes ``recording``.
    """

    def __init__(
        self,
        strap: Strap,
        keeper: BatchWriter,
        account: str,
        *,
        new_stream: bool = False,
        on_change: Callable[[Recording], None] | None = None,
        ecg: EcgFile | None = None,
    ) -> None:
        self._strap = strap
        self._keeper = keeper
        self._outbox = keeper.outbox
        self._account = account
        self._on_change = on_change
        self._ecg = ecg
        known = None if new_stream else self._outbox.find_stream(account, strap.origin, strap.name)
        if known is not None and known.stream.ticks_per_second != strap.ticks_per_second:
            known = None
        self._stream_id = known.stream.id if known else None
        self._clock = BeatClock(
            strap.ticks_per_second,
            known.last_beat_ns if known else None,
            GapReason.PAUSED if known and known.paused else GapReason.LINK_LOST,
        )
        self._repeats = DuplicateFilter(strap.ticks_per_second)
        self._activity = ActivityMeter()
        self._entries: list[Entry] = []
        self._connected_ns: int | None = None
        self.recording = Recording()
        self.stream_ids: list[str] = [known.stream.id] if known else []

    async def run(self) -> Recording:
        """Record until the strap has no more to send, or is told to stop."""
        ended_by_us = False
        try:
            async for event in self._strap.events():
                await self._take(event)
            ended_by_us = True
        except asyncio.CancelledError:
            ended_by_us = True
            raise
        finally:
            await self._keep()
            await self._end_link("recording ended")
            if ended_by_us and self._stream_id is not None:
                self._outbox.set_paused(self._stream_id)
        return self.recording

    async def _take(self, event: object) -> None:
        match event:
            case RawNotification():
                await self._take_arrival(event)
                if event.steady_ns is not None or len(self._entries) >= _PLAYED_BATCH:
                    await self._keep()
            case SignalBreak():
                self._clock.interrupt(event.reason)
                self._repeats.interrupt()
            case ConnectionChange():
                await self._take_link(event)
            case RawMotion():
                spans = self._activity.add(event)
                if spans and self._stream_id is not None:
                    stream_id = self._stream_id
                    await self._keeper.patiently(
                        lambda: self._outbox.add_activity(stream_id, spans)
                    )
            case RawEcg():
                if self._ecg is not None:
                    self._ecg.add(event)
        if self._on_change is not None:
            self._on_change(self.recording)

    async def _take_link(self, change: ConnectionChange) -> None:
        self.recording.link, self.recording.detail = change.link, change.detail
        if change.link is ConnectionState.CONNECTED:
            self.recording.connections += 1
            self._connected_ns = timestamps.now_ns()
        elif change.link in (ConnectionState.LOST, ConnectionState.SILENT):
            await self._end_link(change.detail or str(change.link))

    async def _end_link(self, why: str) -> None:
        """Remember how long the connection lasted: ``ebbtide doctor`` reads the pattern."""
        if self._connected_ns is not None:
            spell = ConnectionRecord(self._strap.name, self._connected_ns, timestamps.now_ns(), why)
            self._connected_ns = None
            await self._keeper.patiently(lambda: self._outbox.add_link(self._account, spell))

    async def _take_arrival(self, arrival: RawNotification) -> None:
        recording = self.recording
        recording.last_arrival_ns = arrival.received_ns
        try:
            measurement = self._strap.decode(arrival.payload)
        except MalformedMeasurementError as error:
            # What it held is unknown, so the count of beats is broken here.
            recording.malformed += 1
            recording.last_malformed = str(error)
            self._clock.interrupt(GapReason.NO_RR_SENT)
            self._repeats.is_repeat(arrival.payload, (), arrival.received_ns)
            await self._set_aside(arrival, "malformed")
            return
        if self._repeats.is_repeat(arrival.payload, measurement.rr_ticks, arrival.received_ns):
            recording.repeated += 1
            await self._set_aside(arrival, "repeated")
            return
        placement = await self._place(measurement, arrival)
        gap = None
        if placement.gap is not None:
            gap = Gap(0, *placement.gap)
            recording.gaps += 1
        self._entries.append(
            Entry(
                arrival.payload,
                Notification(
                    sequence=0,
                    # To the millisecond: finer is noise of the radio, and three bytes a beat.
                    received_ns=arrival.received_ns // _MS * _MS,
                    heart_rate_bpm=measurement.heart_rate_bpm,
                    rr_ticks=measurement.rr_ticks,
                    beat_times_ns=placement.beat_times_ns,
                    contact=measurement.contact,
                    energy_kj=measurement.energy_kj,
                ),
                gap,
            )
        )
        recording.heart_rate_bpm = measurement.heart_rate_bpm
        recording.contact = measurement.contact
        self._remember(measurement, placement)

    async def _place(
        self, measurement: HeartRateMeasurement, arrival: RawNotification
    ) -> Placement:
        asked = (
            measurement.rr_ticks,
            arrival.received_ns,
            arrival.steady_ns,
            measurement.contact,
        )
        try:
            return self._clock.place(*asked)
        except ClockSteppedBackError:
            await self._keep()  # what waits belongs to the stream that ends
            await self._begin_stream(arrival.received_ns)
            self._clock = BeatClock(self._strap.ticks_per_second)
            return self._clock.place(*asked)

    def _remember(self, measurement: HeartRateMeasurement, placement: Placement) -> None:
        recent = self.recording.recent
        for index, (time, ticks) in enumerate(
            zip(placement.beat_times_ns, measurement.rr_ticks, strict=True)
        ):
            follows = bool(recent) and not (index == 0 and placement.gap is not None)
            recent.append(RecentBeat(time, ticks, measurement.contact, follows))

    async def _set_aside(self, arrival: RawNotification, why: str) -> None:
        account, source = self._account, self._strap.name
        await self._keeper.patiently(
            lambda: self._outbox.quarantine(
                account, source, arrival.received_ns, arrival.payload, why
            )
        )

    async def _keep(self) -> None:
        if not self._entries:
            return
        if self._stream_id is None:
            await self._begin_stream(self._entries[0].notification.received_ns)
        assert self._stream_id is not None
        entries, self._entries = self._entries, []
        await self._keeper.keep(self._stream_id, entries)
        self._count(entries)
        if self._on_change is not None:
            self._on_change(self.recording)

    def _count(self, entries: list[Entry]) -> None:
        self.recording.notifications += len(entries)
        for entry in entries:
            beats = len(entry.notification.rr_ticks)
            self.recording.beats += beats
            self.recording.without_rr += not beats

    async def _begin_stream(self, at_ns: int) -> None:
        stream = Stream(
            new_id(), self._strap.origin, self._strap.name, at_ns, self._strap.ticks_per_second
        )
        await self._keeper.patiently(lambda: self._outbox.open_stream(stream, self._account))
        self._stream_id = stream.id
        self.stream_ids.append(stream.id)


def played_until_now(span: int) -> int:
    """When a recording of this length must start to end about now."""
    return timestamps.now_ns() - span - 2 * timestamps.SECOND
