"""How often the answer is wrong under prompts of several kinds, and when prompts are let go.

    python -m benchmarks.prompted_answers --draws 2000 --folder build/prompted-answers

A person is drawn for thirty days: rated stress and pain with errors that linger (autocorrelation
0.6 over eight hours), both falling by three points, and a heart rate that follows both (half of its
variance is of its own). The same person is asked by each rule. Unrelated, and with a true slope of
0.3. One JSON line for each cell of 10 draws goes to ``--folder``; a run that is stopped goes on
where it was, and ``--table`` prints what is there with Monte-Carlo errors. Seeds follow from the
number of the cell, so that all rules are compared on the same people.
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
from analytics.association.missing_when_bad import missing_when_bad
from analytics.association.prompts_let_go import LetGo, prompts_let_go
from analytics.association.within_person import within_person_link
from analytics.programme.prompt_plan import HEART_GAP_MIN, MAX_HEART_A_DAY

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
DAYS, A_DAY, CELL = 30, 2, 10
SD = 1.3
MONDAY_NS = 1_790_553_600_000_000_000  # 28 September 2026, 00:00
SLOT_MIN = 15
FIRST_SLOT, LAST_SLOT = 9 * 60 // SLOT_MIN, 21 * 60 // SLOT_MIN
SLOTS_A_DAY = 24 * 60 // SLOT_MIN
RHO = 0.6 ** (SLOT_MIN / 480)
HEART_LIMIT = 1.0  # standard deviations above one's own usual
TRUTHS = (0.0, 0.3)


class World:
    """One person, in slots of a quarter of an hour."""

    def __init__(self, rng: np.random.Generator, truth: float, own_share: float = 0.5) -> None:
        n = DAYS * SLOTS_A_DAY
        mood, ache, own = (_lingering(rng, n) for _ in range(3))
        # Both are noticed with noise of the moment, as ratings are.
        pain = truth * mood + np.sqrt(1 - truth**2) * ache
        fall = 6 - 3 * np.linspace(0, 1, n)
        self.days = np.arange(n) / SLOTS_A_DAY
        self.bad = (mood + pain) / np.sqrt(2 + 2 * truth)
        self.heart = np.sqrt(1 - own_share) * self.bad + np.sqrt(own_share) * own
        self.stress = np.clip(np.round(fall + SD * mood), 0, 10)
        self.pain = np.clip(np.round(fall + SD * pain), 0, 10)
        self.luck = rng.random(n)


def _lingering(rng: np.random.Generator, n: int) -> Array:
    noise = rng.standard_normal(n + 400)
    values: Array = signal.lfilter([np.sqrt(1 - RHO**2)], [1.0, -RHO], noise)[400:]
    return values


def random_prompts(rng: np.random.Generator, a_day: int) -> Rows:
    """One random moment in each of the day's equal blocks."""
    edges = np.linspace(FIRST_SLOT, LAST_SLOT, a_day + 1)
    at = np.floor(rng.uniform(edges[:-1], edges[1:], (DAYS, a_day))).astype(np.int64)
    return (np.arange(DAYS)[:, None] * SLOTS_A_DAY + at).ravel()


def heart_prompts(heart: Array, others: Rows, a_day: int) -> Rows:
    """While the heart is fast, as the service plans them: spaced, few a day, never in the place of
    another.
    """
    gap = HEART_GAP_MIN // SLOT_MIN
    sent: list[int] = []
    for slot in np.flatnonzero(heart > HEART_LIMIT):
        today = slot // SLOTS_A_DAY
        if not FIRST_SLOT <= slot % SLOTS_A_DAY < LAST_SLOT:
            continue
        if sum(one // SLOTS_A_DAY == today for one in sent) >= a_day:
            continue
        near = np.abs(np.append(others, sent or [-(10**6)]) - slot)
        if np.min(near) >= gap:
            sent.append(int(slot))
    return np.array(sent, np.int64)


def let_go_by(rule: str, world: World, at: Rows) -> NDArray[np.bool_]:
    """Which of the prompts are answered."""
    luck = world.luck[at]
    answered: NDArray[np.bool_]
    if rule == "at random":
        answered = luck > 0.3
    elif rule == "when bad":
        answered = luck > np.where(world.bad[at] > 0.8, 0.8, 0.1)
    elif rule == "when the heart is fast":
        answered = luck > np.where(world.heart[at] > 0.8, 0.8, 0.1)
    elif rule == "in the morning":
        answered = luck > np.where(world.days[at] % 1 < 0.5, 0.6, 0.1)
    else:
        answered = np.ones(len(at), bool)
    return answered


def weighted_slope(world: World, at: Rows, answered: NDArray[np.bool_]) -> float:
    """Slope weighted by the inverse probability of an answer, given heart and time of day."""
    turn = 2 * np.pi * world.days[at]
    design = np.column_stack([np.ones(len(at)), world.heart[at], np.cos(turn), np.sin(turn)])
    beta = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-design @ beta))
        weight = np.maximum(chance * (1 - chance), 1e-6)
        step = np.linalg.solve(
            design.T @ (weight[:, None] * design) + 1e-6 * np.eye(len(beta)),
            design.T @ (answered - chance),
        )
        beta = beta + np.clip(step, -2, 2)
    chance = np.clip(1 / (1 + np.exp(-design @ beta)), 0.05, 1)
    return _slope(world, at[answered], 1 / chance[answered])


def _slope(world: World, at: Rows, weight: Array) -> float:
    root = np.sqrt(weight)
    days = world.days[at]
    basis = spline_basis(days, spline_df(len(days)))
    columns = np.column_stack([world.stress[at], basis]) * root[:, None]
    found, *_ = np.linalg.lstsq(columns, world.pain[at] * root, rcond=None)
    return float(found[0])


def link(world: World, at: Rows, truth: float, covariates: Array | None = None) -> dict[str, float]:
    """The answer, from these rows."""
    at_ns = MONDAY_NS + np.round(world.days[at] * 86_400e9).astype(np.int64)
    hour = world.days[at] % 1 * 24
    found = within_person_link(at_ns, world.stress[at], world.pain[at], hour, covariates=covariates)
    low, high = found.low, found.high
    none = found.estimate is None
    return {
        "ratings": len(at),
        "answers": 0 if none else 1,
        "clear": float(found.clear),
        "covered": float(low is not None and high is not None and low <= truth <= high),
        "estimate": found.estimate or 0.0,
        "square": (found.estimate or 0.0) ** 2,
    }


def draw(rng: np.random.Generator, truth: float) -> dict[str, dict[str, float]]:
    """One person, asked by every rule."""
    world = World(rng, truth)
    at = random_prompts(rng, A_DAY)
    extra = heart_prompts(world.heart, at, MAX_HEART_A_DAY)
    only = heart_prompts(world.heart, np.empty(0, np.int64), A_DAY)
    mixed = np.sort(np.append(at, extra))
    found = {
        "random": link(world, at, truth),
        "heart alone": link(world, only, truth),
        "mixed, all used": link(world, mixed, truth),
        "mixed, the mark taken out": link(
            world, mixed, truth, np.isin(mixed, extra).astype(np.float64)
        ),
        "mixed, the heart taken out": link(world, mixed, truth, world.heart[mixed]),
    }
    for rule in ("at random", "in the morning", "when the heart is fast", "when bad"):
        answered = let_go_by(rule, world, at)
        kept = at[answered]
        # The hour is taken out of every answer: of the morning only the warnings are of interest.
        row = {} if rule == "in the morning" else link(world, kept, truth)
        tested = prompts_let_go(
            world.days[at],
            answered,
            world.days[kept],
            world.stress[kept],
            world.pain[kept],
            world.heart[at],
        )
        row |= _warned(world, kept, tested)
        if rule.startswith("when"):
            for name, value in (
                ("plain", _slope(world, kept, np.ones(len(kept)))),
                ("weighted", weighted_slope(world, at, answered)),
            ):
                row[name], row[f"{name} square"] = value, value**2
        found[f"let go {rule}"] = row
    return found


def _warned(world: World, kept: Rows, tested: LetGo) -> dict[str, float]:
    gaps = missing_when_bad(world.days[kept], world.stress[kept], world.pain[kept])
    return {
        "said by gaps": float(gaps is not None and gaps < 0.05),
        "said by the rating before": float(tested.goes_with_rating),
        "said by the heart": float(tested.goes_with_heart),
        "said by either": float(tested.goes_with_rating or tested.goes_with_heart),
    }


def run_cell(cell: int) -> dict[str, object]:
    """Draw one cell, and add up."""
    sums: dict[str, dict[str, float]] = {}
    began = time.process_time()
    for truth in TRUTHS:
        rng = np.random.default_rng([26, cell, round(10 * truth)])
        for _ in range(CELL):
            for name, row in draw(rng, truth).items():
                total = sums.setdefault(f"{name}|{truth}", {})
                for key, value in row.items():
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
        "| Asked, answered | Ratings | Alarms, no link | Covers 0 | Mean, no link "
        "| Found, link of 0.3 | Covers 0.3 | Mean, link of 0.3 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    names = [name.partition("|")[0] for name in totals if name.endswith("|0.0")]
    for name in names:
        none, some = totals[f"{name}|0.0"], totals[f"{name}|0.3"]
        if "clear" not in none:
            continue
        lines.append(
            f"| {name} | {none['ratings'] / draws:.0f} | {share(none, 'clear')} "
            f"| {share(none, 'covered')} | {none['estimate'] / draws:+.3f} "
            f"| {share(some, 'clear')} | {share(some, 'covered')} "
            f"| {some['estimate'] / draws:+.3f} |"
        )
    said = [key for key in totals["let go at random|0.0"] if key.startswith("said")]
    lines += [
        "",
        "| Let go | " + " | ".join(key[0].upper() + key[1:] for key in said) + " |",
        "|---|" + "---|" * len(said),
    ]
    for name in names:
        row = totals[f"{name}|0.0"]
        if said[0] in row:
            lines.append(f"| {name} | " + " | ".join(share(row, key) for key in said) + " |")
    lines += [
        "",
        "| Let go | True slope | Plain slope: mean (root mean square error) "
        "| Weighted by heart and hour |",
        "|---|---|---|---|",
    ]
    for name in names:
        for truth in TRUTHS:
            row = totals[f"{name}|{truth}"]
            if "weighted" in row:
                shown = []
                for key in ("plain", "weighted"):
                    mean, square = row[key] / draws, row[f"{key} square"] / draws
                    rmse = np.sqrt(max(square - 2 * truth * mean + truth**2, 0))
                    shown.append(f"{mean:+.3f} ({rmse:.3f})")
                lines.append(f"| {name} | {truth} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def slopes_by_share(draws: int) -> str:
    """How far the plain slope is off where the heart says more of both, as Markdown: no answer is
    made, so that thousands of draws take a minute.
    """
    lines = [
        f"{draws} draws of each row; in brackets the Monte-Carlo error of the mean.",
        "",
        "| Of the heart its own | True slope | Random | Mixed, all used | Prompts by the heart |",
        "|---|---|---|---|---|",
    ]
    for own_share in (0.75, 0.5, 0.25, 0.0):
        for truth in TRUTHS:
            rng = np.random.default_rng([27, round(100 * own_share), round(10 * truth)])
            found, many = [], 0
            for _ in range(draws):
                world = World(rng, truth, own_share)
                at = random_prompts(rng, A_DAY)
                extra = heart_prompts(world.heart, at, MAX_HEART_A_DAY)
                many += len(extra)
                mixed = np.sort(np.append(at, extra))
                found.append([_slope(world, rows, np.ones(len(rows))) for rows in (at, mixed)])
            mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(draws)
            shown = [f"{m:+.3f} ({e:.3f})" for m, e in zip(mean, error, strict=True)]
            lines.append(
                f"| {own_share:.0%} | {truth} | {' | '.join(shown)} | {many / draws:.0f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Run what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=2000)
    options.add_argument("--folder", type=Path, default=Path("build/prompted-answers"))
    options.add_argument("--table", action="store_true")
    options.add_argument("--slopes", action="store_true", help="the plain slopes alone")
    chosen = options.parse_args()
    if chosen.slopes:
        print(slopes_by_share(chosen.draws))
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
