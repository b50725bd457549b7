"""Tables as bytes, batch by batch: Arrow stream, Parquet, CSV, JSON pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet


class Format(StrEnum):
    """In which form."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.stream",
}


_ROW_GROUP = 2**18  # rows of Parquet
_LINES = 2**13  # of CSV, a MB


def encode_table(
    form: Format, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[bytes]:
    """Encode a table in a form other than JSON, in chunks as the batches come."""
    buffer = _ChunkBuffer()
    file = pa.PythonFile(buffer, mode="w")
    writer = _WRITERS[form](file, schema)
    yield from buffer.take()
    if form is Format.PARQUET:
        batches = _group_rows(batches)
    elif form is Format.CSV:
        batches = _split_for_csv(batches)
    for batch in batches:
        writer.write(batch)
        yield from buffer.take()
    writer.close()
    yield from buffer.take()


def _group_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Collect batches into row groups: Parquet keeps a record of each in memory until the end."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        pending.append(batch)
        if sum(map(len, pending)) >= _ROW_GROUP:
            yield pa.Table.from_batches(pending).unify_dictionaries()
            pending = []
    if pending:
        yield pa.Table.from_batches(pending).unify_dictionaries()


def plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a batch, for JSON."""
    return list(batch.to_pylist())


def encode_page(rows: list[dict[str, Any]], following: str | None, until: str) -> bytes:
    """Encode a page as JSON. ``until`` is the ``since`` of the next increment."""
    page = {"rows": rows, "next": following, "until": until}
    return json.dumps(page, separators=(",", ":"), allow_nan=False).encode()


def _split_for_csv(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Split batches: a whole day of beats would be many MB of text."""
    for batch in batches:
        for begin in range(0, len(batch), _LINES):
            yield _plain(batch.slice(begin, _LINES))


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Decode dictionaries, which CSV does not have."""
    return pa.RecordBatch.from_arrays(
        [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            for column in batch.columns
        ],
        schema=_plain_schema(batch.schema),
    )


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [
            pa.field(field.name, field.type.value_type)
            if pa.types.is_dictionary(field.type)
            else field
            for field in schema
        ]
    )


def _parquet(file: Any, schema: pa.Schema) -> parquet.ParquetWriter:
    """Encode integers as differences: smaller, faster and in less memory than as dictionaries."""
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    return parquet.ParquetWriter(
        file,
        schema,
        compression="zstd",
        use_dictionary=[name for name in schema.names if name not in integers],
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    )


_WRITERS: dict[Format, Callable[[Any, pa.Schema], Any]] = {
    Format.ARROW: pa.ipc.new_stream,
    Format.PARQUET: _parquet,
    Format.CSV: lambda file, schema: csv.CSVWriter(file, _plain_schema(schema)),
}


class _ChunkBuffer:
    """A file in memory from which chunks are taken as they are written."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._at = 0
        self.closed = False

    def take(self) -> Iterator[bytes]:
        """The bytes written since the last call."""
        if self._bytes:
            chunk = bytes(self._bytes)
            self._bytes.clear()
            yield chunk

    def write(self, data: Any) -> int:
        """Append bytes; returns how many."""
        size = memoryview(data).nbytes
        self._bytes += data
        self._at += size
        return size

    def tell(self) -> int:
        """How many bytes were written in all."""
        return self._at

    def flush(self) -> None:
        """Do nothing: there is no disk behind it."""

    def close(self) -> None:
        """Mark as closed."""
        self.closed = True

    def readable(self) -> bool:
        """False."""
        return False

    def writable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """False: chunks that were taken cannot be changed."""
        return False
