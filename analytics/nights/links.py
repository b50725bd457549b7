"""Whether nights and days of one person go together: three questions at the lag each is about.

Night, then the pain of the day after it; the pain of a day, then the night after it; the stress of
a day, then the night after it. Each by the method of the link (``association.within_person``) at
one pair a night: net of the common course, of the weekday, of steps, of a change of device, and of
what the later of the two was one day before, so that a bad stretch which lasts does not look like
one going before the other. Where the hour of waking varies as with shift work, it is held still
too: shifts move nights and days together.

A day is the time awake after a night and before the next, whenever that is: with shift work a night
may end in the afternoon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.within_person import Association, within_person_link
from analytics.nights.series import NightSeries

METHOD = (
    "nights: slope of the link between logarithm of nightly RMSSD and mean rating of the day, net "
    "of course, steps, weekday, device, hour of waking and the day before; Holm over three; "
    "version 2"
)
#: So much time before and after a night counts as the day.
AWAKE_NS = 18 * 3_600_000_000_000
_DAY_NS = 86_400_000_000_000
_NOON_NS = _DAY_NS // 2
_ALPHA = 0.05
#: Times a typical distance from the nights around it, beyond which one night is set aside.
_OUTLIER = 4.5
#: Circular standard deviation of the hour of waking from which it is a covariate. Late weekends
#: have about one hour; two shifts that begin eight hours apart have four.
MIN_WAKING_SD_H = 1.5
_WAKING_HARMONICS = 2  # of the day: a straight line in the hour fits two shifts and no three


class NightQuestion(StrEnum):
    """What is asked of nights and days."""

    NIGHT_THEN_PAIN = "night, then pain"
    PAIN_THEN_NIGHT = "pain, then night"
    STRESS_THEN_NIGHT = "stress, then night"


@dataclass(frozen=True, slots=True, eq=False)
class DaysAround:
    """Mean ratings of the days around nights, each (n,), NaN where there is none."""

    before: FloatArray
    after: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class NightLink:
    """The answer to one question.

    ``estimate`` with its 95% interval: of night then pain, points of pain for a night that was
    calmer by the person's usual distance from night to night (``unit_ratio`` of RMSSD); of the
    others, how many of these distances the night was calmer for one more point. ``p_adjusted``:
    after Holm over the questions that were asked. ``is_clear``: it can be said, and does not hang
    on one night. None where ``missing_reason`` says why.
    """

    question: NightQuestion
    n: int
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_adjusted: float | None
    unit_ratio: float | None
    is_clear: bool
    set_aside: int
    missing_reason: str | None
    sentence: str


def days_around_nights(
    start_ns: IntArray, end_ns: IntArray, rated_ns: IntArray, ratings: FloatArray
) -> DaysAround:
    """Average the ratings of the day before each night, and of the day after it.

    Parameters
    ----------
    start_ns, end_ns : array of int64, shape (n,)
        Of the nights, UTC nanoseconds, by time.
    rated_ns : array of int64, shape (m,)
        Moments that ratings are about.
    ratings : array of float64, shape (m,)
        Pain or stress.

    Returns
    -------
    DaysAround
        The mean of the ratings from the night's end to the next night's beginning, or 18 hours; and
        of those from the night before to its beginning.

    Raises
    ------
    ValueError
        If shapes differ or nights are not in order.
    """
    if len(start_ns) != len(end_ns) or len(rated_ns) != len(ratings):
        raise ValueError("nights need a start and an end, ratings a moment and a value")
    if len(end_ns) > 1 and np.any(np.diff(end_ns) <= 0):
        raise ValueError("nights must be in order of time")
    kept = np.isfinite(ratings)
    order = np.argsort(rated_ns[kept], kind="stable")
    times, values = rated_ns[kept][order], ratings[kept][order]
    sums = np.concatenate([[0.0], np.cumsum(values)])

    def mean_of(begin: IntArray, end: IntArray) -> FloatArray:
        a, b = np.searchsorted(times, begin), np.searchsorted(times, np.maximum(begin, end))
        count = b - a
        with np.errstate(invalid="ignore", divide="ignore"):
            result: FloatArray = np.where(count > 0, (sums[b] - sums[a]) / count, np.nan)
        return result

    after_end = end_ns + AWAKE_NS
    before_start = start_ns - AWAKE_NS
    if len(start_ns) > 1:
        after_end[:-1] = np.minimum(after_end[:-1], start_ns[1:])
        before_start[1:] = np.maximum(before_start[1:], end_ns[:-1])
    return DaysAround(mean_of(before_start, start_ns), mean_of(end_ns, after_end))


def night_links(
    series: NightSeries,
    pain: DaysAround,
    stress: DaysAround,
    questions: Sequence[NightQuestion] = tuple(NightQuestion),
    waking_hour: FloatArray | None = None,
) -> list[NightLink]:
    """Answer the questions about nights and days of one person.

    Parameters
    ----------
    series : NightSeries
        One value a night, n nights.
    pain, stress : DaysAround
        Mean ratings around the same nights.
    questions : sequence of NightQuestion
        Which are asked; the p values are adjusted for as many.
    waking_hour : array of float64, shape (n,), optional
        Local hour, 0 to 24, at which each night ended; NaN where it is not known. It is adjusted
        for where its circular standard deviation is at least 1.5 hours, as with shift work.

    Returns
    -------
    list of NightLink
        One a question, in their order.

    Raises
    ------
    ValueError
        If the ratings or the hours are not of as many nights.
    """
    if len(pain.after) != len(series.days) or len(stress.before) != len(series.days):
        raise ValueError("ratings around each night of the series are needed")
    if waking_hour is not None and len(waking_hour) != len(series.days):
        raise ValueError("an hour of waking of each night of the series is needed")
    hours = [] if waking_hour is None else waking_columns(waking_hour)
    found = [(question, *_ask(question, series, pain, stress, hours)) for question in questions]
    adjusted = _holm([link.p_value for _, link, _, _ in found])
    return [
        _answer(question, link, unit, aside, p)
        for (question, link, unit, aside), p in zip(found, adjusted, strict=True)
    ]


def _ask(
    question: NightQuestion,
    series: NightSeries,
    pain: DaysAround,
    stress: DaysAround,
    hours: list[FloatArray],
) -> tuple[Association, float, int]:
    """Return the link, one usual distance from night to night, and how many were set aside."""
    night = series.log_value.copy()
    aside = _outlying(series)
    night[aside] = np.nan
    unit = _usual_distance(night, series)
    night = night / unit if unit > 0 else night
    if question is NightQuestion.NIGHT_THEN_PAIN:
        x, y, before = night, pain.after, pain.before
    else:
        x = pain.before if question is NightQuestion.PAIN_THEN_NIGHT else stress.before
        y, before = night, _night_before(night, series)
    columns = [before, *_devices(series), *hours]
    kept = np.isfinite(x) & np.isfinite(y)
    found = within_person_link(
        series.days[kept] * _DAY_NS + _NOON_NS,
        x[kept],
        y[kept],
        x_name="nights" if question is NightQuestion.NIGHT_THEN_PAIN else "ratings",
        y_name="pain of the day" if question is NightQuestion.NIGHT_THEN_PAIN else "nights",
        covariates=_covariates(np.column_stack(columns)[kept]),
        drop_copies=False,
    )
    return found, unit, int(np.count_nonzero(aside))


def _covariates(columns: FloatArray) -> FloatArray | None:
    """Those that vary; a missing value counts as the mean of the others."""
    if not len(columns):
        return None
    filled = []
    for column in columns.T:
        known = np.isfinite(column)
        if np.count_nonzero(known) < 3:
            continue
        whole = np.where(known, column, np.mean(column[known]))
        if np.ptp(whole) > 1e-9:
            filled.append(whole)
    return np.column_stack(filled) if filled else None


def _night_before(night: FloatArray, series: NightSeries) -> FloatArray:
    """Return the night of the day before, NaN where it was not measured."""
    previous = np.full(len(night), np.nan)
    if len(night) > 1:
        near = (np.diff(series.days) == 1) & (np.diff(series.level) == 0)
        previous[1:][near] = night[:-1][near]
    return previous


def _devices(series: NightSeries) -> list[FloatArray]:
    """Make a column a level but the first: a change of device is a known step."""
    return [
        (series.level == level).astype(np.float64)
        for level in sorted(set(series.level.tolist()))[1:]
    ]


def waking_columns(waking_hour: FloatArray) -> list[FloatArray]:
    """Make the hour of waking a covariate, where it varies more than ordinary weeks let it.

    Parameters
    ----------
    waking_hour : array of float64, shape (n,)
        Local hour, 0 to 24; NaN where it is not known.

    Returns
    -------
    list of array of float64, each (n,)
        Sines and cosines of the hour, NaN where it is not known; none where its circular standard
        deviation is below 1.5 hours.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.nights import waking_columns
    >>> len(waking_columns(np.array([6.5, 7.0, 7.5, 8.0] * 5)))
    0
    >>> len(waking_columns(np.array([5.0, 9.0, 15.0] * 5)))
    4
    """
    angle = waking_hour * np.pi / 12
    known = angle[np.isfinite(angle)]
    if not len(known):
        return []
    resultant = float(np.abs(np.mean(np.exp(1j * known))))
    spread_h = 12 / np.pi * np.sqrt(-2 * np.log(max(min(resultant, 1.0), 1e-12)))
    if spread_h < MIN_WAKING_SD_H:
        return []
    harmonics = range(1, _WAKING_HARMONICS + 1)
    return [wave(k * angle) for k in harmonics for wave in (np.sin, np.cos)]


def _usual_distance(night: FloatArray, series: NightSeries) -> float:
    """Estimate the standard deviation of nights about the median of their level, robustly."""
    off: list[float] = []
    for level in set(series.level.tolist()):
        values = night[(series.level == level) & np.isfinite(night)]
        off += (values - np.median(values)).tolist() if len(values) else []
    if not off:
        return 0.0
    sizes = np.abs(np.array(off))
    return float(max(np.median(sizes) / 0.6745, 0.6 * np.mean(sizes)))


def _outlying(series: NightSeries) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Find single nights far from the seven on each side, as after alcohol or with fever.

    One carries a slope alone, and says nothing of usual nights.
    """
    aside = np.zeros(len(series.days), dtype=bool)
    for level in set(series.level.tolist()):
        rows = np.flatnonzero(series.level == level)
        values = series.log_value[rows]
        if len(rows) < 15:
            continue
        around = np.array(
            [
                np.median(np.r_[values[max(0, k - 7) : k], values[k + 1 : k + 8]])
                for k in range(len(rows))
            ]
        )
        off = np.abs(values - around)
        scale = max(float(np.median(off)) / 0.6745, 0.75 * float(np.mean(off)), 1e-9)
        aside[rows[off > _OUTLIER * scale]] = True
    return aside


def _holm(p_values: list[float | None]) -> list[float | None]:
    """Holm 1979 over those that could be asked."""
    known = sorted((p, k) for k, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, k) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        adjusted[k] = highest
    return adjusted


def _answer(
    question: NightQuestion, link: Association, unit: float, aside: int, p: float | None
) -> NightLink:
    is_clear = (
        p is not None and p < _ALPHA and (link.outlying_ns is None or link.clear_without_outlying)
    )
    return NightLink(
        question,
        link.n,
        link.estimate,
        link.low,
        link.high,
        link.p_value,
        p,
        float(np.exp(unit)) if unit > 0 else None,
        is_clear,
        aside,
        link.missing_reason,
        _sentence(question, link, is_clear=is_clear),
    )


def _sentence(question: NightQuestion, link: Association, *, is_clear: bool) -> str:
    """Say it without a cause: one came before the other, or it cannot be told."""
    if link.missing_reason is not None or link.estimate is None:
        return f"Not enough yet: {link.missing_reason}."
    if not is_clear:
        return f"Over {link.n} nights it cannot be told."
    rises = link.estimate > 0
    if question is NightQuestion.NIGHT_THEN_PAIN:
        return (
            f"Over {link.n} nights, days after calmer nights had {'more' if rises else 'less'} "
            "pain. That one came before the other does not show that it brings it."
        )
    what = "pain" if question is NightQuestion.PAIN_THEN_NIGHT else "stress"
    return (
        f"Over {link.n} nights, nights after days of more {what} were "
        f"{'calmer' if rises else 'less calm'}. That one came before the other does not show that "
        "it brings it."
    )
