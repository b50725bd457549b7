"""Check the embedded store: integrity, no duplicates, no orphans."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ebbtide.errors import EbbtideError
from store.encoding.beat_block import decode, to_notifications
from store.encoding.runs import rates_span


@dataclass(slots=True)
class IntegrityReport:
    """What is there, and what is wrong. ``waiting``: streams with numbers missing in between, which
    an upload that is under way fills; ``problems`` are none of the kind.
    """

    people: int = 0
    ratings: int = 0
    streams: int = 0
    notifications: int = 0
    beats: int = 0
    gaps: int = 0
    waiting: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_sqlite(
    beats_file: Path, records_file: Path, progress: Callable[[int, int], None] | None = None
) -> IntegrityReport:
    """Read everything once. ``progress`` is called with blocks done and blocks in all."""
    found = IntegrityReport()
    for file in (beats_file, records_file):
        if not file.is_file():
            raise EbbtideError(f"There is no store {file}.", "Is EBBTIDE_DATA_DIR right?")
    subjects = _records(records_file, found)
    try:
        with closing(sqlite3.connect(f"file:{beats_file}?mode=ro", uri=True)) as db:
            _decode_blocks(db, beats_file, found)
            db.execute("BEGIN")  # one state of the file, whoever writes meanwhile
            _streams(db, subjects, found)
            _blocks(db, found, progress)
            _gaps(db, found)
    except sqlite3.Error as error:
        found.problems.append(f"{beats_file} cannot be read: {error}")
    return found


def _records(file: Path, found: IntegrityReport) -> set[str]:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            _decode_blocks(db, file, found)
            subjects = {row[0] for row in db.execute("SELECT subject_id FROM people")}
            found.people = len(subjects)
            (found.ratings,) = db.execute(
                "SELECT count(*) FROM ratings WHERE NOT superseded"
            ).fetchone()
            for table in ("ratings", "therapy_sessions", "sign_ins"):
                (orphans,) = db.execute(
                    f"SELECT count(*) FROM {table} WHERE person_id NOT IN (SELECT id FROM people)"
                ).fetchone()
                if orphans:
                    found.problems.append(f"{orphans} rows of {table} belong to nobody")
            (newest,) = db.execute(
                "SELECT count(*) FROM (SELECT id FROM ratings GROUP BY id"
                " HAVING sum(NOT superseded) <> 1)"
            ).fetchone()
            if newest:
                found.problems.append(f"{newest} ratings have no newest version, or several")
            return subjects
    except sqlite3.Error as error:
        found.problems.append(f"{file} cannot be read: {error}")
        return set()


def _decode_blocks(db: sqlite3.Connection, file: Path, found: IntegrityReport) -> None:
    for (said,) in db.execute("PRAGMA integrity_check(20)"):
        if said != "ok":
            found.problems.append(f"{file.name}: {said}")


def _streams(db: sqlite3.Connection, subjects: set[str], found: IntegrityReport) -> None:
    erased = {row[0] for row in db.execute("SELECT subject_id FROM erased")}
    for stream, subject in db.execute("SELECT id, subject_id FROM streams"):
        found.streams += 1
        if subject in erased:
            found.problems.append(f"stream {stream} is of somebody who was erased")
        elif subject not in subjects:
            found.problems.append(f"stream {stream} belongs to nobody")


def _blocks(
    db: sqlite3.Connection, found: IntegrityReport, progress: Callable[[int, int], None] | None
) -> None:
    (total,) = db.execute("SELECT count(*) FROM blocks").fetchone()
    streams = {row[0] for row in db.execute("SELECT id FROM streams")}
    stream, expected, last_ns = "", 1, 0
    for done, row in enumerate(
        db.execute(
            "SELECT stream_id, first_sequence, last_sequence, beats, start_ns, end_ns, data,"
            " rates, rates_start_ns, rates_end_ns FROM blocks ORDER BY stream_id, first_sequence"
        ),
        1,
    ):
        if progress is not None:
            progress(done, total)
        if row[0] != stream:
            stream, expected, last_ns = row[0], 1, 0
            if stream not in streams:
                found.problems.append(f"blocks of {stream}, which is no stream")
        name = f"stream {stream}, block {row[1]} to {row[2]}"
        if row[1] < expected:
            found.problems.append(f"{name}: some of it is there twice")
        elif row[1] > expected:
            found.waiting.append(f"stream {stream}: {expected} to {row[1] - 1} are not here yet")
        expected = row[2] + 1
        try:
            block = decode(row[6])
        except Exception as error:  # damaged bytes fail in whatever way they like
            found.problems.append(f"{name} cannot be read: {type(error).__name__}: {error}")
            continue
        beats = len(block.time_ns)
        found.notifications += len(block.rr_count)
        found.beats += beats
        if beats != row[3] or len(block.rr_count) != row[2] - row[1] + 1:
            found.problems.append(f"{name} does not hold what it says")
        rates = rates_span(to_notifications(row[1], block))
        # Of blocks of earlier versions that have beats too, the rates are not noted.
        if row[7] and rates != row[7:10]:
            found.problems.append(f"{name}: its heart rates are not in the time it says")
        if beats:
            if np.any(np.diff(block.time_ns) <= 0) or block.time_ns[0] <= last_ns:
                found.problems.append(f"{name}: beats out of order, or twice")
            if block.time_ns[0] != row[4] or block.time_ns[-1] + 1 != row[5]:
                found.problems.append(f"{name}: its beats are not in the time it says")
            last_ns = int(block.time_ns[-1])


def _gaps(db: sqlite3.Connection, found: IntegrityReport) -> None:
    (found.gaps,) = db.execute("SELECT count(*) FROM gaps").fetchone()
    for table in ("gaps", "activity"):
        (orphans,) = db.execute(
            f"SELECT count(*) FROM {table} WHERE stream_id NOT IN (SELECT id FROM streams)"
        ).fetchone()
        if orphans:
            found.problems.append(f"{orphans} rows of {table} belong to no stream")
    (backwards,) = db.execute("SELECT count(*) FROM gaps WHERE end_ns < start_ns").fetchone()
    if backwards:
        found.problems.append(f"{backwards} gaps end before they start")
