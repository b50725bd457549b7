"""Straps as they are, honest and not: what they send, and when it arrives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ebbtide.timestamps import SECOND

START = 1_790_000_000 * SECOND


@dataclass(frozen=True, slots=True)
class StrapModel:
    """What one strap does. Times in s unless a name says otherwise.

    ``per_second``: it sends once a second, else with each beat. ``rhythm``: "sinus", "constant",
    "fibrillation" (coefficient of variation 0.22), "ectopic" (one beat in twelve) or "exercise"
    (the rate moves by 25 a minute). ``smoothing_s`` and ``rounds_down``: of its heart rate.
    ``fault`` is one of FAULTS. ``held_up_s``: once, the connection stays behind by this long for
    twenty seconds.
    """

    rr_s: float = 0.85
    spread_s: float = 0.03
    rhythm: str = "sinus"
    ticks_per_second: int = 1024
    per_second: bool = True
    jitter_s: float = 0.04
    held_up_s: float = 0.0
    lost_share: float = 0.0
    skew_ppm: float = 0.0
    smoothing_s: float = 5.0
    rounds_down: bool = False
    fault: str = ""
    seed: int = 0


FAULTS = ("repeats the last interval", "overlaps by one", "sent twice", "stuck")


@dataclass(frozen=True, slots=True)
class Sent:
    """One notification."""

    arrival_ns: int
    heart_rate_bpm: int
    rr_ticks: tuple[int, ...]


def draw_model(rng: np.random.Generator) -> StrapModel:
    """Draw an honest strap, hard ones more often than they are."""
    rhythms = ["sinus", "constant", "fibrillation", "ectopic", "exercise"]
    return StrapModel(
        rr_s=float(rng.uniform(0.35, 1.5)),
        spread_s=float(rng.choice([0.0, 0.005, 0.02, 0.05, 0.1])),
        rhythm=str(rng.choice(rhythms)),
        per_second=bool(rng.random() < 0.8),
        jitter_s=float(rng.choice([0.005, 0.03, 0.1, 0.2])),
        held_up_s=float(rng.choice([0.0, 0.0, 0.5, 1.0, 2.0])),
        lost_share=float(rng.choice([0.0, 0.0, 0.01, 0.03, 0.1])),
        skew_ppm=float(rng.uniform(-200, 200)),
        smoothing_s=float(rng.choice([0.0, 2.0, 5.0, 10.0])),
        rounds_down=bool(rng.random() < 0.2),
        seed=int(rng.integers(1 << 31)),
    )


def simulate(model: StrapModel, seconds: float) -> list[Sent]:
    """Simulate what arrives in ``seconds``."""
    rng = np.random.default_rng(model.seed)
    intervals = _intervals(model, seconds, rng)
    beats = np.cumsum(intervals) + rng.uniform(0, 1)
    intervals, beats = intervals[beats < seconds], beats[beats < seconds]
    strap_ticks = np.diff(
        np.round(np.cumsum(intervals) * model.ticks_per_second * (1 + model.skew_ppm * 1e-6)),
        prepend=0.0,
    ).astype(int)
    sends = np.arange(1.0, seconds) if model.per_second else beats + 0.05
    until = np.searchsorted(beats, sends, side="right")
    sent: list[Sent] = []
    first, last, arrival = 0, 0, 0.0
    behind = rng.uniform(0, seconds) if model.held_up_s else -100.0
    for send, end in zip(sends.tolist(), until.tolist(), strict=True):
        ticks = tuple(strap_ticks[first:end].tolist())
        ticks, last = _faulty(model.fault, ticks, last, first)
        first = end
        held_up = model.held_up_s if behind <= send < behind + 20 else 0.0
        arrival = max(arrival + 0.001, send + 0.03 + held_up + rng.exponential(model.jitter_s))
        if rng.random() < model.lost_share:
            continue
        recent = intervals[(beats > send - max(model.smoothing_s, 1.6)) & (beats <= send)]
        rate = 60 / float(recent.mean()) if len(recent) else 60 / model.rr_s
        shown = int(rate) if model.rounds_down else round(rate)
        sent.append(Sent(START + int(arrival * SECOND), shown, ticks))
    if model.fault == "sent twice":
        late = [rng.exponential(0.25) for _ in sent]
        sent += [
            replace(item, arrival_ns=item.arrival_ns + int((0.002 + min(1.3, more)) * SECOND))
            for item, more in zip(sent, late, strict=True)
        ]
        sent.sort(key=lambda item: item.arrival_ns)
    return sent


def _intervals(model: StrapModel, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    n = int(seconds / 0.3) + 10
    spread = 0.0 if model.rhythm == "constant" else model.spread_s
    rr = np.full(n, model.rr_s)
    at = np.cumsum(rr)
    rr = (
        rr
        + spread * np.sin(2 * np.pi * 0.25 * at + rng.uniform(0, 6))
        + rng.normal(0, spread / 2, n)
    )
    if model.rhythm == "fibrillation":
        rr = model.rr_s * (1 + 0.22 * rng.standard_normal(n))
    elif model.rhythm == "exercise":
        rate = 60 / model.rr_s + 12 * np.sin(2 * np.pi * at / 60 + rng.uniform(0, 6))
        rr = rr - model.rr_s + 60 / np.maximum(rate, 40)
    elif model.rhythm == "ectopic":
        early = np.flatnonzero(rng.random(n - 1) < 1 / 12)
        rr[early] *= 0.65
        rr[early + 1] *= 1.35
    return np.clip(rr, 0.28, 2.2)


def _faulty(
    fault: str, ticks: tuple[int, ...], last: int, first: int
) -> tuple[tuple[int, ...], int]:
    """What a faulty strap sends in place of ``ticks``, and its last interval."""
    if fault == "stuck":
        last = last or (ticks[-1] if ticks else 0)
        return ((last,) if last else ()), last
    sent = ticks
    if fault == "repeats the last interval" and not ticks and last:
        sent = (last,)
    elif fault == "overlaps by one" and last:
        sent = (last, *ticks)
    return sent, ticks[-1] if ticks else last
