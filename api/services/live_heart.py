"""The heart of the last minute, and the stress index of the last five.

What cannot have changed is not computed: as long as no beat has come, all who watch get the same
figures; and what the index is compared with is looked up again every ten seconds only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock

import numpy as np
from cachetools import TTLCache

from analytics.hrv.engine import windows_without_beats
from analytics.hrv.live_windows import latest_rates, needed_from_ns
from analytics.hrv.relative_stress import StressIndexInput
from analytics.hrv.windows import WINDOW_NS, BeatArrays, Movement, hrv_windows
from api.schemas.hrv import StressIndexOut, finite_or_none
from api.services.inputs import load_movement, local_day_and_hour, name_inputs, to_beat_arrays
from api.services.stress_baseline import StressBaselineCache
from api.services.stress_index import StressBaseline
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, MINUTE, SECOND, utc_offset_s
from store import Stores
from store.models import Person

STALE_S = 15.0  # after which there is no current value
_CONTEXT_NS = 2 * MINUTE  # labelling a beat needs the beats before it
_READ_NS = WINDOW_NS + _CONTEXT_NS + round(STALE_S) * SECOND
_BASELINE_S = 10.0
_MAX_PEOPLE, _TTL_S = 500, 60.0


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Of the minute before ``last_ns``, and the index of the five minutes before it. NaN-free:
    None where ``missing`` says why.
    """

    last_ns: int
    heart_rate_bpm: float | None
    rmssd_ms: float | None
    coverage: float | None
    removed_share: float | None
    stress_index: StressIndexOut | None
    missing: str | None
    origin: Origin | None


class LiveCache:
    """What was computed last of each person who is watched."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._figures: TTLCache[str, tuple[bytes, LiveFigures]] = TTLCache(_MAX_PEOPLE, _TTL_S)
        self._baselines: TTLCache[str, tuple[float, int, str, StressBaseline]] = TTLCache(
            _MAX_PEOPLE, _TTL_S
        )

    def drop(self, subject_id: str) -> None:
        """Drop what is of one subject."""
        with self._lock:
            self._figures.pop(subject_id, None)
            self._baselines.pop(subject_id, None)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._figures.clear()
            self._baselines.clear()

    def load(
        self, stores: Stores, baselines: StressBaselineCache, person: Person
    ) -> LiveFigures | None:
        """Load or compute the figures up to the last beat; None where none came in the last
        minutes. Without figures where the last beat is older than ``STALE_S``.
        """
        now = stores.now()
        # The recording computer's clock may be a little ahead.
        beats = stores.beats.read(person.subject_id, now - _READ_NS, now + MINUTE)
        if not len(beats.time_ns):
            return None
        last = int(beats.time_ns[-1])
        age_s = max(0.0, (now - last) / SECOND)
        origin = beats.streams[int(beats.stream[-1])].origin
        if age_s > STALE_S:
            missing = f"the last beat came {age_s:.0f} s ago"
            return LiveFigures(last, *(None,) * 5, missing, origin)
        arrays = _since(to_beat_arrays(beats), last + 1 - WINDOW_NS - _CONTEXT_NS)
        movement = load_movement(stores, person, last + 1 - WINDOW_NS, last + 1)
        baseline = self._baseline(stores, baselines, person, now)
        words = repr((origin, person.zone, baseline.fingerprint))
        name = name_inputs(arrays, movement, words)
        with self._lock:
            known = self._figures.get(person.subject_id)
        if known is not None and known[0] == name:
            return known[1]
        found = compute_figures(arrays, movement, baseline, person.zone, origin)
        with self._lock:
            self._figures[person.subject_id] = (name, found)
        return found

    def _baseline(
        self, stores: Stores, baselines: StressBaselineCache, person: Person, now_ns: int
    ) -> StressBaseline:
        """Load the baseline; not looked up for ten seconds on the same local day. To name all days
        of a year takes longer than all the rest.
        """
        day = (now_ns + utc_offset_s(now_ns, person.zone) * SECOND) // DAY
        at = time.monotonic()
        with self._lock:
            known = self._baselines.get(person.subject_id)
        if known is not None and known[1:3] == (day, person.zone) and at < known[0] + _BASELINE_S:
            return known[3]
        found = baselines.load(stores, person)
        with self._lock:
            self._baselines[person.subject_id] = (at, day, person.zone, found)
        return found


def compute_figures(
    beats: BeatArrays,
    movement: Movement,
    baseline: StressBaseline,
    zone: str,
    origin: Origin | None,
) -> LiveFigures:
    """Compute the figures up to the last beat. ``beats``: from two minutes before the five on."""
    last = int(beats.time_ns[-1])
    minute_ns, five_ns = last + 1 - MINUTE, last + 1 - WINDOW_NS
    starts = np.array([minute_ns], np.int64)
    minute = hrv_windows(
        _since(beats, needed_from_ns(beats, minute_ns)),
        starts,
        MINUTE,
        with_rates=False,
    )
    index = baseline.judge(_index_input(beats, movement, five_ns, zone))
    return LiveFigures(
        last,
        finite_or_none(minute.value("mean_hr_bpm")[0]),
        finite_or_none(minute.value("rmssd_ms")[0]),
        finite_or_none(minute.metrics.coverage[0]),
        finite_or_none(1 - minute.metrics.normal_share[0]),
        StressIndexOut.from_index(index, 0, WINDOW_NS / MINUTE),
        minute.missing_detail[0],
        origin,
    )


def _index_input(
    beats: BeatArrays, movement: Movement, start_ns: int, zone: str
) -> StressIndexInput:
    """What the index is made of: heart rates and movement. HRV of five minutes is not."""
    rates = latest_rates(beats, start_ns, WINDOW_NS)
    origin_ns = int(beats.time_ns[0])
    moved = windows_without_beats(
        np.array([(start_ns - origin_ns) / 1e9]),
        WINDOW_NS / 1e9,
        ((movement.time_ns - origin_ns) / 1e9, movement.mad_mg),
        (),
    )
    middle_ns = np.array([start_ns + WINDOW_NS // 2])
    nothing = np.full(1, np.nan)
    return StressIndexInput(
        *local_day_and_hour(middle_ns, zone),
        middle_ns / 1e9,
        rates.minute_bpm,
        rates.window_bpm,
        rates.vagal,
        moved.motion_mg,
        nothing,
        nothing,
    )


def _since(beats: BeatArrays, since_ns: int) -> BeatArrays:
    first = int(np.searchsorted(beats.time_ns, since_ns, "left"))
    return beats.at(slice(first, None))
