"""Write the recordings of a file to the outbox, each once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from ebbtide.beats import Origin, Stream
from ingest.files.recording import FileRecording, RecordedFile
from ingest.outbox.outbox import Entry, Outbox

_BATCH = 500
# Streams of straps have random ids. That of a file is made from its content, so that the same
# recording is the same stream, on whatever machine it is imported again.
_NAMESPACE = uuid.UUID("5b0f7c1e-2f5e-4a51-9c7a-7d2f0b6b8a11")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did: beats that were new, and beats that were there already."""

    new_beats: int
    known_beats: int
    stream_ids: tuple[str, ...]


def import_recordings(
    file: RecordedFile,
    outbox: Outbox,
    account: str,
    on_progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Write all recordings of the file for ``account``; continues where an earlier import ended."""
    new = present = 0
    ids = []
    for recording in file.recordings:
        stream = _stream(recording, account)
        written = outbox.open_stream(stream, account).last_sequence
        entries = _entries(recording)
        present += sum(len(e.notification.rr_ticks) for e in entries[:written])
        for at in range(written, len(entries), _BATCH):
            batch = entries[at : at + _BATCH]
            outbox.append(stream.id, batch)
            beats = sum(len(e.notification.rr_ticks) for e in batch)
            new += beats
            if on_progress is not None:
                on_progress(beats)
        ids.append(stream.id)
    return ImportResult(new, present, tuple(ids))


def _stream(recording: FileRecording, account: str) -> Stream:
    return Stream(
        id=str(uuid.uuid5(_NAMESPACE, f"{account} {recording.content}")),
        origin=Origin.FILE,
        source=recording.source,
        created_ns=recording.start_ns,
        ticks_per_second=recording.ticks_per_second,
    )


def _entries(recording: FileRecording) -> list[Entry]:
    gaps = {gap.sequence: gap for gap in recording.gaps}
    return [
        Entry(b"", replace(item, sequence=0), gaps.get(item.sequence))
        for item in recording.notifications
    ]
