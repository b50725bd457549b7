"""How well sleep is found from heart rate, and from movement beside it, where it is known.

    uv run python benchmarks/rest.py [--draws 200] [--write docs/evidence/nights.md]

A draw is one person over seven days, in windows of five minutes: asleep, the heart rate falls for
two hours, rises a little every 90 minutes, and now and then the person wakes; awake it is that of
sitting, of light work or of exercise, by turns. What differs: naps of less than an hour; evenings
on a sofa; an hour awake in bed; a third of what was recorded lost; the strap worn from an
hour before bed to half an hour after; a strap never worn asleep; shift work. Heart rates, ratios
and lengths are plausible ones and are fitted to nobody.

A night is found where half of it is covered. Edges: minutes between the found and the true one.
``RMSSD``: percent by which that of the found night is off. Beside us, in the same draws, the
longest time below the person's 40th percentile of the day from noon to noon, as a plain quantile
method has it. Shares have their Monte-Carlo standard error, over people.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.nights import find_rest, is_of_night

SCENARIOS = (
    *("plain", "naps", "evenings on a sofa", "an hour awake in bed", "a third lost"),
    *("worn for the night alone", "shift work", "never worn asleep"),
)
DAYS, STEP = 7, 300_000_000_000
_DAY = 288
Array = NDArray[np.float64]
Spans = list[tuple[int, int]]


@dataclass(frozen=True)
class Week:
    """One person: known sleeps by step, what was recorded, and RMSSD."""

    sleeps: Spans
    bpm: Array
    motion: Array
    rmssd: Array


def make_week(scenario: str, rng: np.random.Generator) -> Week:
    """Make one person's week."""
    n = DAYS * _DAY
    base, sitting = rng.normal(57, 6), rng.uniform(5, 11)
    state = _by_turns(n, rng)  # 0 sitting, 1 light, 2 exercise
    bpm = base + np.array([sitting, sitting + 14, sitting + 50])[state]
    motion = np.array([8.0, 45.0, 220.0])[state]
    sleeps: Spans = []
    worn = np.ones(n, dtype=bool)
    for day in range(DAYS):
        bed_h = (8.0 if day % 7 > 3 else 23.0) if scenario == "shift work" else 23.0
        begin = day * _DAY + round((bed_h - 12 + rng.normal(0, 0.6)) * 12)
        if scenario == "shift work" and bed_h < 12:
            begin += _DAY
        end = begin + round(np.clip(rng.normal(7.3, 0.9), 4, 10) * 12)
        if end > n:
            break
        sofa = round(3 * 12 + rng.normal(0, 4)) if scenario == "evenings on a sofa" else 3
        bpm[max(0, begin - sofa) : begin], motion[max(0, begin - sofa) : begin] = base + sitting, 6
        if scenario == "an hour awake in bed":
            awake = slice(max(0, begin - 12), begin)
            bpm[awake], motion[awake] = base + 0.7 * sitting, 3.0
        hours = np.arange(end - begin) / 12
        bpm[begin:end] = base + 4 * np.exp(-hours / 1.5) + 3.0 * (hours % 1.5 > 1.15)
        motion[begin:end] = 2.0
        for at in rng.integers(begin, end - 3, rng.poisson(2)):
            bpm[at : at + rng.integers(1, 4)] += 12
            motion[at : at + 2] = 30.0
        sleeps.append((begin, end))
        if scenario == "naps" and rng.random() < 0.6:
            nap = day * _DAY + round(rng.normal(2.5, 0.5) * 12)
            length = int(rng.integers(4, 12))
            bpm[nap : nap + length], motion[nap : nap + length] = base + 3, 2.0
    asleep = np.zeros(n, dtype=bool)
    for begin, end in sleeps:
        asleep[begin:end] = True
    if scenario == "never worn asleep":
        worn &= ~asleep
    elif scenario == "worn for the night alone":
        worn[:] = False
        for begin, end in sleeps:
            worn[max(0, begin - 12) : end + 6] = True
    elif scenario == "a third lost":
        for at in rng.integers(0, n, 4 * DAYS):
            worn[at : at + rng.integers(6, 36)] = False
    noise = np.zeros(n)
    draws = rng.normal(size=n) * np.where(asleep, 1.6, 3.2)
    for k in range(1, n):
        noise[k] = 0.6 * noise[k - 1] + draws[k]
    bpm = bpm + noise
    rmssd = 40 * np.exp(-0.03 * (bpm - base) + 0.2 * rng.normal(size=n))
    motion = motion * np.exp(0.5 * rng.normal(size=n))
    return Week(sleeps, np.where(worn, bpm, np.nan), np.where(worn, motion, np.nan), rmssd)


def _by_turns(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    state = np.zeros(n, dtype=np.int64)
    at = 0
    while at < n:
        kind = int(rng.choice(3, p=[0.55, 0.4, 0.05]))
        length = 1 + int(rng.exponential((8, 6, 8)[kind]))
        state[at : at + length] = kind
        at += length
    return state


def with_movement(week: Week) -> Spans:
    """Found from both."""
    return _found(week, week.motion)


def rate_alone(week: Week) -> Spans:
    """Found from heart rate."""
    return _found(week, None)


def _found(week: Week, motion: Array | None) -> Spans:
    times = STEP * np.arange(len(week.bpm), dtype=np.int64)
    return [
        (one.start_ns // STEP, one.end_ns // STEP)
        for one in find_rest(times, week.bpm, motion)
        if one.end_ns - one.start_ns >= 36 * STEP
        and is_of_night(one, times, week.bpm, 12 * 3600)  # a week begins at noon
    ]


def quantile(week: Week) -> Spans:
    """Find the longest time of each day below its 40th percentile, breaks of an hour allowed."""
    spans = []
    for begin in range(0, len(week.bpm), _DAY):
        piece = week.bpm[begin : begin + _DAY]
        if np.isfinite(piece).sum() < 36:
            continue
        below = np.flatnonzero(piece < np.nanquantile(piece, 0.4))
        runs = np.split(below, np.flatnonzero(np.diff(below) > 12) + 1)
        longest = max(runs, key=lambda run: run[-1] - run[0])
        if longest[-1] + 1 - longest[0] >= 36:
            spans.append((begin + int(longest[0]), begin + int(longest[-1]) + 1))
    return spans


METHODS: dict[str, Callable[[Week], Spans]] = {
    "heart rate and movement": with_movement,
    "heart rate alone": rate_alone,
    "quantile": quantile,
}


@dataclass
class Tally:
    """What came of a scenario by a method."""

    nights: list[tuple[int, int]]  # of each person: found, of how many
    false: list[float]  # a week, of each person
    starts: list[float]
    ends: list[float]
    rmssd: list[float]


def tally(scenario: str, method: Callable[[Week], Spans], draws: int, seed: int) -> Tally:
    """Count over people."""
    found = Tally([], [], [], [], [])
    for k in range(draws):
        week = make_week(scenario, np.random.default_rng([seed, SCENARIOS.index(scenario), k]))
        spans = method(week)
        true = [] if scenario == "never worn asleep" else week.sleeps
        used: set[tuple[int, int]] = set()
        hit = 0
        for begin, end in true:
            span = max(spans, key=lambda s: min(s[1], end) - max(s[0], begin), default=(0, 0))
            if min(span[1], end) - max(span[0], begin) < 0.5 * (end - begin):
                continue
            hit += 1
            used.add(span)
            found.starts.append(5.0 * (span[0] - begin))
            found.ends.append(5.0 * (span[1] - end))
            of_true = _mean(week, begin, end)
            found.rmssd.append(100 * (_mean(week, *span) / of_true - 1))
        found.nights.append((hit, len(true)))
        found.false.append(float(len(set(spans) - used)))
    return found


def _mean(week: Week, begin: int, end: int) -> float:
    known = np.isfinite(week.bpm[begin:end])
    return float(np.mean(week.rmssd[begin:end][known])) if known.any() else float("nan")


def row(scenario: str, name: str, found: Tally) -> str:
    """One line of the table."""
    hits, of = np.array(found.nights, dtype=float).T
    n = len(of)
    share = "-"
    if of.sum():
        each = hits / np.maximum(of, 1)
        error = 100 * max(each.std(), 0.5 / np.sqrt(n)) / np.sqrt(n)
        share = f"{100 * hits.sum() / of.sum():.1f} ± {error:.1f}"
    false = np.array(found.false)
    wrong = f"{false.mean():.2f} ± {max(false.std(), 0.5 / np.sqrt(n)) / np.sqrt(n):.2f}"
    return f"| {scenario} | {name} | {share} | {wrong} | " + " | ".join(
        f"{np.nanmedian(errors):+.0f} ({np.nanquantile(np.abs(errors), 0.9):.0f})"
        if errors
        else "-"
        for errors in (found.starts, found.ends, found.rmssd)
    )


def main() -> None:
    """Run, print, and write between the marks of a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = [
        "| week | found from | nights found, % | others found, a week | start, min | end, min | "
        "RMSSD, % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for scenario in SCENARIOS:
        for name, method in METHODS.items():
            lines.append(
                row(scenario, name, tally(scenario, method, given.draws, given.seed)) + " |"
            )
            print(lines[-1], flush=True)
    if given.write is not None:
        page = given.write.read_text()
        begin, end = "<!-- rest: begin -->", "<!-- rest: end -->"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        text = "\n".join(lines)
        given.write.write_text(f"{before}{begin}\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
