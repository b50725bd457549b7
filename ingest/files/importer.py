"""Write the recordings of a file to the outbox, each once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ebbtide import timestamps
from ebbtide.beats import Stream
from ebbtide.timestamps import SECOND
from ebbtide.upload_schema import MAX_AHEAD_NS
from ingest.files.choices import ChoiceError
from ingest.files.intervals import interval_digests
from ingest.files.recording import FileRecording, RecordedFile
from ingest.outbox.api_client import StoredStream
from ingest.outbox.imports import DIGEST_BYTES, SameIntervals
from ingest.outbox.outbox import Entry, Outbox, StreamState

_BATCH = 500
# Streams of straps have random ids. That of a file is made from its content, so that the same
# recording is the same stream, on whatever machine it is imported again.
_NAMESPACE = uuid.UUID("5b0f7c1e-2f5e-4a51-9c7a-7d2f0b6b8a11")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did: beats that were new, beats that were there already, and heart rates
    without beats that were new.
    """

    new_beats: int
    known_beats: int
    stream_ids: tuple[str, ...]
    new_rates: int = 0


def import_recordings(
    file: RecordedFile,
    outbox: Outbox,
    account: str,
    on_progress: Callable[[int], None] | None = None,
    *,
    name: str | None = None,
    stored: Mapping[str, StoredStream] | None = None,
) -> ImportResult:
    """Write all recordings of the file for ``account``; continues where an earlier import ended.

    ``name``: of the file, for people. ``stored``: what the store has, by stream, where this outbox
    does not remember an earlier import. Raises EbbtideError for beats in the future.
    """
    require_past(file)
    new = present = new_rates = 0
    ids = []
    for recording in file.recordings:
        state = _open_stream(recording, outbox, account, stored or {})
        written = min(state.last_sequence, len(recording.ends))
        present += recording.ends[written - 1] if written else 0
        gaps = {gap.sequence: gap for gap in recording.gaps}
        for at in range(written, len(recording.ends), _BATCH):
            batch = [
                Entry(b"", replace(item, sequence=0), gaps.get(item.sequence))
                for item in recording.notifications.between(at, at + _BATCH)
            ]
            digests = _digests(recording, at, at + len(batch)) if recording.grows else b""
            outbox.append_imported(state.stream.id, batch, digests)
            beats = sum(len(entry.notification.rr_ticks) for entry in batch)
            new += beats
            if recording.rates is not None:
                new_rates += len(batch)
            if on_progress is not None:
                on_progress(beats if recording.rates is None else len(batch))
        outbox.imports.add_intervals(account, state.stream.id, interval_digests(recording), name)
        ids.append(state.stream.id)
    return ImportResult(new, present, tuple(ids), new_rates)


def require_past(file: RecordedFile) -> None:
    """Raise EbbtideError for a recording in the future, by more than clocks differ, or before 2000.

    No strap that sends intervals is older: the clock of the device was not set.
    """
    for recording in file.recordings:
        if recording.start_ns < timestamps.EARLIEST:
            raise ChoiceError(
                f"{recording.source} would begin before 2000, at "
                f"{timestamps.to_datetime(recording.start_ns):%Y-%m-%d %H:%M} UTC.",
                "Correct the date in the file, or export it without dates and give --start.",
                {"start": ()},
            )
        last_ns = recording.end_ns
        if last_ns > timestamps.now_ns() + MAX_AHEAD_NS:
            raise ChoiceError(
                f"{recording.source} would end in the future, at "
                f"{timestamps.to_datetime(last_ns):%Y-%m-%d %H:%M} UTC.",
                "Check --start and --zone, the date in the file, and the clock of this machine.",
                {"start": (), "zone": ()},
            )


def find_same_intervals(
    file: RecordedFile, outbox: Outbox, account: str, stored: Iterable[StoredStream] = ()
) -> SameIntervals | None:
    """Find an earlier import that has intervals of the file at another time.

    ``stored``: what the store has. There, whole recordings alone are found, by number and span:
    those that another machine imported.
    """
    for recording in file.recordings:
        found = outbox.imports.find_same_intervals(account, interval_digests(recording))
        if found is not None:
            return found
    return find_stored_intervals(file, stored)


def find_stored_intervals(
    file: RecordedFile, stored: Iterable[StoredStream]
) -> SameIntervals | None:
    """Find a recording of the file in the store at another time, by number of beats and span."""
    streams = list(stored)
    for recording in file.recordings:
        if not recording.beats:  # heart rates alone repeat too much to tell
            continue
        span = recording.times_ns[-1] - recording.times_ns[0]
        for stream in streams:
            if stream.origin is not recording.origin or stream.beats != recording.beats:
                continue
            if stream.first_ns is None or stream.last_ns is None:
                continue
            shift_ns = recording.times_ns[0] - stream.first_ns
            if stream.last_ns - stream.first_ns == span and abs(shift_ns) > SECOND:
                return SameIntervals(stream.id, None, shift_ns)
    return None


def find_stored(
    recording: FileRecording, account: str, stored: Mapping[str, StoredStream]
) -> StoredStream | None:
    """Find what the store has of a recording: all of it, or of one that grows its beginning."""
    for content in (recording.content, _whole_content(recording)):
        there = stored.get(_stream_id(account, content))
        if there is not None and _agrees(recording, there):
            return there
    return None


def _agrees(recording: FileRecording, there: StoredStream) -> bool:
    """Whether the beats of a recording are those in the store, as far as both go.

    Where a measurement between was deleted or added, as many notifications have other beats or end
    at another time.
    """
    if not recording.grows or not there.acknowledged:
        return True
    if there.acknowledged > len(recording.ends):  # a shorter export: only its end is compared
        return there.last_ns is None or recording.times_ns[-1] <= there.last_ns
    beats = recording.ends[there.acknowledged - 1]
    return there.beats == beats and there.last_ns == recording.times_ns[beats - 1]


def _open_stream(
    recording: FileRecording,
    outbox: Outbox,
    account: str,
    stored: Mapping[str, StoredStream],
) -> StreamState:
    """Find or create the stream of a recording.

    A source that grows has one stream while each file begins as the one before, or ends within it.
    Where a measurement between was deleted or added, sequence numbers would name other beats: the
    file becomes another stream, of which a window never mixes the beats with those of the first.
    """
    if recording.grows:
        there = stored.get(_stream_id(account, recording.content))
        if there is not None and not _agrees(recording, there):
            return _import_now(
                outbox, _stream(recording, account, _whole_content(recording)), account
            )
    state = _import_now(outbox, _stream(recording, account, recording.content), account)
    if not recording.grows or not state.last_sequence:
        return state
    both = min(state.last_sequence, len(recording.ends))
    written = outbox.imports.digests(state.stream.id)[: both * DIGEST_BYTES]
    if written == _digests(recording, 0, both):
        return state
    content = _whole_content(recording)
    return _import_now(outbox, _stream(recording, account, content), account)


def _whole_content(recording: FileRecording) -> str:
    return f"{recording.content} {_digests(recording, 0, len(recording.ends)).hex()}"


def _stream_id(account: str, content: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{account} {content}"))


def _import_now(outbox: Outbox, stream: Stream, account: str) -> StreamState:
    outbox.open_stream(stream, account)
    outbox.comparison.import_now(stream.id)
    return outbox.state(stream.id)


def _digests(recording: FileRecording, first: int, end: int) -> bytes:
    """A digest of each notification at the places from ``first`` to before ``end``."""
    found = bytearray()
    begin = recording.ends[first - 1] if first else 0
    for place in range(first, end):
        upto = recording.ends[place]
        beats = recording.rr_ticks[begin:upto].tobytes() + recording.times_ns[begin:upto].tobytes()
        found += hashlib.blake2b(beats, digest_size=DIGEST_BYTES).digest()
        begin = upto
    return bytes(found)


def _stream(recording: FileRecording, account: str, content: str) -> Stream:
    return Stream(
        id=_stream_id(account, content),
        origin=recording.origin,
        source=recording.source,
        created_ns=recording.start_ns,
        ticks_per_second=recording.ticks_per_second,
    )
