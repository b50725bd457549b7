"""From labelled RR intervals to an unbroken NN series, for what needs one (spectrum, entropy, DFA).

Intervals that are not normal are replaced by as many usual ones as fit into their time: a missed
beat is put back, an extra one taken out, an ectopic one moved to where it was due, as in Lipponen
and Tarvainen (2019). The new intervals lie on the line from the one before to the one after, and
differ from it by no more than intervals do there. Where their time holds no whole number of usual
ones (a premature beat without a pause, an echo, a burst of noise), filling it exactly would bring
the fault back: the remainder is shared among the 32 intervals to each side, most by the nearest, at
most 2% each for one fault, in a wave slower than LF. So the sum of the intervals is that of the
recording. Times of measured beats never move. Beats are never invented over a gap, nor over more
than four intervals in a row: there the series is broken, and begins anew. Means, SDNN, RMSSD and
their like do not use it: they are of measured NN intervals alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.artefacts import BeatLabels

MAX_HOLE = 4.5  # usual intervals; more is not filled
_MAX_SPREADS = 2.5  # standard deviations around: how far a fill may be from the line
_MIN_MISFIT, _MAX_MISFIT = 0.02, 0.20  # of a usual interval: the same, at least and at most
_MIN_FILLED = 0.5  # usual intervals; the time of less gets no interval of its own
_MAX_SHARED = 0.25  # of an interval; only where one beat in ten or more is a fault is it reached
_AROUND = 12  # intervals to each side that tell how much they vary
_HOLES_AT_ONCE = 4096  # bounds the memory
_SHARED_BY = 32  # intervals to each side; their wave is slower than 0.04 Hz below 75 beats a minute
_MAX_SLIP_S = 0.1  # of the clock, or the remainder of an extra beat: no beat fits in


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedSeries:
    """Normal intervals with short holes filled, all of shape (m,).

    ``nn_ms`` that ended at ``time_s``; ``filled`` where it was not measured;
    ``follows``: whether it began where the one before it ended (False at the first and after a
    break).
    """

    nn_ms: FloatArray
    time_s: FloatArray
    filled: BoolArray
    follows: BoolArray


def correct_beats(
    rr_ms: FloatArray, time_s: FloatArray, run: IntArray | None, labelled: BeatLabels
) -> CorrectedSeries:
    """Fill short holes among the normal intervals.

    Parameters
    ----------
    rr_ms : array of float64, shape (n,)
        RR intervals in ms.
    time_s : array of float64, shape (n,)
        When each interval ended, in s, increasing.
    run : array of int64, shape (n,), or None
        A number per unbroken run of beats; None for one run.
    labelled : BeatLabels
        The labels of these intervals, from ``label_beats``.

    Returns
    -------
    CorrectedSeries
        NN intervals with their times, where they were filled, and where the series is broken.

    Notes
    -----
    After Lipponen and Tarvainen (2019), Journal of Medical Engineering & Technology 43:173. No beat
    is invented over a gap or over more than four intervals in a row. The sum of the intervals is
    that of the recording: around a fault that holds no whole number of beats, measured intervals
    change by up to 2%.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import correct_beats, label_beats
    >>> rr_ms = 800 + 20 * np.sin(0.8 * np.arange(60))
    >>> rr_ms[30] *= 2  # one beat was not detected
    >>> series = correct_beats(rr_ms, np.cumsum(rr_ms) / 1000, None, label_beats(rr_ms))
    >>> len(series.nn_ms), int(series.filled.sum())
    (61, 2)
    """
    ok = np.flatnonzero(labelled.normal)
    if not len(ok):
        nothing = np.empty(0)
        return CorrectedSeries(nothing, nothing, np.empty(0, np.bool_), np.empty(0, np.bool_))
    nn, times = rr_ms[ok], time_s[ok]
    before, after = ok[:-1], ok[1:]  # the normal intervals on both sides of each step
    same_run = np.ones(len(before), np.bool_) if run is None else run[before] == run[after]
    hole_s = times[1:] - nn[1:] / 1000 - times[:-1]
    usual_ms = (labelled.median_ms[before] + labelled.median_ms[after]) / 2
    holds = hole_s * 1000 / usual_ms
    neighbours = same_run & (after == before + 1)
    fills = np.where(
        same_run & ~neighbours & (holds < MAX_HOLE), np.maximum(np.round(holds), 1), 0
    ).astype(np.int64)
    nothing_to_fill = (fills > 0) & ((hole_s < _MAX_SLIP_S) | (holds < _MIN_FILLED))
    fills[nothing_to_fill] = 0
    closed = neighbours | nothing_to_fill | (fills > 0)
    # Each normal interval is followed by its fills.
    repeats = np.append(1 + fills, 1)
    source = np.repeat(np.arange(len(ok)), repeats)
    first = np.cumsum(repeats) - repeats
    place = np.arange(len(source)) - first[source]  # 0: the measured one; 1, 2, ...: its fills
    filled = place > 0
    out_nn, out_times = nn[source], times[source]
    hole = source[filled]
    many = fills[hole]
    share = place[filled] / (many + 1)
    line = nn[hole] + share * (nn[hole + 1] - nn[hole])
    misfit = hole_s * 1000 - fills * (nn[:-1] + nn[1:]) / 2
    # The time of one to three intervals (a beat missed, extra or displaced) is that of whole beats;
    # that of a longer run of faults is so by chance alone.
    usual_misfit = fills * _usual_spread(nn, usual_ms, np.flatnonzero(fills))
    usual_misfit[after - before > 4] = 0
    taken = np.where(np.abs(misfit) <= usual_misfit, misfit, 0.0)
    out_nn[filled] = line + taken[hole] / many
    # The k-th fill ends after the sum of the first k, all scaled to take the time of their hole.
    scale = hole_s * 1000 / np.maximum(fills * (nn[:-1] + nn[1:]) / 2 + taken, 1.0)
    bend = (place[filled] - many) / (2 * (many + 1)) * (nn[hole + 1] - nn[hole]) / 1000
    to_here = place[filled] * (hole_s[hole] / many + bend * scale[hole])
    out_times[filled] = times[hole] + to_here
    follows = np.ones(len(source), np.bool_)
    follows[first[1:]] = closed
    follows[0] = False
    shared = np.where(closed & ~neighbours & (hole_s > -_MAX_SLIP_S), misfit - taken, 0.0)
    holes = np.flatnonzero(shared)
    _share_remainder(out_nn, filled, follows, first[holes], fills[holes], shared[holes])
    return CorrectedSeries(out_nn, out_times, filled, follows)


def _usual_spread(nn_ms: FloatArray, usual_ms: FloatArray, holes: IntArray) -> FloatArray:
    """How far a fill may be from the line, in ms: shape of ``usual_ms``, 0 outside ``holes``."""
    result = np.zeros(len(usual_ms))
    around = holes[:, None] + np.arange(1 - _AROUND, 1 + _AROUND)
    spread = np.std(nn_ms[np.clip(around, 0, len(nn_ms) - 1)], axis=1)
    usual = usual_ms[holes]
    result[holes] = np.clip(_MAX_SPREADS * spread, _MIN_MISFIT * usual, _MAX_MISFIT * usual)
    return result


def _share_remainder(
    nn_ms: FloatArray,
    filled: BoolArray,
    follows: BoolArray,
    before: IntArray,
    fills: IntArray,
    remainder_ms: FloatArray,
) -> None:
    """Add to the measured intervals around each hole what its fills leave of its time.

    ``before``: places of the intervals before each hole, shape (h,). A break ends the reach.
    """
    reach = np.arange(_SHARED_BY)
    weight = np.tile(0.5 + 0.5 * np.cos(np.pi * (reach + 0.5) / _SHARED_BY), 2)
    stretch = np.cumsum(~follows)
    change = np.zeros(len(nn_ms))
    for low in range(0, len(before), _HOLES_AT_ONCE):
        part = slice(low, low + _HOLES_AT_ONCE)
        left = before[part, None] - reach
        at = np.concatenate([left, before[part, None] + fills[part, None] + 1 + reach], axis=1)
        inside = (at >= 0) & (at < len(nn_ms))
        at = np.clip(at, 0, len(nn_ms) - 1)
        inside &= (stretch[at] == stretch[before[part]][:, None]) & ~filled[at]
        shares = weight * inside * nn_ms[at]
        shares *= (remainder_ms[part] / shares.sum(axis=1))[:, None]
        np.add.at(change, at, shares)
    nn_ms += np.clip(change, -_MAX_SHARED * nn_ms, _MAX_SHARED * nn_ms)
