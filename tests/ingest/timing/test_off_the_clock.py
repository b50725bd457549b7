"""Straps of each kind of fault through decoder, pipeline and outbox: what is stored, and marked."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.straps.live_line import live_line
from ebbtide.beats import Gap, GapReason, Notification
from ebbtide.timestamps import MINUTE, SECOND
from ingest import BatchWriter, Outbox, Recorder
from ingest.recorder import Recording
from ingest.straps.heart_rate import HeartRateMeasurement, encode
from ingest.straps.strap import RawNotification
from tests.support.replay import RecordedStrap
from tests.support.strap_simulation import StrapModel, simulate


@dataclass(frozen=True, slots=True)
class Stored:
    """One stream as it was stored."""

    ticks_per_second: int
    notifications: list[Notification]
    gaps: list[Gap]


class _InBatches(RecordedStrap):
    """Written in batches: one file write a notification takes minutes here."""

    async def events(self) -> AsyncIterator[RawNotification]:
        async for raw in super().events():
            yield replace(raw, monotonic_ns=None)


def recorded(packets: list[tuple[int, bytes]]) -> tuple[list[Stored], Recording, str, str]:
    """Streams, recording, and quality and note of the line, after ``packets``."""
    strap = _InBatches(packets)

    async def run(folder: Path) -> tuple[list[Stored], Recording]:
        with Outbox(folder / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
            recorder = Recorder(strap, writer, "account")
            recording = await recorder.run()
            return [
                Stored(outbox.state(each).stream.ticks_per_second, *outbox.waiting(each, 100_000))
                for each in recorder.stream_ids
            ], recording

    with tempfile.TemporaryDirectory() as folder:
        streams, recording = asyncio.run(run(Path(folder)))
    line = live_line("a strap", "p", recording, strap.ticks_per_second, 0, packets[-1][0])
    return streams, recording, line.quality, line.note


def packets_of(model: StrapModel, seconds: float) -> list[tuple[int, bytes]]:
    return [
        (one.arrival_ns, encode(HeartRateMeasurement(one.heart_rate_bpm, rr_ticks=one.rr_ticks)))
        for one in simulate(model, seconds)
    ]


def assert_none_placed_late(streams: list[Stored]) -> None:
    for stream in streams:
        for item in stream.notifications:
            assert all(time <= item.received_ns + SECOND + 1e7 for time in item.beat_times_ns)


def off_the_clock(streams: list[Stored]) -> list[Gap]:
    return [gap for one in streams for gap in one.gaps if gap.reason is GapReason.OFF_THE_CLOCK]


hearts = st.builds(
    StrapModel,
    rr_s=st.floats(0.5, 0.9),
    spread_s=st.floats(0.01, 0.05),
    jitter_s=st.floats(0.005, 0.06),
    skew_ppm=st.floats(-200, 200),
    seed=st.integers(0, 10_000),
)


@settings(max_examples=20, deadline=None)
@given(hearts, st.sampled_from([1000, 512, 2048, 256]))
def test_a_new_stream_with_the_right_scale_begins(model: StrapModel, scale: int) -> None:
    packets = packets_of(replace(model, ticks_per_second=scale), 100)
    streams, recording, quality, note = recorded(packets)
    assert [one.ticks_per_second for one in streams] == [1024, scale]
    first, second = streams
    (gap,) = [gap for gap in first.gaps if gap.reason is GapReason.OFF_THE_CLOCK]
    assert gap.end_ns - packets[0][0] <= 66 * SECOND
    # What was stored before the notice, of the last minute, is marked.
    beats = [time for one in first.notifications for time in one.beat_times_ns]
    assert gap.start_ns <= packets[0][0] + 3 * SECOND or gap.end_ns - gap.start_ns >= 0.9 * MINUTE
    assert max(beats) < gap.end_ns
    assert sum(gap.start_ns <= time < gap.end_ns for time in beats) > 0.85 * len(beats)
    assert_none_placed_late(streams)
    # What follows is that heart.
    rr_s = [ticks / scale for one in second.notifications for ticks in one.rr_ticks]
    assert abs(sum(rr_s) / len(rr_s) - model.rr_s) < 0.03
    assert not off_the_clock([second])
    assert quality != "good"
    assert f"1/{scale} s" in note
    assert recording.misfit is not None


@settings(max_examples=20, deadline=None)
@given(hearts, st.floats(1.06, 1.5))
def test_repeated_intervals_are_marked_and_then_left_out(model: StrapModel, rr_s: float) -> None:
    model = replace(model, rr_s=rr_s, fault="repeats the last interval")
    packets = packets_of(model, 100)
    streams, _, quality, note = recorded(packets)
    assert len(streams) == 1
    gap = off_the_clock(streams)[0]
    # Near 1.06 s only one second in 17 brings a copy: one such recording in 250 takes over 66 s.
    within_s = 66 if rr_s >= 1.08 else 90
    assert gap.end_ns - packets[0][0] <= within_s * SECOND
    assert_none_placed_late(streams)
    # Left out are all intervals, or the copies where each comes twice: time is not exceeded.
    after = [one for one in streams[0].notifications if one.received_ns > gap.end_ns]
    assert after and all(one.heart_rate_bpm > 0 for one in after)
    filled_s = sum(ticks for one in after for ticks in one.rr_ticks) / 1024
    assert filled_s < (packets[-1][0] - gap.end_ns) / SECOND + 2 * rr_s
    assert quality != "good"
    assert note


@settings(max_examples=20, deadline=None)
@given(hearts.map(lambda one: replace(one, fault="sent twice")))
def test_a_second_delivery_is_left_out_within_a_minute(model: StrapModel) -> None:
    packets = packets_of(model, 150)
    true = packets_of(replace(model, fault=""), 150)
    streams, recording, quality, note = recorded(packets)
    gaps = off_the_clock(streams)
    # None where each copy came at once, and none was stored.
    noticed_ns = gaps[-1].end_ns if gaps else packets[0][0]
    assert noticed_ns - packets[0][0] <= 62 * SECOND
    assert_none_placed_late(streams)
    from_ns = noticed_ns + 10 * SECOND
    later = [one for stream in streams for one in stream.notifications if one.received_ns > from_ns]
    sent = sum(at > from_ns for at, _ in true)
    assert abs(len([one for one in later if one.rr_ticks]) - sent) <= 0.1 * sent
    assert recording.repeated > 0
    assert not gaps or (quality != "good" and note)


@settings(max_examples=30, deadline=None)
@given(
    hearts,
    st.sampled_from([0xFFFF, 0xFFFE, 0x8000, 0x7FFF, 9999, 0x2FFF]),
    st.integers(20, 60),
)
def test_codes_for_no_value_are_no_intervals(model: StrapModel, code: int, every: int) -> None:
    packets = [
        (at, payload[:-2] + code.to_bytes(2, "little"))
        if number % every == every // 2 and payload[0] & 0x10
        else (at, payload)
        for number, (at, payload) in enumerate(packets_of(model, 90))
    ]
    streams, recording, _, note = recorded(packets)
    stored = [ticks for one in streams for item in one.notifications for ticks in item.rr_ticks]
    assert max(stored) < 3 * 1024
    assert_none_placed_late(streams)
    assert sum(len(one.gaps) for one in streams) > 0
    assert sum(recording.faults.values()) > 0
    assert note.count("no value") == 1


@pytest.mark.parametrize("seed", range(10))
def test_an_honest_strap_is_stored_whole(seed: int) -> None:
    model = StrapModel(rr_s=0.6 + 0.06 * seed, seed=seed, skew_ppm=40.0 * seed - 200)
    packets = packets_of(model, 180)
    streams, recording, quality, note = recorded(packets)
    assert len(streams) == 1
    assert streams[0].gaps == []
    assert recording.misfit is None
    assert quality == "good"
    assert note == ""
