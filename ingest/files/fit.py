"""Read FIT files of Garmin and others: beats in their HRV, heart-rate or beat-interval messages,
or else the heart rates of their records.

An HRV message holds up to five intervals and no time (``fit_timing``). A heart-rate message of a
strap that stores beats under water holds the time of each beat in 1/1024 s, of which 12 bits are
written. A beat-interval message holds intervals in milliseconds and its own time.
"""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from pathlib import Path

import fitdecode
from fitdecode.utils import compute_crc

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.files.builder import RateBuilder, RecordingBuilder
from ingest.files.choices import ChoiceError
from ingest.files.fit_events import EventBeats, timestamp_ns
from ingest.files.fit_timing import TICKS_PER_SECOND, Batch, Timeline, place_intervals
from ingest.files.recording import RATES_NOTE, FileFormat, ReadContext, RecordedFile

_MAGIC = b".FIT"
_MIN_HEADER = 12
_CRC_BYTES = 2
# fitdecode lets errors of its own parts through where a field is nonsense or the file ends in it.
READER_ERRORS = (
    fitdecode.FitError,
    AssertionError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)


def _matches(head: bytes) -> bool:
    return len(head) >= _MIN_HEADER and head[8:12] == _MAGIC


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read the beats. A damaged end is a problem of the file; what stands before it is read.

    Raises EbbtideError when the file holds no beats, or no time at all.
    """
    problems: list[str] = []
    data = _repair_size(path.read_bytes(), problems)
    messages = _Messages(path.name)
    warned: list[warnings.WarningMessage] = []
    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            # Without its processors, which make half of the time: only time stamps need one.
            fitdecode.FitReader(
                BytesIO(data), check_crc=fitdecode.CrcCheck.WARN, processor=None
            ) as frames,
        ):
            warnings.simplefilter("always")
            for frame in frames:
                if isinstance(frame, fitdecode.FitDataMessage):
                    messages.add(frame)
    except READER_ERRORS as error:
        reason = str(error) or "a message goes beyond the end of the file"
        problems.append(f"the file is damaged ({reason}); what stands before that was kept")
    problems += [f"the file is damaged ({item.message})" for item in warned]
    recording, found = messages.build(context.start_ns)
    problems += found
    if recording.is_empty:
        if messages.holds_intervals:
            raise ChoiceError(
                f"{path} holds RR intervals and not one time of day.",
                "Give when it began: --start.",
                {"start": ()},
            )
        if not messages.rates.is_empty:
            rates = messages.rates.build()
            note = RATES_NOTE.format(count=rates.count)
            return RecordedFile("FIT", (rates,), tuple(problems), notes=(note,))
        why = problems[0] if problems else "it has no HRV messages"
        raise EbbtideError(
            f"{path} holds no RR intervals and no heart rates: {why}.",
            "On a Garmin watch: System > Data Recording > Log HRV, and record with a chest strap.",
        )
    return RecordedFile("FIT", (recording.build(),), tuple(problems))


class _Messages:
    """What the messages of a file say, in their order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.rates = RateBuilder(f"{name} (FIT, heart rates)")
        self._timeline = Timeline()
        self._waiting: list[int] = []
        self._last_mark: int | None = None  # of a record or event
        self._before: int | None = None  # the mark before the intervals that wait
        self._timer_start: int | None = None
        self._stopped: int | None = None
        self._created: int | None = None
        self._events = EventBeats()
        self._own_time: list[Batch] = []
        self._rejected: list[float] = []

    @property
    def holds_intervals(self) -> bool:
        """Whether there are intervals that wait for a time."""
        return bool(self._waiting)

    def add(self, frame: fitdecode.FitDataMessage) -> None:
        """Take one message."""
        name = frame.name
        if name == "hrv":
            if not self._waiting:
                self._before = self._last_mark
            self._waiting += self._ticks(frame.get_value("time", fallback=None), TICKS_PER_SECOND)
        elif name == "hr":
            self._events.add(frame)
        elif name == "beat_intervals":
            self._add_own_time(frame)
        elif name in ("record", "event"):
            moment = timestamp_ns(frame, "timestamp")
            if moment is not None:
                self._mark(moment)
                rate = frame.get_value("heart_rate", fallback=None) if name == "record" else None
                if isinstance(rate, int | float):
                    self.rates.add(moment, rate)
                if name == "event" and frame.get_value("event", fallback=None) == "timer":
                    self._timer(str(frame.get_value("event_type", fallback="")), moment)
        elif name == "session" and self._timer_start is None:
            self._timer_start = timestamp_ns(frame, "start_time")
        elif name == "file_id" and self._created is None:
            self._created = timestamp_ns(frame, "time_created")

    def _mark(self, moment: int) -> None:
        if self._last_mark is not None and moment < self._last_mark:
            return
        if self._waiting:
            self._timeline.batches.append(Batch(self._waiting, self._before, moment))
            self._waiting = []
        if self._timeline.start_ns is None:
            self._timeline.start_ns = moment
        self._last_mark = self._timeline.end_ns = moment

    def _timer(self, what: str, moment: int) -> None:
        if what == "start":
            if self._timer_start is None:
                self._timer_start = moment
            if self._stopped is not None and moment > self._stopped:
                self._timeline.pauses.append((self._stopped, moment))
            self._stopped = None
        elif what.startswith("stop"):
            self._stopped = moment

    def _add_own_time(self, frame: fitdecode.FitDataMessage) -> None:
        moment = timestamp_ns(frame, "timestamp")
        ticks = self._ticks(frame.get_value("time", fallback=None), 1)
        if moment is None or not ticks:
            return
        part = frame.get_value("timestamp_ms", fallback=None)
        if isinstance(part, int | float):
            moment += round(part) * MILLISECOND
        if self._own_time and moment < self._own_time[-1].after_ns:
            return
        before = self._own_time[-1].after_ns if self._own_time else None
        self._own_time.append(Batch(ticks, before, moment))

    def _ticks(self, times: object, scale: int) -> list[int]:
        values = times if isinstance(times, tuple | list) else (times,)
        found = []
        for value in values:
            if not isinstance(value, int | float) or value == 0:
                continue  # the unused places of a message
            ticks = round(value * scale)
            if 0 < ticks < MAX_TICKS:
                found.append(ticks)
            else:
                self._rejected.append(value * scale)
        return found

    def build(self, start_ns: int | None) -> tuple[RecordingBuilder, list[str]]:
        """Place the beats of the fullest kind of message; what a person must know."""
        problems, name = [], self._name
        if self._rejected:
            problems.append(
                f"{len(self._rejected)} values (the first: {self._rejected[0]:.0f} ms) are no "
                "interval between two beats; left out"
            )
        timeline = self._finish(start_ns, problems)
        counts = {
            "HRV messages": sum(len(batch.ticks) for batch in timeline.batches),
            "heart-rate messages with a time a beat": self._events.count,
            "beat-interval messages": sum(len(batch.ticks) for batch in self._own_time),
        }
        used = max(counts, key=lambda kind: counts[kind])
        others = [f"{counts[kind]} in its {kind}" for kind in counts if kind != used]
        others = [text for text in others if not text.startswith("0 ")]
        if others:
            problems.append(
                f"the file holds beats more than once: {counts[used]} in its {used} were read, "
                f"{' and '.join(others)} were not"
            )
        if used == "HRV messages":
            builder = RecordingBuilder(f"{name} (FIT)", TICKS_PER_SECOND)
            return builder, problems + place_intervals(timeline, builder)
        if used == "beat-interval messages":
            builder = RecordingBuilder(f"{name} (FIT, beat intervals)", TICKS_PER_SECOND)
            return builder, problems + place_intervals(self._own_timeline(problems), builder)
        builder = RecordingBuilder(f"{name} (FIT, stored beats)", EventBeats.TICKS_PER_SECOND)
        return builder, problems + self._events.place(builder, self._timer_start or self._created)

    def _finish(self, start_ns: int | None, problems: list[str]) -> Timeline:
        timeline = self._timeline
        if self._waiting and self._last_mark is not None:
            # Nothing with a time follows: the last record may be the end of what they cover.
            timeline.batches.append(Batch(self._waiting, self._before, self._last_mark))
            self._waiting = []
        elif self._waiting:
            start = next(
                (t for t in (start_ns, self._timer_start, self._created) if t is not None), None
            )
            if start is not None:
                span = sum(self._waiting) * SECOND // TICKS_PER_SECOND
                timeline.batches.append(Batch(self._waiting, None, start + span))
                self._waiting = []
                timeline.start_ns = start
                if start_ns is None:
                    problems.append(
                        "the file has no records: beats are placed from when it was begun, as its "
                        "first message says"
                    )
        if self._timer_start is not None and (
            timeline.start_ns is None or self._timer_start < timeline.start_ns
        ):
            timeline.start_ns = self._timer_start
        return timeline

    def _own_timeline(self, problems: list[str]) -> Timeline:
        """Beat-interval messages with their own times, which end or begin the intervals of each."""
        batches = self._own_time
        first = batches[0]
        begin = self._timer_start
        if begin is not None and first.span_ns > 2 * SECOND > first.after_ns - begin:
            batches = [
                Batch(item.ticks, item.before_ns, item.after_ns + item.span_ns) for item in batches
            ]
        elif begin is None and max(item.span_ns for item in batches) > 10 * SECOND:
            problems.append(
                "whether the time of a beat-interval message is that of its first or its last beat "
                "is not in the file: taken as its last, so that beats may be up to "
                f"{max(item.span_ns for item in batches) / SECOND:.0f} s later than placed"
            )
        return Timeline(batches, None, batches[-1].after_ns, self._timeline.pauses)


def _repair_size(data: bytes, problems: list[str]) -> bytes:
    """Write the size into the header of a file that was never closed.

    A device writes 0 (or the size so far) at the beginning and the true size at the end, which it
    does not reach when its battery dies.
    """
    at = 0
    while len(data) - at >= _MIN_HEADER and data[at + 8 : at + 12] == _MAGIC:
        header, size = data[at], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + header + size + _CRC_BYTES
        if size and (end == len(data) or data[end + 8 : end + 12] == _MAGIC):
            at = end
            continue
        if size and end < len(data) and compute_crc(data[at:end]) == 0:
            problems.append(f"{len(data) - end} bytes follow the end of the file; left out")
            return data[:end]
        if size and end > len(data):
            return data  # cut short: the reader says so at the end
        body = data[at + header :]
        if len(body) > _CRC_BYTES and compute_crc(data[at:]) == 0:
            body = body[:-_CRC_BYTES]
        if not body:
            return data
        problems.append(
            f"the file was not closed, as when a battery dies (its header says {size} bytes of "
            f"{len(body)}); it was read to its end"
        )
        # The header's own checksum is optional: 0 says that there is none.
        head = bytearray(data[at : at + header])
        head[4:8] = len(body).to_bytes(4, "little")
        head[12:14] = b"\x00" * len(head[12:14])
        closed = bytes(head) + body
        checksum: int = compute_crc(closed)
        return data[:at] + closed + checksum.to_bytes(_CRC_BYTES, "little")
    return data


FORMAT = FileFormat("FIT", timed=True, matches=_matches, read=_read)
