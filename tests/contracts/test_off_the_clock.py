"""Beats within a gap ``intervals off the clock`` stay stored and enter no metric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.windows import BeatArrays, hrv_windows
from ebbtide.beats import Gap, GapReason, Notification
from ebbtide.timestamps import MINUTE, SECOND
from store import BeatStore
from tests.support.beats import FOREVER, START, a_stream

WINDOW = 2 * MINUTE
FIRST = START + 10 * SECOND  # of four windows


def beats_of(seconds: int) -> list[Notification]:
    """Beats of varied intervals, some one a second, with contact."""
    ticks = np.random.default_rng(4).normal(1024, 30, seconds).astype(int)
    times = START + np.cumsum(ticks) * SECOND // 1024
    return [
        Notification(n, time, 60, (rr,), (time,), True)
        for n, (rr, time) in enumerate(zip(ticks.tolist(), times.tolist(), strict=True), 1)
    ]


def windows_of(store: BeatStore) -> NDArray[np.float64]:
    beats = store.read("subject", *FOREVER)
    arrays = BeatArrays(
        beats.time_ns,
        beats.rr_ticks * (1000 / beats.ticks_per_second),
        beats.follows,
        beats.contact,
        beats.stream,
    )
    starts = FIRST + np.arange(4) * WINDOW
    return hrv_windows(arrays, starts, WINDOW).value("rmssd_ms")


def test_beats_that_were_stored_before_the_notice_enter_no_window(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, beats_of(520))
    assert np.isfinite(windows_of(beat_store)).all()
    # The notice comes with the notification after them: a gap over the second and third window.
    last = 521
    gap = Gap(last, FIRST + WINDOW, FIRST + 3 * WINDOW, GapReason.OFF_THE_CLOCK)
    notice = replace(beats_of(1)[0], sequence=last, received_ns=START + 2 * last * SECOND)
    notice = replace(notice, rr_ticks=(), beat_times_ns=())
    beat_store.append("subject", stream, [notice], [gap])
    assert len(beat_store.read("subject", *FOREVER)) == 520  # nothing that was stored is lost
    assert np.isfinite(windows_of(beat_store)).tolist() == [True, False, False, True]
