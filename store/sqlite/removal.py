"""The streams that people removed from the file of beats."""

from __future__ import annotations

import sqlite3

from ebbtide.timestamps import DAY
from store.errors import RemovedStreamError, UnknownStreamError
from store.models.beats import RemovedStream


def require_not_removed(db: sqlite3.Connection, subject_id: str, stream_id: str) -> None:
    """Raise RemovedStreamError for a stream that the subject removed."""
    row = db.execute(
        "SELECT removed_ns FROM removed WHERE stream_id = ? AND subject_id = ?",
        (stream_id, subject_id),
    ).fetchone()
    if row is not None:
        raise RemovedStreamError(stream_id, row[0])


def remove_stream(db: sqlite3.Connection, subject_id: str, stream_id: str, at_ns: int) -> int:
    """Delete a stream and the windows of its days; how many beats it had."""
    found = db.execute(
        "SELECT coalesce(sum(beats), 0), min(blocks.start_ns), max(blocks.end_ns),"
        " min(rates_start_ns), max(rates_end_ns) FROM streams"
        " LEFT JOIN blocks ON stream_id = id WHERE id = ? AND subject_id = ? GROUP BY id",
        (stream_id, subject_id),
    ).fetchone()
    if found is None:
        require_not_removed(db, subject_id, stream_id)
        raise UnknownStreamError(f"There is no stream {stream_id}.", "GET /v1/streams lists yours.")
    beats, *spans = found
    start_ns = min((at for at in spans[::2] if at is not None), default=None)
    end_ns = max((at for at in spans[1::2] if at is not None), default=None)
    db.execute("DELETE FROM streams WHERE id = ?", (stream_id,))
    if start_ns is not None and end_ns is not None:
        db.execute(
            "DELETE FROM derived WHERE subject_id = ? AND day BETWEEN ? AND ?",
            (subject_id, start_ns // DAY, end_ns // DAY),
        )
    db.execute(
        "INSERT OR REPLACE INTO removed VALUES (?, ?, ?, ?, ?)",
        (stream_id, subject_id, at_ns, start_ns, end_ns),
    )
    return int(beats)


def removed_streams(db: sqlite3.Connection, subject_id: str) -> list[RemovedStream]:
    """List the streams that the subject removed, by time of removal."""
    rows = db.execute(
        "SELECT stream_id, removed_ns, start_ns, end_ns FROM removed WHERE subject_id = ?"
        " ORDER BY removed_ns, stream_id",
        (subject_id,),
    )
    return [RemovedStream(*row) for row in rows]
