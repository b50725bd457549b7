"""Simulated beats and ratings, and the names of the real recordings."""

from __future__ import annotations

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.hrv.windows import BeatArrays

SECOND = 1_000_000_000
HOUR = 3_600_000_000_000
START = 1_790_000_000 * SECOND
CAUSAL = ("because", "cause", "leads to", "due to", "effect of", "makes", "reduces", "therefore")
RECORDINGS = [
    "aura_nn_intervals.txt",
    "pyhrv_nni_long.txt",
    "pyhrv_nni_short.txt",
    "rest_rri.txt",
    "mitdb_100_beats.csv",
]


def arrays(rr_ms: list[float], start: int = START, **changes: object) -> BeatArrays:
    rr = np.array(rr_ms, dtype=float)
    follows = np.ones(len(rr), dtype=bool)
    follows[:1] = False
    columns: dict[str, object] = {
        "time_ns": start + np.round(np.cumsum(rr) * 1e6).astype(np.int64),
        "rr_ms": rr,
        "follows": follows,
        "contact": np.full(len(rr), -1, dtype=np.int8),
        "stream": np.zeros(len(rr), dtype=np.int32),
    }
    return BeatArrays(**{**columns, **changes})  # type: ignore[arg-type]


def times(n: int, every_h: float = 8) -> IntArray:
    return START + (np.arange(n) * every_h * HOUR).astype(np.int64)


def ups_and_downs(n: int, rho: float, rng: np.random.Generator) -> FloatArray:
    noise = rng.standard_normal(n + 30)
    for i in range(1, len(noise)):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return noise[30:]


def clinic(
    rng: np.random.Generator, people: int, n: int, slope: float, spread: float = 0.0
) -> tuple[np.ndarray, ...]:
    """Everybody's stress and pain fall by 4; each has a slope of their own."""
    who = np.repeat(np.arange(people), n)
    day = np.tile(np.arange(n) / 3, people)
    fall = np.tile(-4 * np.linspace(0, 1, n), people)
    mood = np.concatenate([1.3 * ups_and_downs(n, 0.5, rng) for _ in range(people)])
    ache = np.concatenate([1.3 * ups_and_downs(n, 0.5, rng) for _ in range(people)])
    own = slope + spread * rng.standard_normal(people)
    return who, day, 6 + fall + mood, 6 + fall + own[who] * mood + ache, own
