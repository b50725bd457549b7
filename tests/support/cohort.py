"""Simulated pain and stress of many people."""

from __future__ import annotations

import numpy as np


def simulate_cohort(
    rng: np.random.Generator, people: int, n: int, slope: float
) -> tuple[np.ndarray, ...]:
    """Simulate ``n`` ratings of each person: person, day, stress and pain, shape (people * n,).

    Stress and pain fall by 4 in everybody. Beyond that fall, pain is ``slope`` times stress, and
    both have residuals with autocorrelation 0.5 and SD 1.3.
    """
    person = np.repeat(np.arange(people), n)
    day = np.tile(np.arange(n) / 3, people)
    fall = np.tile(-4 * np.linspace(0, 1, n), people)
    mood = np.concatenate([1.3 * _autoregressive(n, 0.5, rng) for _ in range(people)])
    ache = np.concatenate([1.3 * _autoregressive(n, 0.5, rng) for _ in range(people)])
    return person, day, 6 + fall + mood, 6 + fall + slope * mood + ache


def _autoregressive(n: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(n + 30)
    for i in range(1, len(noise)):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return noise[30:]
