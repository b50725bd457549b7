"""The log of past connections to straps, and the faults that their lengths show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ebbtide.timestamps import SECOND
from ingest.outbox.database import OutboxDatabase

_MAX_CONNECTIONS = 2000  # in the log; the oldest are deleted
_RECENT = 30  # of the newest connections of a strap
_MIN_DROPS = 2
_EARLY_DROP_NS = 10 * SECOND


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One connection to a strap, from its beginning to its end, UTC ns."""

    source: str
    connected_ns: int
    ended_ns: int
    why: str


class ConnectionHistory:
    """Connections that ended, in the table ``links`` of the outbox."""

    def __init__(self, database: OutboxDatabase) -> None:
        self._database = database

    def add(self, account: str, record: ConnectionRecord) -> None:
        """Log how long a connection lasted and why it ended."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?)",
                (account, record.source, record.connected_ns, record.ended_ns, record.why),
            )
            db.execute(
                "DELETE FROM links WHERE rowid <= (SELECT max(rowid) FROM links) - ?",
                (_MAX_CONNECTIONS,),
            )

    def all(self) -> list[ConnectionRecord]:
        """All records, oldest first."""
        rows = self._database.fetch(
            "SELECT source, connected_ns, ended_ns, why FROM links ORDER BY rowid"
        )
        return [ConnectionRecord(*row) for row in rows]


def rejected_parameters(records: Sequence[ConnectionRecord]) -> dict[str, int]:
    """Straps whose connections ended after 30 or 150 s again and again, and how often.

    Polar straps ask, some seconds after connecting, for a longer interval between radio events
    (312 to 500 ms, seen in bluepy issue 53). A Linux kernel whose limit is lower rejects it, and
    the strap disconnects at its next try, always after the same time (OpenHRV issue 39: 150 s).
    """
    found: dict[str, int] = {}
    for source, lengths in _lengths(records).items():
        for seconds, tolerance in ((30, 2), (150, 3)):
            hits = sum(abs(length - seconds * SECOND) <= tolerance * SECOND for length in lengths)
            if hits >= _MIN_DROPS:
                found[source] = max(hits, found.get(source, 0))
    return found


def dropped_early(records: Sequence[ConnectionRecord]) -> dict[str, int]:
    """Straps that disconnected within 10 s at least 3 of the last 10 times, and how often."""
    return {
        source: hits
        for source, lengths in _lengths(records).items()
        if (hits := sum(length < _EARLY_DROP_NS for length in lengths[-10:])) >= 3
    }


def _lengths(records: Sequence[ConnectionRecord]) -> dict[str, list[int]]:
    """Lengths of connections that the other side ended, newest last."""
    lengths: dict[str, list[int]] = defaultdict(list)
    for record in records:
        if record.why != "recording ended":
            lengths[record.source].append(record.ended_ns - record.connected_ns)
    return {source: found[-_RECENT:] for source, found in lengths.items()}
