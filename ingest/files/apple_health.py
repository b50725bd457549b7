"""Read the export of Apple Health: beat-to-beat measurements of the watch.

Some times a day the watch measures for about a minute; each measurement lists its beats with a time
of day to 1/100 s and no date. A place where it lost the beat shows as a longer step and becomes a
gap. Each measurement is a recording of its own, so that a later, longer export adds only what is
new.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO

from defusedxml import DefusedXmlException, ElementTree

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
        with _open_xml(path) as file:
            repaired = RepairedXml(file)
            parser = ElementTree.DefusedXMLParser(target=measurements, encoding="utf-8")
            while piece := repaired.read():
                parser.feed(piece)
                if on_progress is not None:
                    on_progress(file.tell())
            if repaired.left_out:
                problems.append(
                    f"{repaired.left_out} characters that XML does not allow were left out"
                )
            parser.close()
    except (DefusedXmlException, EntityDeclaredError) as error:
        raise EbbtideError(
            f"{path} declares entities, which no export of the Health app does.",
            "Export it again; do not open a file that somebody else made.",
        ) from error
    except (ElementTree.ParseError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        problems.append(f"the file is damaged ({error}); what stands before that was kept")
    recordings = measurements.recordings
    if not recordings:
        raise EbbtideError(
            f"{path} holds no beat-to-beat measurement"
            + (f": {problems[0]}." if problems else "."),
            "In the Health app: your picture > Export All Health Data; the watch must be worn.",
        )
    return RecordedFile("Apple Health", tuple(recordings), tuple(problems))


class _Measurements:
    """Takes the elements of an export as they are read, and keeps none but those of a measurement.

    The names of its methods are those that the parser calls.
    """

    def __init__(self) -> None:
        self.recordings: list[FileRecording] = []
        self.problems: list[str] = []
        self._record: dict[str, str] | None = None
        self._beats: list[dict[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        if tag == "Record":
            self._record, self._beats = attributes, []
        elif tag == "InstantaneousBeatsPerMinute" and self._record is not None:
            self._beats.append(attributes)

    def end(self, tag: str) -> None:
        """End an element."""
        if tag != "Record" or self._record is None:
            return
        if self._beats:
            recording = _measurement(self._record, self._beats, self.problems)
            if recording is not None:
                self.recordings.append(recording)
        self._record = None

    def close(self) -> None:
        """End the document."""


@contextmanager
def _open_xml(path: Path) -> Iterator[IO[bytes]]:
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


def _measurement(
    record: dict[str, str], beats: list[dict[str, str]], problems: list[str]
) -> FileRecording | None:
    started = record.get("startDate", "")
    start = _parse_start(started)
    if start is None:
        problems.append(f"a measurement begins at {started!r}, which is no time; left out")
        return None
    name = "".join(c for c in record.get("sourceName", "") if c.isprintable()).strip()
    device = name or "Apple Watch"
    builder = RecordingBuilder(f"{device} (Apple Health)", _SCALE)
    ticks, times = [], []
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
    builder.add_beats(ticks, times)
    return builder.build()


def _parse_start(text: str) -> int | None:
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
    of_day = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    of_day_ns = int(of_day.total_seconds()) * SECOND + int(fraction.ljust(9, "0"))
    shift = (of_day_ns - start_ns + _QUARTER // 2) % _QUARTER - _QUARTER // 2
    return start_ns + shift


def _parse_rate(text: str) -> int | None:
    try:
        rate = round(float(text.replace(",", ".")))
    except (ValueError, OverflowError):
        return None
    return rate if 20 <= rate <= 300 else None


FORMAT = FileFormat("Apple Health", timed=True, matches=_matches, read=_read)
