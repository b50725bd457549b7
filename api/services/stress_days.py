"""The stress index of each day and week of a range, with the reasons of what is missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.relative_stress import (
    WAKING_FROM_H,
    WAKING_TO_H,
    StressIndex,
    StressIndexInput,
    StressPeriods,
)
from analytics.hrv.reported import fill_windows
from analytics.hrv.windows import WINDOW_NS, HrvWindows, concat_windows, hrv_windows
from api.schemas.hrv import StressDay, StressGap, StressIndexOut
from api.services.inputs import load_beats, load_movement, load_rates, windows_to_stress_index_input
from api.services.stress_baseline import midnight_ns
from api.services.stress_index import StressBaseline, reported_shares
from ebbtide.beats import GapReason
from ebbtide.timestamps import HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Person, PracticeKind

_MIN_GAP_MINUTES = 5
NOT_RECORDED = "nothing was recorded: not worn, or not connected"
DISTURBED = "too few clean beats"
ACTIVE = "moving, or just stood up: not judged"
# What a gap of the store means to whoever wore the strap.
GAP_WORDS = {
    GapReason.LINK_LOST: "out of range, battery empty, or in use by another app",
    GapReason.BATTERY_LOW: "lost with a battery that was nearly empty",
    GapReason.CONNECTION_REFUSED: (
        "near, but it took no connection: in use by another app, or at the edge of its range"
    ),
    GapReason.CONTACT_LOST: "not worn: no skin contact",
    GapReason.NO_RR_SENT: "the device sent no times between beats",
    GapReason.PAUSED: "the recording was off",
    GapReason.PERMISSION_LOST: "the browser was no longer allowed to use Bluetooth",
    GapReason.CLOCK_STEPPED: "the computer's clock was set",
    GapReason.DISK_FULL: "the computer's disk was full",
    GapReason.OFF_THE_CLOCK: "the beats did not fit the clock",
    GapReason.LOST_AT_A_RESTORE: "lost when a backup was restored",
}

Gaps = tuple[tuple[int, int, GapReason], ...]
Rests = tuple[tuple[int, int], ...]  # day, and when its last five minutes begin


@dataclass(frozen=True, slots=True)
class DayRange:
    """Whole local days ``first`` to ``last`` (ordinals). Of ``today``, no hours to come count."""

    first: int
    last: int
    today: int
    zone: str

    @classmethod
    def around(cls, start_ns: int, end_ns: int, now_ns: int, zone: str) -> DayRange:
        """Find the local days that [start_ns, end_ns) touches, as far as they have begun."""
        first = to_datetime(start_ns, zone).toordinal()
        today = to_datetime(now_ns, zone).toordinal()
        last = to_datetime(max(start_ns, end_ns - 1), zone).toordinal()
        return cls(first, max(first, min(last, today)), today, zone)

    @property
    def start_ns(self) -> int:
        """Midnight of the first day."""
        return midnight_ns(self.first, self.zone)

    @property
    def end_ns(self) -> int:
        """Midnight after the last day."""
        return midnight_ns(self.last + 1, self.zone)

    @property
    def days(self) -> range:
        """All days."""
        return range(self.first, self.last + 1)


def load_gaps(stores: Stores, person: Person, days: DayRange) -> Gaps:
    """Read the gaps of these days."""
    placed = stores.beats.gaps(person.subject_id, days.start_ns, days.end_ns)
    return tuple((item.gap.start_ns, item.gap.end_ns, item.gap.reason) for item in placed)


def load_rests(stores: Stores, person: Person, days: DayRange) -> Rests:
    """Find the last guided rest of each day that has one."""
    starts: dict[int, int] = {}
    for item in stores.programme.practices(person.id):
        day = to_datetime(item.start_ns, days.zone).toordinal()
        if item.kind is PracticeKind.REST and days.first <= day <= days.last:
            starts[day] = item.end_ns - WINDOW_NS  # when one has settled
    return tuple(starts.items())


def judge_days(
    stores: Stores,
    person: Person,
    baseline: StressBaseline,
    windows: StressIndexInput,
    days: DayRange,
    gaps: Gaps,
    rests: Rests,
) -> tuple[list[StressDay], list[StressDay]]:
    """Judge each day and each week from Monday. ``windows``: of all these days."""
    numbers = np.array(days.days)
    spans = np.array([_waking_s(int(day), windows, days) for day in numbers])
    monday = numbers - (numbers - 1) % 7  # ordinal 1 was a Monday
    week = (monday - monday[0]) // 7
    minutes = (spans[:, 1] - spans[:, 0]) / 60

    alone = np.arange(len(numbers))
    periods = StressPeriods(numbers, spans[:, 0], spans[:, 1], alone)
    of_days, of_weeks = baseline.judge_groupings(windows, periods, [alone, week])

    def to_out(
        index: StressIndex, group: NDArray[np.int64], first: NDArray[np.int64]
    ) -> list[StressDay]:
        of_group = StressPeriods(numbers, spans[:, 0], spans[:, 1], group)
        reported = reported_shares(windows, of_group)
        worn = np.bincount(group, weights=_is_worn(windows, spans), minlength=len(first))
        length = np.bincount(group, weights=minutes)
        return [
            StressDay(
                day=date.fromordinal(int(first[row])),
                days=int(worn[row]) if index.missing_reason[row] is None else 0,
                stress_index=StressIndexOut.from_index(
                    index, row, float(length[row]), float(reported[row])
                ),
                rest=None,
                gaps=[],
            )
            for row in range(len(first))
        ]

    each = to_out(of_days, alone, numbers)
    judged_rests = _judge_rests(stores, person, baseline, days, rests)
    for item, span, number in zip(each, spans.tolist(), numbers.tolist(), strict=True):
        item.rest = judged_rests.get(number)
        item.gaps = _explain(item.stress_index, windows, span, gaps)
    return each, to_out(of_weeks, week, np.unique(monday))


def _waking_s(day: int, windows: StressIndexInput, days: DayRange) -> tuple[float, float]:
    """From when to when a day is judged, in seconds."""
    midnight, next_midnight = (midnight_ns(number, days.zone) for number in (day, day + 1))
    times = windows.time_s[(windows.day == day) & np.isfinite(windows.window_bpm)]
    begin = (midnight + WAKING_FROM_H * HOUR) / SECOND
    end = (midnight + WAKING_TO_H * HOUR) / SECOND
    if len(times) and not np.any((times >= begin) & (times < end)):
        begin, end = midnight / SECOND, next_midnight / SECOND  # who wears it at night only
    if day == days.today and len(times):
        end = min(end, float(np.max(times)) + WINDOW_NS / SECOND / 2)
    return begin, max(end, begin + WINDOW_NS / SECOND)


def _is_worn(windows: StressIndexInput, spans: NDArray[np.float64]) -> NDArray[np.bool_]:
    times = np.sort(windows.time_s[np.isfinite(windows.window_bpm)])
    first = np.searchsorted(times, spans[:, 0], "left")
    return np.asarray(np.searchsorted(times, spans[:, 1], "left") > first)


def _judge_rests(
    stores: Stores, person: Person, baseline: StressBaseline, days: DayRange, rests: Rests
) -> dict[int, StressIndexOut]:
    """Judge the guided rest of each day, from its own five minutes alone."""
    if not rests:
        return {}
    pieces = [_rest_window(stores, person, start) for _, start in rests]
    joined = concat_windows(pieces, np.arange(len(pieces)), WINDOW_NS)
    index = baseline.judge(windows_to_stress_index_input(joined, days.zone))
    reported = np.zeros(len(pieces)) if joined.reported is None else joined.reported
    return {
        day: StressIndexOut.from_index(index, row, WINDOW_NS / MINUTE, float(reported[row]))
        for row, (day, _) in enumerate(rests)
    }


def _rest_window(stores: Stores, person: Person, start_ns: int) -> HrvWindows:
    beats = load_beats(stores, person, start_ns - MINUTE, start_ns + WINDOW_NS)
    movement = load_movement(stores, person, start_ns, start_ns + WINDOW_NS)
    found = hrv_windows(beats, np.array([start_ns]), WINDOW_NS, movement=movement)
    rates, _ = load_rates(stores, person, start_ns - MINUTE, start_ns + WINDOW_NS)
    return fill_windows(found, rates, beats)


def _explain(
    index: StressIndexOut, windows: StressIndexInput, span: list[float], gaps: Gaps
) -> list[StressGap]:
    """Say of each minute of a day that has no value why not, where that is known."""
    begin, end = span
    inside = (windows.time_s >= begin) & (windows.time_s < end)
    known = np.isfinite(windows.minute_bpm[inside])
    judged = index.known_share * (end - begin) / 60
    minutes: dict[str, float] = defaultdict(float)
    for first, last, reason in gaps:
        overlap = min(last / SECOND, end) - max(first / SECOND, begin)
        # What the device's own heart rate fills is no time without a value, or counts below.
        filled = _reported_minutes(windows, max(first / SECOND, begin), min(last / SECOND, end))
        minutes[GAP_WORDS[reason]] += max(overlap / 60 - filled, 0.0)
    minutes[ACTIVE] = max(float(np.count_nonzero(known)) - judged, 0.0)
    minutes[DISTURBED] = float(np.count_nonzero(~known))
    left = (end - begin) / 60 - judged - sum(minutes.values())
    minutes[NOT_RECORDED] = max(left, 0.0)
    found = [
        StressGap(reason=reason, minutes=round(count))
        for reason, count in minutes.items()
        if count >= _MIN_GAP_MINUTES
    ]
    return sorted(found, key=lambda gap: -gap.minutes)


def _reported_minutes(windows: StressIndexInput, begin_s: float, end_s: float) -> float:
    """Count the minutes of a span in windows with a device's own heart rate."""
    if windows.reported is None:
        return 0.0
    half_s = WINDOW_NS / SECOND / 2
    middle = windows.time_s[windows.reported]
    shared = np.minimum(middle + half_s, end_s) - np.maximum(middle - half_s, begin_s)
    return float(np.sum(np.maximum(shared, 0.0))) / 60
