"""Read the export of Apple Health: beat-to-beat measurements of the watch.

Some times a day the watch measures for about a minute; each measurement lists its beats with a time
of day to 1/100 s and no date. A place where it lost the beat shows as a longer step and becomes a
gap. The measurements of one source are one recording, in order of time with gaps between; a later,
longer export goes on with it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO
from xml.parsers import expat

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import EARLIEST, LATEST, SECOND, from_datetime
from ingest.files.builder import RecordingBuilder
from ingest.files.recording import FileFormat, FileRecording, ReadContext, RecordedFile
from ingest.files.xml_repair import EntityDeclaredError, RepairedXml

_SCALE = 1000
_HUNDREDTH = SECOND // 100
# Before or after it, in the phone's language, may stand which half of the day it is; digits may be
# other than ASCII ones, which int() reads.
_TIME = re.compile(r"(?<!\d)(\d{1,2})[:.](\d{2})[:.](\d{2})[.,\u066b](\d{1,3})(?!\d)")
_START = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[ T]+(\D*?)(\d{1,2})[:.](\d{2})[:.](\d{2})\s*(\D*?)\s*"
    r"([+-])(\d{2}):?(\d{2})"
)
# Halves of the day as phones with a 12-hour clock write them, without dots and spaces.
_MORNING = {"am", "上午", "午前", "오전", "πμ", "ص"}
_AFTERNOON = {"pm", "下午", "午後", "오후", "μμ", "م"}
# A step longer than this times the interval that the beat's rate says has a lost beat in it.
_LOST_BEAT = 1.6
_QUARTER = 15 * 60 * SECOND


def _matches(head: bytes) -> bool:
    text = head.replace(b"\x00", b"")  # UTF-16
    return b"<HealthData" in text or b"<!DOCTYPE HealthData" in text or head[:4] == b"PK\x03\x04"


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read ``export.xml`` or the zip that holds it, a record at a time, to bound memory.

    Raises EbbtideError when it is damaged or holds no beats.
    """
    on_progress = context.on_progress
    measurements = _Measurements()
    problems = measurements.problems
    try:
        with open_health_xml(path) as file:
            repaired = RepairedXml(file)
            parser = _parser(measurements)
            while piece := repaired.read():
                parser.Parse(piece)
                if on_progress is not None:
                    on_progress(file.tell())
            if repaired.left_out:
                problems.append(
                    f"{repaired.left_out} characters that XML does not allow were left out"
                )
            parser.Parse(b"", True)
    except EntityDeclaredError as error:
        raise EbbtideError(
            f"{path} declares entities, which no export of the Health app does.",
            "Export it again; do not open a file that somebody else made.",
        ) from error
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        problems.append(f"the file is damaged ({error}); what stands before that was kept")
    recordings = measurements.build()
    if not recordings:
        raise EbbtideError(
            f"{path} holds no beat-to-beat measurement"
            + (f": {problems[0]}." if problems else "."),
            "In the Health app: your picture > Export All Health Data; the watch must be worn.",
        )
    return RecordedFile("Apple Health", recordings, tuple(problems))


def _parser(measurements: _Measurements) -> expat.XMLParserType:
    """Expat itself, which is twice as fast as ElementTree's parser. ``RepairedXml`` leaves out the
    DTD, and a declaration of an entity is refused here once more (defusedxml does the same).
    """

    def refuse(*_: object) -> int:
        raise EntityDeclaredError

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = measurements.start
    parser.EndElementHandler = measurements.end
    return parser


class _Measurements:
    """Takes the elements of an export as they are read; only a measurement stays."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._sources: dict[str, _Source] = {}
        self._record: dict[str, str] | None = None
        self._beats: list[dict[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        if tag == "InstantaneousBeatsPerMinute":
            if self._record is not None:
                self._beats.append(attributes)
        elif tag == "Record":
            self._record, self._beats = attributes, []

    def end(self, tag: str) -> None:
        """End an element."""
        if tag != "Record" or self._record is None:
            return
        if self._beats:
            measurement = _measurement(self._record, self._beats, self.problems)
            if measurement is not None:
                name = "".join(c for c in self._record.get("sourceName", "") if c.isprintable())
                device = name.strip() or "Apple Watch"
                self._sources.setdefault(device, _Source(device)).add(*measurement)
        self._record = None

    def build(self) -> tuple[FileRecording, ...]:
        """Make the recordings, one a source."""
        return tuple(source.build(self.problems) for source in self._sources.values())


@contextmanager
def open_health_xml(path: Path) -> Iterator[IO[bytes]]:
    """Open the XML of an export, in its zip or as it is. Raises EbbtideError."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        # The phone's language names the files; __MACOSX holds what a computer added.
        for name in archive.namelist():
            lower = name.lower()
            if lower.endswith(".xml") and "cda" not in lower and "__macosx" not in lower:
                try:
                    with archive.open(name) as file:
                        yield file
                except (RuntimeError, NotImplementedError) as error:
                    raise EbbtideError(
                        f"{path} cannot be opened: {error}.",
                        "Give export.zip as the phone made it.",
                    ) from error
                return
    raise EbbtideError(f"{path} is a zip without a Health export.", "Give export.zip.")


class _Source:
    """The measurements of one watch."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._builder = self._new_builder()
        self._first_content = ""
        self._late: list[tuple[array[int], array[int]]] = []

    def _new_builder(self) -> RecordingBuilder:
        return RecordingBuilder(f"{self._device} (Apple Health)", _SCALE)

    def add(self, ticks: array[int], times: array[int]) -> None:
        """Add a measurement; those that come out of order are put in their place at the end."""
        last = self._builder.last_ns
        if last is not None and times[0] - ticks[0] * SECOND // _SCALE < last:
            self._late.append((ticks, times))
            return
        self._builder.add_beats(ticks, times)
        self._first_content = self._first_content or self._builder.content

    def build(self, problems: list[str]) -> FileRecording:
        """Make one recording of all."""
        if self._late:
            self._put_in_order(problems)
        return self._builder.build(self._first_content)

    def _put_in_order(self, problems: list[str]) -> None:
        in_order = self._builder.build()
        starts = [0, *(in_order.ends[gap.sequence - 2] for gap in in_order.gaps)]
        pieces = [
            (in_order.rr_ticks[a:b], in_order.times_ns[a:b])
            for a, b in zip(starts, [*starts[1:], in_order.beats], strict=True)
        ]
        pieces += self._late
        pieces.sort(key=lambda piece: piece[1][0])
        self._builder, self._first_content, self._late = self._new_builder(), "", []
        for ticks, times in pieces:
            self.add(ticks, times)
        left_out = sum(len(ticks) for ticks, _ in self._late)
        if left_out:
            problems.append(
                f"{self._device}: {left_out} beats of measurements that overlap with another one "
                "were left out"
            )


def _measurement(
    record: dict[str, str], beats: list[dict[str, str]], problems: list[str]
) -> tuple[array[int], array[int]] | None:
    """The intervals of a measurement in ticks, and when each ended (UTC ns)."""
    started = record.get("startDate", "")
    start = parse_health_time(started)
    if start is None:
        problems.append(f"a measurement begins at {started!r}, which is no time; left out")
        return None
    ticks, times = array("i"), array("q")
    before: int | None = None
    for beat in beats:
        text = beat.get("time", "")
        time = _time_near(text, start)
        rate = _parse_rate(beat.get("bpm", ""))
        if time is None or rate is None:
            problems.append(f"{started}: a beat at {text!r} cannot be read; left out")
            before = None
            continue
        if before is not None and time > before:
            expected = 60 * SECOND // rate
            # The interval over a lost beat cannot be had from times: it is left out.
            if time - before <= _LOST_BEAT * expected + _HUNDREDTH:
                ticks.append(round((time - before) * _SCALE / SECOND))
                times.append(time)
        before = time
    if not ticks:
        problems.append(f"{started}: a measurement without two beats in a row; left out")
        return None
    return ticks, times


def parse_health_time(text: str) -> int | None:
    """UTC ns of a time as phones of many languages write it; None where it is none."""
    found = _START.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[i]) for i in (1, 2, 3, 5, 6, 7))
    half = re.sub(r"[.\s]", "", found[4] + found[8]).casefold()
    if half in _MORNING | _AFTERNOON and 1 <= hour <= 12:
        hour = hour % 12 + 12 * (half in _AFTERNOON)
    elif half:
        return None
    offset = timedelta(hours=int(found[10]), minutes=int(found[11]))
    try:
        zone = timezone(-offset if found[9] == "-" else offset)
        start = from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=zone))
    except (ValueError, OverflowError):
        return None
    return start if EARLIEST <= start < LATEST else None


def _time_near(text: str, start_ns: int) -> int | None:
    """UTC ns of this time of day, near the start of the measurement.

    Exports write it in another zone at times (one hour off after a change of clocks, or UTC), so
    only the minutes within the quarter hour and the seconds are used.
    """
    found = _TIME.search(text)
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    of_day_ns = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * SECOND
    of_day_ns += int(fraction.ljust(9, "0"))
    shift = (of_day_ns - start_ns + _QUARTER // 2) % _QUARTER - _QUARTER // 2
    return start_ns + shift


def _parse_rate(text: str) -> int | None:
    try:
        rate = round(float(text.replace(",", ".")))
    except (ValueError, OverflowError):
        return None
    return rate if 20 <= rate <= 300 else None


FORMAT = FileFormat("Apple Health", timed=True, matches=_matches, read=_read)
