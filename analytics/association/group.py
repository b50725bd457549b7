"""The within-person link of many people: person by person, then together.

Each person's slope is estimated by itself, net of that person's own trend and with
autocorrelated errors; only then are the slopes combined as a random sample of people (a mixed
model with random slopes in two stages). Differences between people never enter. The mean has the
interval of Hartung and Knapp (2001), Statistics in Medicine 20:3875, which rests on how the slopes
scatter and not on how sure each claims to be; the variance between people is Paule and Mandel's
(1982), Journal of Research of the NBS 87:377. Each person's slope is also shown drawn towards the
mean by as much as it is uncertain (empirical Bayes; Morris 1983, JASA 78:47).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import (
    ROUNDING_SHARE,
    TINY,
    Detrended,
    detrend,
    independent_columns,
    is_flat,
    linear_basis,
    trend_basis,
)
from analytics.association.missing_when_bad import badness_beside_gaps
from analytics.association.own_effects import find_own_effects
from analytics.association.rmcorr import (
    ResidualPair,
    RmCorr,
    detrended_rmcorr,
    repeated_measures_correlation,
)
from analytics.association.second_look import (
    PersonSeries,
    estimate_changes_link,
    p_beyond_margin,
    remove_common_profile,
)
from analytics.association.slope_posterior import typical_spacing, whiten
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

METHOD = (
    "each person's slope beyond the clinic's common hours and weekdays, a natural spline, the "
    "likeliest step, a daily rhythm, a cycle of days, shifts and a block of hours and days, with "
    "autocorrelated errors; random-effects mean with the interval of Hartung and Knapp; a second "
    "look at the changes from rating to rating against a margin; version 4"
)
MIN_PEOPLE = 5
MIN_FOR_CURVE = 12  # ratings; with fewer, only a straight line is removed
MIN_RATINGS = 4
# Below this the simulation had more than 6% false alarms, and intervals that were too narrow.
MIN_FOR_SLOPE = 24
_MIN_FOR_PROFILE = 600  # rows: 20 for each column of the clinic's profile
_AFTER_SESSION_DAYS = 2.0
# The second look is only made where the first is clear; what is left there is the bias of shared
# moments, which lies below its margin.
_SECOND_ALPHA = 0.10
RESAMPLES = 10_000
_COMMON_WEIGHT = 8
_ALPHA = 0.05


_PersonFit = tuple[
    int, int, float, float, float, int
]  # subject, n, slope, error, variance, its degrees of freedom


@dataclass(frozen=True, slots=True)
class PersonSlope:
    """One person's slope.

    ``n`` pairs, the own slope with its standard error (None where there are too few ratings), and
    the slope drawn towards the group's, with a 95% interval.
    """

    subject: int
    n: int
    slope: float | None
    error: float | None
    shrunk: float | None
    low: float | None
    high: float | None


class GroupVerdict(StrEnum):
    """What can be said of a clinic."""

    TOGETHER = "moved together"
    OPPOSITE = "moved opposite ways"
    SHARED_MOMENTS = "moved together, but moments that they share could make it"
    UNCLEAR = "cannot tell"
    NOT_ENOUGH = "not enough yet"


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The link in the changes from rating to rating (``analytics.association.second_look``).

    ``standardised``: mean over ``n_subjects``, standard deviations per standard deviation;
    ``estimate``: the same in units of y for one of x; ``p_value``: of lying beyond the margin.
    """

    standardised: float
    estimate: float
    p_value: float
    n_subjects: int


@dataclass(frozen=True, slots=True, eq=False)
class GroupLink:
    """The slopes of many people, and what they have in common.

    ``estimate`` is the mean slope, ``spread`` the standard deviation of true slopes between people.
    None with a ``missing_reason``. ``only_lines``: people with so few ratings that no more than a
    straight line could be taken out. ``second_look``: None where fewer than five people change
    often enough. ``missing_when_bad_p``: one-sided, of ratings missing when both were bad.
    """

    n_subjects: int
    n_pairs: int
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    spread: float | None
    people: tuple[PersonSlope, ...]
    only_lines: int
    rmcorr: RmCorr
    detrended_rmcorr: RmCorr
    missing_reason: str | None
    second_look: SecondLook | None = None
    missing_when_bad_p: float | None = None

    @property
    def verdict(self) -> GroupVerdict:
        """What can be said.

        Two methods must agree that there is a link, and a third that shared moments alone do not
        make it.
        """
        if self.estimate is None or self.p_value is None:
            return GroupVerdict.NOT_ENOUGH
        if self.p_value >= _ALPHA or (self.detrended_rmcorr.p_value or 1.0) >= _ALPHA:
            return GroupVerdict.UNCLEAR
        second = self.second_look
        if (
            second is None
            or second.p_value >= _SECOND_ALPHA
            or second.standardised * self.estimate <= 0
        ):
            return GroupVerdict.SHARED_MOMENTS
        return GroupVerdict.TOGETHER if self.estimate > 0 else GroupVerdict.OPPOSITE


def group_link(
    subject: IntArray,
    time: FloatArray,
    x: FloatArray,
    y: FloatArray,
    hour_of_day: FloatArray | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    sessions: tuple[IntArray, FloatArray] | None = None,
    drop_copies: bool = True,
    first_weekday: int = 0,
) -> GroupLink:
    """Estimate the link of ``y`` with ``x`` within people, of many people.

    Parameters
    ----------
    subject : array of int64, shape (n,)
        A number per person.
    time : array of float64, shape (n,)
        In days, or any numbers that order the rows of a person.
    x, y : array of float64, shape (n,)
        Paired ratings. Rows with a NaN are dropped.
    hour_of_day : array of float64, shape (n,), optional
        Local hour, 0 to 24; the local weekday follows from it and ``time``. Without it ``time`` is
        taken to be local.
    resamples : int
        How many for the p value of ``detrended_rmcorr``.
    seed : int
        Of these resamples.
    sessions : tuple of arrays, each of shape (k,), optional
        Subject and time of known sessions. The two days after any of them are taken out of both
        series as an effect of their own.
    drop_copies : bool
        Whether rows that repeat another one of the same person and time are dropped.
    first_weekday : int
        Weekday of day 0 of ``time``, Monday is 0: 3 for days since 1970-01-01.

    Returns
    -------
    GroupLink
        Mean slope with 95% interval and p value, or ``missing_reason``; each person's slope; the
        repeated-measures correlation, plain and detrended.

    Raises
    ------
    ValueError
        If an array has another shape than (n,).

    Notes
    -----
    Hartung and Knapp (2001), Statistics in Medicine 20:3875; Paule and Mandel (1982), Journal of
    Research of the NBS 87:377.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import group_link
    >>> rng = np.random.default_rng(4)
    >>> subject, day = np.repeat(np.arange(6), 40), np.tile(np.arange(40) / 3, 6)
    >>> stress = rng.normal(5, 1, 240)
    >>> pain = 2 + 0.5 * stress + rng.normal(size=240)
    >>> group = group_link(subject, day, stress, pain, resamples=200)
    >>> group.n_subjects, bool(group.low < 0.5 < group.high)
    (6, True)
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    subject, time = np.asarray(subject, np.int64), np.asarray(time, np.float64)
    if not subject.shape == time.shape == x.shape == y.shape or x.ndim != 1:
        raise ValueError("subject, time, x and y must all have shape (n,)")
    finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(time)
    order = np.lexsort((time[finite], subject[finite]))
    subject, time = subject[finite][order], time[finite][order]
    x, y = x[finite][order], y[finite][order]
    hours = None if hour_of_day is None else np.asarray(hour_of_day)[finite][order]
    if drop_copies:
        kept = _find_first_copies(subject, time, x, y)
        subject, time, x, y = subject[kept], time[kept], x[kept], y[kept]
        hours = None if hours is None else hours[kept]
    edges = np.flatnonzero(np.diff(subject)) + 1
    parts = [part for part in np.split(np.arange(len(x)), edges) if len(part)]
    local = time if hours is None else time + ((hours - time % 1 * 24 + 10.5) % 24 - 10.5) / 24
    local = local + first_weekday  # so that multiples of seven are Mondays
    after_sessions = _session_effects(subject, time, sessions)
    effects = [
        np.column_stack([after_sessions[at], find_own_effects(local[at], x[at], y[at])])
        for at in parts
    ]
    series_of = [
        PersonSeries(local[at], x[at], y[at], own) for at, own in zip(parts, effects, strict=True)
    ]
    second, gap_p = _look_again(series_of)
    x_raw, y_raw = x, y
    if len(x) >= _MIN_FOR_PROFILE:
        x, y = x.copy(), y.copy()
        enough = [k for k, at in enumerate(parts) if len(at) >= MIN_FOR_CURVE]
        cleared = remove_common_profile([series_of[k] for k in enough])
        for k, one in zip(enough, cleared, strict=True):
            x[parts[k]], y[parts[k]] = one.x, one.y
    people: list[_PersonFit] = []
    pairs: list[ResidualPair] = []
    dof, only_lines = -1, 0
    for at, own in zip(parts, effects, strict=True):
        few = len(at) < MIN_FOR_CURVE
        only_lines += few
        if len(at) < MIN_RATINGS:
            continue
        smooth = linear_basis(time[at])
        if not few:
            smooth = trend_basis(time[at], None if hours is None else hours[at])
            if np.any(own):
                smooth = independent_columns(np.column_stack([smooth, own]))
        series = detrend(time[at], x[at], y[at], smooth, with_steps=not few)
        stepped = series.with_step(series.shared_step())
        dof += len(at) - stepped.basis.shape[1]
        raw = np.column_stack([x_raw[at], y_raw[at]])
        pairs.append(ResidualPair.of(stepped.x_residual, stepped.y_residual, stepped.basis, raw))
        if len(at) < MIN_FOR_SLOPE:
            continue
        slope = _own_slope(series.with_step(series.likeliest_step()), x_raw[at], y_raw[at])
        people.append((int(subject[at[0]]), len(at), *slope))
    plain = repeated_measures_correlation(subject, x_raw, y_raw)
    safe = detrended_rmcorr(pairs, dof, resamples, seed)
    usable = [p for p in people if np.isfinite(p[2]) and np.isfinite(p[3])]
    if len(usable) < MIN_PEOPLE:
        why = (
            f"{len(usable)} of at least {MIN_PEOPLE} people with {MIN_FOR_SLOPE} ratings "
            "or more that go up and down by themselves"
        )
        alone = tuple(PersonSlope(s, n, b, e, None, None, None) for s, n, b, e, *_ in usable)
        return GroupLink(
            n_subjects=len(parts),
            n_pairs=len(x),
            estimate=None,
            low=None,
            high=None,
            p_value=None,
            spread=None,
            people=alone,
            only_lines=only_lines,
            rmcorr=plain,
            detrended_rmcorr=safe,
            missing_reason=why,
            second_look=second,
            missing_when_bad_p=gap_p,
        )
    slopes = np.array([p[2] for p in usable])
    errors = _stabilise(usable)
    between = _between(slopes, errors)
    mean, error_of_mean, _ = _hartung_knapp(slopes, errors, between)
    reach = float(special.stdtrit(len(slopes) - 1, 1 - _ALPHA / 2)) * error_of_mean
    p_value = float(2 * special.stdtr(len(slopes) - 1, -abs(mean) / error_of_mean))
    return GroupLink(
        len(parts),
        len(x),
        mean,
        mean - reach,
        mean + reach,
        p_value,
        float(np.sqrt(between)),
        tuple(_shrink(usable, errors, mean, float(error_of_mean), between)),
        only_lines,
        plain,
        safe,
        None,
        second,
        gap_p,
    )


def _find_first_copies(
    subject: IntArray, time: FloatArray, x: FloatArray, y: FloatArray
) -> IntArray:
    """Rows, in order, without those that repeat another of the same person and moment."""
    order = np.lexsort((y, x, time, subject))
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in (subject, time, x, y):
        same &= np.diff(column[order]) == 0
    result: IntArray = np.sort(order[np.append(True, ~same)[: len(order)]])
    return result


def _session_effects(
    subject: IntArray, time: FloatArray, sessions: tuple[IntArray, FloatArray] | None
) -> FloatArray:
    """1 in the two days after a session of that subject, shape (n, 1)."""
    after = np.zeros((len(time), 1))
    if sessions is None:
        return after
    for who, when in zip(*sessions, strict=True):
        since = time - when
        after[(subject == who) & (since >= 0) & (since <= _AFTER_SESSION_DAYS), 0] = 1.0
    return after


def _look_again(people: list[PersonSeries]) -> tuple[SecondLook | None, float | None]:
    """Look at the changes, and at what is beside gaps, over people."""
    enough = [one for one in people if len(one.days) >= MIN_FOR_CURVE]
    links = [estimate_changes_link(one) for one in remove_common_profile(enough)]
    found = [link for link in links if link is not None]
    second = None
    if len(found) >= MIN_PEOPLE:
        values, errors = (
            np.array([getattr(one, k) for one in found]) for k in ("estimate", "error")
        )
        mean, error, weight = _hartung_knapp(values, errors, _between(values, errors))
        scaled = values * np.array([one.y_per_x for one in found])
        second = SecondLook(
            mean,
            float(weight @ scaled / np.sum(weight)),
            p_beyond_margin(mean, error, len(found) - 1),
            len(found),
        )
    gaps = [badness_beside_gaps(one.days, one.x, one.y) for one in enough]
    slopes = np.array([one[0] for one in gaps if one is not None])
    if len(slopes) < MIN_PEOPLE:
        return second, None
    error = float(np.std(slopes, ddof=1)) / np.sqrt(len(slopes))
    t = float(np.mean(slopes)) / max(error, TINY)
    return second, float(special.stdtr(len(slopes) - 1, -t))


def _hartung_knapp(
    slopes: FloatArray, errors: FloatArray, between: float
) -> tuple[float, float, FloatArray]:
    """Weighted mean, its error and the weights."""
    weight = 1 / (errors**2 + between)
    mean = float(weight @ slopes / np.sum(weight))
    scatter = float(weight @ (slopes - mean) ** 2) / ((len(slopes) - 1) * float(np.sum(weight)))
    return mean, float(np.sqrt(scatter)), weight


def _own_slope(series: Detrended, x: FloatArray, y: FloatArray) -> tuple[float, float, float, int]:
    """Fit one person's slope by generalised least squares.

    Returns slope, standard error, variance of the errors and its degrees of freedom. The
    autocorrelation is that of the residuals, corrected for the pull to -columns/n that fitting
    brings. NaN where nothing varies beyond the rounding of ``x`` and ``y``.
    """
    n, columns = series.basis.shape
    dof = n - columns - 2
    x_left, y_left = series.x_residual, series.y_residual
    if dof < 1 or is_flat(x_left, x) or is_flat(y_left, y):
        return float("nan"), float("nan"), float("nan"), 0
    slope = float(x_left @ y_left / (x_left @ x_left))
    rho = 0.0
    if n >= MIN_FOR_CURVE:  # fewer say nothing about it
        left = y_left - slope * x_left
        raw = float(left[1:] @ left[:-1] / max(float(left @ left), TINY))
        rho = float(np.clip((raw + columns / n) / (1 - columns / n), -0.2, 0.95))
    white, _ = whiten(
        np.column_stack([series.basis, series.x, series.y]), typical_spacing(series.days), rho
    )
    orthonormal, _ = np.linalg.qr(white[:, :columns])
    rest = white[:, columns:] - orthonormal @ (orthonormal.T @ white[:, columns:])
    xx = float(rest[:, 0] @ rest[:, 0])
    slope = float(rest[:, 0] @ rest[:, 1]) / xx
    residual = rest[:, 1] - slope * rest[:, 0]
    floor = ROUNDING_SHARE * float(rest[:, 1] @ rest[:, 1]) + TINY
    variance = max(float(residual @ residual), floor) / dof
    return slope, float(np.sqrt(variance / xx)), variance, dof


def _stabilise(people: list[_PersonFit]) -> FloatArray:
    """Draw each standard error towards that of all people.

    With few ratings a person's variance is so uncertain itself that single people would get nearly
    all the weight (Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3:3; 8
    degrees of freedom for the common one).
    """
    errors = np.array([p[3] for p in people])
    variance, dof = np.array([p[4] for p in people]), np.array([p[5] for p in people])
    common = float(np.sum(variance * dof) / np.sum(dof))
    steady = (_COMMON_WEIGHT * common + dof * variance) / (_COMMON_WEIGHT + dof)
    result: FloatArray = errors * np.sqrt(steady / variance)
    return result


def _between(slopes: FloatArray, errors: FloatArray) -> float:
    """Find the variance between people at which the weighted scatter is what chance gives."""
    # In the unit of the errors, so that tolerances are the same in any.
    unit = float(np.median(errors))
    slopes, errors = slopes / unit, errors / unit

    def excess(variance: float) -> float:
        weight = 1 / (errors**2 + variance)
        mean = weight @ slopes / np.sum(weight)
        return float(weight @ (slopes - mean) ** 2) - (len(slopes) - 1)

    if excess(0.0) <= 0:
        return 0.0
    high = float(np.var(slopes, ddof=1)) * 4 + 1e-12
    while excess(high) > 0:
        high *= 4
    from scipy import optimize  # loaded when needed: 0.1 s and 30 MB

    return float(optimize.brentq(excess, 0.0, high, xtol=1e-12)) * unit**2


def _shrink(
    people: list[_PersonFit], errors: FloatArray, mean: float, error_of_mean: float, between: float
) -> list[PersonSlope]:
    found = []
    for (subject, n, slope, *_), error in zip(people, errors.tolist(), strict=True):
        own = between / (between + error**2)  # how much of it is the person's own
        middle = mean + own * (slope - mean)
        sd = np.sqrt(own * error**2 + (1 - own) ** 2 * error_of_mean**2)
        reach = float(special.ndtri(1 - _ALPHA / 2)) * float(sd)
        found.append(PersonSlope(subject, n, slope, error, middle, middle - reach, middle + reach))
    return found
