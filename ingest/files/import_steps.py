"""The steps of an import that the command line and the pages share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import from_datetime
from ingest.files.importer import require_past
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording
from ingest.outbox.imports import SameIntervals


def read_file(
    path: Path,
    *,
    zone: str,
    start_ns: int | None,
    choice: Mapping[str, str | None],
    on_progress: Callable[[int], None] | None = None,
) -> RecordedFile:
    """Read a file whose beats are of the past. ``choice``: its column, unit and decimal mark where
    a person says them. Raises EbbtideError.
    """
    found = open_recording(
        path,
        zone=zone,
        start_ns=start_ns,
        on_progress=on_progress,
        column=choice.get("column"),
        unit=choice.get("unit"),
        decimal=choice.get("decimal"),
    )
    require_past(found)
    return found


def parse_start(text: str, zone: str) -> int:
    """Read a date and time that a person gave, local in ``zone``, as UTC ns."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise EbbtideError(
            f"'{text}' is not a date and time.", "Write it like 2026-11-24T08:30:00."
        ) from error
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)))


def describe_same(name: object, same: SameIntervals) -> str:
    """Say that an earlier import has the intervals of a file at another time, and how far away."""
    where = "" if same.file is None else f" from {same.file}"
    return (
        f"{name}: the very same intervals are there already{where}, "
        f"{_describe_shift(same.shift_ns)} {'earlier' if same.shift_ns > 0 else 'later'}."
    )


def _describe_shift(shift_ns: int) -> str:
    """Say how long that is, to the second, as "1 day 2 h"."""
    left, parts = round(abs(shift_ns) / 1e9), []
    for size, singular, plural in (
        (86_400, " day", " days"),
        (3600, " h", " h"),
        (60, " min", " min"),
    ):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{singular if count == 1 else plural}")
    if left or not parts:
        parts.append(f"{left} s")
    return " ".join(parts)
