"""Ratings of pain or of stress alone in the report of one person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analytics.association.hrv_before_rating import without_beats
from analytics.association.within_person import within_person_link
from analytics.report import RatedHrv, Report, associations_report


def rated(n: int = 80, *, apart: bool = True) -> RatedHrv:
    """Two ratings a day; with ``apart`` each of one alone, in turn."""
    rng = np.random.default_rng(11)
    k = np.arange(n)
    stress, heart = rng.normal(5, 1.5, (2, n))
    pain = 2 + 0.5 * heart + 0.3 * rng.normal(size=n)
    if apart:
        stress, pain = np.where(k % 2, np.nan, stress), np.where(k % 2, pain, np.nan)
    return RatedHrv(
        *(k * 43_200_000_000_000, 738_000 + k // 2, 8.0 + k % 2 * 12.0, pain, stress),
        *(np.full(n, np.nan), 60 + heart, 50 + 5 * heart, np.zeros(n)),
    )


def report_of(one: RatedHrv) -> Report:
    return associations_report(one, without_beats(len(one.time_ns)))


def test_the_heart_is_compared_with_each_that_was_rated() -> None:
    """Ratings of one alone were left out, and who gives no others was told to give more."""
    one = rated()
    found = {item.key: item for item in report_of(one).statements}
    assert found["same_moment"].found.n == 0
    for key, values in (("stress_index", one.pain), ("stress_index_stress", one.stress)):
        there = ~np.isnan(values)
        plain = within_person_link(
            one.time_ns[there], one.stress_index[there] / 10, values[there], one.hour[there]
        )
        assert found[key].found.n == 40
        assert (found[key].found.estimate, found[key].found.p_value) == (
            plain.estimate,
            plain.p_value,
        )
    assert found["stress_index"].words.verdict == "moved together"


def test_a_few_ratings_of_one_alone_change_nothing_of_one_moment() -> None:
    one = rated(apart=False)
    pain = np.where(np.arange(80) % 8 == 3, np.nan, one.pain)
    both = ~np.isnan(pain)
    mixed = report_of(replace(one, pain=pain))
    names = ("time_ns", "day", "hour", "stress", "ln_rmssd", "heart_rate", "stress_index")
    plain = report_of(
        replace(
            one,
            **{name: getattr(one, name)[both] for name in (*names, "motion_mg")},
            pain=pain[both],
        )
    )
    for key in ("same_moment", "stress_before", "pain_before", "day_to_day", "heart_rate"):
        ours, theirs = (
            next(item.found for item in report.statements if item.key == key)
            for report in (mixed, plain)
        )
        assert (ours.n, ours.estimate, ours.p_value) == (theirs.n, theirs.estimate, theirs.p_value)
    assert mixed.what_if == plain.what_if
    assert mixed.stress.n_before > plain.stress.n_before  # all ratings of stress count
    assert (mixed.missing.given, plain.missing.given) == (80, 70)


def test_the_days_that_are_still_needed_are_those_of_one_question_for_each() -> None:
    one = rated()
    none = replace(one, stress_index=np.full(80, np.nan))
    (row,) = (item for item in report_of(none).statements if item.key == "stress_index")
    assert "about 30 more days at one rating a day" in row.words.sentence
    whole = rated(apart=False)
    none = replace(whole, stress_index=np.full(80, np.nan))
    (row,) = (item for item in report_of(none).statements if item.key == "stress_index")
    assert "about 15 more days at 2 ratings a day" in row.words.sentence
