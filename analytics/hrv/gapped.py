"""Welch's spectrum of a series with gaps: what is missing neither adds power nor takes it away.

The segments, the taper and the lines taken out are those of the series without gaps. Each unbroken
stretch is resampled by its own spline, and no sample lies in a gap. The products of tapered samples
are summed by lag, and divided by the sum of the products of the taper where both samples were
observed: the autocovariance, whatever the pattern of the gaps (Jones 1971, "Spectrum analysis with
missing observations", Annals of the Institute of Statistical Mathematics 23:387). Weighted with the
autocorrelation of the taper it is transformed into the spectrum. Without a gap the result is equal
to Welch's.

Lags that hardly any two samples have cannot be divided so. Then the taper is shorter: the longest
of which each lag has been observed for a fifth of the time that the taper would have it. Waves
slower than that taper resolves are absent (NaN).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.spline import fit_spline

RESAMPLED_HZ = 4.0
SEGMENT_S = 150.0
GAPPED = "Welch, 150 s segments, 4 Hz cubic spline, corrected for gaps by lag"
# From which frequency on a taper of which length is enough: it smears power over 2 / length. A
# series that is shorter, and complete, is a segment of its own length.
MIN_TAPER_S = ((0.0, 145.0), (0.04, 70.0), (0.15, 40.0))
_MIN_OBSERVED = 0.2  # of what the taper holds at a lag
_MIN_ENERGY = 0.1  # of the taper's, for a segment to be used
_SHORTER = 0.97  # one taper to the next
CONTEXT = 24  # beats beyond which a spline is the same
_MAX_RUN = 64  # segments side by side: bounds the memory
_MUCH_MORE = 1.5  # observed by other segments than Welch's, for which those are left
_FEW_SEGMENTS = 5  # so few that a part of one left out at the end matters


@dataclass(frozen=True, slots=True)
class _Frame:
    """``size`` samples from sample ``offset`` after ``begin_s`` on, in segments of ``length``."""

    begin_s: float
    size: int
    length: int
    offset: int

    @property
    def hop(self) -> int:
        return self.length - self.length // 2

    @property
    def count(self) -> int:
        return 1 + (self.size - self.length) // self.hop


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Beats [first, last) without a gap, and the samples [begin, end) between them."""

    first: int
    last: int
    begin: int
    end: int


def gapped_welch(
    time_s: FloatArray,
    nn_ms: FloatArray,
    follows: BoolArray,
    window: tuple[float, float] | None = None,
    edge_s: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Compute hz and ms²/Hz of NN intervals that end at ``time_s``; all of shape (n,).

    ``follows``: False where a gap lies before the interval. ``window``: its start and length in
    s (from the first to the last beat if left out); beats outside it only shape the splines.
    Where no more than ``edge_s`` of it is missing at its ends, it begins and ends with its beats.
    Power is NaN at frequencies that the gaps leave unresolved.
    """
    begin_s = float(time_s[0]) if window is None else window[0]
    length_s = float(time_s[-1]) - begin_s if window is None else window[1]
    # Of a file the last sample is before the last beat; of a window, before its end.
    whole = (
        int(np.ceil(length_s * RESAMPLED_HZ - 1e-9))
        if window is None
        else int(length_s * RESAMPLED_HZ)
    )
    stretches = _find_stretches(time_s, follows, begin_s, whole)
    low, high = 0, whole
    if stretches:
        edge = edge_s * RESAMPLED_HZ
        low = stretches[0].begin if stretches[0].begin <= edge else 0
        high = stretches[-1].end if whole - stretches[-1].end <= edge else whole
    size = max(high - low, 4)
    length = min(size, int(SEGMENT_S * RESAMPLED_HZ))
    frame, places = _place_segments(stretches, _Frame(begin_s, size, length, low))
    found, observed = np.zeros(length + 1), np.zeros(length + 1)
    taper = _hann(length)
    energy = np.sum(taper**2)
    for segments in _batches(time_s, nn_ms, stretches, places, frame):
        mask = np.isfinite(segments)
        enough = (mask * taper**2).sum(axis=1) >= _MIN_ENERGY * energy
        if not np.any(enough):
            continue
        mask = mask[enough]
        values = _detrend(np.where(mask, segments[enough], 0.0), mask)
        found += _periodogram(values * taper)
        observed += _periodogram(mask * taper)
    hz = np.arange(length // 2 + 1) * RESAMPLED_HZ / length
    power = np.full(len(hz), np.nan)
    if observed[0] > 0:
        by_lag, held = np.fft.irfft(found)[:length], np.fft.irfft(observed)[:length]
        chosen, weight = _choose_taper(held, length)
        # Where the weight is 0 nothing may be held.
        parts = np.divide(by_lag[:chosen], held[:chosen], np.zeros(chosen), where=weight > 0)
        density = _transform(parts * weight, length)
        for from_hz, min_s in MIN_TAPER_S:
            if chosen >= min(length, min_s * RESAMPLED_HZ):
                power[hz >= from_hz] = density[hz >= from_hz]
            else:
                power[hz >= from_hz] = np.nan
    return hz, power


def _hann(length: int) -> FloatArray:
    result: FloatArray = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)  # periodic
    return result


def _periodogram(rows: FloatArray) -> FloatArray:
    """Sum the squared transforms of rows, padded so that no lag is folded into another."""
    transform = np.fft.rfft(rows, 2 * rows.shape[1], axis=1)
    result: FloatArray = np.sum(transform.real**2 + transform.imag**2, axis=0)
    return result


def _choose_taper(held: FloatArray, length: int) -> tuple[int, FloatArray]:
    """Find the longest taper that the lags allow: its length, and its autocorrelation (1 at 0)."""
    chosen = length
    while True:
        weight = np.fft.irfft(_periodogram(_hann(chosen)[None, :]))[:chosen]
        weight /= weight[0]
        # Its last lags weigh nothing, and rounding is all that is held there.
        matter = weight > 1e-10
        if chosen <= 8 or np.all(held[:chosen][matter] >= _MIN_OBSERVED * held[0] * weight[matter]):
            return chosen, np.where(matter & (held[:chosen] > 0), weight, 0.0)
        chosen = int(chosen * _SHORTER)


def _transform(by_lag: FloatArray, length: int) -> FloatArray:
    """Power in ms²/Hz, one-sided, at the frequencies of ``length`` samples."""
    folded = np.zeros(length)
    folded[: len(by_lag)] += by_lag
    folded[1:] += np.concatenate([np.zeros(length - len(by_lag)), by_lag[:0:-1]])
    density: FloatArray = np.fft.rfft(folded).real / RESAMPLED_HZ
    density[1 : None if length % 2 else -1] *= 2
    return density


def _detrend(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Take the line through the observed samples from each row; 0 where none was."""
    count = mask.sum(axis=1, keepdims=True)
    x = np.arange(values.shape[1]) * mask
    x = (x - x.sum(axis=1, keepdims=True) / count) * mask
    y = (values - values.sum(axis=1, keepdims=True) / count) * mask
    slope = np.sum(x * y, axis=1, keepdims=True) / np.sum(x * x, axis=1, keepdims=True)
    result: FloatArray = y - slope * x
    return result


def _find_stretches(
    time_s: FloatArray, follows: BoolArray, begin_s: float, size: int
) -> list[_Stretch]:
    edges = np.concatenate([[0], np.flatnonzero(~follows[1:]) + 1, [len(time_s)]])
    first, last = edges[:-1], edges[1:]
    begin = np.ceil((time_s[first] - begin_s) * RESAMPLED_HZ - 1e-9).astype(np.int64)
    end = np.ceil((time_s[last - 1] - begin_s) * RESAMPLED_HZ - 1e-9).astype(np.int64)
    begin, end = np.maximum(begin, 0), np.minimum(end, size)
    used = (last - first >= 4) & (end > begin)
    columns = (column[used].tolist() for column in (first, last, begin, end))
    return [_Stretch(*row) for row in zip(*columns, strict=True)]


def _place_segments(stretches: list[_Stretch], frame: _Frame) -> tuple[_Frame, IntArray]:
    """Place segments as Welch does, from the start on; up to the end if that holds much more.

    Returns the first samples of those segments in which anything was observed, shape (m,).
    """
    places = _occupied(stretches, frame)
    spare = (frame.size - frame.length) % frame.hop
    if spare and frame.count < _FEW_SEGMENTS:
        other = replace(frame, offset=frame.offset + spare, size=frame.size - spare)
        others = _occupied(stretches, other)
        energy = _observed_energy(stretches, places, frame.length)
        if _observed_energy(stretches, others, frame.length) > _MUCH_MORE * energy:
            return other, others
    return frame, places


def _occupied(stretches: list[_Stretch], frame: _Frame) -> IntArray:
    parts = []
    for one in stretches:
        first = (one.begin - frame.offset - frame.length) // frame.hop + 1
        last = (one.end - 1 - frame.offset) // frame.hop
        parts.append(np.arange(max(first, 0), min(last, frame.count - 1) + 1))
    if not parts:
        return np.empty(0, np.int64)
    result: IntArray = frame.offset + np.unique(np.concatenate(parts)) * frame.hop
    return result


def _observed_energy(stretches: list[_Stretch], places: IntArray, length: int) -> float:
    square = np.append(0.0, np.cumsum(_hann(length) ** 2))
    return float(
        sum(
            np.sum(
                square[np.clip(one.end - places, 0, length)]
                - square[np.clip(one.begin - places, 0, length)]
            )
            for one in stretches
        )
    )


def _batches(
    time_s: FloatArray,
    nn_ms: FloatArray,
    stretches: list[_Stretch],
    places: IntArray,
    frame: _Frame,
) -> Iterator[FloatArray]:
    """Yield the samples of segments, shape (m, length), NaN where none was observed."""
    apart = np.flatnonzero(np.diff(places) > frame.hop) + 1
    edges = [0, *apart.tolist(), len(places)]
    ready: list[FloatArray] = []
    count, reached = 0, 0
    for a, b in itertools.pairwise(edges):
        for low in range(a, b, _MAX_RUN):
            run = places[low : min(b, low + _MAX_RUN)]
            begin, end = int(run[0]), int(run[-1]) + frame.length
            while reached < len(stretches) - 1 and stretches[reached].end <= begin:
                reached += 1
            series = np.full(end - begin, np.nan)
            for one in itertools.islice(stretches, reached, None):
                if one.begin >= end:
                    break
                first, last = max(one.begin, begin), min(one.end, end)
                if last > first:
                    series[first - begin : last - begin] = _resample(
                        time_s[one.first : one.last],
                        nn_ms[one.first : one.last],
                        frame.begin_s + np.arange(first, last) / RESAMPLED_HZ,
                    )
            view = np.lib.stride_tricks.sliding_window_view(series, frame.length)
            ready.append(view[:: frame.hop])
            count += len(run)
            if count >= _MAX_RUN:
                yield np.concatenate(ready)
                ready, count = [], 0
    if ready:
        yield np.concatenate(ready)


def _resample(time_s: FloatArray, nn_ms: FloatArray, at: FloatArray) -> FloatArray:
    """Sample the spline of a stretch at some of its times, from the beats around those."""
    low = max(0, int(np.searchsorted(time_s, at[0])) - CONTEXT)
    high = int(np.searchsorted(time_s, at[-1])) + CONTEXT
    result: FloatArray = fit_spline(time_s[low:high], nn_ms[low:high])(at)
    return result
