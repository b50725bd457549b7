"""What straps send, and what the native recorder makes of it: the phone's app must make the same.

``python -m tests.support.replay vectors tests/phone/vectors.json`` writes them. All times are ns
since START, so that a JavaScript number holds them.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ebbtide.beats import GapReason, Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import HOUR, MILLISECOND, SECOND
from ingest import BatchWriter, Outbox, Recorder
from ingest.straps.heart_rate import HeartRateMeasurement, decode, encode
from ingest.straps.polar.measurement import PPI_TICKS_PER_SECOND, decode_ppi
from ingest.straps.strap import RawNotification, SignalBreak
from tests.support.heart_rate_grammar import draw_message
from tests.support.strap_simulation import FAULTS, START, StrapModel, simulate

_MAX_NOTIFICATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes, and when they came, ns since START; by a clock that may be set, and by one that may
    not.
    """

    received: int
    monotonic: int
    payload: bytes


Event = Arrival | GapReason


class ScriptedStrap:
    """A strap that sends ``events``; a GapReason is a break."""

    name = "vectors"

    def __init__(self, events: Sequence[Event], is_pulse: bool) -> None:
        self._events = events
        self._is_pulse = is_pulse
        self.origin = Origin.PULSE if is_pulse else Origin.STRAP
        self.ticks_per_second = PPI_TICKS_PER_SECOND if is_pulse else STRAP_TICKS_PER_SECOND

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """Decode as for a real strap."""
        return decode_ppi(payload) if self._is_pulse else decode(payload)

    def stop(self) -> None:
        """Do nothing: ``events`` ends by itself."""

    async def events(self) -> AsyncIterator[RawNotification | SignalBreak]:
        """Yield what there is."""
        for event in self._events:
            if isinstance(event, Arrival):
                yield RawNotification(
                    event.payload, START + event.received, START + event.monotonic
                )
            else:
                yield SignalBreak(event)


async def _record(outbox_path: Path, events: Sequence[Event], is_pulse: bool) -> object:
    with Outbox(outbox_path) as outbox, BatchWriter(outbox) as writer:
        recorder = Recorder(ScriptedStrap(events, is_pulse), writer, "account")
        recording = await recorder.run()
        streams = []
        for stream_id in recorder.stream_ids:
            notifications, gaps = outbox.waiting(stream_id, _MAX_NOTIFICATIONS)
            stream = outbox.state(stream_id).stream
            streams.append(
                {
                    "created": stream.created_ns - START,
                    "ticks_per_second": stream.ticks_per_second,
                    "notifications": [
                        [
                            item.sequence,
                            item.received_ns - START,
                            item.heart_rate_bpm,
                            item.contact,
                            item.energy_kj,
                            list(item.rr_ticks),
                            [time - START for time in item.beat_times_ns],
                        ]
                        for item in notifications
                    ],
                    "gaps": [
                        [gap.sequence, gap.start_ns - START, gap.end_ns - START, str(gap.reason)]
                        for gap in gaps
                    ],
                }
            )
    return {
        "streams": streams,
        "malformed": recording.malformed,
        "repeated": recording.repeated,
    }


def record(events: Sequence[Event], is_pulse: bool = False) -> object:
    """What the native recorder writes of these events."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_record(Path(folder, "outbox.sqlite"), events, is_pulse))


def simulated_arrivals(
    model: StrapModel, seconds: float, contact: bool | None = True
) -> list[Arrival]:
    """What arrives of a simulated strap, to the millisecond."""
    events: list[Arrival] = []
    for item in simulate(model, seconds):
        arrival = (item.arrival_ns - START) // MILLISECOND * MILLISECOND
        measurement = HeartRateMeasurement(
            item.heart_rate_bpm, contact, rr_ticks=item.rr_ticks[:16]
        )
        events.append(Arrival(arrival, arrival, encode(measurement)))
    return events


def _simulated(model: StrapModel, seconds: float, contact: bool | None = True) -> list[Event]:
    return list(simulated_arrivals(model, seconds, contact))


def _from_second(
    events: list[Event], second: int, change: Callable[[Arrival], Event]
) -> list[Event]:
    return [
        change(event) if isinstance(event, Arrival) and event.received >= second * SECOND else event
        for event in events
    ]


def _clock_set(events: list[Event], second: int, by: int) -> list[Event]:
    return _from_second(events, second, lambda one: replace(one, received=one.received + by))


def _broken(events: list[Event], reason: GapReason, start: int, end: int) -> list[Event]:
    """Nothing arrives from ``start`` to ``end``, with a break before the next."""
    kept = [
        event
        for event in events
        if isinstance(event, Arrival) and not start * SECOND <= event.received < end * SECOND
    ]
    at = next(index for index, one in enumerate(kept) if one.received >= end * SECOND)
    return [*kept[:at], reason, *kept[at:]]


def _payloads() -> list[Event]:
    chance = random.Random(25)
    return [Arrival(at * SECOND, at * SECOND, draw_message(chance).payload) for at in range(1, 200)]


def _bursts(events: list[Event]) -> list[Event]:
    """The connection holds up for six seconds, every twenty; all of it comes at once then."""
    late: list[Event] = []
    for event in events:
        assert isinstance(event, Arrival)
        second = event.received // SECOND
        if second % 20 < 6 and second > 20:
            at = (second - second % 20 + 6) * SECOND + (second % 20) * 2 * MILLISECOND
            event = replace(event, received=at, monotonic=at)
        late.append(event)
    return late


def _late_with_copies() -> list[Event]:
    """Every other ten seconds late by most of an interval; a beat in five comes twice at once."""
    events: list[Event] = []
    for beat in range(1, 100):
        sent = beat * 870 * SECOND // STRAP_TICKS_PER_SECOND // MILLISECOND * MILLISECOND
        at = sent + (650 * MILLISECOND if sent // (10 * SECOND) % 2 else 0)
        payload = encode(HeartRateMeasurement(71, True, rr_ticks=(870,)))
        events.append(Arrival(at, at, payload))
        if beat % 5 == 0:
            copied = at + 20 * MILLISECOND
            events.append(Arrival(copied, copied, payload))
    return events


def _pulse() -> list[Event]:
    chance = random.Random(5)
    events: list[Event] = []
    elapsed = 0
    for _ in range(60):
        body = b""
        for _ in range(3):
            interval = chance.randrange(700, 1000)
            elapsed += interval
            flags = 0x06 if chance.random() < 0.9 else 0x07
            body += bytes([70]) + interval.to_bytes(2, "little") + bytes([5, 0, flags])
        payload = bytes([3]) + bytes(8) + bytes([0]) + body
        at = elapsed * MILLISECOND + chance.randrange(100, 900) * MILLISECOND
        events.append(Arrival(at, at, payload))
    events.insert(30, Arrival(events[29].received + 1, events[29].monotonic + 1, b"\x03\x00"))  # type: ignore[union-attr]
    return events


def _without_rr(one: Arrival) -> Arrival:
    return replace(one, payload=encode(HeartRateMeasurement(70, False)))


def cases() -> dict[str, tuple[list[Event], bool]]:
    """All cases by name: events, and whether they are of Polar's pulse intervals."""
    calm = _simulated(StrapModel(seed=1), 100)
    drifting = StrapModel(rr_s=0.95, jitter_s=0.1, skew_ppm=150, seed=2)
    found: dict[str, tuple[list[Event], bool]] = {
        "calm": (calm, False),
        "six minutes with drift": (_simulated(drifting, 380), False),
        "fibrillation, each beat by itself": (
            _simulated(StrapModel(rr_s=0.6, rhythm="fibrillation", per_second=False, seed=3), 90),
            False,
        ),
        "exercise, late for twenty seconds": (
            _simulated(StrapModel(rr_s=0.45, rhythm="exercise", held_up_s=2.0, seed=4), 90),
            False,
        ),
        "a tenth is lost": (
            _simulated(StrapModel(rhythm="ectopic", lost_share=0.1, seed=5), 120),
            False,
        ),
        "ticks of 1/1000 s": (_simulated(StrapModel(ticks_per_second=1000, seed=6), 180), False),
        "without contact field": (_simulated(StrapModel(seed=7), 40, contact=None), False),
        "link lost": (_broken(calm, GapReason.LINK_LOST, 40, 60), False),
        "clock set forward": (_clock_set(calm, 50, 600 * SECOND), False),
        "clock set back by an hour": (_clock_set(calm, 50, -HOUR), False),
        "no contact for a while": (
            [
                _without_rr(one)
                if isinstance(one, Arrival) and 30 <= one.received // SECOND < 45
                else one
                for one in calm
            ],
            False,
        ),
        "held up for six seconds": (_bursts(calm), False),
        "held up, a heart that hardly varies": (
            _bursts(_simulated(StrapModel(spread_s=0.002, per_second=False, seed=8), 130)),
            False,
        ),
        "late by most of an interval, some beats twice": (_late_with_copies(), False),
        "any bytes": (_payloads(), False),
        "pulse intervals": (_pulse(), True),
    }
    for number, fault in enumerate(FAULTS):
        model = StrapModel(rr_s=0.8, fault=fault, seed=20 + number)
        found[f"fault: {fault}"] = (_simulated(model, 130), False)
    return found


def make_vectors() -> list[object]:
    """All cases with what the native recorder writes."""
    return [
        {
            "name": name,
            "is_pulse": is_pulse,
            "events": [
                [event.received, event.monotonic, event.payload.hex()]
                if isinstance(event, Arrival)
                else str(event)
                for event in events
            ],
            "expected": record(events, is_pulse),
        }
        for name, (events, is_pulse) in cases().items()
    ]
