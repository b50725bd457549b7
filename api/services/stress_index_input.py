"""The windows that the stress index compares."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.stress_index import StressIndexInput, logarithm
from analytics.hrv.windows import HrvWindows, Movement
from ebbtide.timestamps import DAY, MINUTE, SECOND, to_datetime
from store.protocols.records import Person
from store.stores import Stores

_QUARTER = 15 * MINUTE
_FIRST_DAY = 719_163  # the ordinal of 1970-01-01


def load_movement(stores: Stores, person: Person, start_ns: int, end_ns: int) -> Movement:
    """How much the wearer moved."""
    spans = stores.beats.activity(person.subject_id, start_ns, end_ns)
    return Movement(
        np.array([span.start_ns for span in spans], dtype=np.int64),
        np.array([span.mad_mg for span in spans], dtype=np.float64),
    )


def load_stress_index_input(found: HrvWindows, zone: str) -> StressIndexInput:
    """HRV windows as the stress index takes them."""
    return stress_index_input(
        found.start_ns + found.window_ns // 2,
        zone,
        found.value("rmssd_ms"),
        found.value("mean_hr_bpm"),
        found.value("stress_index_baevsky"),
        found.metrics.motion_mg,
    )


def stress_index_input(
    middle_ns: NDArray[np.int64],
    zone: str,
    rmssd_ms: NDArray[np.float64],
    heart_rate: NDArray[np.float64],
    baevsky: NDArray[np.float64],
    motion_mg: NDArray[np.float64],
) -> StressIndexInput:
    """Figures of windows around these moments, with logarithms, and with the day and hour at the
    person's place.
    """
    day, hour = local_day_and_hour(middle_ns, zone)
    return StressIndexInput(
        day, hour, middle_ns / 1e9, logarithm(rmssd_ms), heart_rate, logarithm(baevsky), motion_mg
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
