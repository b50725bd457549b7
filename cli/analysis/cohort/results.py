"""Where results go: files of Parquet that appear whole, and one that says that all are there.

``hrv/bucket=07/group=0003/rows.parquet`` has the rows of some people, ``link_cohort/rows.parquet``
those of all together. ``_hrv.json`` is written last: without it the folder is not complete.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from cli.analysis.cohort.storage import open_address
from ebbtide.errors import EbbtideError

_PART = ".part"


class Results:
    """The folder or address of results. Raises EbbtideError where it cannot be opened."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._fs, self._root = open_address(address)
        self._is_local = isinstance(self._fs, fs.LocalFileSystem)

    def begin(self, what: str) -> None:
        """Delete earlier results of ``what``: who took consent back since may be in them.

        Raises EbbtideError where the folder holds anything else than results.
        """
        selector = fs.FileSelector(self._root, allow_not_found=True)
        names = [info.base_name for info in self._fs.get_file_info(selector)]
        known = {f"{kind}{end}" for kind in KINDS for end in ("", "_cohort")}
        known |= {_commit_name(kind) for kind in KINDS}
        if any(name not in known and not name.startswith(".") for name in names):
            raise EbbtideError(
                f"{self.address} holds other files and no results of ebbtide cohort.",
                "Name another folder: --out FOLDER",
            )
        self.clear(what)

    def clear(self, what: str) -> None:
        """Delete all results of ``what``."""
        commit = f"{self._root}/{_commit_name(what)}"
        if self._fs.get_file_info(commit).type == fs.FileType.File:
            self._fs.delete_file(commit)
        for folder in (what, f"{what}_cohort"):
            if self._fs.get_file_info(f"{self._root}/{folder}").type == fs.FileType.Directory:
                self._fs.delete_dir(f"{self._root}/{folder}")

    def commit(self, what: str, found: dict[str, Any]) -> None:
        """Say that all is there, after deleting what workers that were killed left half written."""
        selector = fs.FileSelector(f"{self._root}/{what}", allow_not_found=True, recursive=True)
        for info in self._fs.get_file_info(selector):
            if info.path.endswith(_PART):
                self._fs.delete_file(info.path)
        with self._writing(_commit_name(what)) as out:
            out.write(f"{json.dumps(found, indent=1, ensure_ascii=False)}\n".encode())

    @contextmanager
    def writer(self, name: str, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
        """A file of rows that appears once all of them are written, in place of one of its name."""
        with (
            self._writing(name) as out,
            pq.ParquetWriter(out, schema, compression="zstd") as writer,
        ):
            yield writer

    @contextmanager
    def _writing(self, name: str) -> Iterator[Any]:
        """An object appears whole by itself, a file of a disk by its new name. The name before is
        one of its own: of a worker that was believed dead, the other may write the same.
        """
        target = f"{self._root}/{name}"
        begun = f"{target}.{uuid.uuid4().hex}{_PART}" if self._is_local else target
        try:
            if self._is_local:
                self._fs.create_dir(target.rpartition("/")[0], recursive=True)
            with self._fs.open_output_stream(begun) as out:
                yield out
            if self._is_local:
                self._fs.move(begun, target)
        except OSError as error:
            if self._is_local:
                with suppress(OSError):
                    self._fs.delete_file(begun)
            raise EbbtideError(
                f"{name} cannot be written to {self.address}: {error}.",
                "Let this user write there, or free some space.",
            ) from error


KINDS = ("hrv", "link", "practice")


def _commit_name(what: str) -> str:
    return f"_{what}.json"
