"""Beats for tests: a recording in the past, and a strap that is worn now."""

from __future__ import annotations

import numpy as np

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, SECOND
from store.protocols.records import Person
from store.stores import Stores
from tests.support.clinic import Clinic

MIDNIGHT = 20_700 * DAY


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


class Strap:
    """A strap that is worn now: a beat a second, every other 20 ms longer."""

    def __init__(self, clinic: Clinic, name: str = "ada", back_s: int = 400) -> None:
        self.stores, self.subject = clinic.stores, clinic.people[name].subject_id
        now = clinic.stores.now()
        self.stream = Stream(new_id(), Origin.SIMULATED, "a strap", now)
        self.stores.beats.put_stream(self.subject, self.stream)
        self.at, self.sequence = now - back_s * SECOND, 1
        self.send()

    def send(self) -> None:
        """All beats until now."""
        batch = []
        while self.at + SECOND < self.stores.now():
            ticks = 1024 + 20 * (self.sequence % 2)
            self.at += ticks * SECOND // 1024
            batch.append(Notification(self.sequence, self.at, 60, (ticks,), (self.at,), True))
            self.sequence += 1
        if batch:
            self.stores.beats.append(self.subject, self.stream.id, batch)
