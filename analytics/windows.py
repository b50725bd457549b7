"""HRV of one window of beats, with its quality, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics import cleaning
from analytics.time_domain import mean_hr_bpm, rmssd_ms, sdnn_ms

# RMSSD of a minute agrees well with that of five (Munoz et al. 2015, PLOS ONE 10:e0138921);
# shorter says little.
SHORTEST_WINDOW_S = 60.0
LEAST_COVERAGE = 0.80
MOST_REMOVED = 0.10

METHOD = f"time domain; {cleaning.METHOD}"


class Unusable(StrEnum):
    """Why a window has no figures."""

    TOO_SHORT = "window too short"
    NO_BEATS = "no beats recorded"
    DISTURBED = "too disturbed"
    SPARSE = "too few usable beats"


@dataclass(frozen=True, slots=True, eq=False)
class BeatArrays:
    """Beats in time order, all of shape (n,).

    ``time_ns``: UTC nanoseconds; ``rr_ms``: the interval that ended with the beat; ``follows``:
    whether it began at the beat before it here; ``contact``: 1, 0 (no skin) or -1 (not known);
    ``stream``: a number per source.
    """

    time_ns: NDArray[np.int64]
    rr_ms: NDArray[np.float64]
    follows: NDArray[np.bool_]
    contact: NDArray[np.int8]
    stream: NDArray[np.int32]

    def between(self, start_ns: int, end_ns: int) -> BeatArrays:
        """Beats with start_ns <= time < end_ns."""
        first, last = np.searchsorted(self.time_ns, [start_ns, end_ns])
        return self._at(slice(int(first), int(last)))

    def of_fullest_stream(self) -> BeatArrays:
        """The beats of the one source that has most: two straps at once are not added up."""
        if not len(self.stream) or np.all(self.stream == self.stream[0]):
            return self
        which, counts = np.unique(self.stream, return_counts=True)
        only = self.stream == which[np.argmax(counts)]
        return self._at(only)

    def _at(self, where: slice | NDArray[np.bool_]) -> BeatArrays:
        return BeatArrays(
            self.time_ns[where],
            self.rr_ms[where],
            self.follows[where],
            self.contact[where],
            self.stream[where],
        )


@dataclass(frozen=True, slots=True)
class WindowHrv:
    """HRV of [start_ns, end_ns). Figures are None with a reason in ``unusable``, and in words, with
    what would be needed, in ``missing``.

    ``coverage``: share of the window that NN intervals fill; ``removed_share``: share of RR
    intervals left out by cleaning, None without any. ``beats``: RR intervals in the window.
    """

    start_ns: int
    end_ns: int
    beats: int
    coverage: float
    removed_share: float | None
    mean_hr_bpm: float | None
    rmssd_ms: float | None
    sdnn_ms: float | None
    unusable: Unusable | None
    missing: str | None

    @property
    def usable(self) -> bool:
        """Whether there are figures."""
        return self.unusable is None


def window_hrv(beats: BeatArrays, start_ns: int, end_ns: int) -> WindowHrv:
    """HRV of the beats with start_ns <= time < end_ns.

    No figure is given for a window under a minute, with less than 80% of its time in NN
    intervals, or with more than 10% of its intervals left out. Raises ValueError if the window
    ends before it starts.
    """
    if end_ns <= start_ns:
        raise ValueError("a window must end after it starts")
    inside = beats.between(start_ns, end_ns).of_fullest_stream()
    length_ms = (end_ns - start_ns) / 1e6
    run = np.cumsum(~inside.follows).astype(np.int64)
    cleaned = cleaning.clean(inside.rr_ms, inside.contact, run)
    normal = cleaned.normal
    nn = inside.rr_ms[normal]
    coverage = min(1.0, float(np.sum(nn)) / length_ms)
    removed = cleaned.removed_share if len(inside.rr_ms) else None
    problem = _why_unusable(length_ms / 1000, len(inside.rr_ms), coverage, removed)
    if problem is not None:
        return WindowHrv(
            start_ns, end_ns, len(inside.rr_ms), coverage, removed, None, None, None, *problem
        )
    neighbours = normal & inside.follows
    neighbours[1:] &= normal[:-1]
    return WindowHrv(
        start_ns,
        end_ns,
        len(inside.rr_ms),
        coverage,
        removed,
        mean_hr_bpm(nn),
        rmssd_ms(inside.rr_ms, neighbours),
        sdnn_ms(nn),
        None,
        None,
    )


def starts_by_stretch(beats: BeatArrays, window_ns: int, step_ns: int) -> NDArray[np.int64]:
    """Starts of windows that fit the recording: every ``step_ns`` from the beginning of each
    stretch of beats, a stretch being ended by a silence longer than a window. A last window that
    would reach past the end of its stretch by more than a tenth is left out. Shape (windows,).
    """
    if not len(beats.time_ns):
        return np.empty(0, dtype=np.int64)
    breaks = np.flatnonzero(np.diff(beats.time_ns) > window_ns) + 1
    firsts = np.concatenate([[0], breaks])
    lasts = np.concatenate([breaks, [len(beats.time_ns)]]) - 1
    starts = []
    for first, last in zip(firsts, lasts, strict=True):
        begin = int(beats.time_ns[first] - beats.rr_ms[first] * 1e6)
        fits = int(beats.time_ns[last]) - begin - window_ns + window_ns // 10
        starts.append(begin + step_ns * np.arange(max(0, fits // step_ns + 1), dtype=np.int64))
    return np.concatenate(starts)


def _why_unusable(
    length_s: float, beats: int, coverage: float, removed: float | None
) -> tuple[Unusable, str] | None:
    if length_s < SHORTEST_WINDOW_S:
        needed = f"at least {SHORTEST_WINDOW_S:.0f} s are needed"
        return Unusable.TOO_SHORT, f"the window is {length_s:.0f} s long; {needed}"
    if not beats:
        return Unusable.NO_BEATS, "no beats were recorded in this window"
    if removed is not None and removed > MOST_REMOVED:
        allowed = f"at most {MOST_REMOVED:.0%} may be"
        return Unusable.DISTURBED, f"{removed:.0%} of the intervals were disturbed; {allowed}"
    if coverage < LEAST_COVERAGE:
        needed = f"at least {LEAST_COVERAGE:.0%} are needed"
        return Unusable.SPARSE, f"beats cover {coverage:.0%} of the window; {needed}"
    return None
