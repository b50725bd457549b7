"""How often practice by lot says something that is not so, and how soon it says what is.

    python -m benchmarks.practice [--draws 1000] [--jobs 2] [--write docs/evidence/practice.md]

One person: three decision points a day for 100 days, drawn by the product's own biased coin; moods
with autocorrelation, a trend, answers missing, an earlier offer that carries over for a day;
ratings in whole numbers from 0 to 10. An analyst looks every evening. Both outcomes of every moment
are known here, so that each interval is compared with the very mean effect that it is about.
Then: intervals of doing, the rule that stops, WCLS and mediated effects with few people, numbers of
moments and of people needed. Seeds are the names of the rows.
"""

from __future__ import annotations

import argparse
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

from analytics.practice import (
    PersonDraws,
    check_harm,
    mediated_effects,
    plan_clinic,
    plan_person,
    randomisation_test,
    taking_effect,
    wcls,
)
from analytics.practice.confidence_sequence import (
    anytime_p_values,
    is_rejected,
    is_rejected_once,
    score_sums,
)
from analytics.practice.forecasts import forecast
from analytics.practice.person import RATING_SCALE, compare

A_DAY, SPREAD, ALPHA = 3, 1.3, 0.05
BLOCK_DAYS = 4
MISSING = ("none", "at random", "by offer", "a little by offer and mood", "by offer and mood")
Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """One row: how the person is."""

    effect: float
    rho: float = 0.6
    trend: str = "none"
    missing: str = "none"
    carry: float = 0.0
    base: float = 0.5
    days: int = 100
    varies: bool = False

    def label(self) -> str:
        """What is unlike the first world."""
        parts = [f"autocorrelation {self.rho:g}"]
        parts += [f"trend {self.trend}"] if self.trend != "none" else []
        parts += [f"missing {self.missing}"] if self.missing != "none" else []
        parts += [f"carry-over {self.carry:+g}"] if self.carry else []
        parts += [f"probability {self.base:g}"] if self.base != 0.5 else []
        parts += ["effect only at worse moments, twice as large"] if self.varies else []
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class People:
    """Simulated people; arrays of shape (many, moments)."""

    offered: Bools
    probability: Array
    outcome: Array
    before: Array
    true: Array
    block: list[str]
    base: float


def simulate(world: World, many: int, rng: np.random.Generator) -> People:
    """Draw people. ``true``: both outcomes' difference, everything before as it was."""
    n = world.days * A_DAY
    offered, probability = np.zeros((many, n), np.bool_), np.empty((many, n))
    outcome, before, true = (np.empty((many, n)) for _ in range(3))
    mood, carried = SPREAD * rng.standard_normal(many), np.zeros(many)
    excess: dict[str, Array] = {}
    block = [f"{moment // A_DAY // BLOCK_DAYS} {moment % A_DAY}" for moment in range(n)]
    course = {"none": 0.0, "linear": 4.0, "step": 3.0}[world.trend]
    for moment in range(n):
        share = moment / n
        fall = course * (share > 0.5) if world.trend == "step" else course * share
        # Moments of a day are four hours apart: what an offer leaves is halved by the next one.
        carried *= 0.5
        level = 5.5 - fall + 0.5 * (moment % A_DAY) + carried
        before[:, moment] = rated(level + mood)
        over = excess.setdefault(block[moment], np.zeros(many))
        odds = world.base / (1 - world.base) * 2.0 ** -np.clip(2 * over, -1, 1)
        probability[:, moment] = odds / (1 + odds)
        drawn = rng.random(many) < probability[:, moment]
        excess[block[moment]] = over + drawn - world.base
        mood = world.rho * mood + np.sqrt(1 - world.rho**2) * SPREAD * rng.standard_normal(many)
        effect = 2 * world.effect * (mood > 0) if world.varies else world.effect
        none, offer = rated(level + mood), rated(level + mood + effect)
        offered[:, moment], true[:, moment] = drawn, offer - none
        outcome[:, moment] = np.where(drawn, offer, none)
        carried += world.carry * drawn
    lost = rng.random((many, n)) < chance_missing(world.missing, offered, outcome)
    outcome[lost] = np.nan
    return People(offered, probability, outcome, before, true, block, world.base)


def rated(values: Array) -> Array:
    """What a person would tick."""
    return np.clip(np.round(values), 0, 10)


def chance_missing(kind: str, offered: Bools, outcome: Array) -> Array:
    """How likely an answer is missing."""
    if kind == "none":
        return np.zeros(outcome.shape)
    if kind == "at random":
        return np.full(outcome.shape, 0.2)
    after_offer = np.full(outcome.shape, 0.35)
    if kind == "by offer and mood":  # who feels worse after an offer answers less
        after_offer = np.where(outcome >= 6, 0.6, 0.15)
    if kind == "a little by offer and mood":
        after_offer = np.where(outcome >= 6, 0.2, 0.1)
    return np.where(offered, after_offer, 0.1)


def covariates(people: People, person: int) -> dict[str, Array]:
    """What the product knows before the draw."""
    n = people.offered.shape[1]
    moment = np.arange(n)
    return {
        "before": people.before[person],
        "hour": (moment % A_DAY).astype(float),
        "day": (moment // A_DAY).astype(float),
    }


def draws_of(people: People, person: int) -> PersonDraws:
    """As the product stores them."""
    n = people.offered.shape[1]
    return PersonDraws(
        np.arange(n) * 14_400_000_000_000,
        people.probability[person],
        people.offered[person],
        np.full(n, people.base),
        people.block,
    )


def one_world(world: World, many: int) -> dict[str, float]:
    """Error rates over people; every evening is a look."""
    people = simulate(world, many, np.random.default_rng(zlib.crc32(repr(world).encode())))
    rows: list[dict[str, float]] = []
    for person in range(many):
        draws, known = draws_of(people, person), covariates(people, person)
        found = compare(draws, people.outcome[person], np.column_stack(list(known.values())))
        sums, n = found.sums, found.rows.size
        ends = np.arange(A_DAY, world.days * A_DAY + 1, A_DAY) - 1
        looks = np.unique(np.searchsorted(found.rows, ends, side="right") - 1)
        looks = looks[looks >= 9]
        zero = np.zeros(n)
        mean_true = np.cumsum(people.true[person][found.rows]) / np.arange(1, n + 1)
        out = is_rejected(sums, zero, RATING_SCALE, ALPHA)[looks]
        once = is_rejected_once(sums, zero, ALPHA)
        gone = np.isnan(people.outcome[person]).astype(float)
        expected = np.nan_to_num(forecast(gone, np.empty((len(draws), 0))))
        lost = score_sums(
            gone - expected, draws.offered - draws.probability, draws.probability, draws.offered
        )
        guarded = out & (anytime_p_values(lost, 0.4, ALPHA)[found.rows[looks]] >= ALPHA)
        day = found.rows[looks] // A_DAY + 1
        residual = float(np.sqrt(np.mean(found.residual**2)))
        rows.append(
            {
                "fixed_end": once[-1],
                "fixed_daily": once[looks].any(),
                "any_daily": out.any(),
                "guarded_daily": guarded.any(),
                "cover_fixed_end": not is_rejected_once(sums, mean_true, ALPHA)[-1],
                "cover_fixed_daily": not is_rejected_once(sums, mean_true, ALPHA)[looks].any(),
                "cover_any": not is_rejected(sums, mean_true, RATING_SCALE, ALPHA)[looks].any(),
                "first_day": day[out][0] if out.any() else np.nan,
                "residual": residual,
                "true": mean_true[-1],
                "test": randomisation_test(
                    draws, people.outcome[person], known, resamples=199, seed=person
                ).p_value
                <= ALPHA
                if person < many // 4
                else np.nan,
            }
        )
    with np.errstate(all="ignore"):
        summary = {
            name: float(np.nanmean([float(row[name]) for row in rows]))
            if np.isfinite([float(row[name]) for row in rows]).any()
            else np.nan
            for name in rows[0]
        }
    first = np.array([float(row["first_day"]) for row in rows])
    summary["day_80"] = day_reached(first, 0.8)
    return summary


def day_reached(first: Array, share: float) -> float:
    """The day by which this share has an answer; NaN where it has not."""
    ordered = np.sort(np.where(np.isnan(first), np.inf, first))
    value = ordered[int(np.ceil(share * ordered.size)) - 1]
    return float(value) if np.isfinite(value) else np.nan


def worlds() -> Iterator[World]:
    """Every row of the first two tables."""
    for effect in (0.0, -0.5, -1.0):
        for rho in (0.0, 0.6, 0.9):
            yield World(effect, rho)
        yield World(effect, trend="linear")
        yield World(effect, trend="step")
        for kind in MISSING[1:]:
            yield World(effect, missing=kind)
        yield World(effect, carry=-0.5)
        yield World(effect, rho=0.9, trend="linear", missing="at random", carry=-0.5)
        yield World(effect, base=0.3)
        if effect:
            yield World(effect, varies=True)
            yield World(effect, base=0.3, varies=True)


def work(task: tuple[World, int]) -> tuple[World, dict[str, float]]:
    """One row."""
    return task[0], one_world(*task)


def doing(many: int) -> list[str]:
    """Intervals of doing the practice: coverage at the end, by how often an offer is taken."""
    lines = [
        "| taken after an offer / free | draws | coverage, one look "
        "| coverage at the end, every look | unbounded, one look | median width, one look |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for taken, free in ((0.7, 0.0), (0.7, 0.2), (0.3, 0.0), (0.1, 0.0)):
        rng = np.random.default_rng(zlib.crc32(f"doing {taken} {free}".encode()))
        people = simulate(World(0.0, days=50), many, rng)
        hits, anytime, unbounded, widths = 0, 0, 0, []
        for person in range(many):
            draws = draws_of(people, person)
            chance = np.where(draws.offered, taken, free)
            # Who feels worse does it more: comparing done with not done would be wrong.
            eager = np.where(people.before[person] >= 6, 1.3, 0.8)
            done = rng.random(len(draws)) < np.clip(chance * eager, 0, 1)
            y = people.outcome[person] - 1.0 * done
            found = taking_effect(draws, y, done, covariates(people, person))
            if found.fixed is None or found.anytime is None:
                continue
            hits += found.fixed.low <= -1 <= found.fixed.high
            anytime += found.anytime.low <= -1 <= found.anytime.high
            wide = found.fixed.high - found.fixed.low
            unbounded += not np.isfinite(wide)
            widths.append(wide)
        lines.append(
            f"| {taken:.0%} / {free:.0%} | 150 | {rate(hits / many, many)} | "
            f"{rate(anytime / many, many)} | {unbounded / many:.1%} | {np.median(widths):.2f} |"
        )
    return lines


def harm(many: int) -> list[str]:
    """The rule that stops: how often, and when."""
    lines = [
        "| true effect on stress | stopped within 100 days | day of half of those |",
        "| --- | --- | --- |",
    ]
    for effect in (-1.0, 0.0, 0.5, 1.0):
        rng = np.random.default_rng(zlib.crc32(f"harm {effect}".encode()))
        people = simulate(World(effect), many, rng)
        pain = simulate(World(0.0), many, rng).outcome
        days = []
        for person in range(many):
            found = check_harm(
                draws_of(people, person),
                {"stress": people.outcome[person], "pain": pain[person]},
                covariates(people, person),
            )
            if found.draw is not None:
                days.append(found.draw // A_DAY + 1)
        half = f"{np.median(days):.0f}" if len(days) >= 10 else "too few"
        lines.append(f"| {effect:+g} | {rate(len(days) / many, many)} | {half} |")
    return lines


def groups(many: int) -> list[str]:
    """WCLS and mediated effects with few people: type I and coverage."""
    lines = [
        "| people, 60 moments each | WCLS, no effect: found "
        "| WCLS, effect -0.3 (SD 0.3 between people): coverage "
        "| indirect -0.25: coverage | direct 0: coverage |",
        "| --- | --- | --- | --- | --- |",
    ]
    points = 60
    for n in (8, 15, 30, 60):
        rng = np.random.default_rng(zlib.crc32(f"groups {n}".encode()))
        who = np.repeat(np.arange(n), points)
        alarms, cover, indirect, direct = 0, 0, 0, 0
        for _ in range(many):
            offered = rng.random(n * points) < 0.5
            noise = np.empty((n, points))
            noise[:, 0] = rng.standard_normal(n)
            for point in range(1, points):
                noise[:, point] = 0.6 * noise[:, point - 1] + 0.8 * rng.standard_normal(n)
            level, own = rng.standard_normal(n)[who], (-0.3 + 0.3 * rng.standard_normal(n))[who]
            before = level + np.roll(noise, 1, axis=1).ravel()
            base = level + noise.ravel()
            known = {"before": before}
            alarms += wcls(who, base, offered, 0.5, controls=known).effects[0].p_value < ALPHA
            found = wcls(who, base + own * offered, offered, 0.5, controls=known).effects[0]
            cover += found.low <= -0.3 <= found.high
            stress = base - 0.5 * offered
            pain = 0.5 * stress + rng.standard_normal(n * points)
            split = mediated_effects(who, pain, offered, stress, 0.5, controls=known, proximal=True)
            indirect += split.indirect[0].low <= -0.25 <= split.indirect[0].high
            direct += split.direct[0].low <= 0 <= split.direct[0].high
        shares = (alarms, cover, indirect, direct)
        lines.append(f"| {n} | " + " | ".join(rate(x / many, many) for x in shares) + " |")
    return lines


def needed() -> list[str]:
    """Moments and people."""
    lines = [
        "| effect, points | residual SD | every look: moments for 50% / 80% / 90% "
        "| mean until it shows | one planned look, 80% |",
        "| --- | --- | --- | --- | --- |",
    ]
    for effect in (0.5, 1.0):
        for spread in (1.0, 1.2, 1.5):
            plans = [plan_person(effect, spread, power=power) for power in (0.5, 0.8, 0.9)]
            moments = " / ".join(str(plan.moments) for plan in plans)
            lines.append(
                f"| {effect:g} | {spread:g} | {moments} | {plans[2].mean_moments:.0f} | "
                f"{plans[1].fixed_moments} |"
            )
    lines += [
        "",
        "| standardised effect | days x moments | people, Liao et al. | power, formula "
        "| power, simulated |",
        "| --- | --- | --- | --- | --- |",
    ]
    for effect in (0.1, 0.2):
        for days in (14, 42):
            plan = plan_clinic(effect, days, 3, availability=0.7, replicates=300)
            lines.append(
                f"| {effect:g} | {days} x 3 | {plan.people} | {plan.formula_power:.1%} | "
                f"{plan.simulated_power:.1%} ± {1.96 * plan.error:.1%} |"
            )
    return lines


def rate(share: float, many: int) -> str:
    """A rate with the half width of its 95% Monte-Carlo interval."""
    if np.isnan(share):
        return "-"
    if share in (0, 1):  # a half width of 0 would say too much
        return f"{round(share * many)} of {many}"
    return f"{share:.1%} ± {1.96 * np.sqrt(share * (1 - share) / many):.1%}"


def tables(found: list[tuple[World, dict[str, float]]], many: int) -> str:
    """Markdown of the first two tables."""
    lines = [
        "### No effect: how often one is claimed",
        "",
        "| world | ordinary, one look at the end | ordinary, daily looks "
        "| **valid at every look, daily looks** | the same, where answers are not missing by arm "
        "| randomisation test, end |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for world, row in found:
        if world.effect == 0:
            daily = " | ".join(
                rate(row[name], many) for name in ("fixed_end", "fixed_daily", "any_daily")
            )
            lines.append(
                f"| {world.label()} | {daily} | {rate(row['guarded_daily'], many)} | "
                f"{rate(row['test'], many // 4)} |"
            )
    lines += [
        "",
        "### An effect: coverage, power, days",
        "",
        "Mean true effect is of whole-number ratings, as the person would give them.",
        "",
        "| world | put in | mean true | residual SD | ordinary at the end covers "
        "| ordinary covers at all looks | **valid at every look: covers at all looks** "
        "| power in 100 days | the same, where answers are not missing by arm "
        "| mean day of the answer | 80% have it by day |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for world, row in found:
        if world.effect:
            cover = " | ".join(
                rate(row[name], many)
                for name in (
                    "cover_fixed_end",
                    "cover_fixed_daily",
                    "cover_any",
                    "any_daily",
                    "guarded_daily",
                )
            )
            by = "-" if np.isnan(row["day_80"]) else f"{row['day_80']:.0f}"
            lines.append(
                f"| {world.label()} | {world.effect:g} | {row['true']:.2f} "
                f"| {row['residual']:.2f} | {cover} | {row['first_day']:.0f} | {by} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Print the tables, or write them into the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=1000)
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--write", type=Path)
    chosen = options.parse_args()
    began, many = time.monotonic(), chosen.draws
    found = []
    with ProcessPoolExecutor(chosen.jobs) as pool:
        others = [pool.submit(part, max(40, many // 2)) for part in (doing, harm, groups)]
        planned = pool.submit(needed)
        for world, row in pool.map(work, [(world, many) for world in worlds()]):
            found.append((world, row))
            print(world, {name: round(value, 3) for name, value in row.items()}, file=sys.stderr)
        parts = [
            f"{many} people a row; ± is 1.96 Monte-Carlo standard errors.",
            tables(found, many),
            "### Doing the practice\n\n" + "\n".join(others[0].result()),
            "### The rule that stops\n\n" + "\n".join(others[1].result()),
            "### Few people\n\n" + "\n".join(others[2].result()),
            "### Moments and people needed\n\n" + "\n".join(planned.result()),
        ]
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    text = "\n\n".join(parts)
    if chosen.write is None:
        print(text)
        return
    page = chosen.write.read_text()
    head, _, rest = page.partition("<!-- table -->\n")
    _, _, tail = rest.partition("<!-- end of table -->")
    chosen.write.write_text(f"{head}<!-- table -->\n{text}\n<!-- end of table -->{tail}")


if __name__ == "__main__":
    main()
