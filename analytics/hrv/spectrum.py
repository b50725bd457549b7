"""Power of the NN intervals in the frequency bands of the Task Force (1996), in ms².

Default: Welch's method on the NN series resampled at 4 Hz by a cubic spline through the beats, in
segments of 150 s that overlap by half (Hann, each freed of its straight line). It is the usual
definition, stable, and comparable between tools. Where beats are missing for longer than four
intervals a spline would invent them: then the Lomb-Scargle periodogram (Lomb 1976, Astrophysics
and Space Science 39:447), which needs no even spacing, is taken on the beats there are. Shorter
holes are filled before (``analytics.hrv.correction``).

Breathing shows as a narrow peak: RR shorten as one breathes in. Its rate is told only where the
peak holds much of the power. Under 9 breaths a minute it lies below 0.15 Hz, in the LF band, and HF
power no longer says what it is taken to say (Task Force 1996; Shaffer and Ginsberg 2017, Frontiers
in Public Health 5:258).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.correction import MAX_HOLE

FloatArray = NDArray[np.float64]

BANDS_HZ = {"vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.40)}
RESAMPLED_HZ = 4.0
SEGMENT_S = 150.0
BREATHING_HZ = (0.07, 0.40)
SLOW_BREATHING_HZ = 0.15  # 9 a minute
_PEAK_HALF_WIDTH_HZ = 0.02  # what the taper makes of a pure tone in 150 s
_PEAK_SHARE = 0.5  # of the power in BREATHING_HZ; less is no breathing rate
_SLOW_PEAK_SHARE = 0.7  # waves of ten seconds are there without slow breathing too, but broader


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


def spectrum(time_s: FloatArray, nn_ms: FloatArray) -> Spectrum:
    """The spectrum of NN intervals that end at ``time_s`` (increasing); both of shape (n,).

    Raises ValueError for fewer than 4 intervals, or times that do not increase.
    """
    time_s = np.asarray(time_s, dtype=np.float64)
    nn_ms = np.asarray(nn_ms, dtype=np.float64)
    if len(nn_ms) < 4:
        raise ValueError("a spectrum needs at least 4 intervals")
    steps = np.diff(time_s)
    if np.any(steps <= 0):
        raise ValueError("beat times must increase")
    if np.max(steps * 1000 / np.median(nn_ms)) > MAX_HOLE:
        return lomb_scargle(time_s, nn_ms)
    return welch(time_s, nn_ms)


def welch(time_s: FloatArray, nn_ms: FloatArray) -> Spectrum:
    """Welch's method on the series resampled at 4 Hz."""
    # A second to load, and most commands never need it.
    from scipy import signal
    from scipy.interpolate import CubicSpline

    even = np.arange(time_s[0], time_s[-1], 1 / RESAMPLED_HZ)
    resampled = CubicSpline(time_s, nn_ms)(even)
    segment = min(len(even), int(SEGMENT_S * RESAMPLED_HZ))
    hz, power = signal.welch(
        resampled, fs=RESAMPLED_HZ, window="hann", nperseg=segment, detrend="linear"
    )
    return Spectrum(hz, power, "Welch, 150 s segments, 4 Hz cubic spline")


def lomb_scargle(time_s: FloatArray, nn_ms: FloatArray) -> Spectrum:
    """The periodogram of the beats as they are, scaled to ms²/Hz."""
    from scipy import signal

    span = float(time_s[-1] - time_s[0])
    hz = np.arange(1, max(2, int(0.5 * span) + 1)) / span
    line = np.polynomial.Polynomial.fit(time_s, nn_ms, 1)
    left = nn_ms - line(time_s)
    raw = signal.lombscargle(time_s, left, 2 * np.pi * hz)
    return Spectrum(hz, 2 * span / len(nn_ms) * raw, "Lomb-Scargle on the beats")


def breathing_hz(hz: FloatArray, power: FloatArray) -> FloatArray:
    """Where breathing shows in each row of ``power``, shape (w, k), at ``hz``, shape (k,). NaN
    where no narrow peak holds half of the power from 0.07 to 0.40 Hz, or 70% if it is below
    0.15 Hz. Shape (w,).
    """
    band = np.flatnonzero((hz >= BREATHING_HZ[0]) & (hz < BREATHING_HZ[1]))
    if not len(band):
        return np.full(len(power), np.nan)
    inside = power[:, band]
    peak = hz[band[np.argmax(inside, axis=1)]]
    near = np.abs(hz[band] - peak[:, None]) <= _PEAK_HALF_WIDTH_HZ + 1e-9
    total = np.sum(inside, axis=1)
    share = np.sum(inside, axis=1, where=near) / np.where(total > 1e-12, total, np.inf)
    enough = np.where(peak < SLOW_BREATHING_HZ, _SLOW_PEAK_SHARE, _PEAK_SHARE)
    return np.where(share >= enough, peak, np.nan)
