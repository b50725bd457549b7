"""A backup of servers, in the form of an embedded store, and its way back."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sqlalchemy import Engine, func, select

from ebbtide.errors import EbbtideError
from store.ledger import ErasureScope, LedgerContent
from store.maintenance.copy import CopyResult, Progress, compare_beats, copy_beats, copy_records
from store.maintenance.erase_from_copy import erase_from_copy
from store.maintenance.sqlite_backup import BackupResult, create_backup, require_complete
from store.models.records import ERASED, ERASURE_BEGUN
from store.protocols.beats import BeatStore
from store.sql.engine import sqlite_engine
from store.sql.tables.records import AuditRow, PersonRow
from store.sqlite.beats import SqliteBeatStore


def create_server_backup(
    beats: BeatStore,
    records: Engine,
    names: tuple[str, str],
    folder: Path,
    made: str,
    progress: Progress | None = None,
) -> BackupResult:
    """Copy everything into ``folder``, which must not exist yet; ``names`` of the files of beats
    and records, as in an embedded store.
    """
    if folder.exists():
        raise EbbtideError(f"{folder} is there already.", "Name a new folder.")
    working = folder.with_name(f"{folder.name}.being-made")
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir(mode=0o700, parents=True)
    covered = beats.begin_backup()
    try:
        files = [working / name for name in names]
        copy = SqliteBeatStore(files[0])
        engine = sqlite_engine(files[1])
        try:
            copy_beats(beats, copy, progress)
            copy_records(records, engine, progress)
            # Erased between the two copies: no beats may be left without a person.
            with engine.connect() as db:
                people = set(db.scalars(select(PersonRow.subject_id)))
            for subject in set(copy.subjects()) - people:
                copy.erase(subject)
        finally:
            copy.close()
            engine.dispose()
        made_backup = create_backup(files, folder, made)
        beats.finish_backup(covered)
        return made_backup
    finally:
        shutil.rmtree(working, ignore_errors=True)


def restore_server_backup(
    folder: Path,
    names: tuple[str, str],
    beats: BeatStore,
    records: Engine,
    progress: Progress | None = None,
    content: LedgerContent | None = None,
    parent: Path | None = None,
) -> tuple[CopyResult, int]:
    """Copy a backup to servers without any people, and compare; how many people whom ``content`` of
    the ledger names were left out. Raises EbbtideError otherwise. ``parent``: the folder in which
    copies are worked on; should the process be killed, they are there.
    """
    require_complete(folder, list(names))
    with records.connect() as db:
        people = db.scalar(select(func.count()).select_from(PersonRow))
    if people or beats.subjects():
        raise EbbtideError(
            "There are people in the stores that the settings name.",
            "Restore into an empty database, then name that one in the settings.",
        )
    if parent is not None:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Reading it would change its bytes.
    with tempfile.TemporaryDirectory(prefix="restoring.sqlite.", dir=parent) as working:
        files = [Path(shutil.copy(folder / name, working)) for name in names]
        refused = _erased_scopes(beats, records)
        erased = erase_from_copy(files[0], files[1], content or LedgerContent(), refused)
        found = move(files[0], files[1], beats, records, progress)
    beats.renew_generation()
    return found, erased


def _erased_scopes(beats: BeatStore, records: Engine) -> dict[str, ErasureScope]:
    query = select(AuditRow.subject).where(AuditRow.action.in_([ERASED, ERASURE_BEGUN]))
    with records.connect() as db:
        accounts = set(db.scalars(query))
    return {
        subject: ErasureScope.EVERYTHING if subject in accounts else ErasureScope.DATA
        for subject in beats.erased()
    }


def move(
    beats_file: Path,
    records_file: Path,
    beats: BeatStore,
    records: Engine,
    progress: Progress | None = None,
) -> CopyResult:
    """An embedded store to other stores; then both are read, compared and counted."""
    for file in (beats_file, records_file):
        if not file.is_file():
            raise EbbtideError(f"There is no store {file}.", "Is EBBTIDE_DATA_DIR right?")
    source = SqliteBeatStore(beats_file)
    engine = sqlite_engine(records_file)
    try:
        copied = copy_records(engine, records, progress)
        copied_beats = copy_beats(source, beats, progress)
        found = compare_beats(source, beats, progress)
        found.rows = copied.rows
        found.cleaned = {**copied.cleaned, **copied_beats.cleaned}
        return found
    finally:
        source.close()
        engine.dispose()
