"""What the ratings after offers by lot do to the link of stress and pain.

    python -m benchmarks.offered_answers --draws 1000 --folder build/offered-answers
    python -m benchmarks.offered_answers --slopes --draws 2000

A person is drawn for thirty days and asked at two random moments a day: stress and pain with errors
that linger (autocorrelation 0.6 over eight hours) and noise of the moment (15% of the variance),
both falling by three points, in whole numbers. From the fourth day on a coin decides at each moment
whether a practice is offered; half an hour later 85% are rated again, in both arms. Offers do
nothing; or lower stress by a point; or stress and pain by a point each. Nothing of it lasts until
the next moment. The same person is answered from all ratings, and from those at the moments alone.
One JSON line for each cell of 10 draws goes to ``--folder``; a run that is stopped goes on where it
was. Seeds follow from the number of the cell.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics.association.detrending import spline_basis, spline_df
from analytics.association.within_person import within_person_link

Array = NDArray[np.float64]
DAYS, A_DAY, CELL, FIRST_DAYS = 30, 2, 10, 3
SD, MOMENT_SHARE, ANSWERED = 1.3, 0.15, 0.85
SLOT_MIN, DELAY_SLOTS = 15, 2
SLOTS_A_DAY = 24 * 60 // SLOT_MIN
FIRST_SLOT, LAST_SLOT = 9 * 60 // SLOT_MIN, 20 * 60 // SLOT_MIN
RHO = 0.6 ** (SLOT_MIN / 480)
MONDAY_NS = 1_790_553_600_000_000_000  # 28 September 2026, 00:00
TRUTHS = (0.0, 0.3)
# What an offer does to stress and to pain, points. With a link, pain follows stress.
EFFECTS = {
    0.0: {"offers do nothing": (0, 0), "stress -1": (-1, 0), "stress -1, pain -1": (-1, -1)},
    0.3: {"offers do nothing": (0, 0), "stress -1, pain -0.3": (-1, -0.3)},
}


class World:
    """One person's ratings, at the moments and half an hour after them."""

    def __init__(self, rng: np.random.Generator, truth: float) -> None:
        slots = DAYS * SLOTS_A_DAY
        edges = np.linspace(FIRST_SLOT, LAST_SLOT, A_DAY + 1)
        within = np.floor(rng.uniform(edges[:-1], edges[1:] - DELAY_SLOTS, (DAYS, A_DAY)))
        self.at = (np.arange(DAYS)[:, None] * SLOTS_A_DAY + within.astype(np.int64)).ravel()
        n = self.at.size
        drawn = self.at >= FIRST_DAYS * SLOTS_A_DAY
        self.offered = drawn & (rng.random(n) < 0.5)
        self.after = np.flatnonzero(drawn & (rng.random(n) < ANSWERED))
        mood, ache = _lingering(rng, slots), _lingering(rng, slots)
        self._slots = np.concatenate([self.at, self.at[self.after] + DELAY_SLOTS])
        many = self._slots.size
        own, moment = np.sqrt(1 - MOMENT_SHARE), np.sqrt(MOMENT_SHARE)
        stress = own * mood[self._slots] + moment * rng.standard_normal(many)
        ache_there = own * ache[self._slots] + moment * rng.standard_normal(many)
        pain = truth * stress + np.sqrt(1 - truth**2) * ache_there
        fall = 6 - 3 * self._slots / slots
        self._stress, self._pain = fall + SD * stress, fall + SD * pain

    def rows(self, effect: tuple[float, float], *, with_after: bool) -> tuple[Array, Array, Array]:
        """Days, stress and pain, by time, as the person would tick them."""
        moved = np.zeros(self._slots.size)
        moved[self.at.size :] = self.offered[self.after]
        keep = np.ones(moved.size, bool) if with_after else np.arange(moved.size) < self.at.size
        stress = np.clip(np.round(self._stress + effect[0] * moved), 0, 10)
        pain = np.clip(np.round(self._pain + effect[1] * moved), 0, 10)
        order = np.argsort(self._slots[keep], kind="stable")
        return self._slots[keep][order] / SLOTS_A_DAY, stress[keep][order], pain[keep][order]


def _lingering(rng: np.random.Generator, n: int) -> Array:
    noise = rng.standard_normal(n + 400)
    values: Array = signal.lfilter([np.sqrt(1 - RHO**2)], [1.0, -RHO], noise)[400:]
    return values


def _slope(rows: tuple[Array, Array, Array]) -> float:
    days, stress, pain = rows
    columns = np.column_stack([stress, spline_basis(days, spline_df(len(days)))])
    return float(np.linalg.lstsq(columns, pain, rcond=None)[0][0])


def _link(rows: tuple[Array, Array, Array], truth: float) -> dict[str, float]:
    days, stress, pain = rows
    at_ns = MONDAY_NS + np.round(days * 86_400e9).astype(np.int64)
    found = within_person_link(at_ns, stress, pain, days % 1 * 24)
    low, high = found.low, found.high
    return {
        "ratings": len(days),
        "clear": float(found.clear),
        "covered": float(low is not None and high is not None and low <= truth <= high),
        "estimate": found.estimate or 0.0,
    }


def _asked(world: World, truth: float) -> dict[str, tuple[Array, Array, Array]]:
    """The rows of each answer. Those of moments alone are the same whatever offers did."""
    found = {"moments alone": world.rows((0, 0), with_after=False)}
    for name, effect in EFFECTS[truth].items():
        found[f"with those after, {name}"] = world.rows(effect, with_after=True)
    return found


def run_cell(cell: int) -> dict[str, object]:
    """Draw one cell, and add up."""
    sums: dict[str, dict[str, float]] = {}
    began = time.process_time()
    for truth in TRUTHS:
        rng = np.random.default_rng([29, cell, round(10 * truth)])
        for _ in range(CELL):
            for name, rows in _asked(World(rng, truth), truth).items():
                total = sums.setdefault(f"{name}|{truth}", {})
                for key, value in _link(rows, truth).items():
                    total[key] = total.get(key, 0.0) + value
    return {"cell": cell, "draws": CELL, "seconds": time.process_time() - began, "sums": sums}


def table(cells: list[dict[str, object]]) -> str:
    """The figures of all cells, as Markdown, with the Monte-Carlo errors of shares."""
    draws = sum(int(str(cell["draws"])) for cell in cells)
    totals: dict[str, dict[str, float]] = {}
    for cell in cells:
        sums: dict[str, dict[str, float]] = cell["sums"]  # type: ignore[assignment]
        for name, row in sums.items():
            total = totals.setdefault(name, {})
            for key, value in row.items():
                total[key] = total.get(key, 0.0) + value

    def share(row: dict[str, float], key: str) -> str:
        p = row[key] / draws
        return f"{100 * p:.1f} ({100 * np.sqrt(max(p * (1 - p), 1 / draws) / draws):.1f})"

    lines = [
        f"{draws} draws of each row; in brackets the Monte-Carlo error, in percentage points.",
        "",
        "| ratings used | true slope | ratings | said to move together | interval covers | mean |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in totals.items():
        used, _, truth = name.partition("|")
        lines.append(
            f"| {used} | {truth} | {row['ratings'] / draws:.0f} | {share(row, 'clear')} "
            f"| {share(row, 'covered')} | {row['estimate'] / draws:+.3f} |"
        )
    return "\n".join(lines)


def slopes(draws: int) -> str:
    """How far the plain slope is off, as Markdown: thousands of draws take a minute."""
    lines = [
        f"{draws} draws of each row, least squares with the spline of the link; in brackets the "
        "Monte-Carlo error of the mean.",
        "",
        "| ratings used | true slope | mean slope |",
        "| --- | --- | --- |",
    ]
    for truth in TRUTHS:
        rng = np.random.default_rng([30, round(10 * truth)])
        found: dict[str, list[float]] = {}
        for _ in range(draws):
            for name, rows in _asked(World(rng, truth), truth).items():
                found.setdefault(name, []).append(_slope(rows))
        for name, values in found.items():
            error = np.std(values) / np.sqrt(draws)
            lines.append(f"| {name} | {truth} | {np.mean(values):+.3f} ({error:.3f}) |")
    return "\n".join(lines)


def main() -> None:
    """Run what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=1000)
    options.add_argument("--folder", type=Path, default=Path("build/offered-answers"))
    options.add_argument("--table", action="store_true")
    options.add_argument("--slopes", action="store_true", help="the plain slopes alone")
    chosen = options.parse_args()
    if chosen.slopes:
        print(slopes(chosen.draws))
        return
    chosen.folder.mkdir(parents=True, exist_ok=True)
    file = chosen.folder / "cells.jsonl"
    file.touch()
    cells = [json.loads(line) for line in file.read_text().splitlines()]
    if not chosen.table:
        done = {cell["cell"] for cell in cells}
        for cell in range(-(-chosen.draws // CELL)):
            if cell not in done:
                cells.append(run_cell(cell))
                with file.open("a") as out:
                    out.write(json.dumps(cells[-1]) + "\n")
    print(table(cells))


if __name__ == "__main__":
    main()
