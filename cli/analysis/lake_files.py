"""A data lake of tables: partitioned Parquet in a folder or an object store.

``TABLE/bucket=07/month=2019-03/rows.parquet``: a person is in one bucket of each table, by a hash
of the pseudonym. A run replaces each partition whose rows changed as one file, and deletes those
that no longer have any. A reader sees each file whole; while a run goes on, or after one that was
stopped, those of a table may be of two runs, until the next run ends.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.analysis.lake_spool import FILE, Spool
from cli.analysis.lake_storage import Storage
from ebbtide.errors import EbbtideError

_STATE, _COLUMNS = "_lake.json", "_columns.json"
_VERSION = 1


@dataclass(slots=True)
class LakeRun:
    """What a run did to a table: partitions written anew, deleted, and left as they were."""

    rows: int = 0
    written: int = 0
    deleted: int = 0
    unchanged: int = 0


@contextmanager
def open_lake(address: str, account: str, buckets: int) -> Iterator[Lake]:
    """The lake of one account at ``address``: a path, or a URI such as ``s3://bucket/lake``.

    In a folder it is this run's alone until it is closed. Raises EbbtideError where it cannot be
    opened, is another account's, or another run writes into it.
    """
    storage = Storage(address)
    _refuse_others(storage)  # before anything is put into a folder that is no lake
    with storage.locked():
        yield Lake(storage, account, buckets)


class Lake:
    """The tables of one account: see `open_lake`."""

    def __init__(self, storage: Storage, account: str, buckets: int) -> None:
        self.address = storage.address
        self._storage = storage
        self._account, self._buckets = account, buckets
        self._partitions: dict[str, dict[str, str]] = {}
        self._has_state = False
        self._open()

    def written_tables(self, tables: Iterable[str]) -> list[str]:
        """Which of the tables the lake has files of."""
        return [table for table in tables if self._storage.sizes(table)]

    def replace_table(self, table: str, batches: Iterable[pa.RecordBatch], time: str) -> LakeRun:
        """Write a table in place of what there is of it. ``time``: its column of ns, if it has one.

        Nothing is changed where the batches end with an error.
        """
        done = LakeRun()
        with tempfile.TemporaryDirectory(
            prefix="ebbtide-lake-", dir=self._storage.spool_folder()
        ) as folder:
            spool = Spool(Path(folder), self._buckets, time)
            for batch in batches:
                with _spooling(folder):
                    spool.add(batch)
                done.rows += batch.num_rows
            self._write_partitions(table, spool, done)
        return done

    def _write_partitions(self, table: str, spool: Spool, done: LakeRun) -> None:
        before, after = self._partitions.get(table, {}), dict[str, str]()
        there = self._storage.sizes(table)
        names = spool.partitions()
        # What went first, by what is there: of a run that was stopped, the state knows less.
        for path in sorted(set(there) - {f"{table}/{name}/{FILE}" for name in names}):
            self._forget(table)
            self._storage.delete(path)
            done.deleted += 1
        for name in names:
            with _spooling(str(spool.folder)):
                file = spool.write(name)
                after[name] = _hash(file)
            path = f"{table}/{name}/{FILE}"
            if before.get(name) == after[name] and there.get(path) == file.stat().st_size:
                done.unchanged += 1
            else:
                self._forget(table)
                self._storage.put(file, path)
                done.written += 1
            file.unlink()
        self._partitions[table] = after
        self._write_state()

    def _forget(self, table: str) -> None:
        """Let the state claim nothing of a table before the first of its files changes: a run that
        is stopped leaves files that the next one must not take for those of an earlier one. The
        files of a first run need a state too, or they are taken for another program's.
        """
        if self._partitions.pop(table, None) is not None or not self._has_state:
            self._write_state()

    def clear(self, tables: Iterable[str]) -> int:
        """Delete all rows of these tables."""
        return sum(self.replace_table(table, (), "").deleted for table in tables)

    def describe(self, columns: dict[str, Any]) -> None:
        """Write what the columns mean."""
        self._write_json(columns, _COLUMNS, indent=2)

    def _open(self) -> None:
        """Read the hash of each partition by table. Raises EbbtideError for another lake."""
        content = self._storage.read(_STATE)
        if content is None:
            return
        state = _parse(content)
        if isinstance(state, dict) and state.get("version") not in (None, _VERSION):
            raise EbbtideError(
                f"{self.address} is a lake of another version of Ebbtide.", "Name a new folder."
            )
        if not _is_state(state):
            raise EbbtideError(
                f"{_STATE} in {self.address} is not as Ebbtide writes it.",
                "Name a new folder, and delete this lake: its rows can no longer be renewed.",
            )
        if state["account"] != self._account:
            raise EbbtideError(
                f"{self.address} is the lake of another account, whose pseudonyms are others.",
                "Name a folder of your own.",
            )
        if state["buckets"] != self._buckets:
            raise EbbtideError(
                f"{self.address} has {state['buckets']} buckets, and not {self._buckets}.",
                f"Use: --buckets {state['buckets']}, or name a new folder.",
            )
        self._partitions, self._has_state = state["partitions"], True

    def _write_state(self) -> None:
        state = {
            "version": _VERSION,
            "account": self._account,
            "buckets": self._buckets,
            "partitions": self._partitions,
        }
        self._write_json(state, _STATE)
        self._has_state = True

    def _write_json(self, content: Any, name: str, indent: int | None = None) -> None:
        text = json.dumps(content, indent=indent, ensure_ascii=False)
        self._storage.write(f"{text}\n".encode(), name)


def _refuse_others(storage: Storage) -> None:
    names = storage.names()
    if names and _STATE not in names:
        raise EbbtideError(
            f"{storage.address} holds other files and no lake of Ebbtide.", "Name an empty folder."
        )


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:  # UnicodeDecodeError too
        return None


def _is_state(state: Any) -> bool:
    """Whether it has the shape of a state of this version."""
    return (
        isinstance(state, dict)
        and state.get("version") == _VERSION
        and isinstance(state.get("account"), str)
        and isinstance(state.get("buckets"), int)
        and isinstance(state.get("partitions"), dict)
        and all(
            isinstance(hashes, dict) and all(isinstance(one, str) for one in hashes.values())
            for hashes in state["partitions"].values()
        )
    )


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _spooling(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EbbtideError(
            f"Rows cannot be held in {folder}: {error}.",
            "Free some space, or for an object store name another folder in TMPDIR.",
        ) from error
