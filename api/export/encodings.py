"""Tables as bytes, batch by batch: Arrow stream, Parquet, CSV, JSON pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet
from starlette_compress import add_compress_type


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

for _kind in ("text/csv", "application/vnd.apache.arrow.stream"):
    add_compress_type(_kind)  # Parquet is compressed already


def encode_table(
    form: Format, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[bytes]:
    """The bytes of a table in a form other than JSON, as they come."""
    taken = _ChunkBuffer()
    file = pa.PythonFile(taken, mode="w")
    writer = _WRITERS[form](file, schema)
    yield from taken.all()
    if form is Format.PARQUET:
        batches = _grouped(batches)
    elif form is Format.CSV:
        batches = _in_text(batches)
    for batch in batches:
        writer.write(batch)
        yield from taken.all()
    writer.close()
    yield from taken.all()


def _grouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Row groups of some size: Parquet lists each at the end, and holds the list until then."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= _ROW_GROUP:
            yield pa.Table.from_batches(waiting).unify_dictionaries()
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting).unify_dictionaries()


def plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a batch for JSON."""
    return list(batch.to_pylist())


def encode_page(rows: list[dict[str, Any]], following: str | None, until: str) -> bytes:
    """A page of JSON. ``until`` is the ``since`` of the next increment."""
    words = {"rows": rows, "next": following, "until": until}
    return json.dumps(words, separators=(",", ":"), allow_nan=False).encode()


def _in_text(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A day at once would be many MB of text."""
    for batch in batches:
        for begin in range(0, len(batch), _LINES):
            yield _plain(batch.slice(begin, _LINES))


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """CSV knows no dictionaries."""
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
    """Whole numbers as differences: smaller, faster and in less memory than as dictionaries."""
    whole = [field.name for field in schema if pa.types.is_integer(field.type)]
    return parquet.ParquetWriter(
        file,
        schema,
        compression="zstd",
        use_dictionary=[name for name in schema.names if name not in whole],
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
    )


_WRITERS: dict[Format, Callable[[Any, pa.Schema], Any]] = {
    Format.ARROW: pa.ipc.new_stream,
    Format.PARQUET: _parquet,
    Format.CSV: lambda file, schema: csv.CSVWriter(file, _plain_schema(schema)),
}


class _ChunkBuffer:
    """A file that is taken away as it is written."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._at = 0
        self.closed = False

    def all(self) -> Iterator[bytes]:
        """What was written since the last time."""
        if self._bytes:
            found = bytes(self._bytes)
            self._bytes.clear()
            yield found

    def write(self, data: Any) -> int:
        """As a file does."""
        size = memoryview(data).nbytes
        self._bytes += data
        self._at += size
        return size

    def tell(self) -> int:
        """How much was written in all."""
        return self._at

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing more is written."""
        self.closed = True

    def readable(self) -> bool:
        """It is not."""
        return False

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """What was taken away cannot be changed."""
        return False
