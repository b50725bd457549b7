"""Spectra of many windows at once; the definitions are those of ``analytics.hrv.spectrum``.

The spectrum of a window is Welch's, of the spline through the corrected NN intervals of the whole
unbroken stretch, sampled at 4 Hz from the window's start on: a window's edge bends nothing. A
window with a hole gets the Lomb-Scargle periodogram of its own beats.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.correction import MAX_HOLE, CorrectedSeries
from analytics.hrv.requirements import MIN_SECONDS
from analytics.hrv.spectrum import BANDS_HZ, RESAMPLED_HZ, SEGMENT_S, breathing_hz, lomb_scargle

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

FREQUENCY = (
    "vlf_ms2",
    "lf_ms2",
    "hf_ms2",
    "total_ms2",
    "lf_hf",
    "lf_nu",
    "hf_nu",
    "hf_peak_hz",
    "breathing_per_min",
)
_CHUNK = 100_000  # samples side by side: what fits in the cache
_FEWEST_FOR_LOMB = 60  # beats


def spectra(
    corrected: CorrectedSeries, starts: FloatArray, length_s: float, values: dict[str, FloatArray]
) -> tuple[BoolArray, BoolArray]:
    """Band figures into ``values`` (arrays of the shape of ``starts``). Returns which windows have
    a spectrum, and which of those have it from Lomb-Scargle.
    """
    done = np.zeros(len(starts), np.bool_)
    holed = np.zeros(len(starts), np.bool_)
    times, nn = corrected.time_s, corrected.nn_ms
    if len(nn) < 4:
        return done, holed
    # A spectrum is worth the time that this takes to load; the line of a recording is without one.
    from scipy.interpolate import CubicSpline

    order = np.argsort(starts, kind="stable")
    in_order = starts[order]
    edges = [*np.flatnonzero(~corrected.follows).tolist(), len(nn)]
    for a, b in itertools.pairwise(edges):
        if b - a < 4:
            continue
        stretch = times[a:b]
        # A window may reach over the ends of its stretch by as little as a hole that is filled.
        early = float(stretch[0] - MAX_HOLE * nn[a] / 1000)
        late = float(stretch[-1] + MAX_HOLE * nn[b - 1] / 1000 - length_s)
        near = slice(*np.searchsorted(in_order, [early, late], side="left"))
        rows = order[near]
        if len(rows):
            _stretch(CubicSpline(stretch, nn[a:b]), starts, rows, length_s, values, done)
    first = np.searchsorted(times, starts, "left")
    last = np.searchsorted(times, starts + length_s, "left")
    for row in np.flatnonzero(~done & (last - first >= _FEWEST_FOR_LOMB)):
        at = slice(int(first[row]), int(last[row]))
        if np.sum(nn[at]) / 1000 >= MIN_SECONDS["hf_ms2"]:
            found = lomb_scargle(times[at], nn[at])
            _put(values, np.array([row]), found.hz, found.power_ms2_hz[None, :])
            done[row] = holed[row] = True
    return done, holed


def _stretch(
    spline: CubicSpline,
    starts: FloatArray,
    rows: IntArray,
    length_s: float,
    values: dict[str, FloatArray],
    done: BoolArray,
) -> None:
    """Windows that lie in one stretch. Those whose starts are whole quarters of a second apart
    share their samples.
    """
    begins, ends = float(spline.x[0]), float(spline.x[-1])
    samples = int(length_s * RESAMPLED_HZ)
    least = min(samples, 30 * int(RESAMPLED_HZ))
    phase = np.round((starts[rows] * RESAMPLED_HZ) % 1, 6) % 1
    for one in np.unique(phase):
        group = rows[phase == one]
        anchor = float(starts[group[0]])
        lowest = int(np.ceil((begins - anchor) * RESAMPLED_HZ - 1e-9))
        highest = int(np.ceil((ends - anchor) * RESAMPLED_HZ - 1e-9))  # exclusive
        offset = np.round((starts[group] - anchor) * RESAMPLED_HZ).astype(np.int64)
        # No more of the stretch is sampled than the group's windows need.
        lowest = max(lowest, int(np.min(offset)))
        highest = min(highest, int(np.max(offset)) + samples)
        series = spline(anchor + np.arange(lowest, max(highest, lowest)) / RESAMPLED_HZ)
        begin = np.maximum(offset - lowest, 0)
        length = np.minimum(offset + samples - lowest, len(series)) - begin
        for size in np.unique(length[length >= least]):
            chosen = length == size
            _welch_rows(series, begin[chosen], int(size), group[chosen], values)
            done[group[chosen]] = True


def _welch_rows(
    series: FloatArray, begin: IntArray, size: int, rows: IntArray, values: dict[str, FloatArray]
) -> None:
    segment = min(size, int(SEGMENT_S * RESAMPLED_HZ))
    offsets = np.arange(0, size - segment + 1, segment - segment // 2)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(segment) / segment)  # Hann, periodic
    x = np.arange(segment) - (segment - 1) / 2
    scale = 1 / (RESAMPLED_HZ * np.sum(taper**2))
    hz = np.arange(segment // 2 + 1) * RESAMPLED_HZ / segment
    view = np.lib.stride_tricks.sliding_window_view(series, segment)
    many = max(1, _CHUNK // (segment * len(offsets)))
    for at in range(0, len(rows), many):
        part = rows[at : at + many]
        # Windows that overlap share segments: each is transformed once.
        places, whose = np.unique(begin[at : at + many, None] + offsets, return_inverse=True)
        parts = view[places]
        parts = parts - parts.mean(axis=1, keepdims=True)
        slope = parts @ x / (x @ x)
        parts -= slope[:, None] * x
        parts *= taper
        transform = np.fft.rfft(parts, axis=1)
        each = transform.real**2 + transform.imag**2
        power = np.mean(each[whose.reshape(len(part), -1)], axis=1) * scale
        power[:, 1 : None if segment % 2 else -1] *= 2
        _put(values, part, hz, power)


def _put(values: dict[str, FloatArray], rows: IntArray, hz: FloatArray, power: FloatArray) -> None:
    """Band figures of the spectra in the rows of ``power`` into these windows."""
    width = hz[1] - hz[0]
    bands = {
        name: np.sum(power[:, (hz >= low) & (hz < high)], axis=1) * width
        for name, (low, high) in BANDS_HZ.items()
    }
    both = bands["lf"] + bands["hf"]
    high_band = np.flatnonzero((hz >= BANDS_HZ["hf"][0]) & (hz < BANDS_HZ["hf"][1]))
    flat = both <= 1e-12  # what rounding leaves of a constant heart
    with np.errstate(all="ignore"):
        relative = {
            "lf_hf": bands["lf"] / bands["hf"],
            "lf_nu": 100 * bands["lf"] / both,
            "hf_nu": 100 * bands["hf"] / both,
            "hf_peak_hz": hz[high_band[np.argmax(power[:, high_band], axis=1)]],
            "breathing_per_min": 60 * breathing_hz(hz, power),
        }
    for name in ("vlf", "lf", "hf"):
        values[f"{name}_ms2"][rows] = bands[name]
    values["total_ms2"][rows] = both + bands["vlf"]
    for name, column in relative.items():
        values[name][rows] = np.where(flat, np.nan, column)
