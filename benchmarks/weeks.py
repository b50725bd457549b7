"""How often unrelated ratings look linked in weeks as people have them; beside common methods.

    uv run --with statsmodels python benchmarks/weeks.py --draws 2000 --folder build/weeks

One JSON line for each cell of 50 draws goes to ``--folder``; a run that is stopped goes on where it
was, and ``--table`` prints what is there as a table with Monte-Carlo errors. Seeds follow from the
names of the process and the number of the cell. ``--people 20`` draws clinics. Without statsmodels
its columns are left out.

The processes of the first family are of the kinds that the method was made for. Those of the second
were written after it, and nothing was tuned on them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from analytics.association.group import GroupVerdict, group_link
from analytics.association.within_person import within_person_link
from benchmarks.cells import add_cell, done_cells, open_cells

Array = NDArray[np.float64]
Draw = tuple[Array, Array, Array]
Process = Callable[[np.random.Generator, int], Draw]
SD, CELL, LINK = 1.3, 25, 0.3
MONDAY_NS = 1_790_553_600_000_000_000  # 28 September 2026, 00:00
FIRST: dict[str, Process] = {}
SECOND: dict[str, Process] = {}


def even(n: int, a_day: int = 2) -> Array:
    """Ratings at the same hours every day."""
    hours = {2: [9.0, 20.0], 3: [8.0, 14.0, 20.0], 4: [8.5, 12.5, 17.0, 21.0]}[a_day]
    k = np.arange(n)
    return k // a_day + np.array(hours)[k % a_day] / 24


def irregular(rng: np.random.Generator, n: int) -> Array:
    """Two and a half ratings a day, at any hour from 6:30 to 23:00."""
    return np.sort(np.floor(np.arange(n) / 2.5) + rng.uniform(6.5, 23, n) / 24)


def ar(rng: np.random.Generator, n: int, rho: float, second: float = 0.0) -> Array:
    """Stationary autoregressive noise with standard deviation 1."""
    noise = rng.standard_normal(n + 300)
    v: Array = signal.lfilter([1.0], [1.0, -rho, -second], noise)[300:]
    variance = (1 - second) / ((1 + second) * ((1 - second) ** 2 - rho**2))
    return v / np.sqrt(variance)


def course(n: int) -> Array:
    """Three points down."""
    return 6 - 3 * np.linspace(0, 1, n)


def both(days: Array, shared: Array, make: Callable[[], Array]) -> Draw:
    """Two unrelated series with something shared."""
    return days, shared + SD * make(), shared + SD * make()


def add(family: dict[str, Process], name: str) -> Callable[[Process], Process]:
    """Register a process."""

    def keep(process: Process) -> Process:
        family[name] = process
        return process

    return keep


@add(FIRST, "autoregressive 0.6, whole numbers")
def _(rng: np.random.Generator, n: int) -> Draw:
    d, x, y = both(even(n), course(n), lambda: ar(rng, n, 0.6))
    return d, np.clip(np.round(x), 0, 10), np.clip(np.round(y), 0, 10)


@add(FIRST, "random walk and noise")
def _(rng: np.random.Generator, n: int) -> Draw:
    def make() -> Array:
        return (np.cumsum(0.3 * rng.standard_normal(n)) + rng.standard_normal(n)) / SD

    return both(even(n), np.full(n, 6.0), make)


@add(FIRST, "two steps of 3")
def _(rng: np.random.Generator, n: int) -> Draw:
    at = rng.integers(5, n - 5, 2)
    return both(
        even(n), 7.0 - 3 * np.sum(np.arange(n) >= at[:, None], axis=0), lambda: ar(rng, n, 0.4)
    )


@add(FIRST, "weekend 2 lower")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    return both(d, course(n) - 2 * (np.floor(d) % 7 >= 5), lambda: ar(rng, n, 0.4))


@add(FIRST, "better from Monday to Sunday by 2")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    return both(d, course(n) - (np.floor(d) % 7) / 3, lambda: ar(rng, n, 0.4))


@add(FIRST, "bad mornings, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    wave = 2.5 * np.exp(-0.5 * ((d % 1 * 24 - 7.5) / 1.2) ** 2)
    return both(d, course(n) + wave, lambda: ar(rng, n, 0.3))


@add(FIRST, "spread falls from 2 to 0.5")
def _(rng: np.random.Generator, n: int) -> Draw:
    s = np.geomspace(2, 0.5, n) / SD
    return both(even(n), course(n), lambda: s * ar(rng, n, 0.3))


@add(FIRST, "restless weeks")
def _(rng: np.random.Generator, n: int) -> Draw:
    s = np.exp(0.8 * ar(rng, n, 0.9)) / SD
    return both(even(n), course(n), lambda: s * ar(rng, n, 0.3))


@add(FIRST, "lag 2 alone, 0.7")
def _(rng: np.random.Generator, n: int) -> Draw:
    return both(even(n), course(n), lambda: ar(rng, n, 0.0, 0.7))


@add(FIRST, "one moment 6 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    flare = np.zeros(n)
    flare[rng.integers(5, n - 5)] = 6
    return both(even(n), course(n) + flare, lambda: ar(rng, n, 0.4))


@add(FIRST, "a week 3 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    at = rng.uniform(2, d[-1] - 9)
    return both(d, course(n) + 3 * ((d >= at) & (d < at + 7)), lambda: ar(rng, n, 0.4))


@add(FIRST, "missing when both are bad")
def _(rng: np.random.Generator, n: int) -> Draw:
    d, x, y = both(even(2 * n), 0 * course(2 * n), lambda: ar(rng, 2 * n, 0.6))
    kept = np.flatnonzero(rng.random(2 * n) > np.where((x + y) / SD > 0.8, 0.8, 0.1))[:n]
    fall = course(2 * n)
    return d[kept], (fall + x)[kept], (fall + y)[kept]


@add(FIRST, "every row twice")
def _(rng: np.random.Generator, n: int) -> Draw:
    d, x, y = both(even(n // 2), course(n // 2), lambda: ar(rng, n // 2, 0.5))
    return np.repeat(d, 2), np.repeat(x, 2), np.repeat(y, 2)


@add(SECOND, "Wednesday 2.5 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    return both(d, course(n) + 2.5 * (np.floor(d) % 7 == 2), lambda: ar(rng, n, 0.5))


@add(SECOND, "office hours on workdays 2 up, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    hour = d % 1 * 24
    at_work = (np.floor(d) % 7 < 5) & (hour >= 9) & (hour < 17)
    return both(d, course(n) + 2 * at_work, lambda: ar(rng, n, 0.3))


@add(SECOND, "evenings from 19:00 2 up, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    return both(d, course(n) + 2 * (d % 1 * 24 >= 19), lambda: ar(rng, n, 0.4))


@add(SECOND, "two dips a day, four ratings")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n, 4)
    return both(d, course(n) + 1.2 * np.cos(4 * np.pi * d), lambda: ar(rng, n, 0.5))


@add(SECOND, "two days 4 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n, 3)
    at = rng.uniform(2, d[-1] - 3)
    return both(d, course(n) + 4 * ((d >= at) & (d < at + 2)), lambda: ar(rng, n, 0.5))


@add(SECOND, "falls at once, comes back slowly")
def _(rng: np.random.Generator, n: int) -> Draw:
    since = np.arange(n) - rng.integers(8, n // 2)
    fall = np.where(since >= 0, -4 * np.exp(-np.maximum(since, 0) / 12), 0.0)
    return both(even(n), 7 + fall, lambda: ar(rng, n, 0.5))


@add(SECOND, "heavy tails, autoregressive 0.7")
def _(rng: np.random.Generator, n: int) -> Draw:
    def make() -> Array:
        v: Array = signal.lfilter([1.0], [1.0, -0.7], rng.standard_t(3, n + 200))[200:]
        return v / 2.4

    return both(even(n, 3), course(n), make)


@add(SECOND, "evenings restless, mornings calm")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    s = np.where(d % 1 > 0.5, 1.6, 0.5)
    return both(d, course(n), lambda: s * ar(rng, n, 0.4))


@add(SECOND, "autoregressive 0.5 and -0.4")
def _(rng: np.random.Generator, n: int) -> Draw:
    return both(even(n, 3), course(n), lambda: ar(rng, n, 0.5, -0.4))


@add(SECOND, "three bad moments 4 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    flare = np.zeros(n)
    flare[rng.choice(n - 6, 3, replace=False) + 3] = 4
    return both(even(n), course(n) + flare, lambda: ar(rng, n, 0.4))


@add(SECOND, "no course, no autocorrelation")
def _(rng: np.random.Generator, n: int) -> Draw:
    return both(irregular(rng, n), np.full(n, 5.0), lambda: rng.standard_normal(n))


def linked(slope: float, spread_out: bool) -> Process:
    """Build a process with a true link: autoregressive 0.6, whole fall."""

    def draw(rng: np.random.Generator, n: int) -> Draw:
        d = irregular(rng, n) if spread_out else even(n)
        mood, ache = ar(rng, n, 0.6), ar(rng, n, 0.6)
        return (
            d,
            course(n) + SD * mood,
            course(n) + SD * (slope * mood + np.sqrt(1 - slope**2) * ache),
        )

    return draw


POWER = {
    "link of 0.3": linked(LINK, False),
    "link of 0.3, irregular hours": linked(LINK, True),
    "link of 0.2": linked(0.2, False),
}
ALL = {**FIRST, **SECOND, **POWER}


def person_peers(x: Array, y: Array, rng: np.random.Generator) -> dict[str, float]:
    """p values of the common methods for one person, rows as they are."""
    n = len(x)
    flat_x, flat_y = signal.detrend(x), signal.detrend(y)
    shifts = rng.integers(1, n, 199)
    seen = abs(np.corrcoef(flat_x, flat_y)[0, 1])
    null = np.array([abs(np.corrcoef(np.roll(flat_x, k), flat_y)[0, 1]) for k in shifts])
    found = {
        "Pearson": float(stats.pearsonr(x, y).pvalue),
        "detrended Pearson": float(stats.pearsonr(flat_x, flat_y).pvalue),
        "shift": float((1 + np.sum(null >= seen)) / 200),
    }
    if importlib.util.find_spec("statsmodels"):
        import statsmodels.api as sm

        design = np.column_stack([np.ones(n), np.linspace(-1, 1, n), x])
        found["GLSAR"] = float(sm.GLSAR(y, design, rho=1).iterative_fit(6).pvalues[2])
        # Contemporaneous part of a vector autoregression: y on x beyond the past of both.
        now = np.column_stack([design[1:], x[:-1], y[:-1]])
        found["VAR(1)"] = float(sm.OLS(y[1:], now).fit().pvalues[2])
    return found


def clinic_peers(
    who: NDArray[np.int64], x: Array, y: Array, day: Array, rng: np.random.Generator
) -> tuple[dict[str, float], dict[str, float]]:
    """p values of the common methods for a clinic, each with a straight course, and seconds."""
    found: dict[str, float] = {}
    seconds: dict[str, float] = {}

    def timed(name: str, method: Callable[[], float]) -> None:
        began = time.process_time()
        found[name] = method()
        seconds[f"{name}, s"] = time.process_time() - began

    each = [np.flatnonzero(who == one) for one in np.unique(who)]
    flat = np.empty((2, len(x)))
    for rows in each:
        flat[:, rows] = signal.detrend(np.stack([x[rows], y[rows]]))
    timed("detrended Pearson", lambda: float(stats.pearsonr(*flat).pvalue))
    timed("shift", lambda: shift_in_people(flat, each, rng))
    if not importlib.util.find_spec("statsmodels"):
        return found, seconds
    import warnings

    import statsmodels.api as sm

    design = np.column_stack([np.ones(len(x)), x, day / np.max(day)])

    def mixed_model() -> float:
        model = sm.MixedLM(y, design, who, exog_re=design[:, [0, 2]])
        return float(model.fit(method="lbfgs").pvalues[1])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        timed("mixed model", mixed_model)
        timed("GEE", lambda: float(sm.GEE(y, design, who).fit().pvalues[1]))
    return found, seconds


def shift_in_people(flat: Array, each: list[NDArray[np.int64]], rng: np.random.Generator) -> float:
    """p value of the correlation against x turned in a circle within each person, 199 times."""
    seen, null = 0.0, np.zeros(199)
    for rows in each:
        n = len(rows)
        turned = flat[0, rows][(np.arange(n) + rng.integers(1, n, 199)[:, None]) % n]
        null += turned @ flat[1, rows]
        seen += float(flat[0, rows] @ flat[1, rows])
    return float((1 + np.sum(np.abs(null) >= abs(seen))) / 200)


def _p_or_one(p_value: float | None) -> float:
    """1 where there is no number: nothing is called linked."""
    return 1.0 if p_value is None else p_value


def run_cell(name: str, n: int, people: int, cell: int, with_peers: bool) -> dict[str, object]:
    """Draw one cell, and count."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), n, people, cell])
    process = ALL[name]
    truth = 0.0 if name not in POWER else 0.2 if "0.2" in name else LINK
    counts: dict[str, float] = dict.fromkeys(
        ("Ebbtide", "shared moments", "missing warned", "covered", "estimate", "seconds"), 0.0
    )
    if people == 1:
        counts["few moments said"] = 0.0
    for _ in range(CELL):
        if people == 1:
            days, x, y = process(rng, n)
            began = time.process_time()
            ns = MONDAY_NS + np.round(days * 86_400e9).astype(np.int64)
            one = within_person_link(ns, x, y, days % 1 * 24)
            counts["seconds"] += time.process_time() - began
            clear, low, high = one.clear, one.low, one.high
            gap_p, estimate = one.missing_when_bad_p, one.estimate
            counts["few moments said"] += one.clear and one.few_moments > 0
            peers = person_peers(x, y, rng) if with_peers else {}
        else:
            drawn = [process(rng, n) for _ in range(people)]
            days, x, y = (np.concatenate(part) for part in zip(*drawn, strict=True))
            who = np.repeat(np.arange(people), [len(one[0]) for one in drawn])
            began = time.process_time()
            group = group_link(who, days, x, y, days % 1 * 24, resamples=500)
            counts["seconds"] += time.process_time() - began
            clear = group.verdict in (GroupVerdict.TOGETHER, GroupVerdict.OPPOSITE)
            counts["shared moments"] += group.verdict is GroupVerdict.SHARED_MOMENTS
            low, high, gap_p, estimate = (
                group.low,
                group.high,
                group.missing_when_bad_p,
                group.estimate,
            )
            peers, seconds = clinic_peers(who, x, y, days, rng) if with_peers else ({}, {})
            peers["rmcorr"] = _p_or_one(group.rmcorr.p_value)
            peers["detrended rmcorr"] = _p_or_one(group.detrended_rmcorr.p_value)
            for key, spent in seconds.items():
                counts[key] = counts.get(key, 0.0) + spent
        counts["Ebbtide"] += clear
        counts["missing warned"] += gap_p is not None and gap_p < 0.05
        counts["covered"] += low is not None and high is not None and low <= truth <= high
        counts["estimate"] += estimate or 0.0
        for key, p in peers.items():
            counts[key] = counts.get(key, 0.0) + (p < 0.05)
    return {"name": name, "n": n, "people": people, "cell": cell, "draws": CELL, **counts}


def print_table(folder: Path) -> None:
    """Print every row that is there, with the Monte-Carlo error of the first figure."""
    rows: dict[tuple[str, int, int], list[dict[str, float]]] = {}
    for line in (folder / "cells.jsonl").read_text().splitlines():
        cell = json.loads(line)
        rows.setdefault((cell["name"], cell["n"], cell["people"]), []).append(cell)
    fixed = {"name", "n", "people", "cell", "draws", "estimate", "seconds", "Ebbtide"}
    names = sorted({k for cells in rows.values() for cell in cells for k in cell} - fixed)
    print("| process | people | ratings | draws | Ebbtide |", " | ".join(names), "| mean | s |")
    print("|" + " --- |" * (len(names) + 7))
    for (name, n, people), cells in sorted(rows.items(), key=lambda row: (row[0][2], row[0][1])):
        draws = sum(cell["draws"] for cell in cells)
        called = sum(cell["Ebbtide"] for cell in cells) / draws
        error = np.sqrt(max(called * (1 - called), 1 / draws) / draws)
        others = []
        for key in names:
            if all(key in cell for cell in cells):
                share = sum(cell[key] for cell in cells) / draws
                others.append(f"{share:.2f}" if key.endswith(", s") else f"{100 * share:.1f}")
            else:
                others.append("")
        mean = sum(cell["estimate"] for cell in cells) / draws
        seconds = sum(cell["seconds"] for cell in cells) / draws
        print(
            f"| {name} | {people} | {n} | {draws} | **{100 * called:.1f}** ± {100 * error:.1f} | "
            + " | ".join(others)
            + f" | {mean:+.2f} | {seconds:.2f} |"
        )


def main() -> None:
    """Run what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=2000)
    options.add_argument("--ratings", type=int, nargs="+", default=[60, 112])
    options.add_argument("--people", type=int, default=1)
    options.add_argument("--only", nargs="+", default=list(ALL))
    options.add_argument("--folder", type=Path, default=Path("build/weeks"))
    options.add_argument("--no-peers", action="store_true")
    options.add_argument("--table", action="store_true")
    chosen = options.parse_args()
    file = open_cells(chosen.folder)
    if chosen.table:
        print_table(chosen.folder)
        return
    done = done_cells(file, "name", "n", "people", "cell")
    # Cell by cell over all rows, so that a run that is stopped has as many draws of each.
    for cell in range(-(-chosen.draws // CELL)):
        for n in chosen.ratings:
            for name in chosen.only:
                if (name, n, chosen.people, cell) in done:
                    continue
                add_cell(file, run_cell(name, n, chosen.people, cell, not chosen.no_peers))


if __name__ == "__main__":
    main()
