"""The clock of analysts: local, without a zone, in weeks in which no change of clocks is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.services.research_identity import (
    DELAYS,
    MIN_DELAY_WEEKS,
    MIN_SHIFT_WEEKS,
    SHIFTS,
    WEEK,
    ResearchClock,
    make_identity,
)
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, from_datetime, to_datetime

# Those of which clocks change in the night that is left out, and others.
ZONES = [
    *("Europe/Berlin", "Europe/Lisbon", "Europe/Athens", "America/New_York"),
    *("America/Los_Angeles", "Australia/Sydney", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"),
]
OTHER_ZONES = ["Africa/Cairo", "Asia/Jerusalem", "America/Nuuk"]
FIRST, LAST = (from_datetime(datetime(year, 1, 1, tzinfo=UTC)) for year in (2014, 2026))
MOMENTS = st.integers(FIRST, LAST - 1)


def clock(zone: str, jitter_ns: int = 0, shift: int = 300) -> ResearchClock:
    return ResearchClock(zone, shift, jitter_ns, 7)


def wall_clock(time_ns: int, zone: str) -> int:
    offset = to_datetime(time_ns, zone).utcoffset() or timedelta()
    return time_ns + round(offset.total_seconds()) * SECOND


@given(st.sampled_from(ZONES), MOMENTS)
def test_outside_of_the_night_it_is_the_wall_clock(zone: str, moment: int) -> None:
    moved, inside = clock(zone).to_research(np.array([moment]))
    wall = wall_clock(moment, zone)
    of_week = (wall - 3 * DAY) % WEEK  # from Sunday on
    assert bool(inside[0]) == (4 * HOUR <= of_week < 6 * DAY + 22 * HOUR)
    if inside[0]:
        assert moved[0] == wall - 300 * WEEK


@given(
    st.sampled_from(ZONES + OTHER_ZONES),
    st.lists(MOMENTS, min_size=2, max_size=30),
    st.integers(0, 5 * MINUTE - 1),
)
def test_order_and_intervals_of_a_week_stay(zone: str, moments: list[int], jitter: int) -> None:
    """Also where clocks change on another day: nothing in a week jumps."""
    some = clock(zone, jitter)
    near = [moments[0] + k * 9 * HOUR for k in range(30)]
    times = np.array(sorted({*moments, *near}), dtype=np.int64)
    moved, inside = some.to_research(times)
    times, moved = times[inside], moved[inside]
    assert np.all(np.diff(moved) > 0)
    weeks = (moved - 3 * DAY - 4 * HOUR) // WEEK
    same = np.diff(weeks) == 0
    assert np.array_equal(np.diff(moved)[same], np.diff(times)[same])
    assert [some.to_true(int(moment)) for moment in moved] == times.tolist()
    of_week = (moved - 3 * DAY) % WEEK
    assert np.all((of_week >= 4 * HOUR) & (of_week < 6 * DAY + 22 * HOUR))


@pytest.mark.parametrize("zone", ZONES + OTHER_ZONES)
def test_weeks_of_a_change_look_as_all_weeks(zone: str) -> None:
    """Somebody who is recorded without a break: each week has the same first and last moment."""
    times = np.arange(FIRST, LAST, MINUTE, dtype=np.int64)
    moved, inside = clock(zone, 77 * SECOND).to_research(times)
    of_week = (moved[inside] - 3 * DAY) % WEEK
    starts = np.flatnonzero(np.diff(of_week) < 0)[1:]
    assert len(set(of_week[starts + 1].tolist())) == 1
    assert len(set(of_week[starts].tolist())) == 1
    counts = np.diff(starts)
    assert set(counts.tolist()) == {162 * 60}


@given(st.sampled_from(ZONES), MOMENTS, MOMENTS)
def test_what_is_released_tells_the_weeks_and_the_delay_together_only(
    zone: str, at_ns: int, moment: int
) -> None:
    """Another delay with as many weeks more releases the same rows at the same moment, and so do
    all zones: nothing that is seen tells them apart.
    """
    one = ResearchClock(zone, 300, 5, 7)
    for delay in range(4, 36):
        other = ResearchClock("UTC", 300 + 7 - delay, 5, delay)
        assert other.released_end(at_ns) == one.released_end(at_ns)
    moved, _ = one.to_research(np.array([moment]))
    if moved[0] < one.released_end(at_ns):
        assert moment < at_ns - 7 * WEEK
    wednesday = datetime(2026, 11, 25, tzinfo=UTC)
    ends = {one.released_end(from_datetime(wednesday + timedelta(days=day))) for day in range(7)}
    assert len(ends) == 1
    assert one.released_end(from_datetime(wednesday) - 1) == ends.pop() - WEEK


def test_identities_are_drawn_from_a_secret() -> None:
    people = [make_identity(b"secret", "ann", f"p{k}", "UTC") for k in range(4000)]
    shifts = {item.clock.shift_weeks - MIN_SHIFT_WEEKS for item in people}
    delays = [item.clock.delay_weeks - MIN_DELAY_WEEKS for item in people]
    assert min(shifts) >= 0 and max(shifts) < SHIFTS and len(shifts) > 0.95 * SHIFTS
    assert set(delays) == set(range(DELAYS))
    assert max(np.bincount(delays)) < 2 * len(people) / DELAYS
    jitters = np.array([item.clock.jitter_ns for item in people])
    assert len(set(jitters.tolist())) > 3900
    assert jitters.min() >= 0 and jitters.max() < 5 * MINUTE
    first, same, other, elsewhere = (
        make_identity(secret, analyst, "p0", "UTC")
        for secret, analyst in ((b"secret", "ann"),) * 2 + ((b"secret", "bob"), (b"another", "ann"))
    )
    assert first == same
    assert first.name != other.name and first.hide_id("x") != other.hide_id("x")
    assert (first.clock.delay_weeks, first.clock.jitter_ns) == (
        other.clock.delay_weeks,
        other.clock.jitter_ns,
    )
    assert elsewhere.name not in (first.name, other.name)
    assert "secret" not in repr(first) and first._key.hex() not in repr(first)
