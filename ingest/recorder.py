"""Strap to outbox: write what the pipeline accepts, and say how the recording goes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ebbtide import timestamps
from ebbtide.beats import Stream, new_id
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.connection_history import ConnectionRecord
from ingest.outbox.outbox import Entry
from ingest.pipeline import Accepted, Duplicate, Malformed, NotificationPipeline
from ingest.straps.activity import ActivityMeter
from ingest.straps.ecg_file import EcgFile
from ingest.straps.heart_rate import Fault
from ingest.straps.strap import (
    ConnectionChange,
    ConnectionState,
    RawEcg,
    RawMotion,
    RawNotification,
    SignalBreak,
    Strap,
)
from ingest.timing.interval_fit import Misfit

_PLAYED_BATCH = 500
_RECENT_BEATS = 400  # two minutes of a fast heart, for the live line


@dataclass(frozen=True, slots=True)
class RecentBeat:
    """A beat of the last minutes; ``follows``: its interval began at the beat before it."""

    time_ns: int
    rr_ticks: int
    contact: bool | None
    follows: bool


@dataclass(slots=True)
class Recording:
    """What one recorder has written so far, and how the strap is doing."""

    beats: int = 0
    notifications: int = 0
    without_rr: int = 0
    gaps: int = 0
    repeated: int = 0
    malformed: int = 0
    last_malformed: str | None = None
    faults: dict[Fault, int] = field(default_factory=dict)  # notifications that have each
    misfit: Misfit | None = None  # the last one noticed
    distrusted: bool = False  # intervals are left out at the moment
    ticks_per_second: int | None = None  # of ``recent``, once something came
    heart_rate_bpm: int | None = None
    contact: bool | None = None
    last_arrival_ns: int | None = None
    connection: ConnectionState = ConnectionState.SEARCHING
    detail: str = ""
    connections: int = 0
    recent: deque[RecentBeat] = field(default_factory=lambda: deque(maxlen=_RECENT_BEATS))


class Recorder:
    """Writes what one strap sends to the outbox, for one account.

    Continues the newest stream of the same strap, unless ``new_stream``. Played recordings
    (notifications without a monotonic time) are written in batches, live ones each by itself: a
    notification is on the disk before the next is processed. ``on_change`` is called after
    everything that changes ``recording``.
    """

    def __init__(
        self,
        strap: Strap,
        writer: BatchWriter,
        account: str,
        *,
        new_stream: bool = False,
        on_change: Callable[[Recording], None] | None = None,
        ecg: EcgFile | None = None,
    ) -> None:
        self._strap = strap
        self._writer = writer
        self._outbox = writer.outbox
        self._account = account
        self._on_change = on_change
        self._ecg = ecg
        previous = (
            None if new_stream else self._outbox.find_stream(account, strap.origin, strap.name)
        )
        if previous is not None and previous.stream.ticks_per_second != strap.ticks_per_second:
            previous = None
        self._stream_id = previous.stream.id if previous else None
        self._pipeline = NotificationPipeline(strap, previous)
        self._ticks_per_second = strap.ticks_per_second  # of ``_entries`` and their stream
        self._activity = ActivityMeter()
        self._entries: list[Entry] = []
        self._connected_ns: int | None = None
        self.recording = Recording()
        self.stream_ids: list[str] = [previous.stream.id] if previous else []

    async def run(self) -> Recording:
        """Record until the strap has no more to send or is stopped."""
        ended_by_us = False
        try:
            async for event in self._strap.events():
                await self._handle(event)
            ended_by_us = True
        except asyncio.CancelledError:
            ended_by_us = True
            raise
        finally:
            await self._write_entries()
            await self._end_connection("recording ended")
            if ended_by_us and self._stream_id is not None:
                self._outbox.set_paused(self._stream_id)
        return self.recording

    async def _handle(self, event: object) -> None:
        match event:
            case RawNotification():
                await self._handle_notification(event)
                if event.monotonic_ns is not None or len(self._entries) >= _PLAYED_BATCH:
                    await self._write_entries()
            case SignalBreak():
                self._pipeline.interrupt(event.reason)
            case ConnectionChange():
                await self._handle_connection(event)
            case RawMotion():
                spans = self._activity.add(event)
                if spans and self._stream_id is not None:
                    stream_id = self._stream_id
                    await self._writer.retry(lambda: self._outbox.add_activity(stream_id, spans))
            case RawEcg():
                if self._ecg is not None:
                    self._ecg.add(event)
        self._report()

    async def _handle_notification(self, raw: RawNotification) -> None:
        recording = self.recording
        recording.last_arrival_ns = raw.received_ns
        match self._pipeline.process(raw):
            case Malformed(reason):
                recording.malformed += 1
                recording.last_malformed = reason
                await self._quarantine(raw, "malformed")
            case Duplicate():
                recording.repeated += 1
                await self._quarantine(raw, "repeated")
            case Accepted() as accepted:
                if accepted.starts_stream:
                    await self._write_entries()  # they belong to the stream that ends
                    self._ticks_per_second = self._pipeline.ticks_per_second
                    await self._open_stream(raw.received_ns)
                part: Accepted | None = accepted
                while part is not None:
                    self._entries.append(Entry(raw.payload, part.notification, part.gap))
                    self._update(part)
                    part = part.rest
                for fault in accepted.faults:
                    recording.faults[fault] = recording.faults.get(fault, 0) + 1

    def _update(self, accepted: Accepted) -> None:
        recording, notification = self.recording, accepted.notification
        recording.heart_rate_bpm = notification.heart_rate_bpm
        recording.contact = notification.contact
        recording.gaps += accepted.gap is not None
        recording.distrusted = self._pipeline.is_distrusted
        recording.ticks_per_second = self._pipeline.ticks_per_second
        recent = recording.recent
        if accepted.misfit is not None:
            recording.misfit = accepted.misfit
            recent.clear()  # they enter no metric
        for index, (time, ticks) in enumerate(
            zip(notification.beat_times_ns, notification.rr_ticks, strict=True)
        ):
            follows = bool(recent) and not (index == 0 and accepted.gap is not None)
            recent.append(RecentBeat(time, ticks, notification.contact, follows))

    async def _handle_connection(self, change: ConnectionChange) -> None:
        self.recording.connection, self.recording.detail = change.state, change.detail
        if change.state is ConnectionState.CONNECTED:
            self.recording.connections += 1
            self._connected_ns = timestamps.now_ns()
        elif change.state in (ConnectionState.LOST, ConnectionState.SILENT):
            await self._end_connection(change.detail or str(change.state))

    async def _end_connection(self, why: str) -> None:
        """Log how long the connection lasted: ``ebbtide doctor`` reads the pattern."""
        if self._connected_ns is not None:
            record = ConnectionRecord(
                self._strap.name, self._connected_ns, timestamps.now_ns(), why
            )
            self._connected_ns = None
            await self._writer.retry(lambda: self._outbox.connections.add(self._account, record))

    async def _quarantine(self, raw: RawNotification, why: str) -> None:
        account, source = self._account, self._strap.name
        await self._writer.retry(
            lambda: self._outbox.quarantine(account, source, raw.received_ns, raw.payload, why)
        )

    async def _write_entries(self) -> None:
        if not self._entries:
            return
        if self._stream_id is None:
            await self._open_stream(self._entries[0].notification.received_ns)
        assert self._stream_id is not None
        entries, self._entries = self._entries, []
        await self._writer.append(self._stream_id, entries)
        self._count(entries)
        self._report()

    def _count(self, entries: list[Entry]) -> None:
        self.recording.notifications += len(entries)
        for entry in entries:
            beats = len(entry.notification.rr_ticks)
            self.recording.beats += beats
            self.recording.without_rr += not beats

    async def _open_stream(self, at_ns: int) -> None:
        stream = Stream(
            new_id(), self._strap.origin, self._strap.name, at_ns, self._ticks_per_second
        )
        await self._writer.retry(lambda: self._outbox.open_stream(stream, self._account))
        self._stream_id = stream.id
        self.stream_ids.append(stream.id)

    def _report(self) -> None:
        if self._on_change is not None:
            self._on_change(self.recording)


def played_until_now(span: int) -> int:
    """When a recording of this length must start to end about now."""
    return timestamps.now_ns() - span - 2 * timestamps.SECOND
