"""How often unrelated pain and stress that both fall look linked: our method beside common ones.

    uv run python benchmarks/false_alarms.py [--draws 1000] [--write docs/false-alarms.md]

Whole-number ratings with a floor at 0, three a day, autocorrelated ups and downs. Prints the share
of alarms at the 5% level where there is no link, and, where a link of 0.5 points is put in, how
often our 95% interval covers it and how often it is found.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from analytics.link import METHOD, within_person_link

SIZES = (24, 30, 60, 120)
FALLS = ("none", "linear", "curved", "step")
RHOS = (0.0, 0.3, 0.6, 0.8)
LINK = 0.5
SPREAD = 1.3
_EIGHT_HOURS = 8 * 3_600_000_000_000
Array = NDArray[np.float64]


def fall(kind: str, n: int) -> Array:
    """The course of both series: 4 points down, or none."""
    u = np.linspace(0, 1, n)
    if kind == "linear":
        return -4 * u
    if kind == "curved":
        return -4 * (1 - np.exp(-4 * u)) / (1 - np.exp(-4))
    if kind == "step":
        return -4.0 * (u > 0.5)
    return 0 * u


def ups_and_downs(draws: int, n: int, rho: float, rng: np.random.Generator) -> Array:
    """Stationary AR(1) with standard deviation 1, shape (draws, n)."""
    noise = rng.standard_normal((draws, n + 60))
    series: Array = signal.lfilter([np.sqrt(1 - rho**2)], [1, -rho], noise, axis=1)
    return series[:, 60:]


def rated(values: Array) -> Array:
    """What a person would tick."""
    return np.clip(np.round(values), 0, 10)


def share_clear(times: NDArray[np.int64], hours: Array, xs: Array, ys: Array) -> float:
    """Share of draws with an alarm by our method."""
    return float(
        np.mean([within_person_link(times, x, y, hours).clear for x, y in zip(xs, ys, strict=True)])
    )


def cell(kind: str, rho: float, n: int, draws: int, rng: np.random.Generator) -> list[float]:
    """Alarms of Pearson, detrended Pearson and ours; coverage and power of ours."""
    course = 6 + fall(kind, n)
    times = (np.arange(n) * _EIGHT_HOURS).astype(np.int64)
    hours = (np.arange(n) * 8) % 24.0
    mood = SPREAD * ups_and_downs(draws, n, rho, rng)
    ache = SPREAD * ups_and_downs(draws, n, rho, rng)
    xs, ys = rated(course + mood), rated(course + ache)
    pearson = np.mean(stats.pearsonr(xs, ys, axis=1).pvalue < 0.05)
    flat = signal.detrend(xs, axis=1), signal.detrend(ys, axis=1)
    detrended = np.mean(stats.pearsonr(*flat, axis=1).pvalue < 0.05)
    ours = share_clear(times, hours, xs, ys)
    # Without rounding and floor, which would blur what the true slope is.
    stress, pain = course + mood, course + LINK * mood + 0.7 * ache
    covered = found = 0
    for x, y in zip(stress, pain, strict=True):
        link = within_person_link(times, x, y, hours)
        assert link.low is not None and link.high is not None
        covered += link.low <= LINK <= link.high
        found += link.clear
    return [float(pearson), float(detrended), ours, covered / draws, found / draws]


def table(draws: int) -> str:
    """The whole table, in Markdown."""
    rng = np.random.default_rng(20221)
    lines = [
        "| ratings | fall of both | autocorrelation | Pearson | detrended Pearson | **Ebbtide** "
        "| coverage of 95% | power |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    began = time.monotonic()
    for n in SIZES:
        for kind in FALLS:
            for rho in RHOS:
                pearson, flat, ours, covered, found = cell(kind, rho, n, draws, rng)
                lines.append(
                    f"| {n} | {kind} | {rho} | {pearson:.1%} | {flat:.1%} | **{ours:.1%}** "
                    f"| {covered:.1%} | {found:.0%} |"
                )
                print(lines[-1], file=sys.stderr)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return "\n".join(lines)


def main() -> None:
    """Print the table, or write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=1000)
    options.add_argument("--write", type=Path)
    chosen = options.parse_args()
    found = table(chosen.draws)
    if chosen.write is None:
        print(found)
        return
    text = chosen.write.read_text()
    head, _, rest = text.partition("<!-- table -->\n")
    _, _, tail = rest.partition("<!-- end of table -->")
    chosen.write.write_text(
        f"{head}<!-- table -->\n{chosen.draws} draws a row. Method: {METHOD}.\n\n{found}\n"
        f"<!-- end of table -->{tail}"
    )


main()
