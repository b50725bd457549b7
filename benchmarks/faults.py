"""Faults of known kinds put into clean series: what is left of them in the metrics.

    uv run python benchmarks/faults.py [--draws 6]

A grid of kinds of fault, heart rates and RMSSD. Three faults are put into five and a half minutes;
the truth is the series without them, of the same waves. Each cell is the mean absolute error in
percent over heart rates and draws; the sum is that of the corrected intervals against that of the
recorded ones, in ms, at its worst.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.summary import hrv_summary

FloatArray = NDArray[np.float64]
MEANS_MS = (600.0, 860.0, 1150.0)
RMSSDS_MS = (12.0, 30.0, 60.0)
# Intervals put in, in parts of the usual one, or in ms.
KINDS: dict[str, tuple[float, ...]] = {
    "premature beat without a pause": (0.51,),
    "echo 130 ms after a beat": (130.0,),
    "echo that splits a beat": (130.0, 0.85),
    "premature beat with a pause": (0.6, 1.4),
    "burst of noise": (210.0, 90.0, 340.0, 150.0),
    "run of two": (0.55, 0.55),
    "run of three": (0.55, 0.52, 0.57),
    "run of four": (0.55, 0.52, 0.57, 0.54),
    "run of five": (0.55, 0.52, 0.57, 0.54, 0.55),
}
SHOWN = ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "lf_ms2", "hf_ms2")


def simulate(
    mean_ms: float, rmssd_ms: float, seed: list[int], fault: tuple[float, ...] = ()
) -> FloatArray:
    """Simulate five and a half minutes of breathing, waves of ten seconds and noise.

    ``fault`` comes in place of three beats, as the waves go on.
    """
    rng = np.random.default_rng(seed)
    one, two = rng.uniform(0, 2 * np.pi, 2)
    due = (330 * np.array([0.25, 0.5, 0.75]) + rng.uniform(-15, 15, 3)).tolist()
    breath = rmssd_ms / (np.sqrt(2) * np.sin(np.pi * 0.25 * mean_ms / 1000))
    t, rr = 0.0, []
    while t < 330:
        if fault and due and t > due[0]:
            due.pop(0)
            rr += [part * mean_ms if part < 3 else part for part in fault]
            t = sum(rr) / 1000
        slow = 0.7 * rmssd_ms * np.sin(2 * np.pi * 0.09 * t + one)
        wave = breath * np.sin(2 * np.pi * (0.25 * t + 0.03 * np.sin(t / 9)) + two)
        rr.append(float(mean_ms + slow + wave + rng.normal(0, 0.15 * rmssd_ms)))
        t += rr[-1] / 1000
    return np.array(rr)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=6)
    chosen = options.parse_args()
    print(f"| fault | RMSSD | sum, ms | {' | '.join(f'`{name}`' for name in SHOWN)} |")
    print("| --- " * (3 + len(SHOWN)) + "|")
    for i, kind in enumerate(KINDS):
        for j, rmssd_ms in enumerate(RMSSDS_MS):
            errors, worst = [], 0.0
            for k, mean_ms in enumerate(MEANS_MS):
                for draw in range(chosen.draws):
                    seed = [i, j, k, draw]
                    clean = simulate(mean_ms, rmssd_ms, seed)
                    spoilt = simulate(mean_ms, rmssd_ms, seed, KINDS[kind])
                    truth, found = hrv_summary(clean), hrv_summary(spoilt)
                    kept = float(np.sum(found.corrected.nn_ms))
                    worst = max(worst, abs(kept - float(np.sum(spoilt))))
                    pairs = [(found.values[name], truth.values[name]) for name in SHOWN]
                    errors.append(
                        [np.nan if a is None or b is None else abs(a / b - 1) for a, b in pairs]
                    )
            cells = " | ".join(f"{100 * error:.1f}" for error in np.nanmean(errors, axis=0))
            print(f"| {kind} | {rmssd_ms:.0f} ms | {worst:.1f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
