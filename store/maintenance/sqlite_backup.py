"""A copy of the embedded store while it is in use, and its way back.

SQLite's own backup takes a consistent state of each file, whoever writes meanwhile. Records are
copied last: every stream in the copy then belongs to a person in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ebbtide._files import make_private
from ebbtide.errors import EbbtideError
from store.ledger import ErasureLedger, ErasureScope, LedgerContent
from store.maintenance.erase_from_copy import erase_from_copy
from store.models.records import ERASED, ERASURE_BEGUN
from store.sqlite.generation import begin_backup, finish_backup, renew_generation
from store.sqlite.schema import create_tables, upgrade_tables

MANIFEST = "backup.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup: its folder, and the files in it with their sizes in bytes."""

    folder: Path
    sizes: dict[str, int]


def create_backup(files: list[Path], folder: Path, made: str) -> BackupResult:
    """Copy the stores into ``folder``, which must not exist yet. ``made``: when, in words.

    Raises EbbtideError when a store is not there, or the copy cannot be written or is not whole.
    """
    for file in files:
        if not file.is_file():
            raise EbbtideError(f"There is no store {file}.", "Is EBBTIDE_DATA_DIR right?")
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise EbbtideError(f"{folder} is there already.", "Name a new folder.") from error
    except OSError as error:
        raise EbbtideError(f"{folder} cannot be made: {error}.", "Name another.") from error
    found: dict[str, dict[str, int | str]] = {}
    covered = {file: _begin_backup(file) for file in files}
    try:
        for file in files:
            copy = folder / file.name
            make_private(copy)
            with (
                closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
            _check_files(copy)
            found[file.name] = {"bytes": copy.stat().st_size, "sha256": _hash(copy)}
        manifest = {"format": _FORMAT, "made": made, "files": found}
        make_private(folder / MANIFEST)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        _sync(folder)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise EbbtideError(
            f"The backup could not be written: {error}.", "Check that the disk has room."
        ) from error
    for file, counter in covered.items():
        _finish_backup(file, counter)
    return BackupResult(folder, {name: int(facts["bytes"]) for name, facts in found.items()})


def _begin_backup(file: Path) -> int | None:
    """Begin a backup of a file with a generation; None for another, and where it may only be read:
    then outboxes keep what they sent for as long as their settings say.
    """
    with suppress(sqlite3.OperationalError), closing(_open(file)) as db:
        if _has_generation(db):
            return begin_backup(db)
    return None


def _finish_backup(file: Path, covered: int | None) -> None:
    if covered is not None:
        with suppress(sqlite3.OperationalError), closing(_open(file)) as db:
            finish_backup(db, covered)


def _open(file: Path) -> sqlite3.Connection:
    """Open a store that is in use, in autocommit mode."""
    db = sqlite3.connect(f"file:{file}?mode=rw", uri=True, timeout=30, isolation_level=None)
    db.execute("PRAGMA foreign_keys=ON")
    return db


def _has_generation(db: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE name = 'generation'"
    return db.execute(query).fetchone() is not None


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What was put aside, and how many people were erased again from what was restored."""

    put_aside: list[Path]
    erased_again: int


def restore(
    folder: Path,
    files: list[Path],
    aside: str,
    replace: bool = False,
    content: LedgerContent | None = None,
) -> RestoreResult:
    """Put a backup in the place of the stores ``files``.

    What is there is renamed, with ``aside`` at the end of its name, and only ``replace``
    allows that. ``files``: of beats and of records. Whom ``content`` of the ledger names, and who
    is erased in the store that is there, is erased from the copies before they take its place.
    Raises EbbtideError for a backup that is not whole, for stores that are in use, and for stores
    that are there without ``replace``.
    """
    require_complete(folder, [file.name for file in files])
    there = [file for file in files if file.exists()]
    if there and not replace:
        raise EbbtideError(
            f"There is a store in {there[0].parent} already.",
            "Use --replace: what is there is kept beside it.",
        )
    for file in there:
        _require_unused(file)
    put_aside = []
    _remove_copies(files)
    copies = {file: _copy_of(file) for file in files}
    for file, fresh in copies.items():
        make_private(fresh)
        shutil.copyfile(folder / file.name, fresh)
        _set_back(fresh, file)
    erased = 0
    if len(files) > 1:
        noted, subjects = content or LedgerContent(), _erased_in(files[0], files[1])
        erased = erase_from_copy(copies[files[0]], copies[files[1]], noted, subjects)
    for file, fresh in copies.items():
        for rest in ("-wal", "-shm"):
            fresh.with_name(fresh.name + rest).unlink(missing_ok=True)
        with fresh.open("rb+") as copy_file:
            os.fsync(copy_file.fileno())
        if file.exists():
            renamed = file.with_name(f"{file.name}.{aside}")
            file.replace(renamed)
            put_aside.append(renamed)
        for rest in ("-wal", "-shm"):
            file.with_name(file.name + rest).unlink(missing_ok=True)
        fresh.replace(file)
        _sync(file.parent)
    return RestoreResult(put_aside, erased)


def remove_stopped_restore(files: list[Path], ledger: ErasureLedger | None) -> None:
    """Delete the copies that a restore which was killed left beside the stores ``files``: whoever
    was erased may be in them. One that is under way is waited for.
    """
    if any(_copy_of(file).exists() for file in files):
        with nullcontext() if ledger is None else ledger.locked():
            _remove_copies(files)


def _copy_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.restoring")


def _remove_copies(files: list[Path]) -> None:
    for file in files:
        for rest in ("", "-wal", "-shm", "-journal"):
            file.with_name(f"{_copy_of(file).name}{rest}").unlink(missing_ok=True)


def _set_back(fresh: Path, file: Path) -> None:
    """Mark the copy ``fresh`` as another generation, so that outboxes offer again what it lacks,
    and remove from it the recordings that were removed from ``file`` since.
    """
    # Here, as its errors bring SQLAlchemy, which a backup does without.
    from store.errors import RemovedStreamError, UnknownStreamError
    from store.sqlite.removal import remove_stream

    with closing(_open(fresh)) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'blocks'").fetchone() is None:
            return  # people and ratings
        create_tables(db)
        upgrade_tables(db)
        renew_generation(db)
        for subject_id, stream_id, removed_ns in _removed(file):
            with suppress(UnknownStreamError, RemovedStreamError):
                remove_stream(db, subject_id, stream_id, removed_ns)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for rest in ("-wal", "-shm"):
        fresh.with_name(fresh.name + rest).unlink(missing_ok=True)


def _erased_in(beats_file: Path, records_file: Path) -> dict[str, ErasureScope]:
    """The subjects that a store refuses. Of those whose account was not erased by its audit, as
    after a withdrawal, only the data were.
    """
    actions = (ERASED, ERASURE_BEGUN)
    query = "SELECT subject FROM audit WHERE action IN (?, ?)"
    accounts = {row[0] for row in _read_if_there(records_file, query, actions)}
    return {
        row[0]: ErasureScope.EVERYTHING if row[0] in accounts else ErasureScope.DATA
        for row in _read_if_there(beats_file, "SELECT subject_id FROM erased")
    }


def _removed(file: Path) -> list[tuple[str, str, int]]:
    return _read_if_there(file, "SELECT subject_id, stream_id, removed_ns FROM removed")


def _read_if_there(file: Path, query: str, values: tuple[str, ...] = ()) -> list[Any]:
    """The rows; none where the file is missing or damaged."""
    if not file.exists():
        return []
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute(query, values).fetchall()
    return []


def require_complete(folder: Path, names: list[str]) -> None:
    """Raises EbbtideError unless the backup is as it was when it was made."""
    expected = _manifest(folder)
    for name in names:
        copy = folder / name
        if name not in expected or not copy.is_file():
            raise EbbtideError(f"{folder} has no {name}.", "It is no whole backup.")
        if _hash(copy) != expected[name]:
            raise EbbtideError(
                f"{copy} is not as it was when it was made.", "Use another backup; this is damaged."
            )
        _check_files(copy)


def made_ns(folder: Path) -> int | None:
    """When a backup was made, by its own words; None where they say nothing."""
    try:
        made = datetime.fromisoformat(json.loads((folder / MANIFEST).read_text())["made"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return round(made.timestamp()) * 10**9


def _manifest(folder: Path) -> dict[str, str]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["format"] != _FORMAT:
            raise EbbtideError(
                f"{folder} is of format {manifest['format']}.",
                "Use the Ebbtide that made it, or newer.",
            )
        return {name: str(facts["sha256"]) for name, facts in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EbbtideError(f"{folder} is no backup of Ebbtide.", "Name its folder.") from error


def _check_files(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            (said,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise EbbtideError(f"{file} is damaged: {said}.", "Use an older backup.")


def _require_unused(file: Path) -> None:
    """Whoever has the file open in WAL mode holds a lock that an exclusive one does not get."""
    try:
        with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as db:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
            # Everything into the one file, so that what is put aside is whole.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise EbbtideError(
            f"{file} is in use ({error}).", "Stop ebbtide serve first, then restore."
        ) from error


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
