"""What was imported from files: digests of notifications and of intervals, and names of files."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ebbtide.timestamps import SECOND
from ingest.outbox.database import OutboxDatabase

DIGEST_BYTES = 8  # of each notification
_SAME_TIME_NS = SECOND
_AT_ONCE = 500  # digests in one query


@dataclass(frozen=True, slots=True)
class SameIntervals:
    """Intervals that an earlier import has at another time: ``shift_ns`` later than there."""

    stream_id: str
    file: str | None
    shift_ns: int


class ImportHistory:
    """The imports that went through the outbox file."""

    def __init__(self, database: OutboxDatabase) -> None:
        self._database = database

    def digests(self, stream_id: str) -> bytes:
        """The digests of all notifications that were imported to a stream, in order."""
        rows = self._database.fetch(
            "SELECT digests FROM imported WHERE stream_id = ? ORDER BY sequence", (stream_id,)
        )
        return b"".join(row[0] for row in rows)

    def add_intervals(
        self, account: str, stream_id: str, digests: Mapping[int, int], file: str | None
    ) -> None:
        """Note digests of intervals with their times, and the file that they came from."""
        with self._database.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO intervals VALUES (?, ?, ?, ?)",
                [(account, digest, stream_id, time) for digest, time in digests.items()],
            )
            if file is not None:
                db.execute("UPDATE streams SET file = ? WHERE id = ?", (file, stream_id))

    def find_same_intervals(self, account: str, digests: Mapping[int, int]) -> SameIntervals | None:
        """Find an earlier import that has some of these intervals at another time."""
        names: Sequence[int] = list(digests)
        for begin in range(0, len(names), _AT_ONCE):
            some = names[begin : begin + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            for digest, stream_id, time, file in self._database.fetch(
                "SELECT digest, stream_id, time_ns, file FROM intervals"
                " JOIN streams ON id = stream_id"
                f" WHERE intervals.account = ? AND digest IN ({marks}) ORDER BY time_ns",
                (account, *some),
            ):
                if abs(digests[digest] - time) > _SAME_TIME_NS:
                    return SameIntervals(stream_id, file, digests[digest] - time)
        return None


def cut_digests(db: sqlite3.Connection, stream_id: str, through: int) -> None:
    """Forget the digests of the notifications after ``through``."""
    db.execute("DELETE FROM imported WHERE stream_id = ? AND sequence > ?", (stream_id, through))
    db.execute(
        "UPDATE imported SET digests = substr(digests, 1, (?2 - sequence + 1) * ?3)"
        " WHERE stream_id = ?1 AND sequence + length(digests) / ?3 - 1 > ?2",
        (stream_id, through, DIGEST_BYTES),
    )
