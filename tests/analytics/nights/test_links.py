"""Nights and days: the pairs, the three questions, and when nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.nights import (
    DaysAround,
    NightLink,
    NightQuestion,
    days_around_nights,
    night_links,
    night_series,
    waking_columns,
)

HOUR = 3_600_000_000_000
FIRST = 20_000
Array = NDArray[np.float64]


def nights(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From 23:00 to 07:00."""
    end = (np.arange(n, dtype=np.int64) + FIRST) * 24 * HOUR + 7 * HOUR
    return end - 8 * HOUR, end


def ask(
    night: Array, pain: Array, stress: Array, devices: list[str] | None = None
) -> list[NightLink]:
    """``pain``, ``stress``: of the day after each night."""
    n = len(night)
    start, end = nights(n)
    times = np.concatenate([end + 2 * HOUR, end + 9 * HOUR])
    around = [
        days_around_nights(start, end, times, np.tile(values, 2)) for values in (pain, stress)
    ]
    series = night_series(np.arange(n) + FIRST, devices or ["ring"] * n, 40 * np.exp(0.2 * night))
    return night_links(series, *around)


def test_a_day_is_the_time_awake_around_a_night() -> None:
    start, end = nights(3)
    # A shift at night: the second sleep is from noon to 18:00.
    start[1], end[1] = end[0] + 5 * HOUR, end[0] + 11 * HOUR
    times = np.array([end[0] + HOUR, start[1] + HOUR, end[1] + 2 * HOUR, end[2] + 20 * HOUR])
    found = days_around_nights(start, end, times, np.array([2.0, 9.0, 4.0, 8.0]))
    assert found.after == pytest.approx([2.0, 4.0, np.nan], nan_ok=True)
    # What is longer ago than 18 hours is of no day before.
    assert found.before == pytest.approx([np.nan, 2.0, np.nan], nan_ok=True)
    with pytest.raises(ValueError, match="in order"):
        days_around_nights(start[::-1], end[::-1], times, np.zeros(4))
    with pytest.raises(ValueError, match="a moment and a value"):
        days_around_nights(start, end, times, np.zeros(3))


def test_a_link_is_found_at_the_lag_it_is_about() -> None:
    rng = np.random.default_rng(2)
    night, stress = rng.normal(size=150), 5 + rng.normal(size=150)
    then_pain = ask(night, 5 - night + 0.7 * rng.normal(size=150), stress)
    assert [link.is_clear for link in then_pain] == [True, False, False]
    first = then_pain[0]
    assert first.question is NightQuestion.NIGHT_THEN_PAIN
    assert first.estimate is not None and first.estimate < 0
    assert first.low is not None and first.high is not None and first.low < -1 < first.high
    assert "days after calmer nights had less pain" in first.sentence
    assert first.unit_ratio == pytest.approx(np.exp(0.2), rel=0.1)
    # Stress of a day, then the night after it.
    later = np.r_[0.0, -(stress[:-1] - 5)] + 0.7 * rng.normal(size=150)
    answers = ask(later, 5 + rng.normal(size=150), stress)
    assert [link.is_clear for link in answers] == [False, False, True]
    assert "nights after days of more stress were less calm" in answers[2].sentence


@pytest.mark.parametrize("word", ["because", "cause", "leads", "due to", "makes"])
def test_no_sentence_says_a_cause(word: str) -> None:
    rng = np.random.default_rng(2)
    night = rng.normal(size=90)
    for link in ask(night, 5 - night + 0.5 * rng.normal(size=90), 5 + rng.normal(size=90)):
        assert word not in link.sentence


def test_28_nights_are_not_enough_and_that_is_said() -> None:
    rng = np.random.default_rng(1)
    night = rng.normal(size=28)
    for link in ask(night, 5 - night, 5 + rng.normal(size=28)):
        assert (link.estimate, link.p_value, link.is_clear) == (None, None, False)
        assert link.sentence.startswith("Not enough yet: 2")


def test_a_change_of_device_on_a_day_on_which_pain_changes_is_no_link() -> None:
    said = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        late = np.arange(100) >= 50
        night, pain = rng.normal(size=100) + 3 * late, 5 + rng.normal(size=100) - 2 * late
        devices = ["strap" if one else "ring" for one in late]
        said += ask(night, pain, 5 + rng.normal(size=100), devices)[0].is_clear
    assert said <= 1


def test_single_nights_far_from_the_others_are_set_aside() -> None:
    rng = np.random.default_rng(3)
    night, pain = rng.normal(size=100), 5 + rng.normal(size=100)
    far = [20, 45, 70]
    night[far], pain[far] = -9, 10
    (first, *_) = ask(night, pain, 5 + rng.normal(size=100))
    assert first.set_aside == 3
    assert not first.is_clear


def test_p_values_are_holm_s_over_what_could_be_asked() -> None:
    rng = np.random.default_rng(4)
    n = 60
    series = night_series(np.arange(n) + FIRST, ["ring"] * n, np.exp(rng.normal(size=n)))
    pain = DaysAround(rng.normal(size=n), rng.normal(size=n))
    none = DaysAround(np.full(n, np.nan), np.full(n, np.nan))
    links = night_links(series, pain, none)
    raw = sorted(link.p_value for link in links if link.p_value is not None)
    adjusted = sorted(link.p_adjusted for link in links if link.p_adjusted is not None)
    assert len(raw) == 2 and links[2].p_value is None
    assert adjusted == pytest.approx([min(1, 2 * raw[0]), min(1, max(2 * raw[0], raw[1]))])
    with pytest.raises(ValueError, match="each night"):
        night_links(series, DaysAround(pain.before[:5], pain.after[:5]), none)


def test_shifts_that_move_nights_and_days_are_no_link() -> None:
    """Early, late and night shifts over a year, of eight people."""
    n = 365
    shift = np.arange(n) // 5 % 3
    alarms = {True: 0, False: 0}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        night = rng.normal(size=n) - np.array([0.5, 0.0, 1.5])[shift]
        pain = 5 + rng.normal(size=n) + np.array([0.3, 0.0, 1.2])[shift]
        series = night_series(np.arange(n) + FIRST, ["ring"] * n, 40 * np.exp(0.2 * night))
        days, none = DaysAround(np.r_[5.0, pain[:-1]], pain), DaysAround(*np.full((2, n), np.nan))
        hours = np.array([5.0, 9.0, 15.0])[shift] + rng.normal(0, 0.5, n)
        for with_hours in (True, False):
            first, *_ = night_links(
                series,
                days,
                none,
                (NightQuestion.NIGHT_THEN_PAIN,),
                hours if with_hours else None,
            )
            alarms[with_hours] += first.is_clear
    assert alarms[True] <= 2 < alarms[False]


def test_the_hour_of_waking_is_held_still_only_where_it_varies() -> None:
    rng = np.random.default_rng(5)
    night = rng.normal(size=90)
    series = night_series(np.arange(90) + FIRST, ["ring"] * 90, 40 * np.exp(0.2 * night))
    days = DaysAround(5 + rng.normal(size=90), 5 - night + rng.normal(size=90))
    plain = night_links(series, days, days)[0]
    usual = night_links(series, days, days, waking_hour=7 + rng.normal(0, 0.6, 90))[0]
    assert (usual.estimate, usual.low, usual.p_value) == (plain.estimate, plain.low, plain.p_value)
    # Around midnight a day is a circle: 23 and 1 are two hours apart.
    assert waking_columns(np.array([23.5, 0.5] * 10)) == []
    assert waking_columns(np.full(10, np.nan)) == []
    hours = np.array([5.0, 15.0, np.nan] * 10)
    columns = waking_columns(hours)
    assert len(columns) == 4 and np.isnan(columns[0]).sum() == 10
    with pytest.raises(ValueError, match="hour of waking"):
        night_links(series, days, days, waking_hour=hours)
