"""A clinic with some weeks of life in it, for pictures and a browser: everything is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import (
    Note,
    NoteKind,
    Practice,
    PracticeKind,
    Programme,
    Purpose,
    Rating,
    Role,
    SessionNotes,
    TherapySession,
)
from tests.support.clinic import Clinic, opened_clinic

WEEKS = 4


@contextmanager
def played_clinic(stores: Stores) -> Iterator[Clinic]:
    """Ada is in her fifth week; Eve has fallen silent; three more agreed to research."""
    with opened_clinic(stores) as clinic:
        for number in range(3):
            clinic.add(f"sim{number}", Role.PATIENT)
        for seed, name in enumerate(("ada", "eve", "sim0", "sim1", "sim2")):
            live(clinic, name, seed, until_days=9 if name == "eve" else 0)
            clinic.agree(name, Purpose.RESEARCH)
        for name in ("ada", "eve"):
            clinic.agree(name, Purpose.CARE)
        yield clinic


def live(clinic: Clinic, name: str, seed: int, until_days: int) -> None:
    """Four weeks: two ratings a day, an hour of beats a day, sessions, notes, practices."""
    stores, person = clinic.stores, clinic.people[name]
    rng = np.random.default_rng(seed)
    now = stores.now()
    begin = now - WEEKS * 7 * DAY
    days = WEEKS * 7 - until_days
    stream = Stream(new_id(), Origin.SIMULATED, "a simulated strap", begin)
    stores.beats.put_stream(person.subject_id, stream)
    sequence = 1
    for day in range(days):
        at, batch = begin + day * DAY, []
        while at < begin + day * DAY + HOUR:
            ticks = int(min(max(rng.normal(900, 42), 500), 1500))
            at += ticks * SECOND // 1024
            batch.append(Notification(sequence, at, 68, (ticks,), (at,), True))
            sequence += 1
        stores.beats.append(person.subject_id, stream.id, batch)
        for part in (0, 1):
            mood = rng.normal(0, 1.3)
            pain, stress = (
                int(np.clip(round(level - day / 9 + share * mood + rng.normal(0, 0.8)), 0, 10))
                for level, share in ((6.2, 0.8), (6.8, 1.0))
            )
            about = begin + day * DAY + HOUR + part * 9 * HOUR
            if about < now - MINUTE:
                stores.records.add_rating(
                    Rating(
                        *(new_id(), 1, person.id, about, about, person.zone, pain, stress),
                        int(rng.integers(2, 8)) if part else None,
                        True,
                    )
                )
        if day % 3 == 0:
            kind, words = (
                (NoteKind.TRIGGER, "sitting long"),
                (NoteKind.PLEASANT, "sun on the balcony"),
                (NoteKind.HELPED, "a walk with the dog"),
                (NoteKind.FEAR, "that bending harms me"),
            )[day // 3 % 4]
            moment = begin + day * DAY + 2 * HOUR
            stores.programme.put_note(Note(new_id(), person.id, kind, words, moment, moment))
        if day % 2:
            start = begin + day * DAY + 20 * MINUTE
            stores.programme.put_practice(
                Practice(
                    *(new_id(), person.id, PracticeKind.TRACKING, start, start + 7 * MINUTE),
                    *(None, 5, 5, 4 + day % 5 // 4, 5 - day % 4 // 2),
                )
            )
    for number in range(1, 8):
        held = begin + int((number - 1) * 3.7 * DAY) + 3 * HOUR
        if held < now:
            stores.records.add_session(TherapySession(new_id(), person.id, number, held))
    if name == "ada":
        stores.records.add_session(TherapySession(new_id(), person.id, 8, now + 20 * HOUR))
    stores.programme.put_programme(Programme(person.id, begin, begin, 2))
    stores.programme.put_session_notes(
        SessionNotes(
            *(person.id, 7, "Less afraid of bending. Sleeps better.", "Track once a day, sitting."),
            *(clinic.id("tom"), 0, now),
        ),
        0,
    )
    clinic.people[name] = replace(person)
