"""A strap that plays a recording: the bytes of a real strap, with simulated arrival times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress

from ebbtide import timestamps
from ebbtide.beats import GapReason, Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.straps.heart_rate import HeartRateMeasurement, decode, encode
from ingest.straps.strap import RawNotification, SignalBreak

_MAX_RR = 9  # what fits a notification of 20 bytes
_LATENCY = 40 * MILLISECOND
_SIGNAL_BREAK = 10 * SECOND  # silence where the recording could not be read


def span_ns(runs: Sequence[Sequence[int]]) -> int:
    """How long the recording takes to play, breaks included."""
    ticks = sum(sum(run) for run in runs)
    return ticks * SECOND // STRAP_TICKS_PER_SECOND + _SIGNAL_BREAK * max(0, len(runs) - 1)


def notifications(
    runs: Sequence[Sequence[int]], start_ns: int
) -> Iterator[tuple[int, bytes] | SignalBreak]:
    """Yield (arrival time, bytes) of each notification, as a strap sends them: once a second, with
    the RR intervals that ended since the last one. Between runs there is a SignalBreak.
    """
    run_start = start_ns
    for index, run in enumerate(runs):
        if index:
            yield SignalBreak(GapReason.LINK_LOST)
        elapsed = 0  # ticks from the run's start to the beat at hand
        tick_time = run_start
        waiting: list[int] = []
        for rr in run:
            elapsed += rr
            beat = run_start + elapsed * SECOND // STRAP_TICKS_PER_SECOND
            while beat > tick_time + SECOND:
                tick_time += SECOND
                if waiting:
                    yield tick_time + _LATENCY, _payload(waiting)
                    waiting = []
            waiting.append(rr)
            if len(waiting) == _MAX_RR:
                yield beat + _LATENCY, _payload(waiting)
                waiting = []
        end = run_start + elapsed * SECOND // STRAP_TICKS_PER_SECOND
        if waiting:
            yield tick_time + SECOND + _LATENCY, _payload(waiting)
        run_start = end + _SIGNAL_BREAK


def _payload(rr_ticks: Sequence[int]) -> bytes:
    mean = sum(rr_ticks) / len(rr_ticks)
    heart_rate = round(60 * STRAP_TICKS_PER_SECOND / mean) if mean else 0
    return encode(
        HeartRateMeasurement(min(heart_rate, 0xFFFF), contact=True, rr_ticks=tuple(rr_ticks))
    )


class SimulatedStrap:
    """Plays ``runs`` (RR ticks of 1/1024 s).

    With ``start_ns`` the recording is played at once, with arrival times from then on. Without,
    it is played live, one notification a second, and again from its beginning when it ends.
    """

    origin = Origin.SIMULATED
    ticks_per_second = STRAP_TICKS_PER_SECOND

    def __init__(
        self, name: str, runs: Sequence[Sequence[int]], start_ns: int | None = None
    ) -> None:
        self._name = name
        self._runs = runs
        self._start = start_ns
        self._stopped = asyncio.Event()

    @property
    def name(self) -> str:
        """The name of the recording."""
        return self._name

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """Decode as for a real strap."""
        return decode(payload)

    def stop(self) -> None:
        """End ``events``."""
        self._stopped.set()

    async def events(self) -> AsyncIterator[RawNotification | SignalBreak]:
        """Yield the notifications, at once or live."""
        if self._start is not None:
            for event in notifications(self._runs, self._start):
                yield (
                    event if isinstance(event, SignalBreak) else RawNotification(event[1], event[0])
                )
            return
        while not self._stopped.is_set():
            async for live in self._live():
                yield live
            yield SignalBreak(GapReason.PAUSED)

    async def _live(self) -> AsyncIterator[RawNotification | SignalBreak]:
        start, monotonic = timestamps.now_ns(), timestamps.monotonic_ns()
        for event in notifications(self._runs, start):
            if isinstance(event, SignalBreak):
                yield event
                continue
            due = monotonic + event[0] - start
            wait = max(0, due - timestamps.monotonic_ns()) / SECOND
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)
                return
            yield RawNotification(event[1], timestamps.now_ns(), timestamps.monotonic_ns())
