"""Beat times: true to UTC although strap and computer disagree, and never decreasing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebbtide.beats import GapReason
from ebbtide.timestamps import DAY, HOUR, MILLISECOND, SECOND
from ingest.timing.beat_clock import BeatClock, ClockSteppedBackError

START = 1_790_000_000 * SECOND
LATENCY_MS = 30


def strap_log(
    seconds: float, *, ppm: float, seed: int, latency_ms: float = LATENCY_MS, jitter_ms: float = 40
) -> list[tuple[int, list[int], list[int]]]:
    """(arrival, RR ticks, true beat times): a strap whose crystal is off by ``ppm``."""
    rng = np.random.default_rng(seed)
    rr_ticks = np.round(rng.normal(0.85, 0.05, int(seconds / 0.8)) * 1024).astype(int)
    # The strap counts ticks as 1/1024 s; they are longer or shorter.
    true = START + np.cumsum(rr_ticks) / 1024 * (1 + ppm * 1e-6) * SECOND
    events: dict[int, tuple[list[int], list[int]]] = {}
    for ticks, time in zip(rr_ticks.tolist(), true.tolist(), strict=True):
        second = int((time - START) // SECOND) + 1
        events.setdefault(second, ([], []))
        events[second][0].append(ticks)
        events[second][1].append(int(time))
    log = []
    for second, (ticks, times) in sorted(events.items()):
        late = latency_ms + rng.exponential(jitter_ms)
        log.append((START + second * SECOND + int(late * MILLISECOND), ticks, times))
    return log


@pytest.mark.parametrize("ppm", [-100, -20, 0, 20, 100])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_stays_true_to_50_ms(ppm: float, seed: int) -> None:
    clock = BeatClock()
    placed: list[int] = []
    true: list[int] = []
    for arrival, ticks, times in strap_log(DAY / SECOND, ppm=ppm, seed=seed):
        placement = clock.place(ticks, arrival)
        assert placement.gap is None
        placed += placement.beat_times_ns
        true += times
    assert all(after > before for before, after in itertools.pairwise(placed))
    # The link's smallest latency cannot be known: all beats are late by it.
    error = (np.array(placed) - np.array(true)) / MILLISECOND - LATENCY_MS
    since = (np.array(true) - START) / SECOND
    # 100 ppm would be 8,640 ms by the evening. X
    assert np.abs(error[since > 60]).max() < 100
    assert np.abs(error[since > 1200]).max() < 50
    assert np.abs(np.median(error)) < 15


def test_ticks_are_followed_exactly_while_there_is_no_drift() -> None:
    clock = BeatClock()
    times: list[int] = []
    for second in range(1, 60):
        times += clock.place([1024], START + second * SECOND).beat_times_ns
    assert set(np.diff(times)) == {SECOND}


def test_a_burst_after_a_held_up_link_is_no_gap() -> None:
    clock = BeatClock()
    times: list[int] = []
    for second in range(1, 120):
        # From 60 to 64 the link is held up; the five notifications arrive together.
        arrival = 64 if 60 <= second <= 64 else second
        placement = clock.place([1024], START + arrival * SECOND + 30 * MILLISECOND)
        assert placement.gap is None
        times += placement.beat_times_ns
    error = np.array(times) - (START + np.arange(1, 120) * SECOND)
    assert np.abs(error).max() < 100 * MILLISECOND


def test_beats_that_never_came_are_a_gap() -> None:
    clock = BeatClock()
    gaps = []
    times: list[int] = []
    for second in [*range(1, 60), *range(80, 140)]:
        placement = clock.place([1024], START + second * SECOND)
        times += placement.beat_times_ns
        if placement.gap:
            gaps.append(placement.gap)
    assert gaps == [(START + 59 * SECOND, START + 79 * SECOND, GapReason.LINK_LOST)]
    assert times[-1] == START + 139 * SECOND


def test_a_short_loss_is_found_by_its_persistence() -> None:
    clock = BeatClock()
    gaps = []
    for second in [*range(1, 60), *range(65, 140)]:
        placement = clock.place([1024], START + second * SECOND)
        if placement.gap:
            gaps.append(placement.gap)
    (start, end, reason) = gaps[0]
    assert len(gaps) == 1
    assert reason is GapReason.LINK_LOST
    assert abs(end - start - 5 * SECOND) < 10 * MILLISECOND
    assert clock.last_beat_ns is not None
    assert abs(clock.last_beat_ns - (START + 139 * SECOND)) < 100 * MILLISECOND


@pytest.mark.parametrize(
    ("contact", "reason"), [(False, GapReason.CONTACT_LOST), (None, GapReason.NO_RR_SENT)]
)
def test_a_time_without_rr_is_a_gap_with_its_reason(
    contact: bool | None, reason: GapReason
) -> None:
    clock = BeatClock()
    clock.place([1024], START + SECOND)
    for second in range(2, 12):
        assert clock.place([], START + second * SECOND, contact=contact).gap is None
    placement = clock.place([1024], START + 12 * SECOND)
    assert placement.gap == (START + SECOND, START + 11 * SECOND, reason)


def test_a_strap_that_sends_more_rr_than_time_follows_the_clock() -> None:
    # NeuroKit.py issue 39: a Polar H10 sent 3.5 s of RR in 1.95 s.
    clock = BeatClock()
    for second in range(1, 30):
        clock.place([1024], START + second * SECOND)
    clock.place([896, 896, 896, 896], START + 31 * SECOND)
    last = START
    for second in range(32, 120):
        (last,) = clock.place([1024], START + second * SECOND).beat_times_ns
    assert abs(last - (START + 119 * SECOND)) < 50 * MILLISECOND


def test_a_restart_continues_after_a_gap() -> None:
    clock = BeatClock(after_ns=START)
    placement = clock.place([1024], START + 10 * SECOND)
    assert placement.gap == (START, START + 9 * SECOND, GapReason.LINK_LOST)
    assert placement.beat_times_ns == (START + 10 * SECOND,)


def test_a_clock_set_forward_is_a_gap() -> None:
    clock = BeatClock()
    clock.place([1024], START + SECOND, monotonic_ns=SECOND)
    placement = clock.place([1024], START + HOUR, monotonic_ns=2 * SECOND)
    assert placement.gap == (START + SECOND, START + HOUR - SECOND, GapReason.CLOCK_STEPPED)


def test_a_clock_set_back_ends_the_stream() -> None:
    clock = BeatClock()
    clock.place([1024], START + HOUR, monotonic_ns=SECOND)
    with pytest.raises(ClockSteppedBackError):
        clock.place([1024], START, monotonic_ns=2 * SECOND)


@given(
    st.lists(
        st.tuples(
            st.integers(-3 * SECOND, 20 * SECOND),
            st.lists(st.integers(0, 0xFFFF), max_size=9),
            st.sampled_from([None, True, False]),
        ),
        max_size=60,
    )
)
def test_times_increase_whatever_arrives(
    events: list[tuple[int, list[int], bool | None]],
) -> None:
    clock = BeatClock()
    arrival, last = START, 0
    for wait, ticks, contact in events:
        arrival += wait
        placement = clock.place(ticks, arrival, contact=contact)
        assert len(placement.beat_times_ns) == len(ticks)
        if placement.gap:
            start, end, _ = placement.gap
            assert start <= end <= placement.beat_times_ns[0]
        for time in placement.beat_times_ns:
            assert time > last
            last = time
