"""Read the export of Apple Health: beat-to-beat measurements of the watch.

Some times a day the watch measures for about a minute; each measurement lists its beats with a time
of day to 1/100 s and no date. A place where it lost the beat shows as a longer step and becomes a
gap. Each measurement is a recording of its own, so that a later, longer export adds only what is
new.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException, ElementTree

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.builder import RecordingBuilder
from ingest.files.recording import FileFormat, FileRecording, ReadContext, RecordedFile

_SCALE = 1000
_HUNDREDTH = SECOND // 100
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})[.,](\d{1,3})\s*([AaPp]\.?\s?[Mm]\.?)?")
# A step longer than this times the interval that the beat's rate says has a lost beat in it.
_LOST_BEAT = 1.6
_QUARTER = 15 * 60 * SECOND


def _matches(head: bytes) -> bool:
    return b"<HealthData" in head or b"<!DOCTYPE HealthData" in head or head[:4] == b"PK\x03\x04"


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read ``export.xml`` or the zip that holds it, a record at a time, to bound memory.

    Raises EbbtideError when it is damaged or holds no beats.
    """
    on_progress = context.on_progress
    recordings: list[FileRecording] = []
    problems: list[str] = []
    try:
        with _open_xml(path) as file:
            for number, (_, element) in enumerate(ElementTree.iterparse(file), 1):
                if on_progress is not None and number % 10_000 == 0:
                    on_progress(file.tell())
                if element.tag != "Record":
                    if element.tag not in (
                        "InstantaneousBeatsPerMinute",
                        "HeartRateVariabilityMetadataList",
                    ):
                        element.clear()
                    continue
                beats = element.findall(".//InstantaneousBeatsPerMinute")
                if beats:
                    recording = _measurement(element, beats, problems)
                    if recording is not None:
                        recordings.append(recording)
                element.clear()
    except DefusedXmlException as error:
        raise EbbtideError(
            f"{path} declares entities, which no export of the Health app does.",
            "Export it again; do not open a file that somebody else made.",
        ) from error
    except ElementTree.ParseError as error:
        problems.append(f"the file is damaged ({error}); what stands before that was kept")
    if not recordings:
        raise EbbtideError(
            f"{path} holds no beat-to-beat measurement"
            + (f": {problems[0]}." if problems else "."),
            "In the Health app: your picture > Export All Health Data; the watch must be worn.",
        )
    return RecordedFile("Apple Health", tuple(recordings), tuple(problems))


@contextmanager
def _open_xml(path: Path) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml") and "cda" not in name.lower():
                with archive.open(name) as file:
                    yield file
                return
    raise EbbtideError(f"{path} is a zip without a Health export.", "Give export.zip.")


def _measurement(
    record: Element, beats: list[Element], problems: list[str]
) -> FileRecording | None:
    started = record.get("startDate", "")
    try:
        start = from_datetime(datetime.strptime(started, "%Y-%m-%d %H:%M:%S %z"))
    except ValueError:
        problems.append(f"a measurement begins at {started!r}, which is no time; left out")
        return None
    device = record.get("sourceName", "Apple Watch")
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


def _time_near(text: str, start_ns: int) -> int | None:
    """UTC ns of this time of day, near the start of the measurement.

    Exports write it in another zone at times (one hour off after a change of clocks, or UTC), so
    only the minutes within the quarter hour and the seconds are used.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, fraction, _ = found.groups()
    of_day = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    of_day_ns = int(of_day.total_seconds()) * SECOND + int(fraction.ljust(9, "0"))
    shift = (of_day_ns - start_ns + _QUARTER // 2) % _QUARTER - _QUARTER // 2
    return start_ns + shift


def _parse_rate(text: str) -> int | None:
    try:
        rate = round(float(text))
    except ValueError:
        return None
    return rate if 20 <= rate <= 300 else None


FORMAT = FileFormat("Apple Health", timed=True, matches=_matches, read=_read)
