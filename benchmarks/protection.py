"""What each part of one person's link costs where a link of 0.3 is there; and against an oracle.

    uv run python -m benchmarks.protection --draws 200 --folder build/protection
    uv run python -m benchmarks.protection --folder build/protection --table

The oracle is told the course (a straight line) and the autocorrelation, and has nothing else to
find out: generalised least squares. Each of the other columns is the whole method less one part, on
the same draws. A run that is stopped goes on where it was; seeds follow from the row and the cell.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy import stats

from analytics.association import slope_average
from analytics.association.person_fit import PersonRatings
from benchmarks.cells import add_cell, done_cells, open_cells
from benchmarks.weeks import LINK, MONDAY_NS, SD, Array, ar, course, even, irregular

CELL = 25
POWER_ROWS = ((56, 0.6, "even"), (56, 0.6, "irregular"), (112, 0.6, "even"))
VARIANCE_ROWS = tuple((n, rho, "even") for n in (30, 56, 112) for rho in (0.0, 0.3, 0.8))


class _OneStep(slope_average._Grid):
    """One step at most."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        nothing = np.empty(0, dtype=np.int64)
        self.pairs = nothing, nothing


@contextlib.contextmanager
def less(part: str) -> Iterator[None]:
    """Leave out a part that is no option of the method."""
    with contextlib.ExitStack() as patches:

        def patch(name: str, value: object) -> None:
            patches.enter_context(mock.patch.object(slope_average, name, value))

        if part == "no HC3 errors":
            patch("FIRM_FROM", 1e8)
            patch("FIRM_TO", 1e9)
        elif part == "one step":
            patch("_Grid", _OneStep)
        elif part == "no autocorrelation at lag 2":
            patch("PARTIALS", (0.0,))
        yield


PARTS = (
    "whole",
    "no hour or weekday",
    "no moments set aside",
    "one step",
    "no HC3 errors",
    "no autocorrelation at lag 2",
    "none of these",
)


def fit_part(part: str, days: Array, x: Array, y: Array) -> tuple[float, float]:
    """Slope and p value of the method less one part."""
    ns = MONDAY_NS + np.round(days * 86_400e9).astype(np.int64)
    alone = part == "none of these"
    aside = np.empty(0, dtype=np.int64) if alone or part == "no moments set aside" else None
    with contextlib.ExitStack() as patches:
        for one in PARTS if alone else (part,):
            patches.enter_context(less(one))
        fit = PersonRatings(ns, days - days[0], x, y, days % 1 * 24, None, aside=aside).fit(
            with_calendar=not (alone or part == "no hour or weekday")
        )
    return fit.estimate, fit.p_value


def fit_oracle(rho: float, x: Array, y: Array) -> tuple[float, float]:
    """Slope and p value where the course and the autocorrelation are known."""
    n = len(x)
    columns = np.column_stack([x, np.ones(n), np.linspace(0, 1, n), y])
    white = np.vstack([np.sqrt(1 - rho**2) * columns[:1], columns[1:] - rho * columns[:-1]])
    design = white[:, :3]
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ white[:, 3]
    rest = white[:, 3] - design @ found
    error = np.sqrt(rest @ rest / (n - 3) * inverse[0, 0])
    return float(found[0]), float(2 * stats.t.sf(abs(found[0]) / error, n - 3))


def run_cell(n: int, rho: float, times: str, cell: int, parts: tuple[str, ...]) -> dict[str, Any]:
    """Draw one cell; slopes and p values of each column."""
    rng = np.random.default_rng([zlib.crc32(times.encode()), n, round(100 * rho), cell])
    found: dict[str, list[tuple[float, float]]] = {"oracle": [], **{part: [] for part in parts}}
    for _ in range(CELL):
        days = even(n) if times == "even" else irregular(rng, n)
        mood, ache = ar(rng, n, rho), ar(rng, n, rho)
        x = course(n) + SD * mood
        y = course(n) + SD * (LINK * mood + np.sqrt(1 - LINK**2) * ache)
        found["oracle"].append(fit_oracle(rho, x, y))
        for part in parts:
            found[part].append(fit_part(part, days, x, y))
    return {"n": n, "rho": rho, "times": times, "cell": cell, "found": found}


def print_table(file: Path) -> None:
    """Print power, and the oracle's variance over that of each column."""
    rows: dict[tuple[int, float, str], dict[str, list[tuple[float, float]]]] = {}
    for line in file.read_text().splitlines():
        cell = json.loads(line)
        row = rows.setdefault((cell["n"], cell["rho"], cell["times"]), {})
        for name, found in cell["found"].items():
            row.setdefault(name, []).extend(found)
    print("| ratings | autocorrelation | hours | draws | column | found | variance ratio |")
    print("|" + " --- |" * 7)
    for (n, rho, times), columns in rows.items():
        oracle = np.array(columns["oracle"])[:, 0]
        for name, found in columns.items():
            slopes, p_values = np.array(found).T
            share = np.mean(p_values < 0.05)
            error = np.sqrt(share * (1 - share) / len(slopes))
            ratio = _variance_ratio(oracle, slopes)
            print(
                f"| {n} | {rho} | {times} | {len(slopes)} | {name} | "
                f"{100 * share:.1f} ({100 * error:.1f}) | {ratio[0]:.2f} ({ratio[1]:.2f}) |"
            )


def _variance_ratio(oracle: Array, slopes: Array) -> tuple[float, float]:
    """Variance of the one over that of the other, and its error from 500 bootstrap samples."""
    rng = np.random.default_rng(0)
    picked = rng.integers(len(slopes), size=(500, len(slopes)))
    spread: Callable[[Array], Array] = lambda values: np.var(values[picked], axis=1)  # noqa: E731
    return (
        float(np.var(oracle) / np.var(slopes)),
        float(np.std(spread(oracle) / spread(slopes))),
    )


def main() -> None:
    """Run what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=200)
    options.add_argument("--variance-only", action="store_true")
    options.add_argument("--folder", type=Path, default=Path("build/protection"))
    options.add_argument("--table", action="store_true")
    chosen = options.parse_args()
    file = open_cells(chosen.folder)
    if chosen.table:
        print_table(file)
        return
    done = done_cells(file, "n", "rho", "times", "cell")
    rows = [(row, PARTS[:1]) for row in VARIANCE_ROWS]
    if not chosen.variance_only:
        rows = [(row, PARTS) for row in POWER_ROWS] + rows
    for cell in range(-(-chosen.draws // CELL)):
        for row, parts in rows:
            if (*row, cell) not in done:
                add_cell(file, run_cell(*row, cell, parts))


if __name__ == "__main__":
    main()
