"""How often nights and days without a link look linked, and how many nights a link needs.

    uv run python benchmarks/nights.py [--draws 120] [--write docs/evidence/nights.md]

Nights (logarithm of RMSSD) and three ratings of pain and stress a day, of one person, over 28, 56,
112 and 365 days. Without a link: plain; both improving; errors that linger; weekends that move
both; a third of nights missing, more often after bad days; naps that make the night shorter; shift
work by weeks, which moves both; single nights as after alcohol, alone or with pain the day after; a
change of device on the day on which pain changes too. With a link of 0.15, 0.3 or 0.5 standard
deviations from night to pain: how often it is found, and how often the interval covers it; and the
same for people with shifts. ``--without-hours`` answers without the hour of waking.

Beside us, in the same draws: Pearson's correlation with the day after, and least squares with a
trend, weekdays and the day before (statsmodels, errors of Newey and West).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
import zlib
from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import signal, stats

from analytics.nights import days_around_nights, night_links, night_series

LENGTHS = (28, 56, 112, 365)
UNLINKED = (
    *("plain", "both improve", "errors linger", "weekends move both", "missing nights", "naps"),
    *("shift work moves both", "single nights", "single nights and pain after"),
    *("device and pain change", "shifts by two days move both", "four shifts move both"),
)
LINKED = ("linked", "linked, with shifts", "linked, shifts move nothing")
LINKS = (0.15, 0.3, 0.5)
COUNTS = ("raw", "clear", "any_clear", "pearson", "regression")


@dataclass(frozen=True)
class Shifts:
    """A shift plan: ``order`` of shifts, each for ``length`` days, and what each of them does."""

    order: tuple[int, ...]
    length: int
    wake_h: tuple[float, ...]
    night: tuple[float, ...]
    pain: tuple[float, ...]


_WEEKS = Shifts((0, 1, 2), 7, (5.0, 9.0, 15.0), (0.5, 0.0, 1.0), (0.3, 0.0, 0.7))
SHIFTS = {
    "shift work moves both": _WEEKS,
    "linked, with shifts": _WEEKS,
    "linked, shifts move nothing": Shifts((0, 1, 2), 7, (5.0, 9.0, 15.0), (0, 0, 0), (0, 0, 0)),
    # Early, late, night, two days each, and four free, on which one wakes at eight.
    "shifts by two days move both": Shifts(
        (0, 1, 2, 3, 3), 2, (5.0, 9.5, 15.0, 8.0), (0.5, 0.0, 1.0, 0.0), (0.3, 0.0, 0.7, -0.2)
    ),
    # What they do is no smooth course of the hour.
    "four shifts move both": Shifts(
        (0, 2, 1, 3), 5, (4.5, 7.0, 10.5, 16.0), (0.7, -0.3, 0.6, 0.8), (0.5, -0.3, 0.4, 0.6)
    ),
}
_H = 3_600_000_000_000
_FIRST_DAY = 20_000
_PART = 25
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """One scenario at one length."""

    scenario: str
    n: int
    link: float
    draws: int
    first: int = 0
    with_hours: bool = True


@dataclass(frozen=True)
class Result:
    """What came of one draw: alarms of ours and of the peers, and whether the link was covered."""

    raw: tuple[bool, bool, bool]
    clear: tuple[bool, bool, bool]
    asked: bool
    pearson: bool
    regression: bool
    covered: bool


def _ar(rng: np.random.Generator, n: int, rho: float) -> Array:
    noise = rng.normal(size=n + 50) * np.sqrt(1 - rho**2)
    result: Array = signal.lfilter([1.0], [1.0, -rho], noise)[50:]
    return result


def draw(cell: Cell, rng: np.random.Generator) -> Result:
    """Make one person and answer."""
    n = cell.n
    rho = 0.7 if cell.scenario == "errors linger" else 0.3
    night, pain, stress = (_ar(rng, n, rho) for _ in range(3))
    day = np.arange(n)
    wake_h, sleep_h = rng.normal(7, 0.5, n), rng.normal(7.5, 0.6, n)
    device = np.zeros(n, dtype=np.int64)
    if cell.scenario == "both improve":
        course = 2.0 * day / n + 1.0 * (day > 0.6 * n)
        night, pain, stress = night + course, pain - course, stress - course
    elif cell.scenario == "weekends move both":
        free = (day + _FIRST_DAY + 3) % 7 >= 5
        night, pain, stress = night + free, pain - free, stress - free
    elif cell.scenario == "naps":
        napped = rng.random(n) < 0.3
        night, sleep_h = night - 0.5 * napped, sleep_h - 1.0 * napped
    elif cell.scenario in SHIFTS:
        plan = SHIFTS[cell.scenario]
        shift = np.array(plan.order)[day // plan.length % len(plan.order)]
        wake_h = np.array(plan.wake_h)[shift] + rng.normal(0, 0.5, n)
        night = night - np.array(plan.night)[shift]
        pain = pain + np.array(plan.pain)[shift]
        stress = stress + np.array(plan.pain)[shift]
    elif cell.scenario.startswith("single nights"):
        single = rng.random(n) < 0.06
        night = night - 3.0 * single
        pain = pain + 2.0 * single * cell.scenario.endswith("after")
    elif cell.scenario == "device and pain change":
        device = (day >= n // 2).astype(np.int64)
        night, pain = night + 1.5 * device, pain - 1.0 * device
    pain = pain + cell.link * night
    end = ((day + _FIRST_DAY) * 24 * _H + wake_h * _H).astype(np.int64)
    start = end - (sleep_h * _H).astype(np.int64)
    # Three ratings a day, of whole numbers from 0 to 10.
    times = np.concatenate([end + hours * _H for hours in (2, 6, 11)])
    scale = 1.4
    pains, stresses = (
        np.clip(np.round(5 + scale * np.tile(v, 3) + 0.8 * rng.normal(size=3 * n)), 0, 10)
        for v in (pain, stress)
    )
    kept = np.ones(n, dtype=bool)
    if cell.scenario == "missing nights":
        before = np.r_[0.0, pain[:-1]]
        kept = rng.random(n) > np.clip(0.3 + 0.15 * before, 0.02, 0.9)
    names = [f"device {k}" for k in device[kept].tolist()]
    value = 40 * np.exp(0.2 * night[kept])
    series = night_series(day[kept] + _FIRST_DAY, names, value)
    around = [days_around_nights(start[kept], end[kept], times, v) for v in (pains, stresses)]
    answers = night_links(series, *around, waking_hour=wake_h[kept] if cell.with_hours else None)
    first = answers[0]
    true = scale * cell.link / 0.2 * np.log(first.unit_ratio or 1.0)
    after, before = around[0].after, around[0].before
    return Result(
        tuple(a.p_value is not None and a.p_value < 0.05 for a in answers),  # type: ignore[arg-type]
        tuple(a.is_clear for a in answers),  # type: ignore[arg-type]
        first.p_value is not None,
        _pearson(np.log(value), after),
        _regression(day[kept], np.log(value), after, before),
        first.low is not None and first.high is not None and first.low <= true <= first.high,
    )


def _pearson(night: Array, after: Array) -> bool:
    known = np.isfinite(after)
    return bool(stats.pearsonr(night[known], after[known]).pvalue < 0.05)


def _regression(day: Array, night: Array, after: Array, before: Array) -> bool:
    weekday = (day + _FIRST_DAY + 3) % 7
    columns = [np.ones(len(day)), night, day / len(day), np.nan_to_num(before, nan=5.0)]
    columns += [(weekday == k).astype(float) for k in range(1, 7)]
    design, known = np.column_stack(columns), np.isfinite(after)
    fit = sm.OLS(after[known], design[known]).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
    return bool(fit.pvalues[1] < 0.05)


def run(cell: Cell) -> dict[str, object]:
    """Counts over some draws of a cell, each with a seed of its own: parts of a cell add up."""
    warnings.simplefilter("ignore")
    begun = time.process_time()
    seed = zlib.crc32(f"{cell.scenario} {cell.n} {cell.link}".encode())
    numbers = range(cell.first, cell.first + cell.draws)
    found = [draw(cell, np.random.default_rng([seed, k])) for k in numbers]
    return {
        "scenario": cell.scenario,
        "n": cell.n,
        "link": cell.link,
        "first": cell.first,
        "draws": cell.draws,
        "asked": sum(int(one.asked) for one in found),
        "raw": [sum(int(one.raw[k]) for one in found) for k in range(3)],
        "clear": [sum(int(one.clear[k]) for one in found) for k in range(3)],
        "any_clear": sum(int(any(one.clear)) for one in found),
        "pearson": sum(int(one.pearson) for one in found),
        "regression": sum(int(one.regression) for one in found),
        "covered": sum(int(one.covered) for one in found),
        "seconds": time.process_time() - begun,
    }


def join(parts: list[dict[str, object]]) -> list[dict[str, object]]:
    """Add up the parts of each cell, and make shares of the counts."""
    cells: dict[tuple[object, ...], dict[str, Any]] = {}
    for part in parts:
        key = part["scenario"], part["n"], part["link"]
        if key not in cells:
            cells[key] = {name: np.array(value) for name, value in part.items()}
            continue
        for name in (*COUNTS, "draws", "asked", "covered"):
            cells[key][name] = cells[key][name] + np.array(part[name])
    rows: list[dict[str, object]] = []
    for (scenario, n, link), cell in cells.items():
        shares = {name: (cell[name] / cell["draws"]).tolist() for name in COUNTS}
        asked = int(cell["asked"])
        covered = float(cell["covered"] / max(1, asked))
        key = {"scenario": scenario, "n": n, "link": link, "draws": int(cell["draws"])}
        rows.append({**key, **shares, "asked": asked, "covered": covered})
    return rows


def cells(
    draws: int, days: list[int], only: Collection[str] | None, *, with_hours: bool
) -> Iterator[Cell]:
    """Parts of the scenarios, 25 draws each: a run that is stopped has some of every cell."""
    for first in range(0, draws, _PART):
        for n in days:
            for scenario in UNLINKED:
                if only is None or scenario in only:
                    yield Cell(scenario, n, 0.0, min(_PART, draws - first), first, with_hours)
            for scenario in LINKED:
                for link in LINKS if only is None or scenario in only else ():
                    yield Cell(scenario, n, link, min(_PART, draws - first), first, with_hours)


def _percent(share: object, draws: object) -> str:
    value, many = float(share), int(draws)  # type: ignore[call-overload, arg-type]
    error = np.sqrt(max(value * (1 - value), 0.25 / many) / many)
    return f"{100 * value:.1f} ± {100 * error:.1f}"


def tables(rows: list[dict[str, object]]) -> str:
    """Both tables in Markdown; each share with its Monte-Carlo standard error."""
    lines = [
        "| no link | days | night, then pain | pain, then night | stress, then night | any said |"
        " Pearson | regression |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    order = [*UNLINKED, *LINKED]
    rows = sorted(rows, key=lambda r: (order.index(str(r["scenario"])), r["n"], r["link"]))
    for row in rows:
        if row["link"]:
            continue
        raw: list[float] = row["raw"]  # type: ignore[assignment]
        shares = [*raw, row["any_clear"], row["pearson"], row["regression"]]
        cellsays = " | ".join(_percent(share, row["draws"]) for share in shares)
        lines.append(f"| {row['scenario']} | {row['n']} | {cellsays} |")
    lines += [
        "",
        "| link | days | asked | said | interval covers | Pearson | regression |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        if not row["link"]:
            continue
        said: list[float] = row["clear"]  # type: ignore[assignment]
        whose = str(row["scenario"]).removeprefix("linked")
        covered = _percent(row["covered"], row["asked"]) if row["asked"] else "none asked"
        lines.append(
            f"| {row['link']}{whose} | {row['n']} | {row['asked']} of {row['draws']} | "
            f"{_percent(said[0], row['draws'])} | {covered} | "
            f"{_percent(row['pearson'], row['draws'])} | "
            f"{_percent(row['regression'], row['draws'])} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run, print, and write between the marks of a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=120)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--days", type=int, nargs="*", default=list(LENGTHS))
    parser.add_argument("--only", nargs="*", help=f"scenarios, {', '.join(LINKED)} among them")
    parser.add_argument("--without-hours", action="store_true")
    parser.add_argument("--keep", type=Path, help="JSON lines, to go on with what is there")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    if given.keep is not None and given.keep.exists():
        rows = [json.loads(line) for line in given.keep.read_text().splitlines()]
    done = {(row["scenario"], row["n"], row["link"], row["first"]) for row in rows}
    wanted = [
        cell
        for cell in cells(given.draws, given.days, given.only, with_hours=not given.without_hours)
        if (cell.scenario, cell.n, cell.link, cell.first) not in done
    ]
    with ProcessPoolExecutor(given.workers) as pool:
        for future in as_completed([pool.submit(run, cell) for cell in wanted]):
            rows.append(future.result())
            if given.keep is not None:
                with given.keep.open("a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    text = tables(join(rows))
    print(text)
    if given.write is not None:
        page = given.write.read_text()
        begin, end = "<!-- nights: begin -->", "<!-- nights: end -->"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        given.write.write_text(f"{before}{begin}\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
