"""Read the JSON files of a Polar account's export, and of Polar's AccessLink.

``training-session-*.json`` holds ``exercises`` with ``samples.rr``, of which each entry has a
``duration`` (milliseconds, or ISO 8601 as PT0.812S) and ``offline``; ``ppi_samples_*.json`` holds
``sampleDateTime`` and ``pulseLength`` of each pulse of an optical sensor; AccessLink holds samples
of type 11 as text with commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import ticks_from_ms, ticks_of_interval
from ebbtide.timestamps import SECOND
from ingest.files.builder import RecordingBuilder
from ingest.files.encoded_text import decode, read_json
from ingest.files.recording import (
    PULSE_NOTE,
    FileFormat,
    FileRecording,
    ReadAs,
    ReadContext,
    RecordedFile,
)
from ingest.files.start_time import iso_ns, require_start

_SCALE = 10_000
_RR_TYPE = "11"  # of AccessLink
_DURATION = re.compile(r"PT(\d+(?:\.\d+)?)S")
_NEAR_S = 0.03
_MARKS = ('"devicePpiSamplesList"', '"exportVersion"', '"exercises"', '"sample-type"')
_HOW = (
    "Record with a chest strap and R-R recording switched on; in Polar Flow, export the session as "
    "'R-R (CSV)'."
)


def _matches(head: bytes) -> bool:
    text = decode(head)[0].lstrip("\ufeff \r\n\t")
    return text[:1] in ("{", "[") and any(mark in text for mark in _MARKS)


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read each exercise as a recording. Raises EbbtideError where none holds intervals."""
    whole, encoding = read_json(path)
    zone = ZoneInfo(context.zone)
    problems: list[str] = []
    devices = _pulses(whole, zone)
    if devices:
        placed = tuple(_place_pulses(path, pulses, problems) for pulses in devices.values())
        count = sum(len(pulses) for pulses in devices.values())
        read_as = ReadAs("pulseLength", "ms", count, encoding, quantity="PPI")
        return RecordedFile("Polar JSON", placed, tuple(problems), read_as, (PULSE_NOTE,))
    recordings: list[FileRecording] = []
    rows = 0
    for start_ns, values in _exercises(whole, zone, context.start_ns):
        if start_ns is None:
            start_ns = require_start(path, context)
        builder = RecordingBuilder(f"{path.name} (Polar JSON)", _SCALE)
        _place_exercise(builder, values, start_ns, problems)
        rows += len(values)
        if not builder.is_empty:
            recordings.append(builder.build())
    if not recordings:
        raise EbbtideError(f"{path} is a file of Polar Flow without RR intervals.", _HOW)
    read_as = ReadAs("rr", "ms", rows, encoding)
    return RecordedFile("Polar JSON", tuple(recordings), tuple(problems), read_as)


def _pulses(whole: Any, zone: ZoneInfo) -> dict[str, list[tuple[int, float]]]:
    """(time, interval) of each pulse, by the device that saw it."""
    devices: dict[str, list[tuple[int, float]]] = {}
    for day in whole if isinstance(whole, list) else [whole]:
        for device in _list_of(day, "devicePpiSamplesList"):
            for sample in _list_of(device, "ppiSamples"):
                if not isinstance(sample, dict):
                    continue
                moment = iso_ns(sample.get("sampleDateTime"), zone)
                length = _milliseconds(sample.get("pulseLength"))
                if moment is not None and length is not None:
                    devices.setdefault(str(device.get("deviceId")), []).append((moment, length))
    return devices


def _place_pulses(
    path: Path, pulses: list[tuple[int, float]], problems: list[str]
) -> FileRecording:
    """Place pulses by their times where those step by the intervals, else as arrivals."""
    ordered = sorted(pulses, key=lambda pulse: pulse[0])  # pulses of one second keep their order
    good = [(ns, ms) for ns, ms in ordered if ticks_of_interval(ms, _SCALE) is not None]
    if len(good) < len(pulses):
        problems.append(f"{len(pulses) - len(good)} entries are not an interval between pulses")
    builder = RecordingBuilder(f"{path.name} (Polar JSON, PPI)", _SCALE, Origin.PULSE)
    steps = [
        abs((after - before) / SECOND - ms / 1000) for (before, _), (after, ms) in pairwise(good)
    ]
    exact = sum(step < _NEAR_S for step in steps) > 0.8 * len(steps)
    ticks = [ticks_from_ms(ms, _SCALE) for _, ms in good]
    if exact and len({ns for ns, _ in good}) == len(good):
        builder.add_beats(ticks, [ns for ns, _ in good])
    else:
        waiting: list[int] = []
        for place, (ns, _) in enumerate(good):
            waiting.append(ticks[place])
            if place + 1 == len(good) or good[place + 1][0] != ns or len(waiting) == 16:
                builder.add_arrival(waiting, ns)
                waiting = []
    if builder.is_empty:
        raise EbbtideError(f"{path} holds no pulse interval.", "Export the account again.")
    return builder.build()


def _exercises(
    whole: Any, zone: ZoneInfo, start_ns: int | None
) -> Iterator[tuple[int | None, list[tuple[float | None, bool]]]]:
    """(start, (interval in ms, whether the strap was off) of each beat) of each exercise."""
    sessions = whole if isinstance(whole, list) else [whole]
    for session in sessions:
        if not isinstance(session, dict):
            continue
        outer = _start_of(session, zone)
        for exercise in _list_of(session, "exercises") or [session]:
            if not isinstance(exercise, dict):
                continue
            start = _start_of(exercise, zone) or outer or start_ns
            samples = exercise.get("samples")
            if isinstance(samples, dict):
                values = [_sample(item) for item in _list_of(samples, "rr")]
                for item in _list_of(samples, "sample"):
                    values += _access_link(item)
            else:
                values = [v for item in _list_of(exercise, "samples") for v in _access_link(item)]
            if values:
                yield start, values


def _sample(item: Any) -> tuple[float | None, bool]:
    if isinstance(item, dict):
        return _milliseconds(item.get("duration", item.get("value"))), item.get("offline") is True
    return _milliseconds(item), False


def _access_link(item: Any) -> list[tuple[float | None, bool]]:
    if not isinstance(item, dict):
        return []
    kind = str(item.get("sample-type", item.get("sample_type", "")))
    data = item.get("data")
    if kind != _RR_TYPE or not isinstance(data, str):
        return []
    return [(_milliseconds(_float(part)), False) for part in data.split(",")]


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _milliseconds(value: Any) -> float | None:
    if isinstance(value, str):
        found = _DURATION.fullmatch(value)
        value = float(found[1]) * 1000 if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < 1e6 else None


def _place_exercise(
    builder: RecordingBuilder,
    values: list[tuple[float | None, bool]],
    start_ns: int,
    problems: list[str],
) -> None:
    end, run, bad = start_ns, list[int](), 0
    for ms, offline in [*values, (None, True)]:
        ticks = None if ms is None or offline else ticks_of_interval(ms, _SCALE)
        if ticks is not None:
            run.append(ticks)
            continue
        if run:
            end = builder.add_run(run, end)
            run = []
        end += round((ms or 0.0) * SECOND / 1000)
        bad += not offline
    if bad:
        problems.append(f"{bad} entries are not an interval between two beats")


def _start_of(item: dict[str, Any], zone: ZoneInfo) -> int | None:
    """When it began: local, unless the file says how far from UTC."""
    text = item.get("startTime", item.get("start-time", item.get("start_time")))
    offsets = ("timezoneOffset", "timeZoneOffset", "start-time-utc-offset", "start_time_utc_offset")
    offset = next((item[name] for name in offsets if name in item), None)
    if isinstance(offset, int) and not isinstance(offset, bool) and abs(offset) <= 18 * 60:
        local = iso_ns(text, ZoneInfo("UTC"))
        return None if local is None else local - offset * 60 * SECOND
    return iso_ns(text, zone)


def _list_of(item: Any, key: str) -> list[Any]:
    found = item.get(key) if isinstance(item, dict) else None
    return found if isinstance(found, list) else []


FORMAT = FileFormat("Polar JSON", timed=True, matches=_matches, read=_read)
