"""Refuse beats that come faster than any heart.

The fastest conducted rate reported of a human heart is 480 a minute (Chhabra et al. 2012, Indian
Pacing and Electrophysiology Journal 12:32). A strap may send each beat twice, and one that catches
up is placed in the time there is, so 600 a minute, twice what a strap of a person meets, is let
through: ``ingest`` notices both and keeps them out of every metric. What counts are the times of
beats, not when they arrived.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ebbtide.timestamps import SECOND, to_datetime
from store import Stores

SPAN_NS = 10 * SECOND
MAX_IN_SPAN = 100
# A batch with this many beats, faster than 300 a minute, is compared with what is stored around it.
_SUSPECT, _SUSPECT_PER_S = 10, 5.0


def find_too_fast(stores: Stores, subject_id: str, times_ns: Sequence[int]) -> str | None:
    """Say which of these beat times, increasing, no heart has; None where there are none."""
    times = np.asarray(times_ns, np.int64)
    found = _describe(times)
    if found is not None or len(times) < _SUSPECT:
        return found
    if len(times) <= (int(times[-1]) - int(times[0])) / SECOND * _SUSPECT_PER_S:
        return None
    # The same beats in small batches: those of the same stream are stored already.
    stored = stores.beats.read(
        subject_id, int(times[0]) - SPAN_NS, min(int(times[-1]), int(times[0]) + SPAN_NS) + 1
    )
    for number in range(len(stored.streams)):
        of_stream = stored.time_ns[stored.stream == number]
        found = _describe(np.union1d(of_stream, times))
        if found is not None:
            return found
    return None


def _describe(times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str | None:
    if len(times) <= MAX_IN_SPAN:
        return None
    spans = times[MAX_IN_SPAN:] - times[:-MAX_IN_SPAN]
    at = int(np.argmin(spans))
    if spans[at] >= SPAN_NS:
        return None
    per_minute = MAX_IN_SPAN * 60 * SECOND // SPAN_NS
    return (
        f"more than {MAX_IN_SPAN} beats within {SPAN_NS // SECOND} s, from "
        f"{to_datetime(int(times[at])).isoformat()}: no heart beats {per_minute} times a minute. "
        "Check the unit of the intervals and the clock that gives beat_times_ns."
    )
