"""Simulated hearts for ``benchmarks.stress_index``: width and coverage of intervals, movement.

Hearts are drawn from the model of ``analytics.hrv.stress_model`` and its priors, with its variances
or others, and are judged by the public functions from heart rates of minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from analytics.hrv import stress_model as model
from analytics.hrv.relative_stress import (
    StressIndexInput,
    StressPeriods,
    fit_baseline,
    stress_index_of_periods,
)

Floats = NDArray[np.float64]
FROM_S, TO_S = 7 * 3600.0, 23 * 3600.0  # awake
CELLS = np.arange(FROM_S + 150, TO_S, 300.0)
WORN = {
    "3 x 5 min": [9 * 3600.0 + 150, 14 * 3600.0 + 150, 19 * 3600.0 + 150],
    "2 h": list(np.arange(17 * 3600.0 + 150, 19 * 3600.0, 300.0)),
    "12 h": list(np.arange(8 * 3600.0 + 150, 20 * 3600.0, 300.0)),
}
DAYS = np.append(np.arange(28), np.arange(53, 60))  # the baseline, and the week of day 60
CASES = {
    "as assumed": {},
    "day x 2": {"day": 2.0},
    "day / 2": {"day": 0.5},
    "slow x 2": {"slow": 2.0},
    "slow / 2": {"slow": 0.5},
    "fast x 2": {"fast": 2.0},
    "fast / 2": {"fast": 0.5},
    "noise x 2": {"noise": 2.0},
    "all x 2": {"day": 2.0, "slow": 2.0, "fast": 2.0, "noise": 2.0},
    "all / 2": {"day": 0.5, "slow": 0.5, "fast": 0.5, "noise": 0.5},
}
ROWS = ("day 3", "day 14", "day 60", "week of day 60")


@dataclass(frozen=True)
class Heart:
    """True deviations in units of 4.5 bpm, shape (days, cells), their scale s, and the windows."""

    deviation: Floats
    s: float
    windows: StressIndexInput


def draw(rng: np.random.Generator, worn_s: list[float], truth: model.Variances) -> Heart:
    """Draw a person with their days."""
    s = np.sqrt(1 / rng.gamma(model.SHAPE, 1 / model.RATE))
    b = model.prior_mean() + s * np.sqrt(1 / np.diag(model.Baseline().precision)) * (
        rng.standard_normal(5)
    )
    root = np.linalg.cholesky(model.covariance(CELLS, CELLS, truth) + 1e-9 * np.eye(len(CELLS)))
    deviation = s * rng.standard_normal((len(DAYS), len(CELLS))) @ root.T
    at = np.searchsorted(CELLS, np.array(worn_s) - 1e-6)
    hour = CELLS[at] / 3600
    y = model.design(hour) @ b + deviation[:, at]
    minute = y[:, :, None] + s * np.sqrt(5 * truth.noise) * rng.standard_normal((*y.shape, 5))
    bpm = model.LEVEL_BPM + model.HR_SCALE_BPM * minute.reshape(-1, 5)
    day, nothing = np.repeat(DAYS, len(at)), np.full(y.size, np.nan)
    time_s = (86400.0 * DAYS[:, None] + CELLS[at]).ravel()
    middle = np.median(bpm, axis=1)
    return Heart(
        deviation,
        s,
        StressIndexInput(
            day, np.tile(hour, len(DAYS)), time_s, bpm, middle, nothing, nothing, nothing, middle
        ),
    )


def true_index(means: Floats, s: float, days: int, truth: model.Variances) -> float:
    """Compute the chance that a moment of these days was less calm than a usual one."""
    spread = model.variance_of_mean(len(CELLS), 300.0, truth) / days
    return float(100 * ndtr(np.mean(means) / s / np.sqrt(2 * truth.real - spread)))


def measure(worn: str, truth: model.Variances, people: int, seed: int) -> dict[str, Floats]:
    """Compute width, own width and whether it covers, per row: shape (people, 3)."""
    found: dict[str, list[list[float]]] = {row: [] for row in ROWS}
    day = np.append(np.array([2, 13, 59]), np.arange(53, 60))
    start = 86400.0 * day
    periods = StressPeriods(day, start + FROM_S, start + TO_S, np.append([0, 1, 2], [3] * 7))
    place = np.searchsorted(DAYS, day)
    for number in range(people):
        heart = draw(np.random.default_rng([seed, number]), WORN[worn], truth)
        index = stress_index_of_periods(fit_baseline(heart.windows), heart.windows, periods)
        means = heart.deviation[place].mean(axis=1)
        for row, name in enumerate(ROWS):
            some = means[row : row + 1] if row < 3 else means[3:]
            true = true_index(some, heart.s, len(some), truth)
            low, high = float(index.low[row]), float(index.high[row])
            own = float(index.own_high[row] - index.own_low[row])
            found[name].append([high - low, own, float(low <= true <= high)])
    return {name: np.array(rows) for name, rows in found.items()}


def print_widths(people: int, cases: list[str]) -> None:
    """Print the table of widths and coverage."""
    print("| variances | worn a day | period | width (own doubt) | coverage | absent |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case in cases:
        known = model.VARIANCES
        truth = replace(
            known, **{name: getattr(known, name) * by for name, by in CASES[case].items()}
        )
        for worn in WORN:
            for name, rows in measure(worn, truth, people, 1).items():
                given = rows[np.isfinite(rows[:, 0])]
                width, own, covered = given.mean(axis=0)
                print(
                    f"| {case} | {worn} | {name} | {width:.0f} ({own:.0f}) | {covered:.1%} "
                    f"| {1 - len(given) / len(rows):.0%} |",
                    flush=True,
                )


def draw_hours(rng: np.random.Generator, stress: NDArray[np.bool_]) -> Floats:
    """Draw minutes of hours, shape (hours, 60): stress +5 bpm, walks +15 to 30, standing +8."""
    minute = np.arange(60)
    root = np.linalg.cholesky(
        model.HR_SCALE_BPM**2 * model.covariance(60.0 * minute, 60.0 * minute) + np.eye(60)
    )
    bpm = 70 + rng.standard_normal((len(stress), 60)) @ root.T + 5.0 * stress[:, None]
    for row in bpm:
        for _ in range(rng.poisson(1.5)):  # walks of 2 to 11 minutes, and 90 s to recover
            begin, length, rise = rng.integers(60), rng.integers(2, 12), rng.uniform(15, 30)
            after = minute - (begin + length - 1)
            row += rise * np.where(after > 0, np.exp(-after / 1.5), minute >= begin)
        for _ in range(rng.poisson(0.7)):
            begin, length = rng.integers(60), rng.integers(5, 25)
            row[begin : begin + length] += 8.0
    return bpm


def judge_hours(bpm: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Compute the index of twelve hours of each day, and their days; NaN where there is none."""
    minutes = bpm.reshape(-1, 5)
    day = np.repeat(np.arange(len(bpm) // 12), 144)
    hour = np.tile(8 + (np.arange(144) + 0.5) / 12, len(bpm) // 12)
    middle, nothing = np.median(minutes, axis=1), np.full(len(day), np.nan)
    windows = StressIndexInput(
        day, hour, 86400.0 * day + 3600 * hour, minutes, middle, nothing, nothing, nothing, middle
    )
    number = np.arange(len(bpm))
    start = 86400.0 * (number // 12) + 3600.0 * (8 + number % 12)
    periods = StressPeriods(number // 12, start, start + 3600, number)
    return stress_index_of_periods(windows, windows, periods).value, number // 12
