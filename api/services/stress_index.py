"""The stress index of windows and of longer times, against a person's baseline.

Windows during a practice are left out of baseline and index: paced breathing changes the heart by
itself, and what came with a practice is shown as its effect (``/practices/around``). Where the
person declared that their usual changed (an illness, a new strap), the baseline starts anew on that
day; days before it keep theirs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.relative_stress import (
    METHOD,
    StressIndex,
    StressIndexInput,
    StressPeriods,
    stress_index,
    stress_index_of_periods,
)
from analytics.hrv.requirements import MissingReason
from analytics.hrv.windows import WINDOW_NS
from ebbtide.timestamps import SECOND

VERSION = int(METHOD.rpartition("version ")[2])
PRACTISING = "practising: shown as the practice's effect"
_HALF_WINDOW_S = WINDOW_NS / SECOND / 2
_LACKING = (MissingReason.NO_BEATS, MissingReason.TOO_FEW_BEATS)


@dataclass(frozen=True, slots=True, eq=False)
class IndexColumns:
    """As ``analytics.StressIndex``, one value for each window or group, shape (w,).

    NaN where ``missing_reason`` says why.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    own_low: NDArray[np.float64]
    own_high: NDArray[np.float64]
    usual_low: NDArray[np.float64]
    usual_high: NDArray[np.float64]
    baseline_days: NDArray[np.int64]
    known_minutes: NDArray[np.int64]
    missing_reason: NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class StressBaseline:
    """What a person's index is relative to.

    ``windows``: of the first days since each start, without those during practices; ``starts``:
    local days on which the baseline begins anew, increasing; ``practices_s``: shape (p, 2), from
    and to.
    """

    windows: StressIndexInput
    starts: tuple[int, ...] = ()
    practices_s: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))

    def fingerprint(self, zone: str) -> str:
        """Name all that an index depends on beside its own windows."""
        digest = hashlib.sha256(repr((METHOD, zone, self.starts)).encode())
        columns = (self.windows.day, self.windows.hour, self.windows.measures, self.practices_s)
        for column in columns:
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def judge(self, windows: StressIndexInput) -> IndexColumns:
        """Compare each window with the usual that was known before its day."""
        known, practising = leave_out_practices(windows, self.practices_s)
        result = _empty(len(windows.day))
        era = np.searchsorted(self.starts, windows.day, "right")
        for number in np.unique(era).tolist():
            rows = np.flatnonzero(era == number)
            _scatter(result, rows, stress_index(self._history(number), known.at(rows)))
        result.missing_reason[practising] = PRACTISING
        return result

    def judge_periods(self, windows: StressIndexInput, periods: StressPeriods) -> IndexColumns:
        """Compare hours, days or weeks. A group is compared with the usual of its last day."""
        groups = int(periods.group.max()) + 1 if len(periods.group) else 0
        known, practising = leave_out_practices(windows, self.practices_s)
        result = _empty(groups)
        last_day = np.zeros(groups, np.int64)
        np.maximum.at(last_day, periods.group, periods.day)
        era = np.searchsorted(self.starts, last_day, "right")
        for number in np.unique(era).tolist():
            chosen = np.flatnonzero(era == number)
            place = np.full(groups, -1)
            place[chosen] = np.arange(len(chosen))
            rows = np.flatnonzero(place[periods.group] >= 0)
            some = StressPeriods(
                periods.day[rows],
                periods.start_s[rows],
                periods.end_s[rows],
                place[periods.group[rows]],
            )
            found = stress_index_of_periods(self._history(number), known, some)
            _scatter(result, chosen, found)
        if np.any(practising):
            _explain_practices(result, periods, windows.time_s[practising])
        return result

    def _history(self, era: int) -> StressIndexInput:
        """Choose the windows since one start and before the next."""
        if not self.starts:
            return self.windows
        return self.windows.at(np.searchsorted(self.starts, self.windows.day, "right") == era)


def leave_out_practices(
    windows: StressIndexInput, practices_s: NDArray[np.float64]
) -> tuple[StressIndexInput, NDArray[np.bool_]]:
    """Take the heart out of windows that touch a practice; and say which those are."""
    practising = np.zeros(len(windows.day), np.bool_)
    for begin, end in practices_s.tolist():
        practising |= (windows.time_s + _HALF_WINDOW_S > begin) & (
            windows.time_s - _HALF_WINDOW_S < end
        )
    if not np.any(practising):
        return windows, practising
    return (
        replace(
            windows,
            minute_bpm=np.where(practising[:, None], np.nan, windows.minute_bpm),
            window_bpm=np.where(practising, np.nan, windows.window_bpm),
            vagal=np.where(practising, np.nan, windows.vagal),
        ),
        practising,
    )


def _empty(count: int) -> IndexColumns:
    value, low, high, own_low, own_high, usual_low, usual_high = np.full((7, count), np.nan)
    baseline_days, known_minutes = np.zeros((2, count), np.int64)
    return IndexColumns(
        *(value, low, high, own_low, own_high, usual_low, usual_high),
        baseline_days=baseline_days,
        known_minutes=known_minutes,
        missing_reason=np.full(count, None, dtype=object),
    )


def _scatter(result: IndexColumns, rows: NDArray[np.intp], index: StressIndex) -> None:
    for item in fields(result)[:-1]:
        getattr(result, item.name)[rows] = getattr(index, item.name)
    reasons = [None if reason is None else str(reason) for reason in index.missing_reason]
    result.missing_reason[rows] = np.array(reasons, dtype=object)


def _explain_practices(
    result: IndexColumns, periods: StressPeriods, practising_s: NDArray[np.float64]
) -> None:
    """Name practices as the reason where a period lacks nothing but what they took."""
    times = np.sort(practising_s)
    first = np.searchsorted(times, periods.start_s, "left")
    touched = periods.group[np.searchsorted(times, periods.end_s, "left") > first]
    for group in np.unique(touched).tolist():
        if result.missing_reason[group] in _LACKING:
            result.missing_reason[group] = PRACTISING
