"""Beats, streams and windows to fill stores of beats with."""

from __future__ import annotations

import numpy as np

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, SECOND
from store import BeatStore, Stores
from store.models import DailyWindows, Person

MIDNIGHT = 20_700 * DAY
START = 1_790_000_000 * SECOND


FOREVER = (START - SECOND, START + 10**9 * SECOND)


def made(first: int, last: int) -> list[Notification]:
    """One beat a second; sequence n is n seconds after the start."""
    return [
        Notification(
            n,
            START + n * SECOND + 7,
            60 + n % 5,
            (1000 + n % 50,),
            (START + n * SECOND,),
            (None, True, False)[n % 3],
            n % 7 or None,
        )
        for n in range(first, last + 1)
    ]


def a_stream(store: BeatStore, subject: str = "subject") -> str:
    stream = Stream(new_id(), Origin.STRAP, "a strap", START)
    store.put_stream(subject, stream)
    return stream.id


def a_day(content: str, windows: int) -> DailyWindows:
    """Windows of the day of START; the first has no figure."""
    starts = START + np.arange(windows) * windows * 60 * SECOND
    rmssd = np.arange(windows) + 30.25
    rmssd[0 if windows > 2 else -1] = np.nan
    return DailyWindows(content, starts, {"rmssd_ms": rmssd})


def assert_same_days(found: dict[int, DailyWindows], expected: dict[int, DailyWindows]) -> None:
    assert found.keys() == expected.keys()
    for day, held in expected.items():
        assert found[day].fingerprint == held.fingerprint
        assert found[day].start_ns.tolist() == held.start_ns.tolist()
        np.testing.assert_array_equal(found[day].metrics["rmssd_ms"], held.metrics["rmssd_ms"])


def put_beats(stores: Stores, person: Person, start_ns: int, count: int, seed: int = 1) -> str:
    rng = np.random.default_rng(seed)
    rr = 850 + 40 * np.sin(np.arange(count) * 1.3) + rng.normal(0, 12, count)
    ticks = np.round(rr * 1.024).astype(int)
    times = start_ns + np.cumsum(ticks) * (SECOND // 1024)
    stream = new_id()
    stores.beats.put_stream(person.subject_id, Stream(stream, Origin.STRAP, "a strap", start_ns))
    stores.beats.append(
        person.subject_id,
        stream,
        [
            Notification(k + 1, int(t), 70, (int(n),), (int(t),))
            for k, (t, n) in enumerate(zip(times, ticks, strict=True))
        ],
    )
    return stream
