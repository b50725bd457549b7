"""Erase people from the copies of a backup before they take the place of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ebbtide._sqlite import overwrite_deleted
from store.ledger import ErasureScope, LedgerContent
from store.mentions import has_mention
from store.models.withdrawals import OF_ACCOUNT


def erase_from_copy(
    beats_file: Path,
    records_file: Path,
    content: LedgerContent,
    subjects: Mapping[str, ErasureScope],
) -> int:
    """Erase from two files whom the ledger names, and the ``subjects``, which the store refuses;
    how many there were.

    The files may be of any earlier version: what is not upgraded yet would leave a copy beside it.
    They are written anew without what was deleted. Those of whom the ledger says that the data
    alone were erased are taken out the same way; their account, and that they withdrew, is in the
    ledger's next comparison (api/services/erasure_again.py).
    """
    erased: set[str] = set()
    with closing(_open(records_file)) as db:
        people = db.execute("SELECT id, subject_id, email FROM people").fetchall()
        for person_id, subject, email in people:
            noted = content.find(subject, person_id)
            scope = subjects.get(subject) if noted is None else noted.scope
            if scope is None:
                continue
            is_data = scope is ErasureScope.DATA
            _delete_person(db, person_id, keep_account=is_data)
            if not is_data:
                _delete_mentions(db, person_id, subject, email)
            erased.add(subject)
        if erased:
            overwrite_deleted(db)
    with closing(_open(beats_file)) as db:
        streams = db.execute("SELECT DISTINCT subject_id FROM streams").fetchall()
        there = {row[0] for row in streams if row[0] in subjects or content.find(row[0])}
        erased |= there
        for subject in sorted(erased):
            _delete_subject(db, subject)
        if erased:
            overwrite_deleted(db)
    return len(erased)


def _open(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("PRAGMA secure_delete=ON")
    return db


def _delete_person(db: sqlite3.Connection, person_id: str, *, keep_account: bool) -> None:
    for name in _tables_with(db, "person_id"):
        if not (keep_account and name in OF_ACCOUNT):
            db.execute(f"DELETE FROM {name} WHERE person_id = ?", (person_id,))
    for name in _tables_with(db, "about_id"):
        db.execute(f"DELETE FROM {name} WHERE about_id = ?", (person_id,))
    if not keep_account:
        db.execute("DELETE FROM people WHERE id = ?", (person_id,))


def _delete_mentions(db: sqlite3.Connection, *words: str) -> None:
    """Delete one-time tokens and stored responses with one of these words in their body."""
    for name in sorted({"one_time", "answers"} & {*_tables_with(db, "body")}):
        rows = db.execute(f"SELECT rowid, body FROM {name} WHERE body IS NOT NULL")
        found = [(number,) for number, body in rows if has_mention(body, *words)]
        db.executemany(f"DELETE FROM {name} WHERE rowid = ?", found)


def _delete_subject(db: sqlite3.Connection, subject: str) -> None:
    for name in _tables_with(db, "subject_id"):
        if name != "erased":
            db.execute(f"DELETE FROM {name} WHERE subject_id = ?", (subject,))
    db.execute("INSERT OR IGNORE INTO erased VALUES (?)", (subject,))


def _tables_with(db: sqlite3.Connection, column: str) -> list[str]:
    rows = db.execute(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND c.name = ? ORDER BY m.name",
        (column,),
    )
    return [row[0] for row in rows]
