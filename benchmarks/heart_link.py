"""How often the heart is said to move with pain or rated stress when it does not, and when it does.

    uv run python -m benchmarks.heart_link [--people 200]

Simulated people rate three times a day over four weeks and wear a strap in the half hour before
most ratings. The heart's arousal is the model's own (``analytics.hrv.stress_model``): a part of the
day, one that fades within 45 minutes, a fast one. Index and answer are made as in the product, from
the third worn day on, with the baseline known then. Pain and rated stress have ups and downs that
linger (lag-one correlation 0.4 from one rating to the next), are rounded and kept within 0 to 10.

Without a link the share of p below 0.05 is the false-alarm rate; aimed at is 5%. In the last world
pain and stress rise by half a point for each SD of the half hour's arousal.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from analytics.association.hrv_before_rating import index_before_rating
from analytics.association.within_person import within_person_link
from analytics.hrv.relative_stress import StressIndexInput
from analytics.hrv.stress_model import HR_SCALE_BPM, LEVEL_BPM, VARIANCES, covariance

Floats = NDArray[np.float64]

_DAYS, _HOURS, _WINDOWS = 28, (9.0, 14.0, 20.0), 6
_PAIN_SD = 1.3


@dataclass(frozen=True)
class World:
    """``fall``: of pain and stress, in points over the weeks, with that of the heart, in bpm;
    ``course``: both follow the hour; ``worn``: share of ratings with a strap before, of the worse
    half of moments ``worn_worse``; ``habit``: SD of a mood that moves both ratings and no heart;
    ``slope``: points for each SD of the heart's arousal.
    """

    name: str
    fall: float = 0.0
    heart_fall_bpm: float = 0.0
    course: float = 0.0
    worn: float = 0.9
    worn_worse: float = 0.9
    habit: float = 0.0
    slope: float = 0.0


WORLDS = (
    World("nothing in common"),
    World("both fall over the weeks", fall=3.0, heart_fall_bpm=5.0),
    World("both follow the hour of the day", course=1.0),
    World("strap left off at worse moments", worn=0.9, worn_worse=0.5),
    World("a habit of rating moves pain and stress alike", habit=1.0),
    World("linked, 0.5 points for each SD", slope=0.5),
)


def simulate(
    world: World, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats, Floats, Floats, StressIndexInput]:
    """Simulate time, hour, pain and stress of ratings, and the windows before each, row by row."""
    hour = np.tile(np.array(_HOURS), _DAYS) + rng.uniform(-1, 1, _DAYS * len(_HOURS))
    day = np.repeat(np.arange(_DAYS), len(_HOURS))
    count = len(day)
    back_s = 300.0 * (np.arange(_WINDOWS, 0, -1) - 0.5)
    time_s = (86_400.0 * day + 3_600.0 * hour)[:, None] - back_s
    arousal = np.concatenate(
        [
            _draw(covariance(times, times), rng)
            for times in time_s.reshape(_DAYS, len(_HOURS) * _WINDOWS)
        ]
    ).reshape(count, _WINDOWS)
    along = day / (_DAYS - 1)
    common = world.course * np.cos(2 * np.pi * (hour - 15) / 24)
    bpm = LEVEL_BPM + HR_SCALE_BPM * (arousal + common[:, None])
    bpm += rng.normal(0, 8) - world.heart_fall_bpm * along[:, None]
    bpm += HR_SCALE_BPM * rng.normal(0, VARIANCES.noise**0.5, bpm.shape)
    before = arousal.mean(axis=1)
    before /= np.std(before)
    mood = world.habit * _lingering(count, rng)
    ratings = [
        np.clip(
            np.round(
                6
                + _PAIN_SD * _lingering(count, rng)
                + mood
                + world.slope * before
                + common
                - world.fall * along
            ),
            0,
            10,
        )
        for _ in range(2)
    ]
    worse = ratings[0] > np.median(ratings[0])
    worn = rng.random(count) < np.where(worse, world.worn_worse, world.worn)
    bpm[~worn] = np.nan
    flat = bpm.ravel()
    nothing = np.full(len(flat), np.nan)
    windows = StressIndexInput(
        np.repeat(day, _WINDOWS),
        time_s.ravel() / 3_600 % 24,
        time_s.ravel(),
        np.tile(flat[:, None], 5),
        flat,
        nothing,
        nothing,
        nothing,
        flat,
    )
    time_ns = ((86_400.0 * day + 3_600.0 * hour) * 1e9).astype(np.int64)
    return time_ns, hour, ratings[0], ratings[1], windows


def main() -> None:
    """Print one row for each world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first person")
    parser.add_argument("--worlds", type=int, nargs="+", default=list(range(1, len(WORLDS) + 1)))
    chosen = parser.parse_args()
    people = chosen.people
    print(f"{people} people in each world, {_DAYS * len(_HOURS)} ratings each\n")
    print(
        "| world | heart with pain | heart with rated stress | no answer | ratings with an index |"
    )
    print("| --- | --- | --- | --- | --- |")
    for number in (one - 1 for one in chosen.worlds):
        world = WORLDS[number]
        clear = np.zeros((people, 2))
        known = np.zeros(people)
        for person in range(people):
            rng = np.random.default_rng([number, chosen.first + person])
            time_ns, hour, pain, stress, windows = simulate(world, rng)
            index = index_before_rating(windows, windows, len(pain)).value
            known[person] = np.mean(np.isfinite(index))
            for column, rated in enumerate((pain, stress)):
                p = within_person_link(time_ns, index / 10, rated, hour).p_value
                clear[person, column] = np.nan if p is None else p < 0.05
        shares = [_with_limits(clear[:, column]) for column in range(2)]
        missing = np.mean(np.isnan(clear[:, 0]))
        print(
            f"| {world.name} | {shares[0]} | {shares[1]} | {missing:.0%} | {np.mean(known):.0%} |",
            flush=True,
        )


def _draw(matrix: Floats, rng: np.random.Generator) -> Floats:
    factor = np.linalg.cholesky(matrix + 1e-9 * np.eye(len(matrix)))
    return np.asarray(factor @ rng.standard_normal(len(matrix)))


def _lingering(count: int, rng: np.random.Generator) -> Floats:
    """Noise of SD 1 with a lag-one correlation of 0.4."""
    noise = lfilter([1.0], [1.0, -0.4], rng.standard_normal(count + 20))[20:]
    return np.asarray(noise) * (1 - 0.4**2) ** 0.5


def _with_limits(clear: Floats) -> str:
    """A share with its 95% interval by Wilson."""
    some = clear[np.isfinite(clear)]
    n = len(some)
    if not n:
        return "no answer"
    share, z = float(np.mean(some)), 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return f"{share:.1%} ({max(middle - half, 0):.1%} to {middle + half:.1%})"


if __name__ == "__main__":
    main()
