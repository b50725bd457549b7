"""Rows of a table by partition while they arrive, in memory and in temporary files."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

FILE = "rows.parquet"
_HELD_BYTES = 64_000_000  # of rows in memory, before they go to a temporary file
_GROUP_ROWS = 131_072
_MONTHS = 100_000  # more than there are since 1970
_NO_MONTH = "all"  # of a table without a time


@dataclass(slots=True)
class Spool:
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
        target = self.folder / "rows"
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
