"""The windows that the stress index compares, and a person's history of them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.stress_index import HeartWindows
from analytics.windows import HrvWindows, Movement
from api.house import House
from ebbtide.instants import DAY, MINUTE, SECOND, to_datetime
from store.records import Person

WINDOW_NS = 5 * MINUTE
_QUARTER = 15 * MINUTE
_FIRST_DAY = 719_163  # the ordinal of 1970-01-01
_PIECE = 7 * DAY  # of the history read at once
_KEPT_S = 600.0
_MOST_KEPT = 200


def movement_of(house: House, person: Person, start_ns: int, end_ns: int) -> Movement:
    """How much the wearer moved."""
    spans = house.beats.activity(person.subject_id, start_ns, end_ns)
    return Movement(
        np.array([span.start_ns for span in spans], dtype=np.int64),
        np.array([span.mad_mg for span in spans], dtype=np.float64),
    )


def heart_windows(found: HrvWindows, zone: str) -> HeartWindows:
    """HRV windows as the stress index takes them, with the day and hour at the person's place."""
    middle = found.start_ns + found.window_ns // 2
    day, hour = local_day_and_hour(middle, zone)
    with np.errstate(all="ignore"):
        ln_rmssd = np.log(found.value("rmssd_ms"))
        ln_baevsky = np.log(found.value("stress_index_baevsky"))
    return HeartWindows(
        day=day,
        hour=hour,
        time_s=middle / 1e9,
        ln_rmssd=np.where(np.isfinite(ln_rmssd), ln_rmssd, np.nan),
        heart_rate=found.value("mean_hr_bpm"),
        ln_baevsky=np.where(np.isfinite(ln_baevsky), ln_baevsky, np.nan),
        motion_mg=found.found.motion_mg,
    )


def local_day_and_hour(
    time_ns: NDArray[np.int64], zone: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The local day (a number, one more each day) and hour of each instant."""
    # The offset of a zone changes on whole quarters of an hour: one look for each is enough.
    quarters, which = np.unique(np.asarray(time_ns) // _QUARTER, return_inverse=True)
    offsets = np.array(
        [
            (to_datetime(int(quarter) * _QUARTER, zone).utcoffset() or timedelta()).total_seconds()
            for quarter in quarters
        ],
        dtype=np.int64,
    )
    local = np.asarray(time_ns, dtype=np.int64) + (offsets * SECOND)[which]
    day = local // DAY + _FIRST_DAY
    hour = (local % DAY // MINUTE) / 60.0
    return day, hour
