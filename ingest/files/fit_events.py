"""Beats that a strap stored itself, with a time each: the heart-rate messages of a FIT file.

The first message gives a time of day and a count in 1/1024 s (``event_timestamp``); those after it
give the lower 12 bits of the count for up to eight beats (``event_timestamp_12``), which come
around every 4 s.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import fitdecode

from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.builder import RecordingBuilder

_BITS = 12
_WRAP = 1 << _BITS
_FULL_WRAP = 1 << 32
_MAX_INTERVAL = 3 * 1024  # longer is a lost beat, not an interval: 20 beats a minute
# A second time of day that differs by more than this from the count began a new count.
_MAX_CLOCK_MISMATCH_NS = 3 * SECOND


class EventBeats:
    """Collects heart-rate messages. ``count``: intervals between two beats."""

    TICKS_PER_SECOND: ClassVar[int] = 1024

    def __init__(self) -> None:
        # Beats of one count: (its value, when the count began, UTC ns or None).
        self._beats: list[tuple[int, int | None]] = []
        self._zero_ns: int | None = None

    @property
    def count(self) -> int:
        """Intervals in the messages so far."""
        return max(0, len(self._beats) - 1)

    def add(self, frame: fitdecode.FitDataMessage) -> None:
        """Take one message."""
        moment = frame.get_value("timestamp", fallback=None)
        for field in frame.fields:
            if field.field_def is None:
                continue  # made by the reader of other fields
            raw = field.raw_value
            values = raw if isinstance(raw, tuple | list | bytes) else (raw,)
            if field.name == "event_timestamp":
                self._add_full([v for v in values if isinstance(v, int)], moment, frame)
            elif field.name == "event_timestamp_12":
                self._add_short(bytes(v for v in values if isinstance(v, int)))

    def _add_full(self, values: list[int], moment: object, frame: fitdecode.FitDataMessage) -> None:
        for number, value in enumerate(values):
            ticks = value
            if number == 0 and isinstance(moment, datetime):
                part = frame.get_value("fractional_timestamp", fallback=None)
                time = from_datetime(moment)
                if isinstance(part, int | float):
                    time += round(part * SECOND)
                zero = time - _ns(ticks)
                zero_ns = self._zero_ns
                if zero_ns is None or abs(zero - zero_ns) > _MAX_CLOCK_MISMATCH_NS:
                    self._zero_ns = zero
            if self._beats and self._beats[-1][1] == self._zero_ns:
                last = self._beats[-1][0]
                ticks = last + (value - last) % _FULL_WRAP
                if ticks == last:
                    continue
            self._beats.append((ticks, self._zero_ns))

    def _add_short(self, data: bytes) -> None:
        if not self._beats:
            return
        for at in range(0, len(data) - 2, 3):
            low, middle, high = data[at : at + 3]
            if low == middle == high == 0xFF:
                continue  # unused places
            for value in (low | (middle & 0x0F) << 8, middle >> 4 | high << 4):
                last, zero = self._beats[-1]
                step = (value - last) % _WRAP
                if step:
                    self._beats.append((last + step, zero))

    def place(self, builder: RecordingBuilder, start_ns: int | None) -> list[str]:
        """Add the beats to ``builder``; what a person must know of their times."""
        problems: list[str] = []
        ticks: list[int] = []
        times: list[int] = []
        dropped = 0
        previous: tuple[int, int | None] | None = None
        for count, zero in self._beats:
            begin = start_ns if zero is None else zero
            if begin is None:
                continue
            time = begin + _ns(count) - (_ns(self._beats[0][0]) if zero is None else 0)
            interval = count - previous[0] if previous and previous[1] == zero else 0
            previous = (count, zero)
            if not 0 < interval <= _MAX_INTERVAL or (times and time <= times[-1]):
                dropped += interval > _MAX_INTERVAL
                continue
            ticks.append(interval)
            times.append(time)
        if self._beats and self._beats[0][1] is None and times:
            problems.append(
                "its heart-rate messages hold no time of day: beats are placed from the start of "
                "the timer"
            )
        if dropped:
            problems.append(f"{dropped} times more than 3 s passed between two beats: left as gaps")
        if times:
            builder.add_beats(ticks, times)
        return problems


def _ns(ticks: int) -> int:
    return ticks * SECOND // 1024
