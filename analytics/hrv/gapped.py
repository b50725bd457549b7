"""Welch's spectrum of a series with gaps: what is missing neither adds power nor takes it away.

Each unbroken piece is resampled by its own spline; no sample lies in a gap. In each tapered segment
the products of samples are summed by lag (the autocovariance), and divided by what the taper would
have summed at that lag had the rest been observed too (Jones 1971, "Spectrum analysis with missing
observations", Annals of the Institute of Statistical Mathematics 23:387). So the expected value is
Welch's own, whatever the pattern of the gaps. Without a gap the result is Welch's.

A gap of more than half a segment ends a group of pieces; a group shorter than a segment is a segment
of its own length. A segment counts by its time, and only for waves of which it holds two or more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from analytics._types import BoolArray, FloatArray

RESAMPLED_HZ = 4.0
SEGMENT_S = 150.0
GAPPED = "Welch over the gaps by lag, 150 s segments, 4 Hz cubic spline; version 1"
# From which frequency on, and how long a segment must be for that: two of the slowest waves.
_BANDS_HZ_S = ((0.0, 100.0), (0.04, 50.0), (0.15, 15.0))
_MIN_OBSERVED = 0.05  # of what the taper holds at a lag; the correction is no larger than by this
_MAX_PIECE = 20_000  # beats; longer ones are cut, which bounds the memory
_MANY = 64  # segments transformed side by side


def gapped_welch(
    time_s: FloatArray, nn_ms: FloatArray, follows: BoolArray, length_s: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Compute hz and ms²/Hz of NN intervals that end at ``time_s``; all of shape (n,).

    ``follows``: False where a gap lies before the interval. ``length_s``: of the window (the span
    of the beats if left out). Power is NaN at frequencies for which no segment is long enough.
    """
    span = float(time_s[-1] - time_s[0]) if length_s is None else length_s
    size = max(4, int(min(span, SEGMENT_S) * RESAMPLED_HZ))
    padded = 2 * size
    shape = (len(_BANDS_HZ_S), padded)
    found, observed, full = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for length, segments in _batches(time_s, nn_ms, follows, size):
        bands = [k for k, (_, s) in enumerate(_BANDS_HZ_S) if length / RESAMPLED_HZ >= min(s, span)]
        if not bands:
            continue
        mask = np.isfinite(segments)
        enough = mask.sum(axis=1) >= 4
        mask = mask[enough]
        if not len(mask):
            continue
        taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        values = _detrend(np.where(mask, segments[enough], 0.0), mask) * taper
        for into, data in ((found, values), (observed, mask * taper)):
            into[bands] += _autocovariance(data, padded).sum(axis=0)
        # By its time: a segment counts by what was observed of it.
        whole = _autocovariance(taper[None, :], padded)[0]
        full[bands] += whole * np.sum((mask * taper) ** 2) / np.sum(taper**2)
    hz = np.arange(size // 2 + 1) * RESAMPLED_HZ / size
    power = np.full(len(hz), np.nan)
    for k, (low, _) in enumerate(_BANDS_HZ_S):
        if full[k, 0] <= 0:
            continue
        tiny = np.finfo(float).tiny
        held = np.maximum(observed[k], np.maximum(_MIN_OBSERVED * full[k], tiny))
        lags = found[k] * np.maximum(full[k], 0) / held / full[k, 0]
        folded = lags[:size] + lags[size:]  # lags of 0 to size-1, and the negative ones
        density = np.fft.rfft(folded).real / RESAMPLED_HZ
        density[1 : None if size % 2 else -1] *= 2
        power[hz >= low] = density[hz >= low]
    return hz, power


def _autocovariance(rows: FloatArray, padded: int) -> FloatArray:
    transform = np.fft.rfft(rows, padded, axis=1)
    result: FloatArray = np.fft.irfft(transform.real**2 + transform.imag**2, padded, axis=1)
    return result


def _detrend(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Take the line through the observed samples from each row; 0 where none was."""
    count = mask.sum(axis=1, keepdims=True)
    x = np.arange(values.shape[1]) * mask
    x = (x - x.sum(axis=1, keepdims=True) / count) * mask
    y = (values - values.sum(axis=1, keepdims=True) / count) * mask
    slope = np.sum(x * y, axis=1, keepdims=True) / np.sum(x * x, axis=1, keepdims=True)
    result: FloatArray = y - slope * x
    return result


def _batches(
    time_s: FloatArray, nn_ms: FloatArray, follows: BoolArray, size: int
) -> Iterator[tuple[int, FloatArray]]:
    """Yield segments of the same length, shape (m, length), NaN where no beats are."""
    for series in _groups(time_s, nn_ms, follows, size / 2 / RESAMPLED_HZ):
        length = min(size, len(series))
        count = 1 + -(-(len(series) - length) // max(1, length // 2))
        offsets = np.round(np.linspace(0, len(series) - length, count)).astype(np.int64)
        view = np.lib.stride_tricks.sliding_window_view(series, length)
        for at in range(0, count, _MANY):
            yield length, view[offsets[at : at + _MANY]]


def _groups(
    time_s: FloatArray, nn_ms: FloatArray, follows: BoolArray, max_gap_s: float
) -> Iterator[FloatArray]:
    """Yield samples of pieces near to each other, NaN in the gaps between."""
    from scipy.interpolate import CubicSpline  # a second to load, which most commands do not need

    breaks = np.flatnonzero(~follows[1:]) + 1
    edges = [0, *breaks.tolist(), len(time_s)]
    parts: list[tuple[int, FloatArray]] = []  # place of the first sample, from the group's start
    anchor = last = 0.0
    beats = 0
    for a, b in itertools.pairwise(edges):
        for low in range(a, b, _MAX_PIECE):
            high = min(b, low + _MAX_PIECE)
            if high - low < 4:
                continue
            times = time_s[low:high]
            if parts and (times[0] - last > max_gap_s or beats + high - low > _MAX_PIECE):
                yield _join(parts)
                parts, beats = [], 0
            if not parts:
                anchor = float(times[0])
            first = int(np.ceil((times[0] - anchor) * RESAMPLED_HZ - 1e-9))
            end = int(np.ceil((times[-1] - anchor) * RESAMPLED_HZ - 1e-9))
            at = anchor + np.arange(first, end) / RESAMPLED_HZ
            if len(at):
                parts.append((first, CubicSpline(times, nn_ms[low:high])(at)))
                last, beats = float(times[-1]), beats + high - low
    if parts:
        yield _join(parts)


def _join(parts: list[tuple[int, FloatArray]]) -> FloatArray:
    begin = parts[0][0]
    series = np.full(parts[-1][0] + len(parts[-1][1]) - begin, np.nan)
    for first, samples in parts:
        series[first - begin : first - begin + len(samples)] = samples
    return series
