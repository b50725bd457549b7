"""Blocks of beats: what is encoded is decoded, in few bytes, in every version."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebbtide.beats import Notification
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.timing.beat_clock import BeatClock
from store.encoding import beat_block
from tests.support.beats import START, made

notification_lists = st.lists(
    st.builds(
        lambda received, rate, beats, contact, energy: Notification(
            0,
            received,
            rate,
            tuple(ticks for ticks, _ in beats),
            tuple(time for _, time in beats),
            contact,
            energy,
        ),
        st.integers(0, 2**62),
        st.integers(0, 0xFFFF),
        st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**62)), max_size=9),
        st.sampled_from([None, True, False]),
        st.none() | st.integers(0, 0xFFFF),
    ),
    max_size=20,
)


@given(notification_lists)
def test_beats_alone_are_the_beats_of_the_block(notifications: list[Notification]) -> None:
    data = beat_block.encode(beat_block.from_notifications(notifications))
    whole, alone = beat_block.decode(data), beat_block.decode(data, beats_alone=True)
    for name in ("time_ns", "rr_ticks", "rr_count", "contact"):
        assert getattr(whole, name).tolist() == getattr(alone, name).tolist()


@given(notification_lists)
def test_a_block_gives_back_what_went_in(notifications: list[Notification]) -> None:
    block = beat_block.decode(beat_block.encode(beat_block.from_notifications(notifications)))
    assert block.received_ns.tolist() == [n.received_ns for n in notifications]
    assert block.heart_rate_bpm.tolist() == [n.heart_rate_bpm for n in notifications]
    assert block.rr_ticks.tolist() == [t for n in notifications for t in n.rr_ticks]
    assert block.time_ns.tolist() == [t for n in notifications for t in n.beat_times_ns]
    assert [{-1: None}.get(e, e) for e in block.energy_kj.tolist()] == [
        n.energy_kj for n in notifications
    ]
    assert [(True if c == 1 else False if c == 0 else None) for c in block.contact.tolist()] == [
        n.contact for n in notifications
    ]


def test_a_damaged_block_is_an_error_and_not_other_beats() -> None:
    data = beat_block.encode(beat_block.from_notifications(made(1, 50)))
    for damaged in (data[:5], data[:-9], b"\x63" + data[1:]):
        with pytest.raises(ValueError, match=r"damaged|not known"):
            beat_block.decode(damaged)


def test_blocks_of_version_1_are_read() -> None:
    notifications = made(1, 50)
    block = beat_block.from_notifications(notifications)
    # As version 1 packed it.
    columns = (
        np.diff(block.received_ns, prepend=np.int64(0)),
        block.heart_rate_bpm,
        block.contact,
        block.energy_kj,
        block.rr_count,
        np.diff(block.time_ns, prepend=np.int64(0)),
        block.rr_ticks,
    )
    planes = [
        np.ascontiguousarray(c).view(np.uint8).reshape(-1, c.itemsize).T.tobytes() for c in columns
    ]
    data = struct.pack("<BxxxII", 1, 50, 50) + zlib.compress(b"".join(planes), 6)
    assert beat_block.to_notifications(1, beat_block.decode(data)) == notifications


def test_blocks_are_compact(recordings: Path) -> None:
    """As the recorder places and stores the beats of a strap whose clock is 20 ppm off."""
    rng = np.random.default_rng(1)
    ticks = np.round(np.loadtxt(recordings / "pyhrv_nni_long.txt")[:4096] * 1.024).astype(int)
    clock, time, notifications = BeatClock(1024), float(START), []
    for i, rr in enumerate(ticks.tolist()):
        time += rr * SECOND / 1024 * 1.00002
        received = int(time + (8 + rng.exponential(12)) * MILLISECOND)
        beats = clock.place((rr,), received).beat_times_ns
        rate = round(61440 / float(np.mean(ticks[max(0, i - 7) : i + 1])))
        received -= received % MILLISECOND
        notifications.append(Notification(i + 1, received, rate, (rr,), beats, True))
    data = beat_block.encode(beat_block.from_notifications(notifications))
    assert len(data) / len(ticks) < 3
    assert beat_block.to_notifications(1, beat_block.decode(data)) == notifications
