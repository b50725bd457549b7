"""Formats of log lines, with times in UTC (ISO 8601)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from pythonjsonlogger.json import JsonFormatter


def _utc(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class UtcFormatter(logging.Formatter):
    """Lines of text."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Format the time of a record."""
        return _utc(record)


class UtcJsonFormatter(JsonFormatter):
    """An object of JSON a line."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Format the time of a record."""
        return _utc(record)
