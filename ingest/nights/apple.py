"""Read nights of Apple Health: SDNN and heart rates within the times asleep.

Sleep stages say when a person slept. SDNN is of a minute here and there, as the watch measures it;
it never stands for RMSSD. The export is read a record at a time: of years only times and numbers
are held, 8 bytes a heart rate.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np

from ebbtide.errors import EbbtideError
from ebbtide.nights import STEP_S, Night
from ebbtide.timestamps import EARLIEST, LATEST, SECOND
from ingest.files.apple_health import open_health_xml, parse_health_time
from ingest.files.xml_repair import EntityDeclaredError, RepairedXml
from ingest.nights.assemble import Measured, Sleep, clean, make_nights, merge_sleeps, once_each
from ingest.nights.clock import parse_offset
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, plain_name

_SDNN = "HKQuantityTypeIdentifierHeartRateVariabilitySDNN"
_RATE = "HKQuantityTypeIdentifierHeartRate"
_SLEEP = "HKCategoryTypeIdentifierSleepAnalysis"
_TYPES = {_SDNN, _RATE, _SLEEP}
_ASLEEP, _IN_BED = "HKCategoryValueSleepAnalysisAsleep", "HKCategoryValueSleepAnalysisInBed"
_OFFSET = re.compile(r"[+-]\d{2}:?\d{2}\s*$")
_STEP_NS = STEP_S * SECOND


@dataclass(slots=True)
class _Source:
    asleep: list[Sleep] = field(default_factory=list)
    in_bed: list[Sleep] = field(default_factory=list)
    sdnn: list[Measured] = field(default_factory=list)
    rates: array[int] = field(default_factory=lambda: array("Q"))  # second << 16 | 0.01 bpm


def _matches(member: Member) -> bool:
    text = member.head.replace(b"\x00", b"")
    return b"<HealthData" in text or b"<!DOCTYPE HealthData" in text


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    total = sum(member.size for member in found) or 1
    sources: dict[str, _Source] = {}

    def show(at: int) -> None:
        context.show(0.9 * at / total)

    if members.path.is_dir():
        for member in found:
            _parse(members.path / member.name, sources, remarks, show)
    else:
        _parse(members.path, sources, remarks, show)
    nights: list[Night] = []
    anyone = [sleep for source in sources.values() for sleep in source.asleep]
    in_bed = [sleep for source in sources.values() for sleep in source.in_bed]
    for name in sorted(sources):
        source = sources[name]
        sleeps = source.asleep or anyone
        if not sleeps and in_bed:
            sleeps = in_bed
            remarks.note("no sleep stages are there: the time in bed is taken as the sleep")
        if sleeps and (source.sdnn or source.rates):
            merged = merge_sleeps(sleeps)
            values = [*source.sdnn, *_binned_rates(source, merged)]
            found_nights = make_nights(f"{name} (Apple Health)", values, remarks, merged)
            nights += [night for night in found_nights if night.is_measured]
        elif source.sdnn:
            remarks.note(f"{name}: SDNN is there and no sleep, so which is of nights is not known")
    if not nights:
        raise EbbtideError(
            f"{members.path} holds no night: no time asleep with SDNN or heart rates in it.",
            "Wear the watch at night, with sleep tracking switched on.",
        )
    return NightFile(
        "Apple Health", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _parse(
    path: Path, sources: dict[str, _Source], remarks: Remarks, show: Callable[[int], None]
) -> None:
    def refuse(*_: object) -> int:
        raise EntityDeclaredError

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Record" and attributes.get("type") in _TYPES:
            _take(attributes, sources, remarks)

    parser = expat.ParserCreate("utf-8")
    parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = start
    try:
        with open_health_xml(path) as file:
            repaired = RepairedXml(file)
            while piece := repaired.read():
                parser.Parse(piece)
                show(file.tell())
            parser.Parse(b"", True)
    except EntityDeclaredError as error:
        raise EbbtideError(
            f"{path} declares entities, which no export of the Health app does.",
            "Export it again; do not open a file that somebody else made.",
        ) from error
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        remarks.problems.append(f"the file is damaged ({error}); what stands before that was kept")


def _take(record: dict[str, str], sources: dict[str, _Source], remarks: Remarks) -> None:
    kind, started = record["type"], record.get("startDate", "")
    begin = parse_health_time(started)
    name = plain_name(record.get("sourceName", ""))
    if begin is None:
        remarks.add("records have no time; left out", repr(started[:40]))
        return
    source = sources.setdefault(name or "Apple Watch", _Source())
    if kind == _RATE:
        rate = clean(record.get("value"), "hr_bpm")
        if rate is not None and EARLIEST <= begin < LATEST:
            source.rates.append(begin // SECOND << 16 | round(100 * rate))
    elif kind == _SDNN:
        sdnn = clean(record.get("value"), "sdnn_ms")
        if sdnn is not None:
            source.sdnn.append(Measured(begin, _offset_s(started), sdnn_ms=sdnn))
    else:
        ended = record.get("endDate", "")
        end, value = parse_health_time(ended), record.get("value", "")
        if end is None or end <= begin:
            remarks.add("sleeps end before they begin; left out", repr(started[:40]))
        elif value.startswith(_ASLEEP):
            source.asleep.append(Sleep(begin, end, _offset_s(ended)))
        elif value == _IN_BED:
            source.in_bed.append(Sleep(begin, end, _offset_s(ended)))


def _offset_s(text: str) -> int:
    found = _OFFSET.search(text)
    return 0 if found is None else parse_offset(found[0]) or 0


def _binned_rates(source: _Source, sleeps: list[Sleep]) -> list[Measured]:
    """Heart rates asleep, as means of five minutes from the beginning of each sleep."""
    if not source.rates:
        return []
    packed = np.frombuffer(source.rates, dtype=np.uint64)
    packed.sort()  # in place: of years, a copy would be the larger part of the memory
    values = []
    for sleep in sleeps:
        ends = [max(0, -(-at // SECOND)) << 16 for at in (sleep.start_ns, sleep.end_ns)]
        a, b = np.searchsorted(packed, np.array(ends, dtype=np.uint64))
        if a == b:
            continue
        times = (packed[a:b] >> np.uint64(16)).astype(np.int64) * SECOND
        rates = (packed[a:b] & np.uint64(0xFFFF)) / 100.0
        step = (times - sleep.start_ns) // _STEP_NS
        sums = np.bincount(step, rates)
        counts = np.bincount(step)
        for place in np.flatnonzero(counts):
            # A nanosecond beside a value of SDNN at the same moment would be the same step.
            time = sleep.start_ns + int(place) * _STEP_NS
            values.append(Measured(time, sleep.offset_s, hr_bpm=float(sums[place] / counts[place])))
    return values


FORMAT = NightFormat("Apple Health", _matches, _read)
