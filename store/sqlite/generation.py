"""The generation of the file of beats."""

from __future__ import annotations

import sqlite3

from store.models.beats import StoreGeneration


def read_generation(db: sqlite3.Connection) -> StoreGeneration:
    """Read which state of the store the file is."""
    return StoreGeneration(
        *db.execute("SELECT id, counter, covered FROM generation WHERE one = 1").fetchone()
    )


def begin_backup(db: sqlite3.Connection) -> int:
    """Raise the counter by one and return what it was; see BeatStore."""
    (counter,) = db.execute(
        "UPDATE generation SET counter = counter + 1 RETURNING counter - 1"
    ).fetchone()
    return int(counter)


def finish_backup(db: sqlite3.Connection, covered: int) -> None:
    """Note that everything up to the counter ``covered`` is in a backup."""
    db.execute("UPDATE generation SET covered = max(covered, ?)", (covered,))


def renew_generation(db: sqlite3.Connection) -> None:
    """Give the file a new random id; see BeatStore."""
    db.execute("UPDATE generation SET id = lower(hex(randomblob(16))), counter = counter + 1")
