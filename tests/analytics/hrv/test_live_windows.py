"""Windows that are kept while beats come are those that are computed from nothing."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.hrv import compiled, live_windows
from analytics.hrv.live_windows import extend_windows
from analytics.hrv.metric import Domain
from analytics.hrv.windows import (
    TIME_ONLY,
    BeatArrays,
    HrvWindows,
    Movement,
    hrv_windows,
    prepare_beats,
)

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_790_000_000 * SECOND


def wearing(rng: np.random.Generator, minutes: int, faults: float, gaps: int) -> list[np.ndarray]:
    """Times, intervals, follows and contact of one strap, with faults and gaps."""
    count = minutes * 75
    rr = 800 + 60 * np.sin(0.31 * np.arange(count)) + rng.normal(0, 15, count)
    rr[rng.random(count) < faults] *= rng.choice([0.45, 1.9])
    begins = np.isin(np.arange(count), rng.integers(0, count, gaps))
    begins[0] = True
    pause_ms = np.where(begins, rng.uniform(1_000, 400_000, count), 0)
    time_ns = START + np.round(np.cumsum(rr + pause_ms) * 1e6).astype(np.int64)
    return [
        time_ns,
        rr,
        ~begins,
        rng.choice(np.array([-1, 0, 1], np.int8), count, p=[0.2, 0.02, 0.78]),
    ]


def merged(straps: list[list[np.ndarray]], until_ns: list[int]) -> BeatArrays:
    """Beats of straps up to a moment of each, by time."""
    columns = []
    for number, (strap, until) in enumerate(zip(straps, until_ns, strict=True)):
        rows = strap[0] < until
        columns.append([*(c[rows] for c in strap), np.full(rows.sum(), number, np.int32)])
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return BeatArrays(*(column[order] for column in joined))


def assert_same(found: HrvWindows, expected: HrvWindows) -> None:
    np.testing.assert_array_equal(found.start_ns, expected.start_ns)
    assert found.missing_reason == expected.missing_reason
    assert found.missing_detail == expected.missing_detail
    for field in fields(expected.metrics):
        if field.name not in ("values", "length_s", "start_s"):
            a, b = getattr(found.metrics, field.name), getattr(expected.metrics, field.name)
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=field.name)
    for name, values in expected.metrics.values.items():
        np.testing.assert_allclose(
            found.metrics.values[name], values, rtol=1e-9, atol=1e-9, err_msg=name
        )
    for field in fields(expected.rates):
        a, b = getattr(found.rates, field.name), getattr(expected.rates, field.name)
        np.testing.assert_allclose(a, b, rtol=1e-9, err_msg=field.name)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    faults=st.sampled_from([0.0, 0.02, 0.2]),
    gaps=st.integers(0, 5),
    straps=st.integers(1, 2),
    new_s=st.integers(1, 240),
    in_order=st.booleans(),
)
def test_adding_beats_gives_the_answer_from_nothing(
    seed: int, faults: float, gaps: int, straps: int, new_s: int, in_order: bool
) -> None:
    compiled.unload()
    rng = np.random.default_rng(seed)
    worn = [wearing(rng, 40, faults, gaps) for _ in range(straps)]
    end = max(int(strap[0][-1]) for strap in worn) + 1
    # The first strap goes on; a second may have ended long before.
    until = [end - new_s * SECOND, *(START + int(rng.integers(1, 40)) * MINUTE for _ in worn[1:])]
    before = merged(worn, until)
    after = merged(worn, [end, *until[1:]])
    starts = np.arange(START, end, 30 * SECOND)
    if not in_order:
        starts = rng.permutation(starts)
    domains = frozenset({Domain.TIME, Domain.FREQUENCY})
    moved_ns = np.arange(START, until[0], 5 * SECOND)
    moved = Movement(moved_ns, rng.uniform(0, 90, len(moved_ns)))
    known = hrv_windows(before, starts[: len(starts) - 3], 5 * MINUTE, domains, moved)
    found = extend_windows(known, after, starts, until[0], domains, moved)
    assert_same(found, hrv_windows(after, starts, 5 * MINUTE, domains, moved))


def test_a_minute_computes_the_last_windows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    worn = [wearing(rng, 240, 0.01, 0)]
    end = int(worn[0][0][-1]) + 1
    starts = np.arange(START, end - 5 * MINUTE, 30 * SECOND)
    known = hrv_windows(merged(worn, [end - MINUTE]), starts, 5 * MINUTE)
    computed: list[tuple[int, int]] = []

    def counting(beats: BeatArrays, at: np.ndarray, *rest: object, **more: object) -> HrvWindows:
        computed.append((len(at), len(beats.time_ns)))
        return hrv_windows(beats, at, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(live_windows, "hrv_windows", counting)
    extend_windows(known, merged(worn, [end]), starts, end - MINUTE)
    ((windows, beats),) = computed
    assert 0 < windows <= 10
    assert beats < 1_500


def test_windows_of_several_lengths_share_labels() -> None:
    rng = np.random.default_rng(8)
    beats = merged([wearing(rng, 12, 0.03, 1) for _ in range(2)], [START + 60 * MINUTE] * 2)
    prepared = prepare_beats(beats)
    end = int(beats.time_ns[-1]) + 1
    for length in (MINUTE, 5 * MINUTE):
        at = np.array([end - length])
        assert_same(
            hrv_windows(beats, at, length, TIME_ONLY, prepared=prepared),
            hrv_windows(beats, at, length),
        )


def test_other_metrics_than_known_are_refused_and_nothing_known_is_no_error() -> None:
    beats = merged([wearing(np.random.default_rng(1), 12, 0.0, 0)], [START + 60 * MINUTE])
    starts = START + MINUTE * np.arange(8)
    known = hrv_windows(beats, starts, 5 * MINUTE)
    with pytest.raises(ValueError, match="domains"):
        extend_windows(known, beats, starts, START, frozenset(Domain))
    nothing = hrv_windows(beats, starts[:0], 5 * MINUTE)
    assert_same(extend_windows(nothing, beats, starts, START), known)
    same = extend_windows(known, beats, starts, int(beats.time_ns[-1]) + 10 * MINUTE)
    assert_same(same, known)
