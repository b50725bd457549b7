"""Five-minute HRV windows of whole days, computed once and stored: a year's trend reads a hundred
thousand windows instead of forty million beats.

A day is a UTC day; its windows begin with each stretch of beats in it. A stored day carries the
method and the fingerprint of the beats it was made from; when either differs, it is made again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.heart_rate import METHOD as RATES_METHOD
from analytics.hrv.relative_stress import StressIndexInput, logarithm
from analytics.hrv.reported import METHOD as REPORTED_METHOD
from analytics.hrv.reported import ReportedRates, fill_windows, free_windows
from analytics.hrv.windows import (
    METHOD,
    WINDOW_NS,
    BeatArrays,
    HrvWindows,
    Movement,
    concat_windows,
    hrv_windows,
    starts_by_stretch,
)
from api.services.compute import compute, raise_if_stopped
from api.services.growing_day import GROWING_DAYS
from api.services.inputs import (
    day_fingerprints,
    load_beats,
    load_movement,
    load_rates,
    local_day_and_hour,
)
from api.services.single_flight import single_flight
from ebbtide.timestamps import DAY, FOREVER
from store import Stores
from store.models import DailyWindows, Person

STORED_METHOD = f"5-minute windows; {METHOD}; {RATES_METHOD}; {REPORTED_METHOD}; layout 4"
_DAY_S = 0.15  # of a day of beats, as measured
_RATE_S = 7e-6  # to read one heart rate of another system, as measured
MONTH_DAYS = 28  # of windows that are read at a time
METRICS = ("mean_hr_bpm", "rmssd_ms", "sdnn_ms", "stress_index_baevsky", "motion_mg")
# Heart rate of each minute and of the window, from as few as five beats: of the stress index.
MINUTES = tuple(f"minute_{number}_bpm" for number in range(1, 6))
_STORED = (*METRICS, *MINUTES, "window_bpm", "vagal", "reported")
_COLUMNS = ("start_ns", *METRICS, "minute_bpm", "window_bpm", "vagal", "reported")


@dataclass(frozen=True, slots=True, eq=False)
class DailyHrv:
    """Windows that have any beats or heart rates, by start; all columns of shape (w,), and
    ``minute_bpm`` of shape (w, 5). Metrics are NaN where the window is not usable; ``minute_bpm``,
    ``window_bpm`` and ``vagal`` need a few beats only (``analytics.hrv.heart_rate``), or a device's
    own heart rate where ``reported`` is true. ``fingerprints``: of each UTC day.
    """

    start_ns: NDArray[np.int64]
    mean_hr_bpm: NDArray[np.float64]
    rmssd_ms: NDArray[np.float64]
    sdnn_ms: NDArray[np.float64]
    stress_index_baevsky: NDArray[np.float64]
    motion_mg: NDArray[np.float64]
    minute_bpm: NDArray[np.float64]
    window_bpm: NDArray[np.float64]
    vagal: NDArray[np.float64]
    reported: NDArray[np.bool_]
    fingerprints: dict[int, str]

    def at(self, rows: NDArray[np.bool_]) -> DailyHrv:
        """Some of the windows."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return DailyHrv(**columns, fingerprints=self.fingerprints)

    def followed_by(self, other: DailyHrv) -> DailyHrv:
        """These windows, then those of another time."""
        columns = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in _COLUMNS
        }
        return DailyHrv(**columns, fingerprints=self.fingerprints | other.fingerprints)

    def to_stress_index_input(self, zone: str) -> StressIndexInput:
        """The windows as the stress index takes them."""
        middle_ns = self.start_ns + WINDOW_NS // 2
        day, hour = local_day_and_hour(middle_ns, zone)
        return StressIndexInput(
            day,
            hour,
            middle_ns / 1e9,
            self.minute_bpm,
            self.window_bpm,
            self.vagal,
            self.motion_mg,
            logarithm(self.rmssd_ms),
            self.mean_hr_bpm,
            self.reported if np.any(self.reported) else None,
        )


def load_daily_hrv(
    stores: Stores, person: Person, start_ns: int, end_ns: int, *, only_stored: bool = False
) -> DailyHrv:
    """Load the windows that begin in [start_ns, end_ns); compute and store what is missing, or with
    ``only_stored`` leave it out.
    """
    subject = person.subject_id
    fingerprints = day_fingerprints(stores, person, start_ns // DAY * DAY, -(-end_ns // DAY) * DAY)
    if not fingerprints:
        return concat_days([], {})

    def is_current(day: int) -> bool:
        return day in stored and stored[day].fingerprint == fingerprints[day]

    stored = stores.beats.stored_windows(
        subject, STORED_METHOD, _STORED, min(fingerprints), max(fingerprints)
    )
    missing = [day for day in fingerprints if not is_current(day)]
    if only_stored:
        fingerprints = {day: name for day, name in fingerprints.items() if is_current(day)}
    elif missing:
        with single_flight(f"windows {subject}"):
            days = (min(missing), max(missing))
            stored |= stores.beats.stored_windows(subject, STORED_METHOD, _STORED, *days)
            for day in sorted(missing):
                raise_if_stopped()
                if not is_current(day):
                    stored[day] = _load_day(stores, person, day, fingerprints[day])
                    # Day by day: a request that times out leaves most of a year done.
                    stores.beats.store_windows(subject, STORED_METHOD, {day: stored[day]})
    daily = concat_days([stored[day] for day in sorted(fingerprints)], fingerprints)
    inside = (daily.start_ns >= start_ns) & (daily.start_ns < end_ns)
    return daily.at(inside)


def missing_days(stores: Stores, person: Person) -> dict[int, str]:
    """The days whose windows are not stored, or were made from other beats; day → fingerprint."""
    fingerprints = day_fingerprints(stores, person, *FOREVER)
    if not fingerprints:
        return {}
    stored = stores.beats.stored_fingerprints(
        person.subject_id, STORED_METHOD, min(fingerprints), max(fingerprints)
    )
    return {day: current for day, current in fingerprints.items() if stored.get(day) != current}


def compute_day(
    fingerprint: str, beats: BeatArrays, movement: Movement, rates: ReportedRates, day: int
) -> DailyWindows:
    """Compute the windows of a UTC day (days since 1970) from its beats, and where there are none
    from the heart rates that devices reported. Pure: it reads no store.
    """
    windows = day_windows(beats, movement)
    return to_stored(fingerprint, add_reported(windows, beats, movement, rates, day))


def day_windows(beats: BeatArrays, movement: Movement) -> HrvWindows:
    """Compute the windows of the beats of a UTC day. Pure: it reads no store."""
    starts = starts_by_stretch(beats, WINDOW_NS, WINDOW_NS)
    return hrv_windows(beats, starts, WINDOW_NS, movement=movement)


def add_reported(
    of_beats: HrvWindows, beats: BeatArrays, movement: Movement, rates: ReportedRates, day: int
) -> HrvWindows:
    """Add windows of the heart rates that devices reported where no beats are. Pure."""
    if not len(rates.time_ns):
        return of_beats
    taken = np.sort(of_beats.start_ns[of_beats.metrics.intervals > 0])
    free = free_windows(rates, taken, WINDOW_NS, day * DAY, (day + 1) * DAY)
    of_rates = hrv_windows(beats, free, WINDOW_NS, movement=movement)
    order = np.argsort(np.append(of_beats.start_ns, free), kind="stable")
    joined = concat_windows([of_beats, of_rates], order, WINDOW_NS)
    return fill_windows(joined, rates, beats)


def _load_day(stores: Stores, person: Person, day: int, fingerprint: str) -> DailyWindows:
    start, end = day * DAY, (day + 1) * DAY
    beats = load_beats(stores, person, start, end)
    movement = load_movement(stores, person, start, end)
    rates, _ = load_rates(stores, person, start, end)
    grows = end > stores.now() and len(beats.time_ns) > 0
    windows = GROWING_DAYS.extend(person.subject_id, day, beats, movement) if grows else None
    if windows is None:
        breaks = int(np.count_nonzero(~beats.follows))
        price_s = 1e-3 + len(beats.time_ns) * 1.2e-6 + breaks * 5e-4
        windows = compute(price_s, day_windows, beats, movement)
        if grows:
            GROWING_DAYS.keep(person.subject_id, day, beats, movement, windows)
    if len(rates.time_ns):
        price_s = 1e-3 + len(rates.time_ns) * 1e-7
        windows = compute(price_s, add_reported, windows, beats, movement, rates, day)
    return to_stored(fingerprint, windows)


def daily_price_s(stores: Stores, person: Person, start_ns: int, end_ns: int) -> float:
    """Estimate the seconds for the windows of these days, of which only the missing ones cost."""
    fingerprints = day_fingerprints(stores, person, start_ns // DAY * DAY, -(-end_ns // DAY) * DAY)
    if not fingerprints:
        return 0.0
    stored = stores.beats.stored_fingerprints(
        person.subject_id, STORED_METHOD, min(fingerprints), max(fingerprints)
    )
    missing = {day for day, current in fingerprints.items() if stored.get(day) != current}
    imported = stores.records.heart_rate_days(person.id, start_ns, end_ns)
    rates = sum(count for day, (count, _) in imported.items() if day in missing)
    return len(missing) * _DAY_S + rates * _RATE_S


def to_stored(fingerprint: str, hrv: HrvWindows) -> DailyWindows:
    """Choose the windows that have any beats or rates, in the form that is stored."""
    reported = np.zeros(len(hrv), np.bool_) if hrv.reported is None else hrv.reported
    rows = (hrv.metrics.intervals > 0) | reported
    columns = {
        **{name: hrv.value(name) for name in METRICS if name != "motion_mg"},
        "motion_mg": hrv.metrics.motion_mg,
        **dict(zip(MINUTES, hrv.rates.minute_bpm.T, strict=True)),
        "window_bpm": hrv.rates.window_bpm,
        "vagal": hrv.rates.vagal,
        "reported": reported.astype(np.float64),
    }
    return DailyWindows(
        fingerprint,
        hrv.start_ns[rows],
        # As precise as it is stored, so that the first answer equals later ones.
        {name: columns[name][rows].astype(np.float32).astype(np.float64) for name in _STORED},
    )


def concat_days(days: list[DailyWindows], fingerprints: dict[int, str]) -> DailyHrv:
    """Join the windows of days; ``fingerprints``: of all of them."""

    def column(name: str) -> NDArray[np.float64]:
        return np.concatenate([day.metrics[name] for day in days] or [np.empty(0)])

    return DailyHrv(
        np.concatenate([day.start_ns for day in days] or [np.empty(0, np.int64)]),
        **{name: column(name) for name in METRICS},
        minute_bpm=np.column_stack([column(name) for name in MINUTES]),
        window_bpm=column("window_bpm"),
        vagal=column("vagal"),
        reported=column("reported") > 0,
        fingerprints=fingerprints,
    )
