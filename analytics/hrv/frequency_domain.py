"""Power of NN intervals in the frequency bands of the Task Force (1996), in ms².

Default: Welch's method on the NN series resampled at 4 Hz by a cubic spline through the beats, in
segments of 150 s that overlap by half (Hann, linear trend removed from each). The spline of a
window is that of its whole unbroken stretch, so that a window's edge does not distort it. Short
holes are filled before (``analytics.hrv.correction``).

Where beats are missing for longer, ``analytics.hrv.gapped`` computes the same estimate from the
samples that there are. It equals Welch's without a gap.

Breathing shows as a narrow peak: RR shorten as one breathes in. Its rate is given only where the
peak holds much of the power. Under 9 breaths a minute it lies below 0.15 Hz, in the LF band, and HF
power no longer means what it usually means (Task Force 1996; Shaffer and Ginsberg 2017, Frontiers
in Public Health 5:258).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.correction import MAX_HOLE, CorrectedSeries
from analytics.hrv.gapped import CONTEXT, GAPPED, RESAMPLED_HZ, SEGMENT_S, gapped_welch
from analytics.hrv.metric import Domain, Metric
from analytics.hrv.spline import fit_spline

BANDS_HZ = {"vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.40)}
BREATHING_HZ = (0.07, 0.40)
SLOW_BREATHING_HZ = 0.15  # 9 a minute
WELCH = "Welch, 150 s segments, 4 Hz cubic spline"
_PEAK_HALF_WIDTH_HZ = 0.02  # what the taper makes of a pure tone in 150 s
_MIN_PEAK_SHARE = 0.5  # of the power in BREATHING_HZ; less is no breathing rate
# Waves of ten seconds occur without slow breathing too, but are broader.
_MIN_SLOW_PEAK_SHARE = 0.7
_CHUNK = 100_000  # samples side by side: what fits in the cache
_MAX_WELCH_BEATS = 200_000  # two days; longer series go in parts, in bounded memory
_MIN_HF_SECONDS = 60
_MAX_FLAT_MS2 = 1e-12  # what rounding leaves of a constant heart rate


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """``power_ms2_hz`` at ``hz``, both of shape (k,), one-sided; ``method`` in words."""

    hz: FloatArray
    power_ms2_hz: FloatArray
    method: str

    def band_ms2(self, low_hz: float, high_hz: float) -> float:
        """Power with low <= f < high: the sum of the bins times their width."""
        inside = (self.hz >= low_hz) & (self.hz < high_hz)
        return float(np.sum(self.power_ms2_hz[inside]) * (self.hz[1] - self.hz[0]))

    def peak_hz(self, low_hz: float, high_hz: float) -> float:
        """Where the power of the band is largest."""
        inside = np.flatnonzero((self.hz >= low_hz) & (self.hz < high_hz))
        return float(self.hz[inside[np.argmax(self.power_ms2_hz[inside])]])


class SpectrumRows:
    """Spectra of several windows at the same frequencies.

    ``rows``: which windows, shape (r,); ``hz``: shape (k,); ``power``: ms²/Hz, shape (r, k).
    ``holed``: whether beats are missing in them for longer than is filled.
    """

    def __init__(self, rows: IntArray, hz: FloatArray, power: FloatArray, holed: bool) -> None:
        self.rows, self.hz, self.power, self.holed = rows, hz, power, holed

    @cached_property
    def bands(self) -> dict[str, FloatArray]:
        """Power in each band in ms², shape (r,); NaN where gaps leave too little to estimate it."""
        width = self.hz[1] - self.hz[0]
        found = {
            name: np.sum(self.power[:, (self.hz >= low) & (self.hz < high)], axis=1) * width
            for name, (low, high) in BANDS_HZ.items()
        }
        if self.holed:  # the estimate is a difference: of hardly any power it can be below 0
            return {name: np.where(power >= 0, power, np.nan) for name, power in found.items()}
        return found

    @cached_property
    def lf_and_hf(self) -> FloatArray:
        """Power in both bands in ms², shape (r,)."""
        result: FloatArray = self.bands["lf"] + self.bands["hf"]
        return result

    def where_varying(self, values: FloatArray) -> FloatArray:
        """Set to NaN where the heart rate is constant: ratios of rounding errors mean nothing."""
        return np.where(self.lf_and_hf <= _MAX_FLAT_MS2, np.nan, values)


def compute_spectrum(
    time_s: FloatArray, nn_ms: FloatArray, follows: BoolArray | None = None
) -> Spectrum:
    """Compute the spectrum of NN intervals that end at ``time_s`` (increasing); both shape (n,).

    ``follows``: False where the series is broken; by the steps of ``time_s`` if left out.
    Raises ValueError for fewer than 4 intervals, or times that do not increase.
    """
    time_s = np.asarray(time_s, dtype=np.float64)
    nn_ms = np.asarray(nn_ms, dtype=np.float64)
    if len(nn_ms) < 4:
        raise ValueError("a spectrum needs at least 4 intervals")
    steps = np.diff(time_s)
    if np.any(steps <= 0):
        raise ValueError("beat times must increase")
    if follows is None:
        follows = np.append(False, steps * 1000 / np.median(nn_ms) <= MAX_HOLE)
    if np.all(follows[1:]) and len(nn_ms) <= _MAX_WELCH_BEATS:
        return welch(time_s, nn_ms)
    hz, power = gapped_welch(time_s, nn_ms, follows)
    return Spectrum(hz, power, WELCH if np.all(follows[1:]) else GAPPED)


def welch(time_s: FloatArray, nn_ms: FloatArray) -> Spectrum:
    """Compute the power spectral density by Welch's method on the series resampled at 4 Hz."""
    series = fit_spline(time_s, nn_ms)(np.arange(time_s[0], time_s[-1], 1 / RESAMPLED_HZ))
    zero = np.zeros(1, np.int64)
    ((_, hz, power),) = _welch_chunks(series, zero, len(series), zero)
    return Spectrum(hz, power[0], WELCH)


def window_spectra(
    corrected: CorrectedSeries, starts: FloatArray, length_s: float
) -> Iterator[SpectrumRows]:
    """Compute the spectra of windows, in groups that share their frequencies.

    Windows without enough beats are in none of them. ``starts``: shape (w,).
    """
    times, nn = corrected.time_s, corrected.nn_ms
    if len(nn) < 4:
        return
    done = np.zeros(len(starts), np.bool_)
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
            yield from _stretch_spectra(fit_spline(stretch, nn[a:b]), starts, rows, length_s, done)
    first = np.searchsorted(times, starts, "left")
    last = np.searchsorted(times, starts + length_s, "left")
    for row in np.flatnonzero(~done & (last - first >= 4)):
        # The spline of a stretch is that of the whole stretch, as without gaps.
        a, b = max(0, int(first[row]) - CONTEXT), int(last[row]) + CONTEXT
        if np.sum(nn[first[row] : last[row]]) / 1000 >= _MIN_HF_SECONDS:
            edge_s = MAX_HOLE * float(np.median(nn[first[row] : last[row]])) / 1000
            hz, power = gapped_welch(
                times[a:b], nn[a:b], corrected.follows[a:b], (float(starts[row]), length_s), edge_s
            )
            yield SpectrumRows(np.array([row]), hz, power[None, :], True)


def _stretch_spectra(
    spline: Any, starts: FloatArray, rows: IntArray, length_s: float, done: BoolArray
) -> Iterator[SpectrumRows]:
    """Compute the spectra of windows that lie in one stretch, and mark them in ``done``.

    Windows that start whole quarters of a second apart share their samples.
    """
    begins, ends = float(spline.x[0]), float(spline.x[-1])
    samples = int(length_s * RESAMPLED_HZ)
    min_samples = min(samples, 30 * int(RESAMPLED_HZ))
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
        for size in np.unique(length[length >= min_samples]):
            chosen = length == size
            done[group[chosen]] = True
            yield from _band_spectra(series, begin[chosen], int(size), group[chosen])


def _band_spectra(
    series: FloatArray, begin: IntArray, size: int, rows: IntArray
) -> Iterator[SpectrumRows]:
    """Compute Welch's spectra of ``size`` samples from each ``begin``, up to 0.40 Hz.

    No metric looks further, and for a fifth of the frequencies one product of matrices is less
    work than a line, a taper and a whole transform.
    """
    segment = min(size, int(SEGMENT_S * RESAMPLED_HZ))
    hz, transform = _band_transform(segment)
    offsets = np.arange(0, size - segment + 1, segment - segment // 2)
    # Windows that overlap share segments: each is transformed once.
    places, segment_index = np.unique(begin[:, None] + offsets, return_inverse=True)
    segment_index = segment_index.reshape(len(rows), -1)
    view = np.lib.stride_tricks.sliding_window_view(series - np.mean(series), segment)
    each = np.empty((len(places), len(hz)))
    many = max(1, _CHUNK // segment)
    for at in range(0, len(places), many):
        waves = np.square(view[places[at : at + many]] @ transform)
        np.add(waves[:, : len(hz)], waves[:, len(hz) :], out=each[at : at + many])
    power = each[segment_index[:, 0]]
    for column in segment_index.T[1:]:
        power += each[column]
    yield SpectrumRows(rows, hz, power / len(offsets), False)


@lru_cache(maxsize=8)
def _band_transform(segment: int) -> tuple[FloatArray, FloatArray]:
    """Build what takes a segment to its spectrum up to 0.40 Hz: the frequencies, shape (k,).

    And a matrix of shape (segment, 2 k): the straight line out, the taper on, cosines, sines.
    """
    x = np.arange(segment) - (segment - 1) / 2
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(segment) / segment)  # Hann, periodic
    hz = np.arange(segment // 2) * RESAMPLED_HZ / segment
    hz = hz[hz <= BANDS_HZ["hf"][1]]
    # Whole turns out first: the sine of a large angle is less exact.
    turns = np.outer(np.arange(segment), np.arange(len(hz))) % segment / segment
    waves = np.hstack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])
    waves *= (taper * np.sqrt(2 / (RESAMPLED_HZ * np.sum(taper**2))))[:, None]
    waves -= np.mean(waves, axis=0)
    waves -= np.outer(x, x @ waves) / (x @ x)
    waves[:, [0, len(hz)]] /= np.sqrt(2)  # one-sided: what is at 0 Hz counts once
    return hz, waves


def _welch_chunks(
    series: FloatArray, begin: IntArray, size: int, rows: IntArray
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Compute Welch's spectra of ``size`` samples from each ``begin``.

    Yields rows, hz and power of as many windows at a time as fit in the cache.
    """
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
        places, segment_index = np.unique(
            begin[at : at + many, None] + offsets, return_inverse=True
        )
        parts = view[places]
        parts = parts - parts.mean(axis=1, keepdims=True)
        slope = parts @ x / (x @ x)
        parts -= slope[:, None] * x
        parts *= taper
        transform = np.fft.rfft(parts, axis=1)
        each = transform.real**2 + transform.imag**2
        power = np.mean(each[segment_index.reshape(len(part), -1)], axis=1) * scale
        power[:, 1 : None if segment % 2 else -1] *= 2
        yield part, hz, power


def hf_peak(spectra: SpectrumRows) -> FloatArray:
    """Frequency at which HF power is largest, in Hz."""
    low, high = BANDS_HZ["hf"]
    band = np.flatnonzero((spectra.hz >= low) & (spectra.hz < high))
    return spectra.where_varying(spectra.hz[band[np.argmax(spectra.power[:, band], axis=1)]])


def breathing_rate(spectra: SpectrumRows) -> FloatArray:
    """Compute breaths a minute.

    NaN where no narrow peak holds half of the power from 0.07 to 0.40 Hz, or 70% if it is below
    0.15 Hz.
    """
    hz = spectra.hz
    band = np.flatnonzero((hz >= BREATHING_HZ[0]) & (hz < BREATHING_HZ[1]))
    if not len(band):
        return np.full(len(spectra.rows), np.nan)
    inside = spectra.power[:, band]
    peak = hz[band[np.argmax(inside, axis=1)]]
    near = np.abs(hz[band] - peak[:, None]) <= _PEAK_HALF_WIDTH_HZ + 1e-9
    total = np.sum(inside, axis=1)
    share = np.sum(inside, axis=1, where=near) / np.where(total > 1e-12, total, np.inf)
    enough = np.where(peak < SLOW_BREATHING_HZ, _MIN_SLOW_PEAK_SHARE, _MIN_PEAK_SHARE)
    return spectra.where_varying(60 * np.where(share >= enough, peak, np.nan))


_metric = partial(Metric[SpectrumRows], domain=Domain.FREQUENCY)
_TASK_FORCE = "Task Force 1996"

# fmt: off
FREQUENCY_DOMAIN: tuple[Metric[SpectrumRows], ...] = (
    _metric("vlf_ms2", "ms²", "power in 0.0033 to 0.04 Hz",
            rows=lambda s: s.bands["vlf"], source=_TASK_FORCE, min_seconds=270),
    _metric("lf_ms2", "ms²", "power in 0.04 to 0.15 Hz",
            rows=lambda s: s.bands["lf"], source=_TASK_FORCE, min_seconds=120),
    _metric("hf_ms2", "ms²", "power in 0.15 to 0.40 Hz",
            rows=lambda s: s.bands["hf"], source=_TASK_FORCE, min_seconds=_MIN_HF_SECONDS),
    _metric("total_ms2", "ms²", "power in 0.0033 to 0.40 Hz",
            rows=lambda s: s.lf_and_hf + s.bands["vlf"], source=_TASK_FORCE, min_seconds=270),
    _metric("lf_hf", "", "`lf_ms2` over `hf_ms2`",
            rows=lambda s: s.where_varying(s.bands["lf"] / s.bands["hf"]),
            source=_TASK_FORCE, min_seconds=120),
    _metric("lf_nu", "%", "share of LF in LF and HF",
            rows=lambda s: s.where_varying(100 * s.bands["lf"] / s.lf_and_hf),
            source=_TASK_FORCE, min_seconds=120),
    _metric("hf_nu", "%", "share of HF in LF and HF",
            rows=lambda s: s.where_varying(100 * s.bands["hf"] / s.lf_and_hf),
            source=_TASK_FORCE, min_seconds=120),
    _metric("hf_peak_hz", "Hz", "frequency at which HF power is largest",
            rows=hf_peak, min_seconds=_MIN_HF_SECONDS),
    _metric("breathing_per_min", "/min",
            "a narrow peak that holds half of the power in 0.07 to 0.40 Hz (70% below 0.15 Hz)",
            rows=breathing_rate, min_seconds=120),
)
# fmt: on
