"""Generate RR intervals of a sample heart that reacts to stress, movement and sleep.

For demonstrations only: metrics are tested on real recordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebbtide.rr_units import STRAP_TICKS_PER_SECOND

# Under stress, against rest: 5 to 10 bpm faster, and RMSSD 20 to 40% lower (laboratory stress in
# the meta-analysis of Castaldo et al. 2015, Biomed Signal Process Control 18:370, and in the
# recordings that the stress index is tested with).
STRESS_BPM, STRESS_LN_RMSSD = 8.0, -0.36
_EXERCISE_BPM, _EXERCISE_LN_RMSSD = 38.0, -1.3
_SLEEP_BPM, _SLEEP_LN_RMSSD = -9.0, 0.3
_REST_AT = 2.0  # points of stress at which the heart is at rest; 6 more, and it is as fast as above


@dataclass(frozen=True, slots=True, eq=False)
class Minutes:
    """What a heart reacts to, minute by minute, each of shape (minutes,).

    ``hour``: of the day, local time. ``stress``: 0 to 10. ``exercise`` and ``sleep``: 0 to 1.
    """

    hour: NDArray[np.float64]
    stress: NDArray[np.float64]
    exercise: NDArray[np.float64]
    sleep: NDArray[np.float64]

    @classmethod
    def at_rest(cls, minutes: int, stress: float, hour: float = 12.0) -> Minutes:
        """Make some minutes in a chair."""
        none = np.zeros(minutes)
        return cls(np.full(minutes, hour), np.full(minutes, stress), none, none)


@dataclass(frozen=True, slots=True)
class SampleHeart:
    """One person's heart, sitting at noon without stress."""

    rate_bpm: float = 66.0
    rmssd_ms: float = 35.0

    def generate_rr(self, minutes: Minutes, rng: np.random.Generator) -> NDArray[np.int64]:
        """Generate the RR intervals of these minutes, in ticks of 1/1024 s, of shape (beats,).

        A mean RR with a respiratory wave, a blood-pressure wave (0.1 Hz) and noise, as in integral
        pulse frequency modulation models (McSharry et al. 2003, IEEE TBME 50:289). The last beat
        is at most one interval before the end.
        """
        count = len(minutes.stress)
        aroused = np.clip((minutes.stress - _REST_AT) / 6, 0, 1.3)
        # Slow ups and downs that nothing explains: AR(1) over 45 minutes.
        rate = (
            self.rate_bpm
            + STRESS_BPM * aroused
            + _EXERCISE_BPM * minutes.exercise
            + _SLEEP_BPM * minutes.sleep
            + 2.0 * np.sin(2 * np.pi * (minutes.hour - 10) / 24)
            + 2.0 * _wander(count, rng)
        )
        ln_rmssd = (
            np.log(self.rmssd_ms)
            + STRESS_LN_RMSSD * aroused
            + _EXERCISE_LN_RMSSD * minutes.exercise
            + _SLEEP_LN_RMSSD * minutes.sleep
            + 0.12 * _wander(count, rng)
        )
        seconds = np.arange(count * 60, dtype=np.float64)
        at_minute = np.arange(count) * 60.0 + 30
        per_second = np.interp(seconds, at_minute, np.clip(rate, 40, 175)) / 60
        # A beat whenever the integral of the rate passes a whole number.
        passed = np.concatenate([[0.0], np.cumsum(per_second)])
        beats_s = np.interp(np.arange(1, int(passed[-1]) + 1), passed, np.arange(count * 60 + 1.0))
        mean_s = np.diff(beats_s, prepend=0.0)
        rmssd_s = np.exp(np.interp(beats_s, at_minute, ln_rmssd)) / 1000
        breaths_hz = 0.25 + 0.02 * np.interp(beats_s, at_minute, _wander(count, rng))
        # A wave of amplitude a sampled every mean_s has this RMSSD for each unit of amplitude.
        respiration = 0.85 * rmssd_s / (np.sqrt(2) * np.sin(np.pi * breaths_hz * mean_s))
        phase = 2 * np.pi * np.cumsum(breaths_hz * mean_s)
        rr_s = (
            mean_s
            + respiration * np.sin(phase + rng.uniform(0, 2 * np.pi))
            + 0.5 * respiration * np.sin(2 * np.pi * 0.1 * beats_s + rng.uniform(0, 2 * np.pi))
            + 0.3 * rmssd_s / np.sqrt(2) * rng.standard_normal(len(beats_s))
        )
        ticks = np.rint(np.clip(rr_s, 0.33, 1.8) * STRAP_TICKS_PER_SECOND).astype(np.int64)
        is_inside = np.cumsum(ticks) <= count * 60 * STRAP_TICKS_PER_SECOND
        return np.asarray(ticks[is_inside])


def _wander(minutes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Generate AR(1) over 45 minutes with a standard deviation of 1, of shape (minutes,)."""
    from scipy.signal import lfilter

    keep = float(np.exp(-1 / 45))
    noise = rng.standard_normal(minutes) * np.sqrt(1 - keep**2)
    first = rng.standard_normal()
    values, _ = lfilter([1.0], [1.0, -keep], noise, zi=[keep * first])
    return np.asarray(values, dtype=np.float64)
