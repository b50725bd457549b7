"""What the API has acknowledged and the outbox still holds, for a store that is set back.

The rows of notifications stay where they are. A row here names a run of them: up to which number,
when, at which counter of the store's generation, and about how many bytes. A run ends after an hour
or some megabytes, so that there are few of them, and the oldest can go piece by piece.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ebbtide import timestamps
from ebbtide.timestamps import DAY, HOUR
from ingest.outbox.database import OutboxDatabase

_MAX_RUN_BYTES = 4_000_000
_ROW_BYTES = 60  # of a notification beside its payload, ticks and times, with its part of the tree
_ROWS = 2000  # deleted in one transaction: a strap waits for it to end


@dataclass(frozen=True, slots=True)
class Retention:
    """How long and how much of what the API has is kept, until a backup of the store covers it."""

    days: int = 30
    megabytes: int = 300


@dataclass(frozen=True, slots=True)
class SeenGeneration:
    """The generation of the store that an account was last uploaded to."""

    id: str
    counter: int
    covered: int


class AcknowledgedRows:
    """The acknowledged rows in the outbox file."""

    def __init__(self, database: OutboxDatabase) -> None:
        self._database = database

    def generation(self, account: str) -> SeenGeneration | None:
        """The generation of the account's store, as it was seen last."""
        rows = self._database.fetch(
            "SELECT id, counter, covered FROM generations WHERE account = ?", (account,)
        )
        return SeenGeneration(*rows[0]) if rows else None

    def set_generation(self, account: str, seen: SeenGeneration) -> None:
        """Note which generation the account's store is of."""
        with self._database.transaction() as db:
            put_generation(db, account, seen)

    def held_bytes(self) -> int:
        """About how many bytes of acknowledged notifications are held."""
        (found,) = self._database.fetch("SELECT coalesce(sum(bytes), 0) FROM acknowledged")[0]
        return int(found)

    def prune(self, account: str, keep: Retention) -> int:
        """Delete acknowledged rows of ``account`` that a backup covers, and of all accounts those
        that are too old or too many; how many notifications went. Each transaction is short.
        """
        seen = self.generation(account)
        deleted = 0
        if seen is not None:
            deleted += self._delete_runs(
                "counter <= ? AND stream_id IN (SELECT id FROM streams WHERE account = ?)",
                (seen.covered, account),
            )
            self._delete_activity(
                "acknowledged <= ? AND stream_id IN (SELECT id FROM streams WHERE account = ?)",
                (seen.covered, account),
            )
        oldest_ns = timestamps.now_ns() - keep.days * DAY
        deleted += self._delete_runs("at_ns <= ?", (oldest_ns,))
        self._delete_activity("acknowledged IS NOT NULL AND start_ns <= ?", (oldest_ns,))
        excess = self.held_bytes() - keep.megabytes * 1_000_000
        while excess > 0:
            ((at_ns, size),) = self._database.fetch(
                "SELECT at_ns, bytes FROM acknowledged ORDER BY at_ns LIMIT 1"
            )
            deleted += self._delete_runs("at_ns <= ?", (at_ns,))
            self._delete_activity("acknowledged IS NOT NULL AND start_ns <= ?", (at_ns - HOUR,))
            excess = min(excess - size, self.held_bytes() - keep.megabytes * 1_000_000)
        return deleted

    def _delete_runs(self, where: str, values: tuple[object, ...]) -> int:
        """Delete these runs and all notifications up to them, as what is held has no hole."""
        ends = self._database.fetch(
            f"SELECT stream_id, max(last_sequence) FROM acknowledged WHERE {where}"
            " GROUP BY stream_id",
            values,
        )
        deleted = 0
        for stream_id, last in ends:
            gone = _ROWS
            while gone == _ROWS:
                gone = self._delete_some(stream_id, last)
                deleted += gone
            with self._database.transaction() as db:
                for table, column in (("gaps", "sequence"), ("acknowledged", "last_sequence")):
                    db.execute(
                        f"DELETE FROM {table} WHERE stream_id = ? AND {column} <= ?",
                        (stream_id, last),
                    )
        return deleted

    def _delete_some(self, stream_id: str, last: int) -> int:
        with self._database.transaction() as db:
            # Never what waits, whatever a run says.
            return db.execute(
                "DELETE FROM notifications WHERE stream_id = ?1 AND sequence IN"
                " (SELECT sequence FROM notifications WHERE stream_id = ?1 AND sequence <="
                " min(?2, (SELECT acknowledged FROM streams WHERE id = ?1))"
                " ORDER BY sequence LIMIT ?3)",
                (stream_id, last, _ROWS),
            ).rowcount

    def _delete_activity(self, where: str, values: tuple[object, ...]) -> None:
        gone = _ROWS
        while gone == _ROWS:
            with self._database.transaction() as db:
                gone = db.execute(
                    "DELETE FROM activity WHERE (stream_id, start_ns) IN"
                    f" (SELECT stream_id, start_ns FROM activity WHERE {where} LIMIT {_ROWS})",
                    values,
                ).rowcount


def put_generation(db: sqlite3.Connection, account: str, seen: SeenGeneration) -> None:
    """Note which generation the account's store is of."""
    db.execute(
        "INSERT OR REPLACE INTO generations VALUES (?, ?, ?, ?)",
        (account, seen.id, seen.counter, seen.covered),
    )


def add_acknowledged(
    db: sqlite3.Connection, stream_id: str, after: int, through: int, counter: int
) -> int:
    """Note that the API has everything after one number and through another; how many beats."""
    rows, beats, size = db.execute(
        "SELECT count(*), coalesce(sum(length(rr_ticks)), 0) / 2,"
        " coalesce(sum(length(payload) + length(rr_ticks) + length(beat_times_ns)), 0)"
        " FROM notifications WHERE stream_id = ? AND sequence > ? AND sequence <= ?",
        (stream_id, after, through),
    ).fetchone()
    size += rows * _ROW_BYTES
    now = timestamps.now_ns()
    newest = db.execute(
        "SELECT last_sequence, counter, at_ns, bytes FROM acknowledged WHERE stream_id = ?"
        " ORDER BY last_sequence DESC LIMIT 1",
        (stream_id,),
    ).fetchone()
    joins = (
        newest is not None
        and newest[1] == counter
        and 0 <= now - newest[2] < HOUR
        and newest[3] < _MAX_RUN_BYTES
    )
    if joins:
        db.execute(
            "UPDATE acknowledged SET last_sequence = ?, bytes = bytes + ?"
            " WHERE stream_id = ? AND last_sequence = ?",
            (through, size, stream_id, newest[0]),
        )
    elif rows:
        db.execute(
            "INSERT OR REPLACE INTO acknowledged VALUES (?, ?, ?, ?, ?)",
            (stream_id, through, counter, now, size),
        )
    return int(beats)
