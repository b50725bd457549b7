"""Name the copies outside of the store that may still hold a person who is erased."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ebbtide.settings import Settings
from store import Stores
from store.models import Person, TokenKind

_BESIDE_SQLITE = ("-wal", "-shm", ".queue")
_MANIFEST = "backup.json"


class CopyKind(StrEnum):
    """What kind of copy it is."""

    BACKUP = "backup"
    EMBEDDED = "embedded store"
    PUT_ASIDE = "put aside"
    ECG = "ECG recording"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class OlderCopy:
    """A copy. ``place``: a path, or the name of a machine. ``at_ns``: when it was made, or that
    machine was last seen. ``holds``: whether the person is in it; None where that cannot be read.
    """

    kind: CopyKind
    place: str
    at_ns: int | None = None
    holds: bool | None = None


def find_copies(stores: Stores, settings: Settings, person: Person) -> list[OlderCopy]:
    """Find all copies but those of which it can be read that the person is not in them. To be
    called before the person is erased: their machines are not known afterwards.
    """
    found = [
        *_backups(stores, settings, person),
        *_left_files(settings, person),
        *(
            OlderCopy(CopyKind.ECG, str(path), path.stat().st_mtime_ns)
            for path in sorted(settings.ecg_folder.glob("*.csv"))
        ),
        *(
            OlderCopy(CopyKind.OUTBOX, token.name, token.used_ns)
            for token in stores.access.tokens(person.id)
            if token.kind is TokenKind.DEVICE
        ),
    ]
    return [copy for copy in found if copy.holds is not False]


def _backups(stores: Stores, settings: Settings, person: Person) -> Iterator[OlderCopy]:
    """Those in the ledger, and folders of backups in the usual places."""
    made = {}
    if stores.ledger is not None:
        made = {b.folder: b.made_ns for b in stores.ledger.read().backups.values()}
    for parent in {settings.data_dir, *(folder.parent for folder in made)}:
        for manifest in parent.glob(f"*/{_MANIFEST}"):
            made.setdefault(manifest.parent, manifest.stat().st_mtime_ns)
    for folder, at_ns in sorted(made.items()):
        if not folder.is_dir():  # on another disk, or deleted
            holds = None if at_ns >= person.created_ns else False
        else:
            holds = _holds_either(
                person, folder / settings.records_file.name, folder / settings.beats_file.name
            )
        yield OlderCopy(CopyKind.BACKUP, str(folder), at_ns, holds)


def _left_files(settings: Settings, person: Person) -> Iterator[OlderCopy]:
    """What ``restore``, a restore that was killed, an upgrade and ``move`` leave."""
    in_use = {settings.outbox_file}
    if settings.is_embedded:
        in_use |= {settings.beats_file, settings.records_file}
    for path in sorted(settings.data_dir.glob("*.sqlite*")):
        if path in in_use or path.name.endswith(_BESIDE_SQLITE):
            continue
        is_whole_name = path in (settings.beats_file, settings.records_file)
        kind = CopyKind.EMBEDDED if is_whole_name else CopyKind.PUT_ASIDE
        yield OlderCopy(kind, str(path), path.stat().st_mtime_ns, _holds(person, path))


def _holds_either(person: Person, *files: Path) -> bool | None:
    answers = [_holds(person, file) for file in files]
    if True in answers:
        return True
    return None if None in answers else False


def _holds(person: Person, file: Path) -> bool | None:
    """Whether a file of records or beats has the person; None where it cannot be read."""
    # Where a log lies beside it, its rows count too: reading it as immutable would not see them.
    mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True)) as db:
            for table, column, value in (
                ("people", "id", person.id),
                ("people", "subject_id", person.subject_id),
                ("streams", "subject_id", person.subject_id),
            ):
                query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
                if db.execute(query, (table,)).fetchone() is None:
                    continue
                query = f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1"
                if db.execute(query, (value,)).fetchone() is not None:
                    return True
            is_store = db.execute(
                "SELECT 1 FROM sqlite_master WHERE name IN ('people', 'streams')"
            ).fetchone()
            # Deleted rows may be in its free pages.
            free = db.execute("PRAGMA freelist_count").fetchone()[0]
    except sqlite3.Error:
        return None
    return False if is_store and not free else None
