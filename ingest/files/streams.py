"""Read files that cannot be read twice: pipes, process substitution, and ``-`` for standard input.

The readers decide by the first bytes, and then read the file again. What comes through a pipe is
therefore written to a temporary file first, all of it.
"""

from __future__ import annotations

import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ebbtide.errors import EbbtideError
from ingest.files.choices import rename_file

STANDARD_STREAM = Path("-")
MAX_STREAM_BYTES = 500_000_000
_CHUNK_BYTES = 1 << 20
_STANDARD_INPUT = "standard input"
_STANDARD_INPUT_PATHS = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}


def is_stream(path: Path) -> bool:
    """Whether ``path`` is ``-``, or names a pipe, a socket or a device: nothing to read twice."""
    if path == STANDARD_STREAM:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def stream_name(path: Path) -> str:
    """What people call the file: ``standard input`` for ``-``."""
    return _STANDARD_INPUT if str(path) in _STANDARD_INPUT_PATHS else str(path)


@contextmanager
def rereadable(path: Path) -> Iterator[Path]:
    """Give a file that can be read again from its beginning: ``path``, or a copy of its stream.

    Errors that are raised within name the stream and not the copy. Raises EbbtideError for a stream
    that cannot be read, or is longer than ``MAX_STREAM_BYTES``.
    """
    if not is_stream(path):
        yield path
        return
    shown = stream_name(path)
    with tempfile.TemporaryDirectory(prefix="ebbtide-") as folder:
        copy = Path(folder) / (_STANDARD_INPUT if shown == _STANDARD_INPUT else "pipe")
        try:
            with copy.open("xb") as target:
                if path == STANDARD_STREAM:
                    _copy(_standard_input(), target, shown)
                else:
                    with path.open("rb") as source:
                        _copy(source, target, shown)
        except OSError as error:
            raise EbbtideError(
                f"{shown} cannot be read: {error.strerror or error}.",
                f"Check it, and that {tempfile.gettempdir()} has room; or save it as a file.",
            ) from error
        try:
            yield copy
        except EbbtideError as error:
            raise rename_file(error, str(copy), shown) from error


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise EbbtideError("There is no standard input.", "Name a file.")
    return sys.stdin.buffer


def _copy(source: BinaryIO, target: BinaryIO, shown: str) -> None:
    copied = 0
    while chunk := source.read(_CHUNK_BYTES):
        copied += len(chunk)
        if copied > MAX_STREAM_BYTES:
            raise EbbtideError(
                f"More than {MAX_STREAM_BYTES // 1_000_000} MB came through {shown}.",
                "Save it as a file, and name that: a file may be larger.",
            )
        target.write(chunk)
