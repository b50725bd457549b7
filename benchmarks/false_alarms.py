"""How often unrelated pain and stress look linked: our statements beside the common ones.

    uv run python benchmarks/false_alarms.py [--draws 500] [--write docs/evidence/false-alarms.md]

Three ratings a day, in whole numbers from 0 to 10 with a floor at 0; ups and downs with
autocorrelation; no fall, or a linear, curved or sudden one of both; all ratings there, a fifth
missing at random, or a fifth missing more often at worse moments; one person, or 20.

For each statement: the share of alarms at the 5% level where there is no link; and where a link of
0.3 points is put in (without rounding and floor, which would blur what the true slope is; 20 people
have slopes around 0.3 with a standard deviation of 0.2), how often the 95% interval covers it and
how often it is found.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from analytics.association.group import group_link
from analytics.association.rmcorr import repeated_measures_correlation
from analytics.association.within_person import (
    Association,
    day_to_day_link,
    lagged_link,
    within_person_link,
)

FALLS = ("none", "linear", "curved", "step")
RHOS = (0.0, 0.3, 0.6, 0.8)
MISSING = ("none", "at random", "worse moments")
LINK, SPREAD, PEOPLE = 0.3, 1.3, 20
_DAY = 86_400e9
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    statement: str
    n: int
    fall: str
    rho: float
    missing: str
    draws: int


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


def ups_and_downs(many: int, n: int, rho: float, rng: np.random.Generator) -> Array:
    """Stationary AR(1) with standard deviation 1.3, shape (many, n)."""
    noise = rng.standard_normal((many, n + 60))
    series: Array = signal.lfilter([np.sqrt(1 - rho**2)], [1, -rho], noise, axis=1)
    return SPREAD * series[:, 60:]


def rated(values: Array) -> Array:
    """What a person would tick."""
    return np.clip(np.round(values), 0, 10)


def there(x: Array, y: Array, kind: str, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which ratings were given."""
    if kind == "none":
        return np.ones(len(x), np.bool_)
    if kind == "at random":
        return rng.random(len(x)) >= 0.2
    worse = (x - np.median(x) + y - np.median(y)) / 2
    chance = 1 / (1 + np.exp(-worse))
    result: NDArray[np.bool_] = rng.random(len(x)) >= np.clip(0.2 * chance / chance.mean(), 0, 0.9)
    return result


def one_person(cell: Cell, rng: np.random.Generator) -> list[float]:
    """Alarms of Pearson, detrended Pearson and ours; coverage and power of ours."""
    n = cell.n
    slot = np.arange(n)
    times, hours, day = (slot * _DAY / 3).astype(np.int64), (slot * 8) % 24.0, slot // 3
    course = 6 + fall(cell.fall, n)
    moods, aches = (ups_and_downs(cell.draws, n, cell.rho, rng) for _ in range(2))
    found: list[list[float]] = []

    def say(x: Array, y: Array, present: NDArray[np.bool_]) -> Association:
        if cell.statement == "same moment":
            return within_person_link(times[present], x[present], y[present], hours[present])
        if cell.statement == "earlier":
            return lagged_link(times[present], x[present], y[present], hours[present])
        return day_to_day_link(day[present], x[present], y[present])

    for mood, ache in zip(moods, aches, strict=True):
        x, y = rated(course + mood), rated(course + ache)
        present = there(x, y, cell.missing, rng)
        pearson = stats.pearsonr(x[present], y[present]).pvalue < 0.05
        flat = signal.detrend(x[present]), signal.detrend(y[present])
        straight = stats.pearsonr(*flat).pvalue < 0.05
        unlinked = say(x, y, present)
        x, y = course + mood, course + LINK * mood + np.sqrt(1 - LINK**2) * ache
        if cell.statement == "earlier":
            y = y + LINK * np.append(0, mood[:-1])
        linked = say(x, y, there(x, y, cell.missing, rng))
        row = [float(pearson), float(straight), np.nan, np.nan, np.nan]
        if unlinked.missing_reason is None:
            row[2] = float(unlinked.clear)
        if linked.low is not None and linked.high is not None:
            row[3:] = [float(linked.low <= LINK <= linked.high), float(linked.clear)]
        found.append(row)
    return _means(found)


def many_people(cell: Cell, rng: np.random.Generator) -> list[float]:
    """Alarms of rm_corr, of our turned rmcorr and of our mean slope; its coverage and power."""
    n = cell.n
    slot = np.tile(np.arange(n), PEOPLE)
    person = np.repeat(np.arange(PEOPLE), n)
    course = 6 + fall(cell.fall, n)
    found = []
    for _ in range(cell.draws):
        mood, ache = (ups_and_downs(PEOPLE, n, cell.rho, rng) for _ in range(2))
        slopes = LINK + 0.2 * rng.standard_normal((PEOPLE, 1))
        row: list[float] = []
        for x, y in (
            (rated(course + mood), rated(course + ache)),
            (course + mood, course + slopes * mood + np.sqrt(1 - LINK**2) * ache),
        ):
            present = np.concatenate(
                [there(a, b, cell.missing, rng) for a, b in zip(x, y, strict=True)]
            )
            one, two = x.ravel()[present], y.ravel()[present]
            group = group_link(
                person[present],
                slot[present] / 3,
                one,
                two,
                (slot[present] * 8) % 24.0,
                resamples=1000,
            )
            if not row:
                plain = repeated_measures_correlation(person[present], one, two)
                turned = group.detrended_rmcorr.p_value
                row = [
                    np.nan if plain.p_value is None else float(plain.p_value < 0.05),
                    np.nan if turned is None else float(turned < 0.05),
                    np.nan if group.p_value is None else float(group.p_value < 0.05),
                ]
            elif group.low is None or group.high is None or group.p_value is None:
                row += [np.nan, np.nan]
            else:
                row += [float(group.low <= LINK <= group.high), float(group.p_value < 0.05)]
        found.append(row)
    return _means(found)


def _means(rows: list[list[float]]) -> list[float]:
    """Of the draws in which something was said; NaN where that is fewer than half."""
    table = np.array(rows)
    finite_share = np.isfinite(table).mean(axis=0)
    with np.errstate(all="ignore"):
        return [
            float(np.nanmean(column)) if share > 0.5 else np.nan
            for column, share in zip(table.T, finite_share, strict=True)
        ]


def work(cell: Cell) -> tuple[Cell, list[float]]:
    """One row; its seed is its name."""
    rng = np.random.default_rng(zlib.crc32(repr(cell).encode()))
    return cell, (many_people if cell.statement == "20 people" else one_person)(cell, rng)


def cells(draws: int) -> Iterator[Cell]:
    """The whole table. Groups, which take twenty times as long, get a third of the draws."""
    for statement, sizes, kinds in (
        ("same moment", (14, 30, 60, 120), MISSING),
        ("earlier", (14, 30, 60, 120), ("none", "worse moments")),
        ("day to day", (60, 120), ("none", "worse moments")),
        ("20 people", (14, 30, 60, 120), ("none", "worse moments")),
    ):
        for kind, n, shape, rho in itertools.product(kinds, sizes, FALLS, RHOS):
            many = draws // 3 if statement == "20 people" else draws
            yield Cell(statement, n, shape, rho, kind, many)


def percent(value: float) -> str:
    """As the table shows it."""
    return "no number" if np.isnan(value) else f"{value:.1%}"


def table(found: list[tuple[Cell, list[float]]]) -> str:
    """Markdown: a summary, then every row."""
    names = {
        "same moment": ("Pearson", "detrended Pearson"),
        "earlier": ("Pearson, same moment", "detrended, same moment"),
        "day to day": ("Pearson, same moment", "detrended, same moment"),
        "20 people": ("rm_corr", "turned rmcorr (ours)"),
    }
    lines = [
        "| statement | ratings | missing | alarms, mean (from, to) | rows outside 4 to 6% "
        "| coverage, mean (from, to) | power, mean |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    groups: dict[tuple[str, int, str], list[list[float]]] = {}
    for cell, row in found:
        groups.setdefault((cell.statement, cell.n, cell.missing), []).append(row)
    for (statement, n, kind), rows in groups.items():
        alarms, cover, power = np.array(rows)[:, 2:5].T
        if np.isnan(alarms).all():
            lines.append(f"| {statement} | {n} | {kind} | no number | | no number | |")
            continue
        outside = int(np.sum((alarms < 0.04) | (alarms > 0.06)))
        lines.append(
            f"| {statement} | {n} | {kind} | {alarms.mean():.1%} ({alarms.min():.1%}, "
            f"{alarms.max():.1%}) | {outside} of {len(rows)} | {cover.mean():.1%} "
            f"({cover.min():.1%}, {cover.max():.1%}) | {power.mean():.0%} |"
        )
    for statement, (first, second) in names.items():
        lines += [
            "",
            f"### {statement.capitalize()}",
            "",
            f"| ratings | fall of both | autocorrelation | missing | {first} | {second} "
            "| **Ebbtide** | coverage | power |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for cell, row in found:
            if cell.statement == statement:
                shares = " | ".join(percent(value) for value in row[:2])
                rest = " | ".join(percent(value) for value in row[3:])
                lines.append(
                    f"| {cell.n} | {cell.fall} | {cell.rho} | {cell.missing} | {shares} "
                    f"| **{percent(row[2])}** | {rest} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=500)
    options.add_argument("--write", type=Path)
    options.add_argument("--only", help="one statement")
    chosen = options.parse_args()
    wanted = [c for c in cells(chosen.draws) if chosen.only in (None, c.statement)]
    began = time.monotonic()
    found = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for cell, row in pool.map(work, wanted):
            found.append((cell, row))
            print(cell, [percent(value) for value in row], file=sys.stderr, flush=True)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    text = table(found)
    if chosen.write is None:
        print(text)
        return
    page = chosen.write.read_text()
    head, _, rest = page.partition("<!-- table -->\n")
    _, _, tail = rest.partition("<!-- end of table -->")
    note = f"{chosen.draws} draws a row ({chosen.draws // 3} for 20 people)."
    chosen.write.write_text(f"{head}<!-- table -->\n{note}\n\n{text}\n<!-- end of table -->{tail}")


if __name__ == "__main__":
    main()
