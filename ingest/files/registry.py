"""The file formats that can be read, and the one way to open a file of any of them.

To add a format: write a module with a ``FORMAT`` and add it to ``FORMATS``. The tests of
``tests/ingest/files/test_formats.py`` then run on it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ebbtide.errors import EbbtideError
from ingest.files import apple_health, fit, rr_text, timed_text
from ingest.files.recording import FileFormat, ReadContext, RecordedFile

_HEAD_BYTES = 4096

# The first that matches is taken; RR text, the last, matches every file.
FORMATS: list[FileFormat] = [
    fit.FORMAT,
    apple_health.FORMAT,
    timed_text.FORMAT,
    rr_text.FORMAT,
]


def find_format(path: Path) -> FileFormat:
    """The format of ``path``, by its first 4096 bytes. Raises EbbtideError if unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error
    return next(file_format for file_format in FORMATS if file_format.matches(head))


def open_recording(
    path: Path,
    *,
    zone: str,
    start_ns: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RecordedFile:
    """Read the recordings in ``path``.

    ``zone``: of times without an offset. ``start_ns``: when a recording without times began; by
    default the time in the file's name. Raises EbbtideError, saying what to do, when nothing can
    be read.
    """
    return find_format(path).read(path, ReadContext(zone, start_ns, on_progress))


def tells_when(path: Path) -> bool:
    """Whether the file holds the times of its beats. Raises EbbtideError if unreadable."""
    return find_format(path).timed
