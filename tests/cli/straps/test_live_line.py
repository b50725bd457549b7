"""The line of a recording."""

from __future__ import annotations

import pytest

from cli.straps.live_line import live_line
from ebbtide.timestamps import SECOND
from ingest.recorder import RecentBeat, Recording
from ingest.straps.strap import ConnectionState

NOW = 1_790_000_000 * SECOND


def recording(*, contact: bool | None = True, rr: int = 850, late_s: float = 0) -> Recording:
    made = Recording(
        beats=80, heart_rate_bpm=72, contact=contact, connection=ConnectionState.CONNECTED
    )
    made.last_arrival_ns = NOW - int(late_s * SECOND)
    time_ns = NOW
    for n in range(80):
        ticks = rr + 10 * (n % 3)
        made.recent.appendleft(RecentBeat(time_ns, ticks, contact, True))
        time_ns -= ticks * SECOND // 1024
    return made


def test_the_live_line_of_a_good_minute() -> None:
    line = live_line("H10", "ada", recording(), 1024, 3, NOW)
    assert (line.quality, line.heart_rate_bpm, line.beats_waiting) == ("good", 72, 3)
    # Differences of +10, +10 and -20 ticks: the root of 200, in ms.
    assert line.rmssd_ms == pytest.approx(200**0.5 * 1000 / 1024, rel=0.02)


def test_the_live_line_says_what_is_wrong() -> None:
    assert "wet" in live_line("x", "a", recording(contact=False), 1024, 0, NOW).quality
    old = live_line("x", "a", recording(late_s=20), 1024, 0, NOW)
    assert (old.quality, old.heart_rate_bpm, old.rmssd_ms) == ("no signal", None, None)
    bare = Recording(heart_rate_bpm=70, without_rr=40, last_arrival_ns=NOW)
    assert "without RR" in live_line("x", "a", bare, 1024, 0, NOW).quality
    stopped = recording()
    later = NOW + 8 * SECOND
    stopped.last_arrival_ns = later
    assert "no RR just now" in live_line("x", "a", stopped, 1024, 0, later).quality
    short = Recording(heart_rate_bpm=70, last_arrival_ns=NOW)
    assert live_line("x", "a", short, 1024, 0, NOW).quality == "not known yet"
