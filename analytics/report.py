"""The associations of one person's pain, stress and HRV.

Each has its sentence, number, interval, data and caveats. The API, the pages and print are all made
from it.

The first statement (pain and stress at the same moment) is the primary comparison; all others are
secondary, and their p values are corrected for multiplicity (Holm 1979, Scandinavian Journal
of Statistics 6:65). Intervals are of each statement by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.asked_apart import apart_link
from analytics.association.hrv_before_rating import (
    HrvBeforeRating,
    IndexBeforeRating,
    Span,
    hrv_before_rating,
    index_before_rating,
    without_beats,
)
from analytics.association.missingness import MissingPattern, WhatIf, missing_pattern, what_if_worse
from analytics.association.prompts_let_go import LetGo
from analytics.association.within_person import (
    Association,
    day_to_day_link,
    lagged_link,
    within_person_link,
)
from analytics.association.wording import (
    ASKED_APART,
    STRESS,
    AssociationText,
    Comparison,
    association_text,
)
from analytics.hrv.relative_stress import StressIndexInput, stress_index_input
from analytics.hrv.windows import HrvWindows
from analytics.programme.change import Change, first_to_last_week


@dataclass(frozen=True, slots=True, eq=False)
class RatingArrays:
    """Ratings of one person, all of shape (n,), in order of time.

    ``time_ns``: the time that each is about (UTC ns); ``day``: the local day's ordinal; ``hour``:
    local, 0 to 24; ``pain`` and ``stress``: 0 to 10, NaN where that one was not asked for.
    """

    time_ns: IntArray
    day: IntArray
    hour: FloatArray
    pain: FloatArray
    stress: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class WindowsBeforeRatings:
    """HRV of the windows before each rating, shape (n * windows,).

    They are in the order of ``window_starts``. ``day`` and ``hour``: the local ones of each
    window's middle.
    """

    hrv: HrvWindows
    day: IntArray
    hour: FloatArray
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class RatedHrv:
    """Ratings with the HRV before each, all of shape (n,).

    NaN where no usable beats were before a rating; ``pain`` or ``stress`` NaN where that one was
    not asked for. ``ln_rmssd`` (ms), ``heart_rate`` (bpm),
    ``stress_index`` (0 to 100), ``motion_mg``.
    """

    time_ns: IntArray
    day: IntArray
    hour: FloatArray
    pain: FloatArray
    stress: FloatArray
    ln_rmssd: FloatArray
    heart_rate: FloatArray
    stress_index: FloatArray
    motion_mg: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One comparison. ``p_adjusted`` decides the wording."""

    key: str
    title: str
    found: Association
    p_adjusted: float | None
    words: AssociationText


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """``statements``: the first is the primary comparison.

    ``pain`` and ``stress``: the change from the first week to the last, which both may share
    without being linked. ``before``: the HRV before each rating, with the reasons where there is
    none.
    """

    statements: tuple[Statement, ...]
    pain: Change
    stress: Change
    missing: MissingPattern
    what_if: WhatIf
    before: HrvBeforeRating


_COMPARISONS = {
    "same_moment": STRESS,
    "stress_before": Comparison(
        "stress at the rating before",
        "one point of stress at the rating before",
        "one point more stress at the rating before",
        temporal_order_text="rated stress came before rated pain",
    ),
    "pain_before": Comparison(
        "pain at the rating before",
        "one point of pain at the rating before",
        "one point more pain at the rating before",
        y_name="stress",
        temporal_order_text="rated pain came before rated stress",
    ),
    "day_to_day": Comparison(
        "stress from one day to the next",
        "one point more stress than the day before",
        "stress up by one point from the day before",
        both_rated=True,
        counted="changes from one day to the next",
        known_bias_text="If ratings are missing on worse moments, this look errs in about 7 of 100 "
        "cases, not in 5.",
    ),
    "stress_index": Comparison(
        "the heart's stress index", "ten points of the stress index", "a stress index ten higher"
    ),
    "stress_index_stress": Comparison(
        "the heart's stress index",
        "ten points of the stress index",
        "a stress index ten higher",
        y_name="stress",
    ),
    "rmssd": Comparison("RMSSD", "a doubling of RMSSD", "RMSSD twice its usual"),
    "heart_rate": Comparison("heart rate", "ten beats a minute", "a heart rate ten higher"),
}
_TITLES = {
    "same_moment": "Pain and stress",
    "stress_before": "Stress first, pain later",
    "pain_before": "Pain first, stress later",
    "day_to_day": "From one day to the next",
    "stress_index": "Does my heart move with my pain?",
    "stress_index_stress": "Does my heart agree with my rated stress?",
    "rmssd": "Pain and RMSSD",
    "heart_rate": "Pain and heart rate",
}


def person_report(
    ratings: RatingArrays,
    windows: WindowsBeforeRatings | None = None,
    baseline: StressIndexInput | None = None,
    let_go: LetGo | None = None,
    index: IndexBeforeRating | None = None,
) -> Report:
    """Compute every association of one person's ratings and HRV, in numbers and words.

    Parameters
    ----------
    ratings : RatingArrays
        Pain and stress, shape (n,). A rating of one alone counts in what needs that one alone.
    windows : WindowsBeforeRatings, optional
        HRV of the windows before each rating; None where no beats were collected.
    baseline : StressIndexInput, optional
        Windows of the person's first 28 worn days, to which the stress index is relative; None
        takes the windows before the ratings.
    let_go : LetGo, optional
        What letting prompts go went with, where there were prompts.
    index : IndexBeforeRating, optional
        The stress index before each rating, shape (n,), where it is known already; ``baseline`` is
        not used then.

    Returns
    -------
    Report
        Statements, of which the first is the primary comparison; the change from the first week to
        the last; the pattern of missing ratings and what they could change; the HRV before each
        rating.

    Notes
    -----
    The p values of all but the first statement are corrected: Holm (1979), Scandinavian Journal of
    Statistics 6:65.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import person_report
    >>> from analytics.report import RatingArrays
    >>> rng = np.random.default_rng(5)
    >>> slot = np.arange(60)
    >>> stress = rng.normal(5, 1.5, 60)
    >>> report = person_report(
    ...     RatingArrays(
    ...         time_ns=slot * 28_800_000_000_000,
    ...         day=738_000 + slot // 3,
    ...         hour=slot % 3 * 8.0,
    ...         pain=1 + 0.6 * stress + 0.4 * rng.normal(size=60),
    ...         stress=stress,
    ...     )
    ... )
    >>> str(report.statements[0].words.verdict)
    'moved together'
    >>> report.before.usable
    0
    """
    n = len(ratings.time_ns)
    if windows is None:
        before = without_beats(n)
    else:
        hearts = stress_index_input(windows.hrv, windows.day, windows.hour)
        if index is None:
            index = index_before_rating(hearts, hearts if baseline is None else baseline, n)
        before = hrv_before_rating(windows.hrv, hearts, index, windows.span, n)
    return associations_report(
        RatedHrv(
            time_ns=ratings.time_ns,
            day=ratings.day,
            hour=ratings.hour,
            pain=ratings.pain,
            stress=ratings.stress,
            ln_rmssd=before.ln_rmssd,
            heart_rate=before.heart_rate,
            stress_index=before.index.value,
            motion_mg=before.motion_mg,
        ),
        before,
        let_go,
    )


def associations_report(
    rated: RatedHrv, before: HrvBeforeRating, let_go: LetGo | None = None
) -> Report:
    """Compute the report from the HRV before each rating."""
    t, hour, pain, stress = rated.time_ns, rated.hour, rated.pain, rated.stress
    beats_before = "usable beats before them"
    with_motion = np.log1p(rated.motion_mg)
    both = ~np.isnan(pain) & ~np.isnan(stress)
    # Who is asked for one at a time gives each once a day where others give both twice.
    is_asked_apart = 2 * int(np.sum(both)) < len(both)
    usual_a_day = 1 if is_asked_apart else 2
    found = {
        "same_moment": within_person_link(t, stress, pain, hour),
        "stress_before": lagged_link(t, stress, pain, hour),
        "pain_before": lagged_link(t, pain, stress, hour, x_name="pain", y_name="stress"),
        "day_to_day": day_to_day_link(rated.day, stress, pain),
        "stress_index": within_person_link(
            t,
            rated.stress_index / 10,
            pain,
            hour,
            x_name=f"a stress index from {beats_before}",
            usual_a_day=usual_a_day,
        ),
        "stress_index_stress": within_person_link(
            t,
            rated.stress_index / 10,
            stress,
            hour,
            x_name=f"a stress index from {beats_before}",
            y_name="stress",
            usual_a_day=usual_a_day,
        ),
        # Per doubling, since a doubling of RMSSD is something one can picture and one ms is not.
        "rmssd": within_person_link(
            *(t, rated.ln_rmssd / np.log(2), pain, hour),
            x_name=beats_before,
            covariates=with_motion,
            usual_a_day=usual_a_day,
        ),
        "heart_rate": within_person_link(
            *(t, rated.heart_rate / 10, pain, hour),
            x_name=beats_before,
            covariates=with_motion,
            usual_a_day=usual_a_day,
        ),
    }
    adjusted = holm({key: link.p_value for key, link in found.items() if key != "same_moment"})
    adjusted["same_moment"] = found["same_moment"].p_value

    def moment_text(time_ns: int) -> str:
        """Say when, in the person's own time."""
        row = int(np.argmin(np.abs(t - time_ns)))
        minutes = round(float(hour[row]) * 60) % 1440
        when = date.fromordinal(int(rated.day[row]))
        return f"{when.day} {when:%B %Y}, {minutes // 60:02d}:{minutes % 60:02d}"

    statements = tuple(
        Statement(
            key,
            _TITLES[key],
            link,
            adjusted[key],
            association_text(link, _COMPARISONS[key], adjusted[key], moment_text, let_go),
        )
        for key, link in found.items()
    )
    days = (t - np.min(t, initial=2**62)) / 86_400e9 if len(t) else np.empty(0)
    what_if = WhatIf(0, None, None)  # of the answer of one moment: none where few were of both
    if not is_asked_apart:
        what_if = what_if_worse(t[both], rated.day[both], stress[both], pain[both], hour[both])
    return Report(
        statements,
        first_to_last_week(days, pain),
        first_to_last_week(days, stress),
        missing_pattern(rated.day),
        what_if,
        before,
    )


def apart_statement(
    stress_ns: IntArray,
    stress: FloatArray,
    stress_hour: FloatArray,
    pain_ns: IntArray,
    pain: FloatArray,
    beside: Statement,
    moment_text: Callable[[int], str] | None = None,
) -> Statement:
    """Answer the question from ratings of which each is of pain or of stress alone.

    Parameters
    ----------
    stress_ns, pain_ns : array of int64, shape (k,) and (m,)
        UTC nanoseconds.
    stress, pain : array of float64, shape (k,) and (m,)
        The ratings.
    stress_hour : array of float64, shape (k,)
        Local hour of day of each rating of stress.
    beside : Statement
        The answer from ratings of both at one moment.
    moment_text : callable, optional
        Puts a time (UTC ns) into words; without it the date is that of UTC.

    Returns
    -------
    Statement
        Corrected for two comparisons (Holm) where ``beside`` has a number too.
    """
    found = apart_link(stress_ns, stress, stress_hour, pain_ns, pain)
    adjusted = holm({"apart": found.p_value, "beside": beside.found.p_value})["apart"]
    words = association_text(found, ASKED_APART, adjusted, moment_text)
    return Statement("asked_apart", "Pain and stress, asked apart", found, adjusted, words)


def holm(p_values: dict[str, float | None]) -> dict[str, float | None]:
    """Adjust p values by Holm's step-down correction; None are left out."""
    ordered = sorted((p, key) for key, p in p_values.items() if p is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for place, (p, key) in enumerate(ordered):
        highest = max(highest, min(1.0, p * (len(ordered) - place)))
        adjusted[key] = highest
    return adjusted
