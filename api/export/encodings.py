"""Tables as bytes, batch by batch: Arrow stream, Parquet, CSV, JSON pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ebbtide._lazy import lazy_module

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet
else:
    pa = lazy_module("pyarrow")
    pc = lazy_module("pyarrow.compute")
    parquet = lazy_module("pyarrow.parquet")


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

# Of the routes whose path ends in a form: its suffix, and its name in a sentence.
FILE_FORMS = (
    (Format.CSV, "csv", "CSV (RFC 4180)"),
    (Format.PARQUET, "parquet", "Parquet"),
    (Format.ARROW, "arrows", "an Arrow IPC stream"),
)

_ROW_GROUP = 2**18  # rows of Parquet
_LINES = 2**13  # of CSV, a MB
# ISO 8601 with all digits, which a cast to text gives with a blank in place of the T.
_ISO_8601 = "%Y-%m-%dT%H:%M:%S"
_SPECIAL = '[",\r\n]'  # what needs quotes in CSV (RFC 4180)


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
    elif form is Format.CSV:  # a whole day of beats would be many MB of text
        batches = (
            batch.slice(begin, _LINES)
            for batch in batches
            for begin in range(0, len(batch), _LINES)
        )
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
    """The rows of a batch, for JSON: timestamps as ISO 8601."""
    columns = [
        _format_timestamps(column) if pa.types.is_timestamp(column.type) else column
        for column in batch.columns
    ]
    return list(pa.RecordBatch.from_arrays(columns, names=batch.schema.names).to_pylist())


def encode_page(rows: list[dict[str, Any]], following: str | None, until: str) -> bytes:
    """Encode a page as JSON. ``until`` is the ``since`` of the next increment."""
    page = {"rows": rows, "next": following, "until": until}
    return json.dumps(page, separators=(",", ":"), allow_nan=False).encode()


def _format_timestamps(column: pa.Array) -> pa.Array:
    # Without a zone first: Arrow would look for the time zone data of the system.
    end = "" if column.type.tz is None else "Z"
    return pc.strftime(column.cast(pa.timestamp("ns")), format=_ISO_8601 + end)


class _CsvWriter:
    """Write lines of CSV that R, pandas, polars and DuckDB all read with the right types.

    Text is in quotes only where it needs them: Arrow's own writer puts quotes around all text, so
    that times and TRUE would be text to `data.table::fread`. Null is empty, an empty text is "".
    """

    def __init__(self, file: Any, schema: pa.Schema) -> None:
        self._file = file
        file.write((",".join(schema.names) + "\n").encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the lines of a batch."""
        columns = [_to_csv_text(column) for column in batch.columns]
        lines = pc.binary_join_element_wise(
            *columns, ",", null_handling="replace", null_replacement=""
        )
        self._file.write("".join(f"{line}\n" for line in lines.to_pylist()).encode())

    def close(self) -> None:
        """Do nothing: every line is written."""


def _to_csv_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _format_timestamps(column)
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "TRUE", "FALSE")
    if pa.types.is_dictionary(kind):
        words = _quote(column.dictionary)
        return pa.DictionaryArray.from_arrays(column.indices, words).dictionary_decode()
    if pa.types.is_string(kind):
        return _quote(column)
    return column.cast(pa.string())


def _quote(words: pa.Array) -> pa.Array:
    quoted = pc.binary_join_element_wise(
        '"', pc.replace_substring(words, pattern='"', replacement='""'), '"', ""
    )
    is_special = pc.or_(pc.match_substring_regex(words, pattern=_SPECIAL), pc.equal(words, ""))
    return pc.if_else(is_special, quoted, words)


def _parquet(file: Any, schema: pa.Schema) -> parquet.ParquetWriter:
    """Encode integers as differences: smaller, faster and in less memory than as dictionaries."""
    integers = [
        field.name
        for field in schema
        if pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type)
    ]
    return parquet.ParquetWriter(
        file,
        schema,
        compression="zstd",
        use_dictionary=[name for name in schema.names if name not in integers],
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    )


def _arrow(file: Any, schema: pa.Schema) -> Any:
    return pa.ipc.new_stream(file, schema)


_WRITERS: dict[Format, Callable[[Any, pa.Schema], Any]] = {
    Format.ARROW: _arrow,
    Format.PARQUET: _parquet,
    Format.CSV: _CsvWriter,
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
