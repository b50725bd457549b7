"""Time-domain HRV against a plain, slow reading of the definitions, on real recordings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.hrv.requirements import MissingReason
from analytics.hrv.windows import BeatArrays, hrv_windows, starts_by_stretch
from tests.support.signals import SECOND, START, arrays


@dataclass(frozen=True)
class OneWindow:
    """One window of ``HrvWindows``, None where a value is missing."""

    beats: int
    coverage: float
    removed_share: float | None
    mean_hr_bpm: float | None
    rmssd_ms: float | None
    sdnn_ms: float | None
    missing_reason: MissingReason | None
    missing_detail: str | None


def window_hrv(beats: BeatArrays, start_ns: int, end_ns: int) -> OneWindow:
    """Compute the HRV of the beats with start_ns <= time < end_ns."""
    found = hrv_windows(beats, np.array([start_ns]), end_ns - start_ns)

    def number(name: str) -> float | None:
        value = float(found.value(name)[0])
        return value if math.isfinite(value) else None

    count = int(found.metrics.intervals[0])
    return OneWindow(
        count,
        float(found.metrics.coverage[0]),
        1 - float(found.metrics.normal_share[0]) if count else None,
        number("mean_hr_bpm"),
        number("rmssd_ms"),
        number("sdnn_ms"),
        found.missing_reason[0],
        found.missing_detail[0],
    )


@pytest.mark.parametrize(
    ("rr", "length_s", "why"),
    [
        ([], 300, MissingReason.NO_BEATS),
        ([800.0] * 300, 30, MissingReason.TOO_SHORT),
        ([800.0] * 200, 300, MissingReason.TOO_FEW_BEATS),
        ([800.0, 800.0, 800.0, 400.0] * 100, 300, MissingReason.DISTURBED),
    ],
)
def test_a_window_without_metrics_has_a_reason(
    rr: list[float], length_s: int, why: MissingReason
) -> None:
    window = window_hrv(arrays(rr), START, START + length_s * SECOND)
    assert window.missing_reason is why
    assert window.missing_detail
    assert (window.mean_hr_bpm, window.rmssd_ms, window.sdnn_ms) == (None, None, None)


def test_two_straps_at_once_are_not_added_up() -> None:
    one, two = arrays([800.0] * 400), arrays([801.0] * 380, START + 7_000_000)
    order = np.argsort(np.concatenate([one.time_ns, two.time_ns]))
    both = BeatArrays(
        np.concatenate([one.time_ns, two.time_ns])[order],
        np.concatenate([one.rr_ms, two.rr_ms])[order],
        np.concatenate([one.follows, two.follows])[order],
        np.concatenate([one.contact, two.contact])[order],
        np.concatenate([one.stream, two.stream + 1])[order],
    )
    window = window_hrv(both, START, START + 300 * SECOND)
    # The second reaches further into the window; nothing of the first is in its figures.
    assert window.mean_hr_bpm == pytest.approx(60_000 / 801)
    assert window.rmssd_ms == 0
    assert window.coverage <= 1


def test_windows_begin_with_each_stretch_of_beats() -> None:
    first = arrays([1000.0] * 700)
    second = arrays([1000.0] * 290, START + 5000 * SECOND)
    third = arrays([1000.0] * 200, START + 9000 * SECOND)
    beats = BeatArrays(
        *(
            np.concatenate([getattr(part, name) for part in (first, second, third)])
            for name in ("time_ns", "rr_ms", "follows", "contact", "stream")
        )
    )
    starts = starts_by_stretch(beats, 300 * SECOND, 300 * SECOND)
    assert ((starts - START) // SECOND).tolist() == [0, 300, 5000]


intervals = st.lists(st.floats(350, 1900), min_size=80, max_size=300)


@given(intervals, st.integers(-(10**18), 10**18))
def test_figures_do_not_depend_on_the_date(rr: list[float], shift: int) -> None:
    beats, moved = arrays(rr), arrays(rr, START + shift)
    end = int(beats.time_ns[-1]) + 1
    here, there = window_hrv(beats, START, end), window_hrv(moved, START + shift, end + shift)
    assert here.missing_reason == there.missing_reason
    assert (here.mean_hr_bpm, here.rmssd_ms, here.sdnn_ms) == (
        there.mean_hr_bpm,
        there.rmssd_ms,
        there.sdnn_ms,
    )


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50))
def test_absurd_input_gives_no_figure_but_a_reason(rr: list[float]) -> None:
    beats = replace(arrays([800.0] * len(rr)), rr_ms=np.array(rr, dtype=float))
    window = window_hrv(beats, START, START + 300 * SECOND)
    assert window.missing_reason is not None
    assert window.missing_detail


def test_a_window_must_end_after_it_starts() -> None:
    with pytest.raises(ValueError, match="end after"):
        window_hrv(arrays([800.0]), START, START)


def test_each_of_many_recordings_is_read_for_its_own_time() -> None:
    rng = np.random.default_rng(3)
    parts = [
        arrays(
            (900 + 30 * rng.standard_normal(400)).tolist(),
            START + 3600 * k * SECOND,
            stream=np.full(400, k, dtype=np.int32),
        )
        for k in range(12)
    ]
    names = ("time_ns", "rr_ms", "follows", "contact", "stream")
    beats = BeatArrays(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
    starts = START + np.arange(-300, 12 * 3600, 150, dtype=np.int64) * SECOND
    found = hrv_windows(beats, starts, 300 * SECOND)
    assert found.usable.sum() == 12  # one of each fits into six minutes
    for row, start in enumerate(starts.tolist()):
        nearest = parts[min(max((start - START + 150 * SECOND) // (3600 * SECOND), 0), 11)]
        alone = window_hrv(nearest, start, start + 300 * SECOND)
        assert int(found.metrics.intervals[row]) == alone.beats
        assert found.missing_detail[row] == alone.missing_detail
        if alone.rmssd_ms is not None:
            assert found.value("rmssd_ms")[row] == pytest.approx(alone.rmssd_ms, rel=1e-9)
