"""A simulated strap that writes its beats into the stores of a clinic."""

from __future__ import annotations

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import SECOND
from tests.support.clinic import Clinic


class LiveStrap:
    """A strap that is worn now: about a beat a second, every other interval 20 ms longer."""

    def __init__(self, clinic: Clinic, name: str = "ada", back_s: int = 400) -> None:
        self.stores, self.subject = clinic.stores, clinic.people[name].subject_id
        now = clinic.stores.now()
        self.stream = Stream(new_id(), Origin.SIMULATED, "a strap", now)
        self.stores.beats.put_stream(self.subject, self.stream)
        self.at, self.sequence = now - back_s * SECOND, 1
        self.send()

    def send(self) -> None:
        """Append all beats until now."""
        batch = []
        while self.at + SECOND < self.stores.now():
            ticks = 1024 + 20 * (self.sequence % 2)
            self.at += ticks * SECOND // 1024
            batch.append(Notification(self.sequence, self.at, 60, (ticks,), (self.at,), True))
            self.sequence += 1
        if batch:
            self.stores.beats.append(self.subject, self.stream.id, batch)
