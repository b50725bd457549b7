"""The tables of a lake, read a few people at a time.

People are in a file in the order of their pseudonyms, so that the statistics of its row groups say
which of them to read: memory does not grow with the people of a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cli.analysis.cohort.storage import FILE, STATE, VERSION, open_address
from ebbtide.errors import EbbtideError

_BATCH_ROWS = 65_536


class BrokenPartitionError(Exception):
    """A file of the lake that cannot be read. ``partition``: ``beats/bucket=03/month=2026-01``."""

    def __init__(self, partition: str, why: str) -> None:
        super().__init__(partition, why)
        self.partition, self.why = partition, why


@dataclass(slots=True)
class LakeTables:
    """The lake at ``address``, as its state says it. Raises EbbtideError where there is none."""

    address: str
    _state: dict[str, Any] = field(init=False)
    _fs: Any = field(init=False)
    _root: str = field(init=False)

    def __post_init__(self) -> None:
        """Open it."""
        self._fs, self._root = open_address(self.address)
        self._state = self.read_state()

    def read_state(self) -> dict[str, Any]:
        """Read what the lake says of itself now."""
        try:
            with self._fs.open_input_stream(f"{self._root}/{STATE}") as file:
                found: dict[str, Any] = json.loads(file.read())
        except FileNotFoundError as error:
            raise EbbtideError(
                f"{self.address} holds no lake of Ebbtide.", "Write one: ebbtide lake FOLDER"
            ) from error
        except (OSError, ValueError) as error:
            raise EbbtideError(
                f"{self.address} cannot be opened: {error}.",
                "Check the address and what may open it.",
            ) from error
        if found.get("version") != VERSION or "partitions" not in found:
            raise EbbtideError(
                f"{self.address} is a lake of another version of Ebbtide.",
                "Write it anew with this one: ebbtide lake FOLDER",
            )
        return found

    def require(self, tables: Iterable[str]) -> None:
        """Raise EbbtideError where one of these tables is not there as a whole."""
        for table in tables:
            if table not in self._state["partitions"]:
                raise EbbtideError(
                    f"{self.address} has no whole table {table}: it was never written, or its "
                    "writing was stopped.",
                    f"Write it: ebbtide lake FOLDER --table {table}",
                )

    def fingerprint(self, tables: Iterable[str]) -> str:
        """Name the content of these tables, by the hashes of their files."""
        partitions = self._state["partitions"]
        words = json.dumps({name: partitions.get(name) for name in tables}, sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()

    def buckets(self, tables: Iterable[str]) -> list[str]:
        """The buckets that have rows of one of these tables: ``bucket=03``."""
        partitions = self._state["partitions"]
        return sorted({one.split("/")[0] for name in tables for one in partitions.get(name, ())})

    def open_bucket(self, table: str, bucket: str) -> list[Partition]:
        """The partitions of a bucket, by time."""
        names = self._state["partitions"].get(table, ())
        mine = sorted(name for name in names if name.startswith(f"{bucket}/"))
        return [
            Partition(self._fs, f"{self._root}/{table}/{name}/{FILE}", f"{table}/{name}")
            for name in mine
        ]


# Not slots: the opened file is kept as long as the partition is used.
@dataclass(frozen=True)
class Partition:
    """A file of Parquet with the rows of some people in a month."""

    _fs: Any
    _path: str
    name: str

    @cached_property
    def _file(self) -> pq.ParquetFile:
        source = self._fs.open_input_file(self._path)
        return pq.ParquetFile(source, read_dictionary=["person"], pre_buffer=False)

    def people(self) -> dict[str, int]:
        """Everybody in it, and how many rows they have."""
        found: dict[str, int] = {}
        for batch in self._batches(["person"], None, None):
            for one in batch.column("person").value_counts().to_pylist():
                found[one["values"]] = found.get(one["values"], 0) + one["counts"]
        return found

    def rows_of(
        self, people: Sequence[str], needed: Sequence[str], optional: Sequence[str] = ()
    ) -> Iterator[pa.RecordBatch]:
        """The rows of these people, in batches. ``optional``: columns that may be missing."""
        columns = ["person", *needed, *(name for name in optional if self._has(name))]
        wanted = pa.array(sorted(people), pa.string())
        for batch in self._batches(columns, min(people), max(people)):
            inside = pc.is_in(pc.cast(batch.column("person"), pa.string()), value_set=wanted)
            chosen = batch.filter(inside)
            if chosen.num_rows:
                yield chosen

    def _has(self, column: str) -> bool:
        try:
            return column in self._file.schema_arrow.names
        except (OSError, pa.ArrowException) as error:
            raise BrokenPartitionError(self.name, _first_line(error)) from error

    def _batches(
        self, columns: list[str], first: str | None, last: str | None
    ) -> Iterator[pa.RecordBatch]:
        missing = [name for name in columns if not self._has(name)]
        if missing:
            raise BrokenPartitionError(
                self.name,
                f"it has no column {', '.join(missing)}: another version of Ebbtide wrote it",
            )
        try:
            groups = [
                number
                for number in range(self._file.num_row_groups)
                if first is None or self._may_have(number, first, str(last))
            ]
            if groups:
                yield from self._file.iter_batches(
                    _BATCH_ROWS, row_groups=groups, columns=columns, use_threads=False
                )
        except (OSError, pa.ArrowException) as error:
            raise BrokenPartitionError(self.name, _first_line(error)) from error

    def _may_have(self, group: int, first: str, last: str) -> bool:
        place = self._file.schema_arrow.names.index("person")
        known = self._file.metadata.row_group(group).column(place).statistics
        if known is None or not known.has_min_max:
            return True
        return bool(known.min <= last and known.max >= first)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
