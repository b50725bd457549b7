"""Nights in a person's own recordings: rest periods found in the windows of all days, and stored.

The nightly analysis makes them anew from the stored windows, which costs less than to know which
changed; the same ones are not written again. Simulated beats make no nights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.nights import RestPeriod, find_rest, is_of_night
from api.services.daily_windows import MONTH_DAYS, load_daily_hrv
from ebbtide.beats import Origin, Stream
from ebbtide.nights import (
    MAX_NIGHT_NS,
    MAX_SOURCE_LETTERS,
    MIN_NIGHT_NS,
    STEP_S,
    Night,
    NightBasis,
    NightValue,
    find_fault,
    local_date,
)
from ebbtide.timestamps import DAY, SECOND, utc_offset_s
from store import Stores
from store.models import NightsPut, Person, StreamCoverage

_STEP_NS = STEP_S * SECOND
#: So many windows with heart rate variability, an hour, or its figure says little of a night.
MIN_WINDOWS = 12
#: Days of recordings that are looked through: the newest.
MAX_DAYS = 1100
# A stream of a file is named after it: "night.csv (RR intervals)", "Watch (Apple Health)".
_OF_FILE = re.compile(r".+ \((?P<kind>[^()]+)\)")
_HEALTH = "Apple Health"


@dataclass(frozen=True, slots=True, eq=False)
class RecordedWindows:
    """Windows of five minutes of the recordings of a person, all of shape (w,), by time."""

    start_ns: IntArray
    bpm: FloatArray
    rmssd_ms: FloatArray
    sdnn_ms: FloatArray
    motion_mg: FloatArray


def store_recorded_nights(stores: Stores, person: Person) -> NightsPut:
    """Find the nights in the stored windows of a person; store them in place of those before."""
    coverage = [one for one in stores.beats.coverage(person.subject_id) if one.first_ns is not None]
    nights = find_nights(_load_windows(stores, person, coverage), coverage, person.zone)
    there = [
        item.night
        for item in stores.nights.nights(person.id, values=False)
        if item.night.basis is NightBasis.RECORDING
    ]
    if not nights and not there:
        return NightsPut(0, 0, 0)
    return stores.nights.replace_recorded(person.id, nights, stores.now())


def find_nights(
    windows: RecordedWindows, coverage: Sequence[StreamCoverage], zone: str
) -> list[Night]:
    """Make the nights of windows, each of the recording that has most of it. Pure.

    Of several rest periods of a device that end on one date the longest is the night; one of less
    than three hours is a nap.
    """
    by_key: dict[tuple[str, str], Night] = {}
    for rest in find_rest(windows.start_ns, windows.bpm, windows.motion_mg):
        if not MIN_NIGHT_NS <= rest.end_ns - rest.start_ns <= MAX_NIGHT_NS:
            continue
        if not is_of_night(rest, windows.start_ns, windows.bpm, utc_offset_s(rest.end_ns, zone)):
            continue
        source = _find_source(rest, coverage)
        if source is None:
            continue
        night = _make_night(rest, windows, source, zone)
        if find_fault(night) is not None:
            continue
        key = (night.source, night.day)
        there = by_key.get(key)
        if there is None or night.end_ns - night.start_ns > there.end_ns - there.start_ns:
            by_key[key] = night
    return [by_key[key] for key in sorted(by_key)]


def _load_windows(
    stores: Stores, person: Person, coverage: Sequence[StreamCoverage]
) -> RecordedWindows:
    """Read the stored windows of the newest days, a month at a time."""
    parts = []
    last_ns = max((one.last_ns or 0 for one in coverage), default=0)
    first_ns = max(
        min((one.first_ns or 0 for one in coverage), default=0), last_ns - MAX_DAYS * DAY
    )
    for begin in range(first_ns // DAY * DAY, last_ns + 1, MONTH_DAYS * DAY):
        end = min(begin + MONTH_DAYS * DAY, last_ns + 1)
        daily = load_daily_hrv(stores, person, begin, end, only_stored=True)
        daily = daily.at(~daily.reported)  # of a device's own rates, no night is made
        parts.append(
            (daily.start_ns, daily.window_bpm, daily.rmssd_ms, daily.sdnn_ms, daily.motion_mg)
        )
    if not parts:
        nothing = np.empty(0)
        return RecordedWindows(np.empty(0, np.int64), nothing, nothing, nothing, nothing)
    starts, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Windows begin with each recording and may overlap by days: the first of each step stays.
    order = np.argsort(starts, kind="stable")
    return RecordedWindows(starts[order], *(column[order] for column in columns))


def _find_source(rest: RestPeriod, coverage: Sequence[StreamCoverage]) -> str | None:
    """Name the device whose recordings have most of a rest period; None where none has, or where
    those are simulated.
    """
    shares: dict[str, int] = {}
    for one in coverage:
        begin, end = max(one.first_ns or 0, rest.start_ns), min(one.last_ns or 0, rest.end_ns)
        if end > begin:
            is_simulated = one.stream.origin is Origin.SIMULATED
            name = "" if is_simulated else _device(one.stream)
            shares[name] = shares.get(name, 0) + end - begin
    return max(sorted(shares), key=lambda name: shares[name]) or None if shares else None


def _device(stream: Stream) -> str:
    """Name what has a level of its own: a strap, or all files of a kind, each of another name."""
    name = "".join(letter for letter in stream.source if letter.isprintable()).strip()
    found = _OF_FILE.fullmatch(name)
    if stream.origin is Origin.FILE and found is not None and found["kind"] != _HEALTH:
        name = f"Recordings ({found['kind']})"
    return name[:MAX_SOURCE_LETTERS] or "Recordings"


def _make_night(rest: RestPeriod, windows: RecordedWindows, source: str, zone: str) -> Night:
    a, b = np.searchsorted(windows.start_ns, [rest.start_ns, rest.end_ns])
    step = (windows.start_ns[a:b] - rest.start_ns) // _STEP_NS
    kept = np.r_[True, np.diff(step) > 0] if len(step) else np.empty(0, bool)
    step = step[kept]
    rmssd, sdnn, bpm = (
        column[a:b][kept] for column in (windows.rmssd_ms, windows.sdnn_ms, windows.bpm)
    )
    usable = np.isfinite(rmssd)
    count = int(np.count_nonzero(usable))
    rates = np.sort(bpm[np.isfinite(bpm)])
    offset_s = utc_offset_s(rest.end_ns, zone)
    enough = count >= MIN_WINDOWS
    missing = None
    if not enough:
        missing = f"{count} of at least {MIN_WINDOWS} usable five-minute windows asleep"
    return Night(
        local_date(rest.end_ns, offset_s),
        source,
        rest.start_ns,
        rest.end_ns,
        offset_s,
        NightBasis.RECORDING,
        rmssd_ms=_within(float(rmssd[usable].mean()), 500) if enough else None,
        sdnn_ms=_within(float(np.nanmean(sdnn[usable])), 500) if enough else None,
        mean_hr_bpm=round(float(rates.mean()), 3),
        low_quarter_hr_bpm=(
            round(float(rates[: len(rates) // 4].mean()), 3) if len(rates) >= 8 else None
        ),
        windows=count,
        steps=(rest.end_ns - rest.start_ns) // _STEP_NS,
        values=tuple(
            NightValue(int(k) * STEP_S, _number(one), _number(two), _number(three))
            for k, one, two, three in zip(step, rmssd, sdnn, bpm, strict=True)
        ),
        missing_reason=missing,
    )


def _within(value: float, most: float) -> float | None:
    """Round as stored; None of what no person has."""
    return round(float(value), 3) if np.isfinite(value) and 0 < value <= most else None


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
