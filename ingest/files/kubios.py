"""Read the RR intervals in a results file of Kubios HRV, as text or CSV.

Its last section, ``RR INTERVAL DATA and SPECTRUM ESTIMATES``, holds two columns (time, RR interval)
for each sample that was analysed, beside spectra; the sections before it hold figures. The
intervals are those after Kubios's own correction of beats.
"""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import ticks_of_interval
from ebbtide.timestamps import SECOND
from ingest.files.builder import RecordingBuilder
from ingest.files.choices import ChoiceError
from ingest.files.column_names import unit_ms, unit_named
from ingest.files.encoded_text import decode, read_text
from ingest.files.recording import FileFormat, ReadAs, ReadContext, RecordedFile
from ingest.files.start_time import given_start, moment_ns, require_start

_SCALE = 10_000
_MAX_SECONDS = 1e8  # three years of one measurement
_SECTION = "rr interval data"
_DATE = re.compile(
    r"Measurement date\s*:?[\s,;:]*(?:(\d{4})[-/.](\d\d?)[-/.](\d\d?)|"
    r"(\d\d?)[-/.](\d\d?|[A-Za-z]{3})[-/.](\d{4}|\d\d))[ ,;T]+(\d\d?)[:.](\d\d)[:.](\d\d)",
    re.IGNORECASE,
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_CORRECTED = re.compile(
    r"^\s*(?:artifacts?|artefacts?|beats) corrected\s*\(%\)\s*:?[\s,;]*(\d+(?:[.,]\d+)?)",
    re.IGNORECASE | re.MULTILINE,
)


def _matches(head: bytes) -> bool:
    text = decode(head)[0].lstrip('\ufeff \r\n\t"').lower()
    return text.startswith(("hrv analysis results", "kubios hrv")) or (
        "kubios hrv" in text[:1000] and "measurement date" in text
    )


@dataclass(slots=True)
class _Sample:
    """One analysed sample: places of its columns, and the unit of its intervals."""

    time: int
    rr: int
    unit: str
    times_s: array[float]
    rr_ms: array[float]


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read the section. Raises EbbtideError where it is missing, or the file has no date."""
    text, encoding, ending = read_text(path)
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if _is_section(line)), None)
    if first is None:
        raise EbbtideError(
            f"{path} is a results file of Kubios HRV without its RR interval data.",
            "Export the results from Kubios as ASCII text or CSV with the RR data, or save the RR "
            "intervals themselves.",
        )
    problems: list[str] = [] if ending is None else [ending]
    notes: list[str] = []
    if (
        not text.endswith(("\n", "\r"))
        and lines[-1]
        and first + 1 < len(lines)
        and len(lines[-1]) < len(lines[-2])
    ):
        problems.append(f"line {len(lines)} is cut off")
        lines.pop()
    samples = _samples(path, lines, first, problems)
    corrected = _CORRECTED.search(text[:200_000])
    if corrected is not None and float(corrected.group(1).replace(",", ".")) > 0:
        notes.append(f"Kubios had corrected {corrected.group(1)}% of the beats")
    start = _start(path, text[:20_000], context)
    builder = RecordingBuilder(f"{path.name} (Kubios HRV)", _SCALE)
    rows = _add_beats(builder, samples, start, notes)
    if builder.is_empty:
        raise EbbtideError(
            f"The RR interval data of {path} are empty.",
            "Export the results again, with the RR data.",
        )
    read_as = ReadAs("RR interval", samples[0].unit, rows, encoding, time="Time")
    return RecordedFile("Kubios HRV", (builder.build(),), tuple(problems), read_as, tuple(notes))


def _is_section(line: str) -> bool:
    return line.strip(' \t,;"').lower().startswith(_SECTION)


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip(' "') for cell in line.split(separator)]


def _samples(path: Path, lines: list[str], first: int, problems: list[str]) -> list[_Sample]:
    separator, samples, at = ",", [], first
    for place in range(first + 1, min(first + 12, len(lines))):
        at = place
        separator = max(";\t,", key=lines[at].count)
        names = [cell.lower() for cell in _cells(lines[at], separator)]
        columns = [i for i, name in enumerate(names) if re.match(r"rr[ _-]?int|rr \(|rr$", name)]
        if columns and any(name.startswith("time") for name in names):
            units = _cells(lines[at + 1], separator) if at + 1 < len(lines) else []
            for rr in columns:
                befores = [i for i in range(rr) if names[i].startswith("time")]
                time = befores[-1] if befores else None
                unit = unit_named(names[rr]) or (unit_named(units[rr]) if rr < len(units) else None)
                if time is not None and unit in ("s", "ms"):
                    samples.append(_Sample(time, rr, unit, array("d"), array("d")))
            break
    if not samples:
        raise EbbtideError(
            f"The RR interval data of {path} have no columns 'Time' and 'RR interval' with a unit.",
            "Export the results from Kubios again, or save the RR intervals themselves.",
        )
    for number, line in enumerate(lines[at + 1 :], at + 2):
        cells = _cells(line, separator)
        for sample in samples:
            if sample.rr >= len(cells) or not cells[sample.rr] or not cells[sample.time]:
                continue
            at_s = _seconds(cells[sample.time], separator)
            length = _number(cells[sample.rr], separator)
            if at_s is None or length is None:
                if number > at + 2:  # the line of units
                    problems.append(f"line {number}: {line.strip()[:40]!r} is not an interval")
                continue
            sample.times_s.append(at_s)
            sample.rr_ms.append(length * unit_ms(sample.unit))
    return samples


def _number(cell: str, separator: str) -> float | None:
    try:
        value = float(cell.replace(",", ".") if separator != "," else cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _seconds(cell: str, separator: str) -> float | None:
    """Seconds, or hours, minutes and seconds."""
    parts = [_number(part, separator) for part in cell.split(":")]
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total = total * 60 + part
    return total if len(parts) in (1, 3) else None


def _add_beats(
    builder: RecordingBuilder, samples: list[_Sample], start_ns: int, notes: list[str]
) -> int:
    """Add the samples in order of time; what an earlier one holds already is left out."""
    rows = left_out = 0
    last = float("-inf")
    for sample in sorted(samples, key=lambda s: s.times_s[0] if s.times_s else 0.0):
        ticks: list[int] = []
        times: list[int] = []
        for time, rr in zip(sample.times_s, sample.rr_ms, strict=True):
            length = ticks_of_interval(rr, _SCALE)
            rows += 1
            if length is None or not last + 0.001 < time < _MAX_SECONDS:
                left_out += 1
                continue
            ticks.append(length)
            times.append(start_ns + round(time * SECOND))
            last = time
        if times:
            builder.add_beats(ticks, times)
    if left_out:
        notes.append(f"{left_out} intervals that two samples share, or that are none, are left out")
    return rows


def _start(path: Path, text: str, context: ReadContext) -> int:
    """When the measurement began: its date, the option, or the name of the file."""
    found = _DATE.search(text)
    days: list[datetime] = []
    zone = ZoneInfo(context.zone)
    if found is not None:
        year4, month4, day4, first, second, year, hour, minute, sec = found.groups()
        if year4:
            orders = [(year4, month4, day4)]
        elif second.lower() in _MONTHS:
            orders = [(year, str(_MONTHS.index(second.lower()) + 1), first)]
        else:
            orders = [(year, second, first), (year, first, second)]
        for y, m, d in dict.fromkeys(orders):
            full = int(y) + (2000 if len(y) == 2 else 0)
            try:
                moment = datetime(full, int(m), int(d), int(hour), int(minute), int(sec))  # noqa: DTZ001 - the zone is beside it
            except ValueError:
                continue
            if moment_ns(moment, zone) is not None:
                days.append(moment)
    days = list(dict.fromkeys(days))
    if len(days) == 1 and (start := moment_ns(days[0], zone)) is not None:
        return start
    if len(days) > 1 and (start := given_start(path, context)) is not None:
        return start
    if days:
        raise ChoiceError(
            f"The measurement date of {path} may be {days[0]:%d %B %Y} or {days[1]:%d %B %Y}.",
            f"Say which: --start {days[0]:%Y-%m-%dT%H:%M:%S} or "
            f"--start {days[1]:%Y-%m-%dT%H:%M:%S}",
            {"start": (f"{days[0]:%Y-%m-%dT%H:%M:%S}", f"{days[1]:%Y-%m-%dT%H:%M:%S}")},
        )
    return require_start(path, context)


FORMAT = FileFormat("Kubios HRV", timed=True, matches=_matches, read=_read)
