"""Values of what other systems send, FHIR and Open mHealth: read, or refused with the reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.http.text import PROBLEM, find_unstorable
from ebbtide.timestamps import EARLIEST, LATEST, from_datetime

# What an entry of any shape can raise while it is read.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)


def require_storable(entry: Any) -> None:
    """Raise ValueError for an entry with text that no store can hold."""
    at = find_unstorable(entry, "it")
    if at is not None:
        raise ValueError(f"it {PROBLEM.rstrip('.')}")


def describe_skipped(error: Exception) -> str:
    """Why an entry was skipped."""
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    if isinstance(error, ValueError):
        return str(error)
    return f"it has another form than it should ({error})"


def parse_time(text: str) -> int:
    """Parse an ISO 8601 time with a zone to UTC ns. Raises ValueError where it cannot be."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"its time is no moment ({error})") from error
    if moment.tzinfo is None:
        raise ValueError("its time has no zone")
    try:
        instant_ns = from_datetime(moment)
    except OverflowError:  # beyond the year 9999 in UTC
        instant_ns = LATEST
    if not EARLIEST <= instant_ns < LATEST:
        raise ValueError("its time is not of this century")
    return instant_ns


def parse_number(value: Any) -> float:
    """Parse a number. Raises ValueError for a text or a truth value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("its value is no number")
    return value


def require_heart_rate(value: float) -> float:
    """Return a heart rate in beats/min. Raises ValueError where it cannot be one."""
    if not 0 < value < 400:
        raise ValueError(f"a heart rate of {value} cannot be")
    return float(value)


def require_text(value: Any, name: str) -> str:
    """Return a text. Raises ValueError for a value of another type."""
    if not isinstance(value, str):
        raise ValueError(f"its {name} is no text")
    return value


def require_length(text: str, most: int, name: str) -> str:
    """Return a text that is not too long for its column. Raises ValueError."""
    if len(text) > most:
        raise ValueError(f"its {name} is longer than {most} characters")
    return text
