"""The file formats that can be read, and the one way to open a file of any of them.

To add a format: write a module with a ``FORMAT`` and add it to ``FORMATS``. The tests of
``tests/ingest/files/test_formats.py`` then run on it.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ebbtide.errors import EbbtideError
from ingest.files import (
    apple_health,
    edf,
    fit,
    kubios,
    polar_hrm,
    polar_json,
    rr_text,
    timed_text,
    watch_json,
)
from ingest.files.choices import rename_file
from ingest.files.other_files import refuse_other, refuse_other_table
from ingest.files.recording import FileFormat, ReadContext, RecordedFile
from ingest.files.start_time import time_in_name
from ingest.files.streams import rereadable

_HEAD_BYTES = 4096
_MAX_UNPACKED = 200_000_000
_MAX_DEPTH = 2  # zips within each other

# The first that matches is taken; RR text, the last, matches every file.
FORMATS: list[FileFormat] = [
    fit.FORMAT,
    edf.FORMAT,
    apple_health.FORMAT,
    kubios.FORMAT,
    polar_hrm.FORMAT,
    polar_json.FORMAT,
    watch_json.FORMAT,
    timed_text.FORMAT,
    rr_text.FORMAT,
]


def find_format(path: Path) -> FileFormat:
    """The format of ``path``, by its first 4096 bytes. Raises EbbtideError if unreadable.

    A pipe is read to its end for it, and nothing of it is left.
    """
    with rereadable(path) as file:
        return _format_of(_head(file))


def _format_of(head: bytes) -> FileFormat:
    return next(file_format for file_format in FORMATS if file_format.matches(head))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error


def _find_readable(path: Path, column: str | None) -> FileFormat:
    """The format, once the file is none that holds no beats. Raises EbbtideError where it is."""
    head = _head(path)
    refuse_other(path, head)
    found = _format_of(head)
    if column is None and found in (timed_text.FORMAT, rr_text.FORMAT):
        refuse_other_table(path, head)
    return found


def open_recording(
    path: Path,
    *,
    zone: str | None,
    start_ns: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    column: str | None = None,
    unit: str | None = None,
    decimal: str | None = None,
) -> RecordedFile:
    """Read the recordings in ``path``, or in the one file of a zip. ``-`` is standard input.

    ``zone``: of times without an offset, None where none is given. ``start_ns``: when a recording
    without times began; by default the time in the file's name. ``column``, ``unit``, ``decimal``:
    of a text file, where its own words and numbers leave two readings. Raises EbbtideError, saying
    what to do, when nothing can be read.
    """
    if decimal not in (None, ".", ","):
        raise EbbtideError(f"'{decimal}' is no decimal mark.", "Give --decimal . or --decimal ,")
    context = ReadContext(
        zone or "UTC", start_ns, on_progress, zone is not None, column, unit, decimal
    )
    with rereadable(path) as file:
        return _read_file(file, context, column)


def _read_file(
    path: Path, context: ReadContext, column: str | None, depth: int = 0
) -> RecordedFile:
    found = _find_readable(path, column)
    member = _single_member(path, depth)
    if member is None:
        return found.read(path, context)
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder) / PurePosixPath(member.filename).name
        try:
            with (
                zipfile.ZipFile(path) as archive,
                archive.open(member) as packed,
                inner.open("wb") as unpacked,
            ):
                shutil.copyfileobj(packed, unpacked)
        except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
            raise EbbtideError(
                f"{member.filename} in {path} cannot be unpacked: {error}.", "Unpack it yourself."
            ) from error
        start_ns = context.start_ns
        if start_ns is None:  # the name of the zip may have the time that the inner name lacks
            start_ns = time_in_name(inner.name, context.zone)
            if start_ns is None:
                start_ns = time_in_name(path.name, context.zone)
        context = replace(context, start_ns=start_ns, on_progress=None)
        try:
            return _read_file(inner, context, column, depth + 1)
        except EbbtideError as error:
            raise rename_file(error, str(inner), f"{inner.name} in {path}") from error


def _single_member(path: Path, depth: int) -> zipfile.ZipInfo | None:
    """The one file in a zip that is no Health export, or a zip itself; None for any other file."""
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                item
                for item in archive.infolist()
                if not item.is_dir()
                and not item.filename.startswith("__MACOSX/")
                and not PurePosixPath(item.filename).name.startswith(".")
            ]
    except zipfile.BadZipFile:
        return None
    if len(members) != 1 or members[0].filename.lower().endswith(".xml"):
        return None
    if depth >= _MAX_DEPTH:
        raise EbbtideError(
            f"{path} is a zip in a zip in a zip.", "Unpack it, and import the file in it."
        )
    if members[0].file_size > _MAX_UNPACKED:
        raise EbbtideError(f"{members[0].filename} in {path} is larger than 200 MB.", "Split it.")
    return members[0]
