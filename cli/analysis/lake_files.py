"""A data lake of tables: partitioned Parquet in a folder or an object store.

``TABLE/bucket=07/month=2019-03/rows.parquet``: a person is in one bucket of each table, by a hash
of the pseudonym. A run replaces each partition whose rows changed as one file, and deletes those
that no longer have any, so that a reader never sees a row twice or one that was taken back.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import fs

from ebbtide._files import make_private_folder
from ebbtide.errors import EbbtideError

_STATE, _COLUMNS = "_lake.json", "_columns.json"
_FILE = "rows.parquet"
_HELD_BYTES = 64_000_000  # of rows in memory, before they go to a temporary file
_GROUP_ROWS = 131_072
_MONTHS = 100_000  # more than there are since 1970
_NO_MONTH = "all"  # of a table without a time
_VERSION = 1


@dataclass(slots=True)
class LakeRun:
    """What a run did to a table: partitions written anew, deleted, and left as they were."""

    rows: int = 0
    written: int = 0
    deleted: int = 0
    unchanged: int = 0


class Lake:
    """The tables of one account at ``address``: a path, or a URI such as ``s3://bucket/lake``.

    Raises EbbtideError where it cannot be opened, or is another account's.
    """

    def __init__(self, address: str, account: str, buckets: int) -> None:
        self.address = address
        self._fs, self._root = _open(address)
        if isinstance(self._fs, fs.LocalFileSystem):
            make_private_folder(Path(self._root))
        try:
            self._require_bucket()
            state = self._read_state()
            names = self._names()
        except OSError as error:
            raise EbbtideError(
                f"{address} cannot be opened: {error}.", "Check the address and what may open it."
            ) from error
        self._check(state, names, account, buckets)
        self._partitions: dict[str, dict[str, str]] = state.get("partitions", {})
        self._account, self._buckets = account, buckets

    def _check(self, state: dict[str, Any], names: list[str], account: str, buckets: int) -> None:
        if not state:
            if any(not name.startswith(".") for name in names):
                raise EbbtideError(
                    f"{self.address} holds other files and no lake of Ebbtide.",
                    "Name an empty folder.",
                )
            return
        if state.get("version") != _VERSION:
            raise EbbtideError(
                f"{self.address} is a lake of another version of Ebbtide.", "Name a new folder."
            )
        if state["account"] != account:
            raise EbbtideError(
                f"{self.address} is the lake of another account, whose pseudonyms are others.",
                "Name a folder of your own.",
            )
        if state["buckets"] != buckets:
            raise EbbtideError(
                f"{self.address} has {state['buckets']} buckets, and not {buckets}.",
                f"Use: --buckets {state['buckets']}, or name a new folder.",
            )

    def replace_table(self, table: str, batches: Iterable[pa.RecordBatch], time: str) -> LakeRun:
        """Write a table in place of what there is of it. ``time``: its column of ns, if it has one.

        Nothing is changed where the batches end with an error.
        """
        done = LakeRun()
        before = self._partitions.get(table, {})
        after: dict[str, str] = {}
        with tempfile.TemporaryDirectory(prefix="ebbtide-lake-") as folder:
            spool = _Spool(Path(folder), self._buckets, time)
            for batch in batches:
                spool.add(batch)
                done.rows += batch.num_rows
            there = self._files_of(table)
            for name in spool.partitions():
                file = spool.write(name)
                after[name] = hashlib.sha256(file.read_bytes()).hexdigest()
                path = f"{table}/{name}/{_FILE}"
                if before.get(name) == after[name] and path in there:
                    done.unchanged += 1
                else:
                    self._forget(table)
                    self._put(file, path)
                    done.written += 1
                file.unlink()
        # By what is there: of a run that was stopped, the state knows less.
        kept = {f"{table}/{name}/{_FILE}" for name in after}
        for path in sorted(there - kept):
            self._forget(table)
            self._delete(path)
            done.deleted += 1
        self._partitions[table] = after
        self._write_state()
        return done

    def _forget(self, table: str) -> None:
        """Let the state claim nothing of a table before the first of its files changes: a run that
        is stopped leaves files that the next one must not take for those of an earlier one.
        """
        if self._partitions.pop(table, None) is not None:
            self._write_state()

    def clear(self, tables: Iterable[str]) -> int:
        """Delete all rows of these tables."""
        return sum(self.replace_table(table, (), "").deleted for table in tables)

    def describe(self, columns: dict[str, Any]) -> None:
        """Write what the columns mean."""
        self._put_text(json.dumps(columns, indent=2, ensure_ascii=False), _COLUMNS)

    def _names(self) -> list[str]:
        selector = fs.FileSelector(self._root, allow_not_found=True)
        return [info.base_name for info in self._fs.get_file_info(selector)]

    def _require_bucket(self) -> None:
        bucket = self._root.split("/", 1)[0]  # empty on a disk
        if bucket and self._fs.get_file_info(bucket).type == fs.FileType.NotFound:
            raise OSError(f"there is no bucket {bucket}")

    def _files_of(self, table: str) -> set[str]:
        selector = fs.FileSelector(f"{self._root}/{table}", allow_not_found=True, recursive=True)
        found = self._fs.get_file_info(selector)
        begin = len(self._root) + 1
        return {info.path[begin:] for info in found if info.type == fs.FileType.File}

    def _is_there(self, name: str) -> bool:
        return bool(self._fs.get_file_info(f"{self._root}/{name}").type == fs.FileType.File)

    def _read_state(self) -> dict[str, Any]:
        if not self._is_there(_STATE):
            return {}
        try:
            with self._fs.open_input_stream(f"{self._root}/{_STATE}") as file:
                found: dict[str, Any] = json.loads(file.read())
                return found
        except (OSError, ValueError) as error:
            raise EbbtideError(
                f"{_STATE} in {self.address} cannot be read: {error}.", "Name a new folder."
            ) from error

    def _write_state(self) -> None:
        state = {
            "version": _VERSION,
            "account": self._account,
            "buckets": self._buckets,
            "partitions": self._partitions,
        }
        self._put_text(json.dumps(state), _STATE)

    def _put_text(self, text: str, name: str) -> None:
        with self._writing(name) as out:
            out.write(f"{text}\n".encode())

    def _put(self, file: Path, name: str) -> None:
        with self._writing(name) as out, file.open("rb") as source:
            while chunk := source.read(1 << 20):
                out.write(chunk)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Any]:
        """A file that appears whole: an object does by itself, one of a disk by its new name."""
        target = f"{self._root}/{name}"
        local = isinstance(self._fs, fs.LocalFileSystem)
        try:
            if local:
                self._fs.create_dir(target.rpartition("/")[0], recursive=True)
            with self._fs.open_output_stream(f"{target}.part" if local else target) as out:
                yield out
            if local:
                self._fs.move(f"{target}.part", target)
        except OSError as error:
            raise EbbtideError(
                f"{name} cannot be written to {self.address}: {error}.",
                "Let this user write there, or free some space.",
            ) from error

    def _delete(self, name: str) -> None:
        target = f"{self._root}/{name}"
        if not self._is_there(name):
            return
        self._fs.delete_file(target)
        # The folders too: stores keep an empty object in the place of each.
        for folder in (target.rsplit("/", 1)[0], target.rsplit("/", 2)[0]):
            if not self._fs.get_file_info(fs.FileSelector(folder, allow_not_found=True)):
                self._fs.delete_dir(folder)


@dataclass(slots=True)
class _Spool:
    """Rows by partition while they arrive, of which no more than 64 MB stay in memory."""

    folder: Path
    buckets: int
    time: str
    _held: dict[str, list[pa.RecordBatch]] = field(default_factory=dict)
    _files: dict[str, list[Path]] = field(default_factory=dict)
    _bytes: int = 0
    _count: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows apart."""
        if not batch.num_rows:
            return
        keys = self._keys(batch)
        batch = _plain(batch)
        for key in np.unique(keys).tolist():
            inside = np.flatnonzero(keys == key)
            rows = batch if len(inside) == len(keys) else batch.take(pa.array(inside))
            self._held.setdefault(self._name(key), []).append(rows)
            self._bytes += rows.nbytes
        if self._bytes > _HELD_BYTES:
            self._flush()

    def _keys(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """A number for the partition of each row: of the bucket and the month."""
        person = batch.column("person")
        if not pa.types.is_dictionary(person.type):
            person = person.dictionary_encode()
        names = person.dictionary.to_pylist()
        buckets = [zlib.crc32(name.encode()) % self.buckets for name in names]
        of_person = np.asarray(person.indices, dtype=np.int64)
        keys: NDArray[np.int64] = np.array(buckets, dtype=np.int64)[of_person] * _MONTHS
        if self.time:
            times = batch.column(self.time).to_numpy().astype("datetime64[ns]")
            keys += times.astype("datetime64[M]").astype(np.int64)
        return keys

    def _name(self, key: int) -> str:
        bucket, month = divmod(key, _MONTHS)
        words = str(np.datetime64(month, "M")) if self.time else _NO_MONTH
        return f"bucket={bucket:02}/month={words}"

    def _flush(self) -> None:
        for name, batches in self._held.items():
            path = self.folder / f"{self._count}.arrow"
            self._count += 1
            with pa.ipc.new_stream(path, batches[0].schema) as out:
                for batch in batches:
                    out.write_batch(batch)
            self._files.setdefault(name, []).append(path)
        self._held, self._bytes = {}, 0

    def partitions(self) -> list[str]:
        """The partitions that have rows."""
        return sorted({*self._held, *self._files})

    def write(self, name: str) -> Path:
        """Write the rows of a partition as one file of Parquet, in the order in which they came."""
        target = self.folder / _FILE
        writer: pq.ParquetWriter | None = None
        waiting: list[pa.RecordBatch] = []
        for batch in self._of(name):
            if writer is None:
                writer = pq.ParquetWriter(target, batch.schema, compression="zstd")
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if writer is not None:
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting))
            writer.close()
        return target

    def _of(self, name: str) -> Iterator[pa.RecordBatch]:
        for path in self._files.pop(name, []):
            with pa.ipc.open_stream(path) as reader:
                yield from reader
            path.unlink()
        yield from self._held.pop(name, [])


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Words as words: the dictionaries of two batches differ."""
    columns = [
        pc.cast(column, column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    fields = [
        item.with_type(column.type) for item, column in zip(batch.schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def _open(address: str) -> tuple[fs.FileSystem, str]:
    """The file system of an address, and the path in it. Raises EbbtideError."""
    if "://" not in address:
        return fs.LocalFileSystem(), str(Path(address).expanduser().resolve())
    try:
        system, root = fs.FileSystem.from_uri(address)
        return system, root.rstrip("/")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        fault: Exception = error
    try:
        import fsspec  # not installed with Ebbtide: of stores that Arrow does not know

        system, root = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError, OSError) as error:
        raise EbbtideError(
            f"{address} cannot be opened: {fault}.",
            "Name a folder, s3://bucket/path or gs://bucket/path; for other stores install fsspec "
            "and the store's package beside it.",
        ) from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), root.rstrip("/")
