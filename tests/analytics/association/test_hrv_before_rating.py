"""The heart before each rating."""

from __future__ import annotations

import numpy as np

from analytics.association.hrv_before_rating import (
    Span,
    hrv_before_rating,
    index_before_rating,
    window_starts,
)
from analytics.hrv.relative_stress import StressIndexInput, stress_index_input
from analytics.hrv.windows import WINDOW_NS, HrvWindows, concat_windows, hrv_windows
from tests.support.signals import SECOND, START, arrays

MINUTE = 60 * SECOND


def hearts_of(found: HrvWindows) -> StressIndexInput:
    middle = found.start_ns + WINDOW_NS // 2
    return stress_index_input(found, middle // (86_400 * SECOND), np.full(len(found), 12.0))


def test_windows_end_at_the_rating() -> None:
    starts = window_starts(np.array([START]), np.array([12.0]), Span.MINUTES_30)
    assert starts.tolist() == [[START - k * 5 * MINUTE for k in (6, 5, 4, 3, 2, 1)]]
    assert window_starts(np.array([START]), np.array([12.0]), Span.MINUTES_5).shape == (1, 1)


def test_the_night_before_is_the_last_that_was_over() -> None:
    noon, small_hours = window_starts(np.array([START, START]), np.array([12.0, 3.0]), Span.NIGHT)
    assert len(noon) == 108
    hour = 3600 * SECOND
    assert (START - noon[-1] - WINDOW_NS) == 5 * hour  # ends at seven in the morning
    assert START - noon[0] == 14 * hour  # from ten in the evening
    assert (START - small_hours[-1] - WINDOW_NS) == 20 * hour  # that night is not over


def test_usable_windows_are_averaged_and_others_explained() -> None:
    rng = np.random.default_rng(1)
    beats = arrays((1000 + rng.normal(0, 20, 700)).tolist())
    end = int(beats.time_ns[-1])
    ratings = np.array([end, end + 3 * 3600 * SECOND])
    starts = window_starts(ratings, np.array([12.0, 15.0]), Span.MINUTES_30)
    found = hrv_windows(beats, starts.ravel(), WINDOW_NS)
    hearts = hearts_of(found)
    index = index_before_rating(hearts, hearts.at(np.zeros(12, bool)), 2)
    before = hrv_before_rating(found, hearts, index, Span.MINUTES_30, 2)
    assert before.windows.tolist() == [2, 0]
    assert before.usable == 1
    assert before.missing_reason == [None, "no beats recorded"]
    assert abs(before.heart_rate[0] - 60) < 0.5
    assert np.isnan(before.heart_rate[1])
    assert np.isnan(before.index.value).all()
    assert [str(reason)[:13] for reason in before.index.missing_reason] == [
        *("not known yet", "too few usabl")
    ]
    assert before.reason_counts == {"no beats recorded": 1}


def test_a_night_needs_an_hour_of_beats() -> None:
    beats = arrays([1000.0 + (k % 7) for k in range(1500)])
    seven = int(beats.time_ns[-1])
    starts = window_starts(np.array([seven + 3600 * SECOND]), np.array([8.0]), Span.NIGHT)
    found = hrv_windows(beats, starts.ravel(), WINDOW_NS)
    index = index_before_rating(hearts_of(found), hearts_of(found), 1)
    before = hrv_before_rating(found, hearts_of(found), index, Span.NIGHT, 1)
    assert before.missing_reason == ["less than an hour of usable beats in the night"]


def test_windows_of_several_readings_come_back_in_order() -> None:
    beats = arrays([1000.0] * 2000)
    starts = START + np.array([900, 0, 300, 1200], dtype=np.int64) * SECOND
    whole = hrv_windows(beats, starts, WINDOW_NS)
    order = np.argsort(starts)
    pieces = [hrv_windows(beats, starts[order][:2], WINDOW_NS)]
    pieces.append(hrv_windows(beats, starts[order][2:], WINDOW_NS))
    again = concat_windows(pieces, np.argsort(order), WINDOW_NS)
    assert again.start_ns.tolist() == starts.tolist()
    assert (again.metrics.intervals == whole.metrics.intervals).all()
    assert again.missing_detail == whole.missing_detail
    assert len(concat_windows([], np.empty(0, np.int64), WINDOW_NS)) == 0
