"""A second estimate of a clinic's link, from the changes between ratings: a prototype.

    uv run python benchmarks/second_look.py [--people 20] [--ratings 56] [--seed 1]

A clinic's link counts only when ``group_link`` and this agree: it takes out the clinic's common
profile of hours and weekdays, estimates each person's link of the changes from rating to rating
with weights that let a moment at which both jump count little, and compares the mean over people
(Hartung and Knapp 2001) with a margin of 0.08 SD per SD in place of 0. The margin and the weights
were tuned on simulated processes; ``docs/evidence/false-alarms.md`` has the estimate that it is
compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from analytics._types import FloatArray
from analytics.association.detrending import independent_columns, spline_basis, spline_df
from analytics.association.group import _between

MAX_DISTANCE = 3.5  # of Tukey's weights, in SD of both changes together
MARGIN = 0.08  # SD per SD
RIDGE = 0.5
MAX_STEP_DAYS = 1.5
MIN_PEOPLE = 5
# E[w u² v²] / E[w u²] for standard normal u, v: what the weights take from a Gaussian link.
SHRINKAGE = 0.6629


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """One person's ``x`` and ``y`` at ``days`` (local, increasing), all of shape (n,)."""

    days: FloatArray
    x: FloatArray
    y: FloatArray


def less_common_profile(people: Sequence[Ratings]) -> list[Ratings]:
    """Remove the clinic's common profile of 24 hours and 7 weekdays, estimated net of each person's
    spline.
    """
    net_dummies, net_values, dummies, scales = [], [], [], []
    for person in people:
        hour, weekday = np.floor((person.days % 1) * 24), np.floor(person.days) % 7
        dummy = np.column_stack(
            [hour == k for k in range(24)] + [weekday == k for k in range(1, 7)]
        ).astype(float)
        basis = independent_columns(spline_basis(person.days, spline_df(len(person.x))))
        values = np.column_stack([person.x, person.y])
        values = values - basis @ (basis.T @ values)
        scale = np.maximum(values.std(0), 0.05)
        net_dummies.append(dummy - basis @ (basis.T @ dummy))
        net_values.append(values / scale)
        dummies.append(dummy)
        scales.append(scale)
    profile = np.linalg.lstsq(np.vstack(net_dummies), np.vstack(net_values), rcond=1e-6)[0]
    return [
        replace(
            person,
            x=person.x - (dummy @ profile)[:, 0] * scale[0],
            y=person.y - (dummy @ profile)[:, 1] * scale[1],
        )
        for person, dummy, scale in zip(people, dummies, scales, strict=True)
    ]


def tukey_weights(z: FloatArray) -> FloatArray:
    """Tukey's biweight of the joint size of both changes, shape (n, 2)."""
    distance = np.sqrt((z**2).sum(1))
    inside = (1 - (distance / MAX_DISTANCE) ** 2) ** 2
    result: FloatArray = np.maximum(np.where(distance < MAX_DISTANCE, inside, 0), 1e-8)
    return result


def robust_scale(residuals: FloatArray) -> FloatArray:
    """Scale of each column: from the median, but no less than 0.6 of that from the mean."""
    size = np.abs(residuals)
    result: FloatArray = np.maximum(np.median(size, 0) / 0.6745, 0.6 * 1.2533 * size.mean(0)) + 1e-9
    return result


def changes_link(ratings: Ratings) -> tuple[float, float]:
    """Estimate the SD per SD, and its error, of the changes from rating to rating; NaN where too
    few change.
    """
    days, at = np.unique(np.round(ratings.days, 5), return_inverse=True)  # one rating a moment
    many = np.bincount(at)
    x, y = np.bincount(at, ratings.x) / many, np.bincount(at, ratings.y) / many
    week, hour = 2 * np.pi * np.floor(days) / 7, 2 * np.pi * (days % 1)
    waves = [f(m * week) for m in (1, 2, 3) for f in (np.cos, np.sin)]
    columns = np.column_stack([days / max(days[-1], 1), np.cos(hour), np.sin(hour), *waves])
    near = np.diff(days) <= MAX_STEP_DAYS
    basis = np.diff(columns, axis=0)[near]
    basis = independent_columns(basis[:, np.linalg.norm(basis, axis=0) > 1e-9])
    changes = np.diff(np.column_stack([x, y]), axis=0)[near]
    n, q = len(changes), basis.shape[1]
    if n < q + 8:
        return np.nan, np.nan
    centred = changes - np.median(changes, 0)
    # Start from the changes as they are: a fit first would spread the large ones.
    weights = tukey_weights(centred / robust_scale(centred))
    ridge = np.eye(q) / (RIDGE * np.sqrt(n))
    for _ in range(10):
        root = np.sqrt(weights)[:, None]
        fit = np.linalg.lstsq(
            np.vstack([basis * root, ridge]),
            np.vstack([changes * root, np.zeros((q, 2))]),
            rcond=None,
        )[0]
        residuals = changes - basis @ fit
        z = residuals / (robust_scale(residuals) * np.sqrt(n / (n - q)))
        weights = tukey_weights(z)
    xx, yy = weights @ z[:, 0] ** 2, weights @ z[:, 1] ** 2
    if min(xx, yy) < 0.15 * n:  # hardly ever changes
        return np.nan, np.nan
    products = weights * z[:, 0] * z[:, 1]
    error = np.sqrt(np.sum(products**2) / (xx * yy))
    link = np.sum(products) / np.sqrt(xx * yy)
    return float(link / SHRINKAGE), float(max(error, 0.08) / SHRINKAGE)


def second_look(people: Sequence[Ratings]) -> tuple[float, float, int]:
    """Return the p value beyond ``MARGIN``, the mean in SD per SD, and how many people it is of."""
    found = np.array([changes_link(person) for person in less_common_profile(people)])
    found = found[np.isfinite(found[:, 0])]
    k = len(found)
    if k < MIN_PEOPLE:
        return np.nan, np.nan, k
    link, error = found.T
    weight = 1 / (error**2 + _between(link, error))
    mean = weight @ link / weight.sum()
    error_of_mean = np.sqrt(weight @ (link - mean) ** 2 / ((k - 1) * weight.sum()))
    p_value = special.stdtr(k - 1, -(abs(mean) - MARGIN) / error_of_mean) + special.stdtr(
        k - 1, -(abs(mean) + MARGIN) / error_of_mean
    )
    return float(p_value), float(mean), k


def draw_clinic(people: int, ratings: int, link: float, seed: int) -> list[Ratings]:
    """Draw people with three ratings a day, of which ``y`` moves with ``x`` by ``link``."""
    rng = np.random.default_rng(seed)
    days = np.arange(ratings) / 3 + 0.3
    fall = -4 * np.linspace(0, 1, ratings)
    return [
        Ratings(days, 6 + fall + x, 6 + fall + link * x + np.sqrt(1 - link**2) * own)
        for x, own in rng.standard_normal((people, 2, ratings))
    ]


def main() -> None:
    """Print the estimate of a clinic without a link and of one with 0.3."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=20)
    options.add_argument("--ratings", type=int, default=56)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    print("| link | p beyond the margin | SD per SD | people |\n| --- | --- | --- | --- |")
    for link in (0.0, 0.3):
        people = draw_clinic(chosen.people, chosen.ratings, link, chosen.seed)
        p_value, mean, used = second_look(people)
        print(f"| {link} | {p_value:.3g} | {mean:.3f} | {used} |")


if __name__ == "__main__":
    main()
