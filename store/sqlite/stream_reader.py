"""Read the beats of streams from their blocks."""

from __future__ import annotations

import sqlite3
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import GapReason, Origin, Stream
from store.encoding.assemble import EMPTY_PART, StreamPart, stream_part, without_contact
from store.encoding.beat_block import Block, decode

_Value = TypeVar("_Value", bound=np.generic)


def find_streams(
    db: sqlite3.Connection, subject_id: str, further: str = "", values: tuple[int, ...] = ()
) -> list[Stream]:
    """Find the streams of a subject, oldest first; ``further``: a condition on ``values``."""
    rows = db.execute(
        "SELECT id, origin, source, created_ns, ticks_per_second FROM streams"
        f" WHERE subject_id = ?{further} ORDER BY created_ns, id",
        (subject_id, *values),
    ).fetchall()
    return [Stream(row[0], Origin(row[1]), row[2], row[3], row[4]) for row in rows]


def read_stream(
    db: sqlite3.Connection, index: int, stream: Stream, start_ns: int, end_ns: int
) -> StreamPart:
    """Read the beats of one stream in [start_ns, end_ns)."""
    rows = db.execute(
        # Which ones, by the index; then these alone.
        "SELECT first_sequence, last_sequence, data FROM blocks WHERE stream_id = ?"
        " AND first_sequence IN (SELECT first_sequence FROM blocks WHERE stream_id = ?"
        " AND start_ns < ? AND end_ns > ?) ORDER BY first_sequence",
        (stream.id, stream.id, end_ns, start_ns),
    ).fetchall()
    if not rows:
        return EMPTY_PART
    blocks = [decode(row[2], beats_alone=True) for row in rows]
    times = np.concatenate([block.time_ns for block in blocks])
    ticks = np.concatenate([block.rr_ticks for block in blocks]).astype(np.int32)
    contact = np.concatenate([_per_beat(block.contact, block) for block in blocks])
    sequence = np.concatenate(
        [_sequences(row[0], block) for row, block in zip(rows, blocks, strict=True)]
    )
    gaps = db.execute(
        "SELECT sequence FROM gaps WHERE stream_id = ? AND sequence BETWEEN ? AND ?",
        (stream.id, rows[0][0], rows[-1][1]),
    ).fetchall()
    off_the_clock = db.execute(
        "SELECT start_ns, end_ns FROM gaps WHERE stream_id = ? AND reason = ?",
        (stream.id, GapReason.OFF_THE_CLOCK),
    ).fetchall()
    return stream_part(
        index,
        stream,
        [(row[0], row[1]) for row in rows],
        [gap[0] for gap in gaps],
        times,
        ticks,
        without_contact(contact, times, off_the_clock),
        sequence,
        (start_ns, end_ns),
    )


def read_rates(
    db: sqlite3.Connection, stream: Stream, start_ns: int, end_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Read when the heart rates without intervals of one stream came in [start_ns, end_ns), and
    the rates.
    """
    rows = db.execute(
        "SELECT data FROM blocks WHERE stream_id = ?1 AND first_sequence IN (SELECT first_sequence"
        " FROM blocks WHERE stream_id = ?1 AND rates > 0 AND rates_start_ns < ?2"
        " AND rates_end_ns > ?3) ORDER BY first_sequence",
        (stream.id, end_ns, start_ns),
    ).fetchall()
    times, rates = [np.empty(0, np.int64)], [np.empty(0)]
    for (data,) in rows:
        block = decode(data)
        which = (block.rr_count == 0) & (block.heart_rate_bpm > 0) & (block.contact != 0)
        which &= (block.received_ns >= start_ns) & (block.received_ns < end_ns)
        times.append(block.received_ns[which])
        rates.append(block.heart_rate_bpm[which].astype(np.float64))
    return np.concatenate(times), np.concatenate(rates)


def _sequences(first: int, block: Block) -> NDArray[np.int64]:
    """The sequence number of each beat's notification."""
    count = len(block.rr_count)
    return _per_beat(np.arange(first, first + count, dtype=np.int64), block)


def _per_beat(values: NDArray[_Value], block: Block) -> NDArray[_Value]:
    """A value of each notification, for each of its beats."""
    if len(block.time_ns) == len(values) and np.all(block.rr_count == 1):  # as most straps send
        return values
    return np.repeat(values, block.rr_count)
