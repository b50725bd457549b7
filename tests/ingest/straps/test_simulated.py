import asyncio

from hypothesis import given
from hypothesis import strategies as st

from ebbtide.beats import GapReason
from ebbtide.timestamps import SECOND
from ingest.straps.heart_rate import decode
from ingest.straps.simulated import SimulatedStrap, notifications, span_ns
from ingest.straps.strap import RawNotification, SignalBreak
from ingest.timing.beat_clock import BeatClock

START = 1_790_000_000 * SECOND
run = st.lists(st.integers(300, 2100), min_size=1, max_size=60)


@given(st.lists(run, min_size=1, max_size=4))
def test_every_interval_is_sent_once_and_never_before_it_ended(runs: list[list[int]]) -> None:
    sent: list[list[int]] = [[]]
    last_arrival = 0
    for event in notifications(runs, START):
        if isinstance(event, SignalBreak):
            sent.append([])
            continue
        arrival, payload = event
        assert arrival >= last_arrival
        assert len(payload) <= 20
        last_arrival = arrival
        sent[-1] += decode(payload).rr_ticks
    assert sent == runs
    assert last_arrival <= START + span_ns(runs) + 2 * SECOND


def test_played_intervals_are_placed_where_they_were() -> None:
    clock = BeatClock()
    placed: list[int] = []
    ticks = [900, 1000, 1100] * 200
    for event in notifications([ticks], START):
        assert not isinstance(event, SignalBreak)
        placed += clock.place(decode(event[1]).rr_ticks, event[0]).beat_times_ns
    true = START + sum(ticks) * SECOND // 1024
    assert abs(placed[-1] - true) < SECOND // 10


def test_played_runs_are_parted() -> None:
    async def events() -> list[RawNotification | SignalBreak]:
        return [event async for event in SimulatedStrap("x", [[1024], [1024]], START).events()]

    first, parted, second = asyncio.run(events())
    assert isinstance(first, RawNotification)
    assert parted == SignalBreak(GapReason.LINK_LOST)
    assert isinstance(second, RawNotification)
    assert second.monotonic_ns is None
