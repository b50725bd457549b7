"""Weeks of further kinds, on which nothing was chosen: times of day, bad moments, missing ratings.

``LATER`` was written after version 4 of one person's link and version 2 of a clinic's. Of its rows
the medication every three days led to version 5 and 3, which know cycles of two to six days; those
of shifts and of days in turn were written after that.

    uv run python -m benchmarks.further_weeks --draws 200 --no-peers --folder build/further
    uv run python -m benchmarks.further_weeks --folder build/further --table

Its options, its table and its peers are those of ``benchmarks.weeks``, whose rows it has as well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import weeks
from benchmarks.weeks import SD, Array, Draw, Process, add, ar, both, course, even, irregular

FURTHER: dict[str, Process] = {}


def _three_a_day(rng: np.random.Generator, n: int) -> Array:
    return np.sort(np.floor(np.arange(n) / 3) + rng.uniform(7, 22.5, n) / 24)


def _at(rng: np.random.Generator, n: int, size: Array | float) -> Array:
    """Zero but at so many moments, which are drawn."""
    values = np.atleast_1d(np.asarray(size, dtype=np.float64))
    found = np.zeros(n)
    found[rng.choice(n - 6, len(values), replace=False) + 3] = values
    return found


@add(FURTHER, "from 12:30 to 15:30 2 up, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    hour = d % 1 * 24
    return both(d, course(n) + 2 * ((hour >= 12.5) & (hour < 15.5)), lambda: ar(rng, n, 0.4))


@add(FURTHER, "before 9:30 2 up, three a day at irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = _three_a_day(rng, n)
    return both(d, course(n) + 2 * (d % 1 * 24 < 9.5), lambda: ar(rng, n, 0.5))


@add(FURTHER, "from 17:00 on slowly up by 2.5, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    rise = np.clip((d % 1 * 24 - 17) / 5, 0, 1)
    return both(d, course(n) + 2.5 * rise, lambda: ar(rng, n, 0.4))


@add(FURTHER, "five bad moments 3.5 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    return both(even(n), course(n) + _at(rng, n, np.full(5, 3.5)), lambda: ar(rng, n, 0.4))


@add(FURTHER, "four bad moments of exponential size, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    sizes = 2 + rng.exponential(2, 4)
    return both(irregular(rng, n), course(n) + _at(rng, n, sizes), lambda: ar(rng, n, 0.3))


@add(FURTHER, "two moments 5 up or down, autoregressive 0.6")
def _(rng: np.random.Generator, n: int) -> Draw:
    sizes = rng.choice([-5.0, 5.0], 2)
    return both(even(n, 3), course(n) + _at(rng, n, sizes), lambda: ar(rng, n, 0.6))


def _missing(
    share: float, above: float, a_day: int, rho: float, judged: Callable[[Array, Array], Array]
) -> Process:
    """Build ratings of which a share is missing where what is judged is above a limit."""

    def draw(rng: np.random.Generator, n: int) -> Draw:
        d, x, y = even(3 * n, a_day), SD * ar(rng, 3 * n, rho), SD * ar(rng, 3 * n, rho)
        lost = np.where(judged(x, y) > above, share, 0.1)
        kept = np.flatnonzero(rng.random(3 * n) > lost)[:n]
        return d[kept], (course(3 * n) + x)[kept], (course(3 * n) + y)[kept]

    return draw


FURTHER["60% of the worst fifth missing, three a day"] = _missing(
    0.6, 1.2, 3, 0.6, lambda x, y: (x + y) / SD
)
FURTHER["missing when pain alone is bad, autoregressive 0.7"] = _missing(
    0.8, 1.0, 2, 0.7, lambda x, y: 1.6 * y / SD
)
FURTHER["35% missing at random, autoregressive 0.6"] = _missing(
    0.35, -np.inf, 2, 0.6, lambda x, y: x + y
)
LATER: dict[str, Process] = {}


@add(LATER, "ten days of holiday 2.5 lower")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    begins = d[-1] / 2 - 5 + rng.uniform(-3, 3)
    away = (d >= begins) & (d < begins + 10)
    return both(d, course(n) - 2.5 * away, lambda: ar(rng, n, 0.5))


@add(LATER, "bad mornings by the sun, the clock set back half way, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    # Hours are those of the clock on the wall; the body is an hour off from half of the days on.
    sun = d % 1 * 24 + (d > d[-1] / 2)
    return both(d, course(n) + 2 * np.clip((11 - sun) / 3, 0, 1), lambda: ar(rng, n, 0.4))


@add(LATER, "medication every three days, 2.5 up before the next")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    since = (np.floor(d) + rng.integers(3)) % 3
    return both(
        d, course(n) + np.array([0.0, 0.8, 2.5])[since.astype(int)], lambda: ar(rng, n, 0.4)
    )


@add(LATER, "rated on waking alone, worse the later, later on weekends")
def _(rng: np.random.Generator, n: int) -> Draw:
    day = np.arange(n, dtype=np.float64)
    waking = 6.5 + 1.5 * (day % 7 >= 5) + 0.7 * rng.standard_normal(n)
    return both(day + waking / 24, course(n) + (waking - 6.5), lambda: ar(rng, n, 0.4))


@add(LATER, "one night in eight is bad, both 2 up the day after")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n, 3)
    bad = rng.random(int(d[-1]) + 1) < 1 / 8
    return both(d, course(n) + 2 * bad[np.floor(d).astype(int)], lambda: ar(rng, n, 0.5))


@add(LATER, "an infection: up by 3 in two days, gone in eight more")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    since = d - rng.uniform(2, d[-1] - 11)
    ill = np.interp(since, [0, 2, 10], [0.0, 3.0, 0.0])
    return both(d, course(n) + ill, lambda: ar(rng, n, 0.4))


@add(LATER, "good and bad days in turn, by 1.5")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    return both(d, course(n) + 1.5 * (np.floor(d) % 2), lambda: ar(rng, n, 0.5))


@add(LATER, "shifts: two early, two late, four off, late ones 2 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n)
    place = (np.floor(d) + rng.integers(8)) % 8
    return both(d, course(n) + 2 * ((place >= 2) & (place < 4)), lambda: ar(rng, n, 0.4))


@add(LATER, "slopes of one's own, from -0.8 to 0.8, mean 0 (clinics)")
def _(rng: np.random.Generator, n: int) -> Draw:
    slope = rng.uniform(-0.8, 0.8)
    mood, ache = ar(rng, n, 0.5), ar(rng, n, 0.5)
    y = slope * mood + np.sqrt(1 - slope**2) * ache
    return even(n), course(n) + SD * mood, course(n) + SD * y


# Blocks of hours on some days of the week. Blocks are looked for since version 6 of one person and
# 4 of a clinic, because of the first two; the others were written with them.
BLOCKS: dict[str, Process] = {}


@add(BLOCKS, "office hours, three a day at fixed hours, 2 up")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = even(n, 3)
    hour = d % 1 * 24
    at = (np.floor(d) % 7 < 5) & (hour >= 9) & (hour < 17)
    return both(d, course(n) + 2 * at, lambda: ar(rng, n, 0.3))


@add(BLOCKS, "five working days and eight hours of one's own, 2 up, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    hour, start, first = d % 1 * 24, rng.uniform(6, 12), rng.integers(7)
    at = ((np.floor(d) - first) % 7 < 5) & (hour >= start) & (hour < start + 8)
    return both(d, course(n) + 2 * at, lambda: ar(rng, n, 0.3))


@add(BLOCKS, "Monday mornings 3 up, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    at = (np.floor(d) % 7 < 1) & (d % 1 * 24 < 13)
    return both(d, course(n) + 3 * at, lambda: ar(rng, n, 0.3))


@add(BLOCKS, "Friday and Saturday evenings 3 up, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    at = np.isin(np.floor(d) % 7, (4, 5)) & (d % 1 * 24 >= 18)
    return both(d, course(n) + 3 * at, lambda: ar(rng, n, 0.3))


@add(BLOCKS, "three hours after waking 2 up, weekends three hours later, irregular hours")
def _(rng: np.random.Generator, n: int) -> Draw:
    d = irregular(rng, n)
    since = d % 1 * 24 - np.where(np.floor(d) % 7 >= 5, 9.5, 6.5)
    return both(d, course(n) + 2 * (since < 3), lambda: ar(rng, n, 0.3))


weeks.ALL.update(FURTHER | LATER | BLOCKS)

if __name__ == "__main__":
    weeks.main()
