"""Which beats are missed, extra, long, short or ectopic: after Lipponen and Tarvainen.

Source: Lipponen and Tarvainen (2019), "A robust algorithm for heart rate variability time series
artefact correction using novel beat classification", Journal of Medical Engineering & Technology
43:173. As there, the differences of neighbouring intervals (dRR) and the distances from the median
of 11 (mRR) are held against thresholds that follow the person over 91 intervals, and beats fall
into the same classes. Where ours differs, and why (``benchmarks/artefacts.py`` measures each):

- The scale of 91 values is taken from their median, and of their quartile no more than 1.15 times
  that: the paper's quartile deviation breaks down where one beat in ten is an artefact.
- A beat found too early or too late (ectopic, or misplaced) makes one interval short and the other
  long, and leaves their sum. So the two are judged together: half their difference ``a`` must
  stand out, and more so the further their sum is from two usual intervals. Breathing, which makes
  one interval long and lets the next be long too, is not taken for it.
- One interval alone is long or short only when far from the median: 8 and 6 scales (the paper: 3
  of its thresholds), and 18% of it. It is short too below 0.62 of the median and of both
  neighbours: strong breathing widens the scale until a premature beat is within it.
- Beside a short or an extra interval one is short by 3 scales and a quarter of the median: of a run
  of premature beats none is left.
- A gap ends the series: no difference, median or scale reaches over it. At the ends of a run the
  median and the scale take the intervals beside it a second time, mirrored about the last one,
  which counts once: taken more often it would be its own median, and a faulty one look usual.
- Intervals that no heart makes (under 250 or over 3,000 ms), or that were measured without skin
  contact, are labelled first and left out, so that a burst of them cannot hide itself; what is
  before and after such a one is compared over it.
- No scale falls under 1% of the local median: where the heart is as regular as a paced one, every
  beat would be an artefact.
- Everything is local: a label depends on at most ``REACH`` intervals to either side. So a month can
  be labelled in pieces, and a live session beat by beat, with the labels of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from analytics._types import BoolArray, FloatArray, Int8Array, IntArray

METHOD = "after Lipponen and Tarvainen 2019, gap-aware; version 4"
REACH = 64  # intervals: half of the 91, and of the 11, and the next two
MIN_RR_MS = 250.0
MAX_RR_MS = 3000.0
MIN_BEATS = 12  # of an unbroken run; fewer say nothing about what is usual
_SCALE_WIDTH = 91
_MEDIAN_WIDTH = 11
_MEDIAN_TO_SD, _QUARTILE_TO_SD = 1 / 0.6745, 1 / 1.1503  # of absolute values of a normal variable
_HEAVIEST_TAIL = 1.15  # times the scale by the median
_SMALLEST_SCALE = 0.01  # of the median interval
_PAIR_STANDS_OUT, _SUM_COUNTS = 2.8, 0.8
_PAIR_AT_LEAST = 0.08  # of the median interval: half the difference of the two
_LONG_ALONE, _SHORT_ALONE, _ALONE_AT_LEAST = 8.0, 6.0, 0.18
_SHORT_BETWEEN = (
    0.62  # of the median and of both neighbours: no breathing does this to one interval
)
_BESIDE_AT_LEAST, _LONGEST_RUN = 0.25, 4  # of the median interval; intervals
_NEAR, _NEAR_AT_LEAST = 3.0, 0.15  # how near to a multiple, or to the sum, of usual intervals
# Intervals for which SciPy is not loaded: it takes most of a second, and minutes on a slow machine
# under load, and the line of a recording would stand still for as long. NumPy takes 2 ms for 400.
_SHORT = 512


class Beat(IntEnum):
    """What a beat (the end of its interval) is taken for."""

    NORMAL = 0
    ECTOPIC = 1  # or found at the wrong moment: the interval before it and the one after
    LONG = 2
    SHORT = 3
    MISSED = 4  # one or more beats were missed: the interval holds them
    EXTRA = 5  # a beat too many: two such intervals are one
    IMPOSSIBLE = 6  # no heart makes such an interval
    UNKNOWN = 7  # too few beats in a row to tell
    NO_CONTACT = 8  # the strap said that it touched no skin


@dataclass(frozen=True, slots=True, eq=False)
class BeatLabels:
    """Labels of intervals, of shape (n,).

    ``beat``: a Beat for each. ``median_ms``: the median of the 11 intervals around it (NaN where
    unknown).
    """

    beat: Int8Array
    median_ms: FloatArray

    @property
    def normal(self) -> BoolArray:
        """Mask of the intervals between two normal beats."""
        result: BoolArray = self.beat == np.int8(Beat.NORMAL)
        return result


def label_beats(
    rr_ms: FloatArray,
    run: IntArray | None = None,
    contact: Int8Array | None = None,
) -> BeatLabels:
    """Label each RR interval: normal, ectopic, missed, extra, ...

    Parameters
    ----------
    rr_ms : array of float64, shape (n,)
        RR intervals in ms, in order of time.
    run : array of int64, shape (n,), optional
        A number per unbroken run of beats, not decreasing. One run if left out.
    contact : array of int8, shape (n,), optional
        0 where the strap reported that it touched no skin.

    Returns
    -------
    BeatLabels
        ``beat``, shape (n,), a ``Beat`` for each interval; ``normal``, shape (n,), the mask of NN
        intervals.

    Raises
    ------
    ValueError
        If the shapes differ or ``run`` decreases.

    Notes
    -----
    After Lipponen and Tarvainen (2019), Journal of Medical Engineering & Technology 43:173; the
    module has the differences, and ``docs/evidence/hrv.md`` what they bring.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import label_beats
    >>> rr_ms = 800 + 20 * np.sin(0.8 * np.arange(60))
    >>> rr_ms[30] *= 2  # one beat was not detected
    >>> labels = label_beats(rr_ms)
    >>> int(labels.beat[30]), int(labels.normal.sum())
    (4, 59)
    """
    rr = np.asarray(rr_ms, dtype=np.float64)
    if rr.ndim != 1:
        raise ValueError(f"rr_ms must have shape (n,), not {rr.shape}")
    runs = np.zeros(len(rr), np.int64) if run is None else np.asarray(run)
    if runs.shape != rr.shape:
        raise ValueError("run must have the shape of rr_ms")
    if np.any(np.diff(runs) < 0):
        raise ValueError("run must not decrease: intervals come in order of time")
    beat = np.full(len(rr), Beat.UNKNOWN, dtype=np.int8)
    median = np.full(len(rr), np.nan)
    possible = np.isfinite(rr) & (rr >= MIN_RR_MS) & (rr <= MAX_RR_MS)
    beat[~possible] = Beat.IMPOSSIBLE
    if contact is not None:
        if np.shape(contact) != rr.shape:
            raise ValueError("contact must have the shape of rr_ms")
        beat[contact == 0] = Beat.NO_CONTACT
        possible &= contact != 0
    where = np.flatnonzero(possible)
    ndimage = _find_ndimage(len(rr))
    for piece in _pieces(runs[where]):
        at = where[piece]
        if len(at) >= MIN_BEATS:
            beat[at], median[at] = _label_run(rr[at], ndimage)
    _other_halves(rr, runs, beat, median)
    return BeatLabels(beat, median)


def _pieces(runs: IntArray) -> list[slice]:
    if not len(runs):
        return []
    edges = np.flatnonzero(np.diff(runs)) + 1
    return [slice(int(a), int(b)) for a, b in zip([0, *edges], [*edges, len(runs)], strict=True)]


_ndimage: Any = None  # once it was loaded


def _find_ndimage(count: int) -> Any:
    """``scipy.ndimage``; None where so few intervals are no reason to load it."""
    global _ndimage
    if _ndimage is None and count > _SHORT:
        from scipy import ndimage

        _ndimage = ndimage
    return _ndimage


def _ranked(values: FloatArray, size: int, ranks: Sequence[int], ndimage: Any) -> list[FloatArray]:
    """Find the values of these ranks among the ``size`` around each, mirrored at the ends.

    Shapes as ``values``. With and without ``ndimage`` they are the same.
    """
    if ndimage is not None:
        return [ndimage.rank_filter(values, rank, size=size, mode="mirror") for rank in ranks]
    around = np.pad(values, (size // 2, size - 1 - size // 2), mode="reflect")
    ordered = np.partition(np.lib.stride_tricks.sliding_window_view(around, size), ranks, axis=1)
    return [ordered[:, rank] for rank in ranks]


def _label_run(rr: FloatArray, ndimage: Any) -> tuple[Int8Array, FloatArray]:
    """Labels and medians of one unbroken run of possible intervals."""
    n = len(rr)
    size = min(_MEDIAN_WIDTH, n)
    (median,) = _ranked(rr, size, [size // 2], ndimage)
    away = rr - median
    scale = _scale(away, median, ndimage)
    following = np.append(rr[1:], rr[-1])
    # The pair of this interval and the next: what a misplaced beat between them would explain.
    half = (following - rr) / 2
    beyond = rr + following - 2 * median
    difference_scale = _scale(np.diff(rr, prepend=rr[0]), median, ndimage)
    pair = half**2 - _SUM_COUNTS * beyond**2 > (_PAIR_STANDS_OUT * difference_scale / 2) ** 2
    pair &= np.abs(half) > _PAIR_AT_LEAST * median
    near = np.maximum(_NEAR * scale, _NEAR_AT_LEAST * median)
    multiple = np.maximum(1, np.round(rr / median))
    missed = (rr > 1.5 * median) & (np.abs(rr / multiple - median) < near)
    extra = (np.maximum(rr, following) < 0.8 * median) & (np.abs(rr + following - median) < near)
    pair[-1] = extra[-1] = False
    at_least = _ALONE_AT_LEAST * median
    beat = np.full(n, Beat.NORMAL, dtype=np.int8)
    beat[away > np.maximum(_LONG_ALONE * scale, at_least)] = Beat.LONG
    beat[away < -np.maximum(_SHORT_ALONE * scale, at_least)] = Beat.SHORT
    beside = np.minimum(np.append(rr[:1], rr[:-1]), following)
    beat[rr < _SHORT_BETWEEN * np.minimum(median, beside)] = Beat.SHORT
    beat[_and_next(pair)] = Beat.ECTOPIC
    beat[missed] = Beat.MISSED
    beat[_and_next(extra)] = Beat.EXTRA
    # A pair of which one is extra was none; its other interval is judged alone.
    ectopic, is_extra = beat == np.int8(Beat.ECTOPIC), beat == np.int8(Beat.EXTRA)
    if np.any(is_extra):
        alone = ectopic & _beside(is_extra) & ~_beside(ectopic) & (np.abs(away) < near)
        beat[alone] = Beat.NORMAL
    shortish = away < -np.maximum(_NEAR * scale, _BESIDE_AT_LEAST * median)
    for _ in range(_LONGEST_RUN if np.any(shortish) else 0):
        faulty = (beat == np.int8(Beat.SHORT)) | (beat == np.int8(Beat.EXTRA))
        found = shortish & (beat == np.int8(Beat.NORMAL)) & _beside(faulty)
        if not np.any(found):
            break
        beat[found] = Beat.SHORT
    return beat, median


def _other_halves(rr: FloatArray, runs: IntArray, beat: Int8Array, median: FloatArray) -> None:
    """Label both intervals of an extra beat.

    Close to a real one it leaves an impossibly short interval, and beside it one that is too short
    by as much: the two together are as long as usual.
    """
    tiny = np.flatnonzero((beat == Beat.IMPOSSIBLE) & (rr > 0) & (rr < MIN_RR_MS))
    for i in tiny.tolist():
        beside = [
            j
            for j in (i - 1, i + 1)
            if 0 <= j < len(rr)
            and runs[j] == runs[i]
            and beat[j] not in (Beat.IMPOSSIBLE, Beat.UNKNOWN, Beat.NO_CONTACT, Beat.EXTRA)
        ]
        off = {j: abs(rr[j] + rr[i] - median[j]) for j in beside}
        best = min(off, key=lambda j: off[j], default=None)
        if best is not None and off[best] < abs(rr[best] - median[best]):
            beat[i] = beat[best] = Beat.EXTRA


def _scale(values: FloatArray, median_ms: FloatArray, ndimage: Any) -> FloatArray:
    """Compute a robust standard deviation of the 91 ``values`` around each; shape as ``values``."""
    size = min(_SCALE_WIDTH, len(values))
    size -= 1 - size % 2
    half, upper = _ranked(np.abs(values), size, [size // 2, 3 * size // 4], ndimage)
    middle, quartile = _MEDIAN_TO_SD * half, _QUARTILE_TO_SD * upper
    result: FloatArray = np.maximum(
        np.clip(quartile, middle, _HEAVIEST_TAIL * middle), _SMALLEST_SCALE * median_ms
    )
    return result


def _beside(mask: BoolArray) -> BoolArray:
    result: BoolArray = np.append(False, mask[:-1]) | np.append(mask[1:], False)
    return result


def _and_next(mask: BoolArray) -> BoolArray:
    result = mask.copy()
    result[1:] |= mask[:-1]
    return result
