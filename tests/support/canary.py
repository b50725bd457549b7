"""A person whose every trace can be found: unique words and intervals, and a search for them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores
from store.models import (
    Consent,
    Message,
    Note,
    NoteKind,
    OneTimePurpose,
    OneTimeToken,
    Person,
    Purpose,
    Rating,
    StoredReport,
    TherapySession,
)
from tests.support.accounts import add_account
from tests.support.beats import a_day

EMAIL = "kanarienvogel.zq7@example.org"
WORDS = {
    "address": EMAIL,
    "name": "Kanarie Zq7xname",
    "note": "zq7x-note-about-a-garden",
    "source": "Zq7x strap 00F1",
    "rating": "zq7x-rating-note",
}
START = 1_790_000_000 * SECOND
# Intervals that no other test has in this order.
TICKS = tuple(701 + (k * 37) % 97 for k in range(1200))


@dataclass(frozen=True, slots=True)
class Canary:
    """The person, and the bytes that lead to them."""

    person: Person
    traces: dict[str, bytes]
    pieces: list[bytes] = field(default_factory=list)


def add_canary(stores: Stores, name: str = "", beats_file: Path | None = None) -> Canary:
    """A patient with beats, windows, ratings, notes, a session, a report, an invitation.

    ``beats_file``: of an embedded store, of whose blocks, also of those that were merged since,
    pieces are searched for.
    """
    email = f"{name}{EMAIL}"
    person = add_account(stores, email, name=name + WORDS["name"], zone="Europe/Berlin")
    stores.records.add_consent(Consent(person.id, Purpose.CARE, True, "1", stores.now()))
    stream = Stream(new_id(), Origin.STRAP, name + WORDS["source"], START)
    stores.beats.put_stream(person.subject_id, stream)
    pieces: list[bytes] = []
    # In small parts, as a recorder sends it: blocks are merged, and their old versions freed.
    for first in range(0, len(TICKS), 100):
        stores.beats.append(person.subject_id, stream.id, _notifications(first, first + 100))
        if beats_file is not None:
            pieces += stored_pieces(beats_file, person.subject_id)
    stores.beats.store_windows(person.subject_id, "m", {START // (86400 * SECOND): a_day("c", 9)})
    for number in range(20):
        about = START + number * MINUTE
        stores.records.add_rating(
            Rating(
                *(new_id(), 1, person.id, about, about, "Europe/Berlin", 3, 4, None, False),
                note=f"{name}{WORDS['rating']} {number}",
            )
        )
        note = f"{name}{WORDS['note']} {number} " + "x" * 150
        stores.programme.put_note(Note(new_id(), person.id, NoteKind.TRIGGER, note, about, about))
    message = Message(new_id(), person.id, new_id(), name + WORDS["note"], START)
    stores.programme.add_message(message, 10)
    stores.records.add_session(TherapySession(new_id(), person.id, 1, START))
    stores.records.put_report(StoredReport(person.id, "k", "f", name + WORDS["note"] * 50))
    body = f'{{"email": "{email}", "name": "{name}{WORDS["name"]}"}}'
    stores.access.put_one_time_token(
        OneTimeToken(
            new_id(), OneTimePurpose.INVITATION, None, body, stores.now(), stores.now() + MINUTE
        )
    )
    traces = {what: (name + word).encode() for what, word in WORDS.items()}
    traces |= {
        "id": person.id.encode(),
        "stream": stream.id.encode(),
    }
    return Canary(person, traces, pieces)


def _notifications(first: int, end: int) -> list[Notification]:
    ends = np.cumsum(TICKS) * SECOND // 1024
    return [
        Notification(
            *(k + 1, START + int(ends[k]) + 7, 80, (TICKS[k],), (START + int(ends[k]),), True, None)
        )
        for k in range(first, end)
    ]


def stored_pieces(beats_file: Path, subject_id: str) -> list[bytes]:
    """Pieces of the person's blocks of beats, as they are stored."""
    query = "SELECT data FROM blocks JOIN streams ON id = stream_id WHERE subject_id = ?"
    with closing(sqlite3.connect(beats_file)) as db:
        blocks = [row[0] for row in db.execute(query, (subject_id,))]
    return [
        block[begin : begin + 24] for block in blocks for begin in range(40, len(block) - 24, 200)
    ]


def find_traces(folder: Path, canary: Canary) -> list[tuple[str, str]]:
    """File and trace, of all files below the folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += [
                (path.name, what) for what, trace in canary.traces.items() if trace in content
            ]
            found += [(path.name, "beats")] * any(piece in content for piece in canary.pieces)
    return found


def integrity(file: Path) -> str:
    """What SQLite says of a file."""
    with closing(sqlite3.connect(file)) as db:
        return str(db.execute("PRAGMA integrity_check").fetchone()[0])
