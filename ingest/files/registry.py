"""Opens a file of beats, whatever app it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.apple_health import is_apple_health, read_apple_health
from ingest.files.builder import RecordingBuilder
from ingest.files.fit import is_fit, read_fit
from ingest.files.recording import RecordedFile
from ingest.files.rr_text import RRFile, read_rr_file
from ingest.files.timed_text import is_timed_text, read_timed_text

_HEAD = 4096
_SCALE = 10_000  # tenths of a millisecond
# 2026-11-24 08-30-00, 2026-11-24T08:30:00, 20261124_083000, 20261124083000
_MOMENT = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)[T_ -]?(\d\d)[-:.]?(\d\d)(?:[-:.]?(\d\d))?(?!\d)")


def open_recording(
    path: Path,
    *,
    zone: str,
    start_ns: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RecordedFile:
    """The recordings in ``path``.

    ``zone``: of times without an offset. ``start_ns``: when a recording without times began; where
    it is not given, the time in the file's name counts. Raises EbbtideError, saying what to do,
    when nothing can be read.
    """
    head = _head(path)
    if is_fit(head):
        return read_fit(path, path.name)
    if is_apple_health(head):
        return read_apple_health(path, on_progress)
    first_line = _first_line(head)
    if is_timed_text(first_line):
        lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
        read = read_timed_text(lines, path.name, zone)
        if not read.recordings:
            why = read.problems[0] if read.problems else "it ends after its header"
            raise EbbtideError(f"{path} holds no RR interval: {why}.", "Check the file.")
        return read
    return _untimed(path, read_rr_file(path, _SCALE), first_line, zone, start_ns)


def tells_when(path: Path) -> bool:
    """Whether the file says when its beats were. Raises EbbtideError when it cannot be read."""
    head = _head(path)
    return is_fit(head) or is_apple_health(head) or is_timed_text(_first_line(head))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error


def _first_line(head: bytes) -> str:
    return head.decode("utf-8-sig", "replace").partition("\n")[0]


def moment_in_name(name: str, zone: str) -> int | None:
    """UTC ns of the date and time in a file's name, taken as local in ``zone``."""
    found = _MOMENT.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    return from_datetime(moment)


def _untimed(
    path: Path, read: RRFile, first_line: str, zone: str, start_ns: int | None
) -> RecordedFile:
    start = start_ns if start_ns is not None else moment_in_name(path.name, zone)
    if start is None:
        raise EbbtideError(
            f"{path} does not say when it was recorded, and neither does its name.",
            "Give the beginning: --start 2026-11-24T08:30:00",
        )
    polar_flow = first_line.strip().lower().replace(" ", "") == "duration,offline"
    title = "Polar Flow" if polar_flow else "RR intervals"
    builder = RecordingBuilder(f"{path.name} ({title})", _SCALE)
    at = start
    for run, missing in zip(read.runs, read.missing_s, strict=True):
        at += int(missing * SECOND)
        builder.follow(run, at)
        assert builder.last_ns is not None
        at = builder.last_ns
    return RecordedFile(title, (builder.built(),), read.problems)
