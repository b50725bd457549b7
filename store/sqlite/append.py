"""Append runs of notifications to the blocks of a stream."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ebbtide import timestamps
from ebbtide.beats import Notification
from store.encoding.beat_block import from_notifications, merge
from store.encoding.runs import FULL_RUN, AppendPlan, NewRun, Run, acknowledged_sequence
from store.errors import UnknownStreamError
from store.sqlite.removal import require_not_removed

_RUN = "first_sequence, last_sequence, beats, start_ns, end_ns, rates, rates_start_ns, rates_end_ns"


def stored_runs(
    db: sqlite3.Connection, stream_id: str, notifications: Sequence[Notification]
) -> list[Run]:
    """The runs with numbers of this upload, and the nearest with beats on either side of it."""
    first, last = notifications[0].sequence, notifications[-1].sequence
    rows = db.execute(
        # From the block before or around the first number on: found by the key, while comparing
        # the last numbers of blocks would walk through all blocks of a month.
        f"SELECT {_RUN} FROM blocks WHERE stream_id = ?1 AND first_sequence BETWEEN"
        " coalesce((SELECT max(first_sequence) FROM blocks"
        " WHERE stream_id = ?1 AND first_sequence <= ?2), ?2) AND ?3"
        # Times increase with the numbers: of the blocks with beats, the nearest decide.
        f" UNION SELECT * FROM (SELECT {_RUN} FROM blocks WHERE stream_id = ?1"
        " AND first_sequence < ?2 AND beats > 0 ORDER BY first_sequence DESC LIMIT 1)"
        f" UNION SELECT * FROM (SELECT {_RUN} FROM blocks WHERE stream_id = ?1"
        " AND first_sequence > ?3 AND beats > 0 ORDER BY first_sequence LIMIT 1)",
        (stream_id, first, last),
    )
    return [Run(*row) for row in rows]


def store_plan(db: sqlite3.Connection, stream_id: str, plan: AppendPlan) -> None:
    """Store the runs and gaps of ``plan``."""
    for new in plan.runs:
        _insert_run(db, stream_id, new)
    db.executemany(
        "INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?)",
        [(stream_id, gap.sequence, gap.start_ns, gap.end_ns, str(gap.reason)) for gap in plan.gaps],
    )


def _insert_run(db: sqlite3.Connection, stream_id: str, new: NewRun) -> None:
    run, previous = new.run, list[bytes]()
    # Joined to the blocks before it that are no longer than the joined run, as a binary counter
    # carries: a small upload is encoded anew a dozen times until its block is full, and not with
    # each upload that follows.
    while (before := _block_before(db, stream_id, run.first)) is not None:
        if len(before[0]) > min(len(run), FULL_RUN):
            break
        run = before[0].join(run)
        previous.insert(0, before[1])
    data = merge(previous, from_notifications(new.notifications))
    db.execute(
        "DELETE FROM blocks WHERE stream_id = ? AND first_sequence BETWEEN ? AND ?",
        (stream_id, run.first, run.last),
    )
    db.execute(
        f"INSERT INTO blocks (stream_id, {_RUN}, data, kept_ns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            stream_id,
            run.first,
            run.last,
            run.beats,
            run.start_ns,
            run.end_ns,
            run.rates,
            run.rates_start_ns,
            run.rates_end_ns,
            data,
            timestamps.now_ns(),
        ),
    )


def _block_before(db: sqlite3.Connection, stream_id: str, first: int) -> tuple[Run, bytes] | None:
    """The block that ends just before ``first``."""
    row = db.execute(
        f"SELECT {_RUN}, data FROM blocks"
        " WHERE stream_id = ? AND first_sequence < ? ORDER BY first_sequence DESC LIMIT 1",
        (stream_id, first),
    ).fetchone()
    return None if row is None or row[1] != first - 1 else (Run(*row[:-1]), row[-1])


def last_acknowledged(db: sqlite3.Connection, stream_id: str) -> int:
    """Return the highest sequence number up to which nothing is missing."""
    return acknowledged_sequence(
        db.execute(
            "SELECT first_sequence, last_sequence FROM blocks WHERE stream_id = ?"
            " ORDER BY first_sequence",
            (stream_id,),
        )
    )


def require_stream(db: sqlite3.Connection, subject_id: str, stream_id: str) -> None:
    """Raise UnknownStreamError unless the subject has this stream."""
    row = db.execute(
        "SELECT 1 FROM streams WHERE id = ? AND subject_id = ?", (stream_id, subject_id)
    ).fetchone()
    if row is None:
        require_not_removed(db, subject_id, stream_id)
        raise UnknownStreamError(
            f"There is no stream {stream_id}.", f"Register it with PUT /v1/streams/{stream_id}."
        )
