"""Generated heartbeats: a plausible heart at rest, for demonstrations only.

A mean RR with a respiratory wave (0.25 Hz), a blood-pressure wave (0.1 Hz) and a slow wander, as
in the integral pulse frequency modulation models (McSharry et al. 2003, IEEE TBME 50:289). No
claim is tested with it: figures are tested on real recordings.
"""

from __future__ import annotations

import numpy as np

from ebbtide.rr_units import STRAP_TICKS_PER_SECOND


def generated_rr(
    seconds: float, rng: np.random.Generator, *, mean_hr_bpm: float = 66, rmssd_ms: float = 35
) -> tuple[int, ...]:
    """RR intervals in ticks of 1/1024 s that last about ``seconds``."""
    mean = 60.0 / mean_hr_bpm
    breath_hz = 0.25 + 0.02 * rng.standard_normal()
    # A wave of amplitude a sampled every `mean` s has this RMSSD per unit of amplitude.
    breath = 0.85 * rmssd_ms / 1000 / (np.sqrt(2) * np.sin(np.pi * breath_hz * mean))
    pressure = 0.5 * breath
    jitter = 0.3 * rmssd_ms / 1000 / np.sqrt(2)
    phases = rng.uniform(0, 2 * np.pi, 2)
    elapsed, wander = 0.0, 0.0
    ticks = []
    while elapsed < seconds:
        wander = 0.995 * wander + 0.002 * rng.standard_normal()
        rr = (
            mean
            + breath * np.sin(2 * np.pi * breath_hz * elapsed + phases[0])
            + pressure * np.sin(2 * np.pi * 0.1 * elapsed + phases[1])
            + wander
            + jitter * rng.standard_normal()
        )
        rr = float(np.clip(rr, 0.4, 1.6))
        elapsed += rr
        ticks.append(round(rr * STRAP_TICKS_PER_SECOND))
    return tuple(ticks)
