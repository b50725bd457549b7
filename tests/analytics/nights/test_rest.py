"""Sleep in recordings: where it is found, and where nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.nights import find_rest, is_of_night

STEP = 300_000_000_000
HOUR = 12


def bpm_of(
    *parts: tuple[float, float], seed: int = 1
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Hours at a rate; by turns awake, as people sit and walk."""
    rng = np.random.default_rng(seed)
    whole = np.concatenate([np.full(round(hours * HOUR), rate) for hours, rate in parts])
    awake = whole > 66
    return (
        whole
        + np.where(awake, 7 * (-1.0) ** (np.arange(len(whole)) // 3), 0)
        + rng.normal(0, np.where(awake, 3, 1.5))
    )


def found(
    bpm: np.ndarray[tuple[int], np.dtype[np.float64]], **more: object
) -> list[tuple[float, float]]:
    times = STEP * np.arange(len(bpm), dtype=np.int64)
    rests = find_rest(times, bpm, **more)  # type: ignore[arg-type]
    return [(one.start_ns / STEP / HOUR, one.end_ns / STEP / HOUR) for one in rests]


def test_two_nights_are_found_to_a_quarter_of_an_hour() -> None:
    one, two = found(bpm_of((14, 80), (7, 54), (16, 80), (8, 55), (3, 80)))
    assert one == pytest.approx((14, 21), abs=0.25)
    assert two == pytest.approx((37, 45), abs=0.25)


def test_an_evening_on_a_sofa_is_no_sleep() -> None:
    ((start, end),) = found(bpm_of((10, 80), (3, 62), (8, 54), (3, 80)))
    assert (start, end) == pytest.approx((13, 21), abs=0.34)


def test_an_hour_awake_stays_within_and_three_hours_part_two_sleeps() -> None:
    assert len(found(bpm_of((12, 80), (4, 54), (1, 80), (3, 54), (6, 80)))) == 1
    assert len(found(bpm_of((12, 80), (4, 54), (3, 80), (4, 54), (6, 80)))) == 2


def test_a_day_without_sleep_and_a_night_without_day_are_silent() -> None:
    assert found(bpm_of((20, 80))) == []
    assert found(bpm_of((9, 54))) == []
    assert found(np.full(200, np.nan)) == []
    assert found(np.empty(0)) == []


def test_what_was_not_recorded_is_said_and_half_of_it_is_too_much() -> None:
    bpm = bpm_of((14, 80), (8, 54), (6, 80))
    times = STEP * np.arange(len(bpm), dtype=np.int64)
    bpm[16 * HOUR : 17 * HOUR] = np.nan
    (rest,) = find_rest(times, bpm)
    assert 0.85 < rest.known_share < 0.9 and not rest.with_movement
    bpm[15 * HOUR : 20 * HOUR] = np.nan
    assert all(one.end_ns - one.start_ns < 3 * HOUR * STEP for one in find_rest(times, bpm))


def test_movement_tells_lying_still_from_sitting() -> None:
    """The heart alone takes four hours on a sofa, a little above sleep, for a part of the night."""
    bpm = bpm_of((10, 80), (4, 57), (7, 54), (4, 80))
    motion = np.concatenate(
        [np.full(14 * HOUR, 40.0), np.full(7 * HOUR, 1.5), np.full(4 * HOUR, 40)]
    )
    ((start, end),) = found(bpm, motion_mg=motion)
    assert (start, end) == pytest.approx((14, 21), abs=0.25)
    (rest,) = find_rest(STEP * np.arange(len(bpm), dtype=np.int64), bpm, motion)
    assert rest.with_movement
    assert found(bpm)[0][0] < 12


def test_years_apart_cost_no_memory_and_order_is_asked_for() -> None:
    bpm = bpm_of((14, 80), (7, 54), (4, 80))
    times = STEP * np.arange(len(bpm), dtype=np.int64)
    both = np.r_[times, times + 300_000 * STEP]
    assert len(find_rest(both, np.r_[bpm, bpm])) == 2
    with pytest.raises(ValueError, match="in order"):
        find_rest(times[::-1], bpm)
    with pytest.raises(ValueError, match="each window"):
        find_rest(times, bpm[1:])


def of_night(begins_h: float, *parts: tuple[float, float]) -> list[bool]:
    """Of each rest period of a recording from ``begins_h`` o'clock on: whether it is of a night."""
    bpm = bpm_of(*parts)
    times = round(begins_h * HOUR) * STEP + STEP * np.arange(len(bpm), dtype=np.int64)
    return [is_of_night(one, times, bpm, 0) for one in find_rest(times, bpm)]


def test_calm_hours_awake_of_who_never_wears_it_asleep_are_no_night() -> None:
    # From seven to twenty-three, the last four of them on a sofa.
    assert of_night(7, (12, 80), (4, 62)) == [False]
    assert of_night(17, (6, 80), (8, 54), (2, 80)) == [True]


def test_sleep_by_day_needs_the_night_around_it() -> None:
    assert of_night(20, (12, 80), (7, 54), (9, 80)) == [True]
    assert of_night(7, (2, 80), (7, 54), (3, 80)) == [False]
    # Who wears it whenever awake, 18 hours a day, and sits calmly from eleven to four.
    assert of_night(6, (5, 80), (5, 62), (8, 80)) == [False]
