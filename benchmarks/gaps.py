"""Gaps put into complete windows at random: bias and spread of each metric against the whole window.

    uv run python benchmarks/gaps.py [--data ../shared/data/rr] [--draws 10]

Windows of five minutes of each recording and of a simulated series; 5 to 60% of the time is taken
out in one to four gaps. Each cell: mean error in percent, its standard deviation over draws, and
the Monte-Carlo error of the mean. Seeds are fixed. Absent metrics are counted, not averaged.
The peers NeuroKit2 and hrv-analysis are not compared yet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.summary import hrv_summary

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("pyhrv_nni_long.txt", "pyhrv_nni_short.txt", "rest_rri.txt", "aura_nn_intervals.txt")
SHARES = (0.05, 0.2, 0.4, 0.6)
METRICS = ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "lf_ms2", "hf_ms2", "lf_hf", "total_ms2")


def simulate() -> NDArray[np.float64]:
    """Simulate five minutes with a wave of 0.1 Hz and one of 0.25 Hz."""
    rng, t, rr = np.random.default_rng(21), 0.0, []
    while t < 300:
        wave = 25 * np.sin(2 * np.pi * 0.1 * t) + 45 * np.sin(2 * np.pi * 0.25 * t)
        rr.append(850 + wave + rng.normal(0, 8))
        t += rr[-1] / 1000
    return np.array(rr)


def drop(
    times: NDArray[np.float64], rr: NDArray[np.float64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Mark the intervals that are left when ``share`` of the time is missing in random gaps."""
    count = int(rng.integers(1, 5))
    gaps = rng.dirichlet(np.ones(count)) * share * times[-1]
    pieces = rng.dirichlet(np.ones(count + 1)) * (1 - share) * times[-1]
    starts = np.cumsum(pieces[:-1]) + np.append(0, np.cumsum(gaps[:-1]))
    left = np.ones(len(rr), np.bool_)
    for start, gap in zip(starts, gaps, strict=True):
        left &= (times <= start) | (times - rr / 1000 >= start + gap)
    return left


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/rr")
    options.add_argument("--draws", type=int, default=10)
    chosen = options.parse_args()
    series = {"simulated": simulate()}
    for name in NAMES:
        rr = np.loadtxt(chosen.data / name)
        series[name] = rr[np.cumsum(rr) <= 300_000]
    print("| missing | metric | bias % | spread % | Monte-Carlo error | absent |")
    print("| --- | --- | --- | --- | --- | --- |")
    for k, share in enumerate(SHARES):
        errors: dict[str, list[float]] = {name: [] for name in METRICS}
        absent = dict.fromkeys(METRICS, 0)
        for i, rr in enumerate(series.values()):
            times = np.cumsum(rr) / 1000
            truth = hrv_summary(rr).values
            for draw in range(chosen.draws):
                left = drop(times, rr, share, np.random.default_rng([k, i, draw]))
                at = np.flatnonzero(left)
                run = np.cumsum(np.append(False, np.diff(at) > 1))
                found = hrv_summary(rr[at], times[at], run).values
                for name in METRICS:
                    value, whole = found[name], truth[name]
                    if value is None or whole is None:
                        absent[name] += 1
                    else:
                        errors[name].append(100 * (value / whole - 1))
        for name, e in errors.items():
            if len(e) < 2:
                print(f"| {share:.0%} | {name} | | | | {absent[name]} |")
                continue
            sd = float(np.std(e, ddof=1))
            cell = f"{np.mean(e):+.1f} | {sd:.1f} | {sd / np.sqrt(len(e)):.1f} | {absent[name]}"
            print(f"| {share:.0%} | {name} | {cell} |")


if __name__ == "__main__":
    main()
