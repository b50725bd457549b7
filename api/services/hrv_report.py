"""HRV of the windows of a range: what it would cost, and the report as JSON.

The price is a sum of terms that were measured (docs/evidence/cost.md). It is known before anything
is computed: roughly before any beat is read, and within a factor of two after.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.hrv import relative_stress as stress_index_method
from analytics.hrv import windows
from analytics.hrv.entropy import MAX_ENTROPY_INTERVALS
from analytics.hrv.metric import Domain
from analytics.hrv.relative_stress import StressIndex
from analytics.hrv.requirements import METRICS
from analytics.hrv.summary import SLOW_BREATHING
from analytics.hrv.windows import (
    BeatArrays,
    HrvWindows,
    Movement,
    hrv_windows,
    starts_by_stretch,
)
from api.schemas.hrv import HrvOut, HrvReport, StressIndexOut, finite_or_none
from api.services.compute import TooCostlyError
from api.services.inputs import windows_to_stress_index_input
from api.services.stress_index import StressBaseline
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, MINUTE, SECOND, to_datetime
from store.models import StreamCoverage

MAX_PRICE_S = 60.0
# Seconds for each: beat that is read and labelled, break between beats, window, row of the answer
# and of each further domain, beat of a window, and so on.
_BEAT, _BREAK, _WINDOW, _ROW, _DOMAIN_ROW = 1.2e-6, 5e-4, 6e-5, 1.5e-4, 1e-4
_TIME_BEAT = 1.3e-7
_SPECTRUM, _SPECTRUM_BEAT, _BROKEN_SPECTRUM_BEAT = 2e-4, 5e-7, 1.6e-5
_NONLINEAR_BEAT, _ENTROPY_PAIR = 4e-7, 5e-9
_BLOCK_BEATS = 30_000  # of the engine: each block labels the beats of its longest window anew
_USUAL_BEATS_A_SECOND, _MAX_BEATS_A_SECOND = 1.0, 5.0


@dataclass(frozen=True, slots=True)
class HrvQuery:
    """Windows of ``window_ns`` every ``step_ns`` in [start_ns, end_ns). ``is_whole``: the range is
    the one window.
    """

    start_ns: int
    end_ns: int
    window_ns: int
    step_ns: int
    is_whole: bool
    from_first_beat: bool
    domains: tuple[Domain, ...]

    @property
    def window_count(self) -> int:
        """How many windows fit, at most."""
        if self.is_whole:
            return 1
        return max(0, (self.end_ns - self.start_ns - self.window_ns) // self.step_ns + 1)

    def starts(self, beats: BeatArrays) -> NDArray[np.int64]:
        """Compute the starts of the windows."""
        if self.is_whole:
            return np.array([self.start_ns], dtype=np.int64)
        if self.from_first_beat:
            return starts_by_stretch(beats, self.window_ns, self.step_ns)
        return np.arange(
            self.start_ns, self.end_ns - self.window_ns + 1, self.step_ns, dtype=np.int64
        )


@dataclass(frozen=True, slots=True, eq=False)
class HrvTask:
    """What a report is made of. ``baseline``: with a stress index, against these windows."""

    query: HrvQuery
    starts: NDArray[np.int64]
    beats: BeatArrays
    movement: Movement
    origins: tuple[Origin, ...]
    zone: str
    baseline: StressBaseline | None


def estimate_beats(coverage: Iterable[StreamCoverage], start_ns: int, end_ns: int) -> float:
    """Estimate how many beats a range has, from what is known of the streams."""
    beats = 0.0
    for item in coverage:
        if item.first_ns is None or item.last_ns is None:
            continue
        overlap_s = (min(end_ns, item.last_ns) - max(start_ns, item.first_ns)) / SECOND
        if overlap_s >= 0:
            length_s = max(1.0, (item.last_ns - item.first_ns) / SECOND)
            rate = max(item.beats / length_s, _USUAL_BEATS_A_SECOND)
            beats += min(item.beats, overlap_s * min(rate, _MAX_BEATS_A_SECOND) + 1)
    return beats


def estimate_price_s(query: HrvQuery, beats: float) -> float:
    """Estimate the seconds for a range of so many beats, evenly spread, before they are read."""
    count = query.window_count
    range_ns = query.end_ns - query.start_ns
    in_window = beats * min(1.0, query.window_ns / range_ns)
    labelled = beats + min(beats / _BLOCK_BEATS, count) * in_window
    pairs = count * _pairs(in_window)
    return _price_s(query, labelled, 0.0, float(count), count * in_window, pairs, 0.0)


def task_price_s(task: HrvTask) -> float:
    """Compute the seconds from the beats themselves."""
    times, query = task.beats.time_ns, task.query
    first = np.searchsorted(times, task.starts, "left")
    last = np.searchsorted(times, task.starts + query.window_ns, "left")
    count = (last - first).astype(np.float64)
    breaks = np.append(0, np.cumsum(~task.beats.follows))
    # The first beat of a window follows one outside of it.
    broken = count[breaks[last] - breaks[np.minimum(first + 1, last)] > 0]
    widest = float(np.max(count, initial=0.0))
    pairs = np.where(count <= MAX_ENTROPY_INTERVALS, count, 0.0) ** 2
    again = 1 + min(len(times) / _BLOCK_BEATS, len(count)) * widest / max(len(times), 1)
    return _price_s(
        query,
        len(times) * again,
        float(breaks[-1]) * again,
        float(np.count_nonzero(count)) if not query.is_whole else 1.0,
        float(np.sum(count)),
        float(np.sum(pairs)),
        float(np.sum(broken)),
    )


def require_affordable(query: HrvQuery, price_s: float, beats: float) -> None:
    """Raise TooCostlyError, which says what would be allowed, above ``MAX_PRICE_S``. ``beats``: in
    the range.
    """
    if price_s <= MAX_PRICE_S:
        return
    # What is dearer than beats that are evenly spread stays so with other windows.
    factor = price_s / estimate_price_s(query, beats)

    def is_allowed(other: HrvQuery, other_beats: float) -> bool:
        return estimate_price_s(other, other_beats) * factor <= MAX_PRICE_S

    advice = []
    length_ns = query.end_ns - query.start_ns
    for days in (16, 8, 4, 2, 1):
        share = days * DAY / length_ns
        shorter = replace(query, end_ns=query.start_ns + days * DAY)
        if share < 1 and shorter.window_count and is_allowed(shorter, beats * share):
            advice.append(f"at most {days} {'day' if days == 1 else 'days'} at a time")
            break
    step_ns = query.step_ns
    while not query.is_whole and step_ns < query.window_ns:
        step_ns = min(query.window_ns, step_ns * 2)
        if is_allowed(replace(query, step_ns=step_ns), beats):
            advice.append(f"a step_s of at least {math.ceil(step_ns / SECOND)}")
            break
    if {*query.domains} - {Domain.TIME} and is_allowed(
        replace(query, domains=(Domain.TIME,)), beats
    ):
        advice.append("domain=time alone")
    if not advice:
        advice.append("a shorter range with a shorter window_s and a longer step_s")
    raise TooCostlyError(
        f"That is {query.window_count} windows, which would take about {price_s:.0f} s of "
        f"computing; {MAX_PRICE_S:.0f} s are allowed.",
        f"Ask for {', or '.join(advice)}.",
    )


def compute_hrv_json(task: HrvTask) -> bytes:
    """Compute the report. Pure: it reads no store."""
    query = task.query
    domains = {Domain.TIME, *query.domains}
    result = hrv_windows(task.beats, task.starts, query.window_ns, domains, task.movement)
    index = None
    if task.baseline is not None:
        index = task.baseline.judge(windows_to_stress_index_input(result, task.zone))
    rows = list(range(len(result)))
    if not query.is_whole:
        rows = np.flatnonzero(result.metrics.intervals).tolist()
    report = HrvReport(
        windows=[_to_out(result, row, query.domains, index) for row in rows],
        origins=list(task.origins),
        method=windows.METHOD
        if index is None
        else f"{windows.METHOD}; {stress_index_method.METHOD}",
    )
    return report.model_dump_json().encode()


def _price_s(
    query: HrvQuery,
    beats: float,
    breaks: float,
    rows: float,
    window_beats: float,
    pairs: float,
    broken_beats: float,
) -> float:
    price = beats * _BEAT + breaks * _BREAK + query.window_count * _WINDOW + rows * _ROW
    price += window_beats * _TIME_BEAT
    price += rows * _DOMAIN_ROW * len({*query.domains} - {Domain.TIME})
    if Domain.FREQUENCY in query.domains:
        price += rows * _SPECTRUM + window_beats * _SPECTRUM_BEAT
        price += broken_beats * _BROKEN_SPECTRUM_BEAT
    if Domain.NONLINEAR in query.domains:
        price += window_beats * _NONLINEAR_BEAT + pairs * _ENTROPY_PAIR
    return price


def _pairs(beats: float) -> float:
    return beats**2 if beats <= MAX_ENTROPY_INTERVALS else 0.0


def _to_out(
    result: HrvWindows, row: int, domains: tuple[Domain, ...], index: StressIndex | None
) -> HrvOut:
    metrics = result.metrics
    usable = result.missing_detail[row] is None
    values = {
        name: finite_or_none(column[row]) if usable else None
        for name, column in metrics.values.items()
    }
    selected = values if Domain.TIME in domains else _without_time(values)
    reasons = {name: metrics.missing_reason(name, row) for name in selected} if usable else {}
    breaths = values.get("breathing_per_min")
    start = int(result.start_ns[row])
    beats = int(metrics.intervals[row])
    return HrvOut(
        start=to_datetime(start),
        end=to_datetime(start + result.window_ns),
        beats=beats,
        coverage=float(metrics.coverage[row]),
        removed_share=1 - float(metrics.normal_share[row]) if beats else None,
        filled_share=float(metrics.filled_share[row]),
        longest_gap_s=float(metrics.longest_gap_s[row]),
        contact_share=finite_or_none(metrics.contact_share[row]),
        motion_mg=finite_or_none(metrics.motion_mg[row]),
        mean_hr_bpm=values["mean_hr_bpm"],
        rmssd_ms=values["rmssd_ms"],
        sdnn_ms=values["sdnn_ms"],
        figures=selected,
        absent={name: reason for name, reason in reasons.items() if reason is not None},
        stress_index=None
        if index is None
        else StressIndexOut.from_index(index, row, result.window_ns / MINUTE),
        notes=[SLOW_BREATHING] if breaths is not None and breaths < 9 else [],
        missing=result.missing_detail[row],
    )


def _without_time(values: dict[str, float | None]) -> dict[str, float | None]:
    return {
        name: value for name, value in values.items() if METRICS[name].domain is not Domain.TIME
    }
