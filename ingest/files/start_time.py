"""When a recording began: by the file's own words, by the person, or by the name of the file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ebbtide.timestamps import EARLIEST, LATEST, from_datetime
from ingest.files.choices import ChoiceError
from ingest.files.recording import ReadContext

# 2026-11-24 08-30-00, 2026-11-24T08:30:00, 20261124_083000, 20261124083000
_NAME_TIME = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)[T_ -]?(\d\d)[-:.]?(\d\d)(?:[-:.]?(\d\d))?(?!\d)")


def moment_ns(moment: datetime, zone: ZoneInfo) -> int | None:
    """Convert to UTC ns, in ``zone`` where it names none; None outside 2000 to 2099, since a time
    that no device can have written is a broken one.
    """
    if not 1999 < moment.year < 2100:
        return None
    time_ns = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    return time_ns if EARLIEST <= time_ns < LATEST else None


def iso_ns(value: Any, zone: ZoneInfo) -> int | None:
    """Read a date and time of ISO 8601 as UTC ns; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        return moment_ns(datetime.fromisoformat(value), zone)
    except ValueError:
        return None


def time_in_name(name: str, zone: str) -> int | None:
    """Find the date and time in a file's name, local in ``zone``, as UTC ns."""
    found = _NAME_TIME.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in found.groups())
    try:
        return moment_ns(datetime(year, month, day, hour, minute, second), ZoneInfo(zone))  # noqa: DTZ001 - the zone is beside it
    except ValueError:
        return None


def given_start(path: Path, context: ReadContext) -> int | None:
    """Take the beginning from the person, or from the name of the file."""
    if context.start_ns is not None:
        return context.start_ns
    return time_in_name(path.name, context.zone)


def require_start(path: Path, context: ReadContext) -> int:
    """Take it from there. Raises EbbtideError, which asks for it, where neither says it."""
    start = given_start(path, context)
    if start is None:
        raise ChoiceError(
            f"{path} does not say when it was recorded, and neither does its name.",
            "Give the beginning: --start 2026-11-24T08:30:00",
            {"start": ()},
        )
    return start
