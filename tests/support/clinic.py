"""A small clinic: people of every role, two patients with data, over a running API."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI

from api.app import create_app
from api.services.access_tokens import issue_token
from cli.server.thread import ApiThread
from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import (
    PLANNED_BY_PROGRAMME,
    Consent,
    Person,
    Purpose,
    QuestionnaireResponse,
    Rating,
    Role,
    TherapySession,
    pack_answers,
)
from tests.support.accounts import add_account


@dataclass
class Clinic:
    """People by name (of each role one, but two patients), and clients that are signed in."""

    stores: Stores
    url: str
    snapshots: Path
    people: dict[str, Person] = field(default_factory=dict)
    clients: dict[str, httpx.Client] = field(default_factory=dict)
    app: FastAPI | None = None  # where it runs in this process

    def __getitem__(self, name: str) -> httpx.Client:
        return self.clients[name]

    def id(self, name: str) -> str:
        """A person's id."""
        return self.people[name].id

    def add(self, name: str, role: Role, *, agrees: bool = True) -> Person:
        """Another person, signed in. A patient ``agrees`` to keeping."""
        person = add_account(
            self.stores,
            f"{name}@example.org",
            name=f"The name of {name}",
            zone="Europe/Berlin",
            role=role,
            agrees=agrees,
        )
        self.people[name] = person
        token, _ = issue_token(self.stores, person)
        self.clients[name] = self.client(token)
        return person

    def client(self, token: str) -> httpx.Client:
        """A client with this token."""
        return httpx.Client(
            base_url=self.url, timeout=60, headers={"Authorization": f"Bearer {token}"}
        )

    def agree(self, name: str, purpose: Purpose, given: bool = True) -> None:
        """A patient's answer."""
        self.stores.records.add_consent(
            Consent(self.id(name), purpose, given, "test, 1", self.stores.now())
        )


@contextmanager
def opened_clinic(stores: Stores, data_dir: Path | None = None) -> Iterator[Clinic]:
    """Ada and Eve are patients in the care of Tom; Tess is another therapist; Ann analyses; Adam
    administers. No consent is given yet but to keeping.
    """
    many = {"requests_a_minute": 10**6, "anonymous_requests_a_minute": 10**6}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings().model_copy(update={**many, "data_dir": data_dir or Path(folder)})
        app = create_app(stores, settings)
        with ApiThread(app) as api, _staffed(stores, api, settings) as all_:
            all_.app = app
            yield all_


@contextmanager
def _staffed(stores: Stores, api: ApiThread, settings: Settings) -> Iterator[Clinic]:
    clinic = Clinic(stores, api.url, settings.snapshots_dir)
    for name, role in (
        ("ada", Role.PATIENT),
        ("eve", Role.PATIENT),
        ("tom", Role.THERAPIST),
        ("tess", Role.THERAPIST),
        ("ann", Role.ANALYST),
        ("adam", Role.ADMINISTRATOR),
    ):
        clinic.add(name, role)
    for name in ("ada", "eve"):
        stores.access.put_care(clinic.id("tom"), clinic.id(name), stores.now())
    try:
        yield clinic
    finally:
        for client in clinic.clients.values():
            client.close()


def fill(
    stores: Stores, person: Person, *, days: int = 3, seed: int = 1, weeks_ago: int = 0
) -> Stream:
    """Some days with two hours of beats each, two ratings a day, a gap, and a session. Returns the
    stream. ``weeks_ago``: how long before now.
    """
    rng = np.random.default_rng(seed)
    # The seconds keep these times apart from the examples in the OpenAPI document.
    begin = stores.now() // DAY * DAY - (days + 1 + 7 * weeks_ago) * DAY + 9 * HOUR + 7 * SECOND
    stream = Stream(new_id(), Origin.STRAP, f"Polar H10 of {person.name}", begin)
    stores.beats.put_stream(person.subject_id, stream)
    sequence = 1
    for day in range(days):
        at = begin + day * DAY
        batch, gaps = [], []
        if day:
            gaps.append(Gap(sequence, at - HOUR, at, GapReason.LINK_LOST))
        while at < begin + day * DAY + 2 * HOUR:
            ticks = int(min(max(rng.normal(880, 40), 500), 1500))
            at += ticks * SECOND // 1024
            batch.append(Notification(sequence, at + 9, 70, (ticks,), (at,), True))
            sequence += 1
        stores.beats.append(person.subject_id, stream.id, batch, gaps)
        for hour in (1, 2):
            about = begin + day * DAY + hour * HOUR + MINUTE
            stores.records.add_rating(
                Rating(
                    new_id(),
                    1,
                    person.id,
                    about // 1000 * 1000,
                    about // 1000 * 1000,
                    person.zone,
                    int(rng.integers(0, 11)),
                    int(rng.integers(0, 11)),
                    int(rng.integers(0, 11)) if hour == 1 else None,
                    False,
                )
            )
    stores.records.add_session(
        TherapySession(new_id(), person.id, 1, begin + HOUR, changed_ns=stores.now())
    )
    stores.programme.add_response(
        QuestionnaireResponse(
            *(new_id(), 1, person.id, "gad7", 1, "en", pack_answers({"1": 3, "2": 1})),
            *(begin + HOUR, begin + HOUR, person.zone, "before", PLANNED_BY_PROGRAMME, False),
        )
    )
    return stream


def add_rating(clinic: Clinic, name: str, about_ns: int, **more: Any) -> Rating:
    """Store a rating of this person; it is returned."""
    person = clinic.people[name]
    fields: dict[str, Any] = {
        **{"id": new_id(), "version": 1, "person_id": person.id, "zone": person.zone},
        **{"about_ns": about_ns // 1000 * 1000, "pain": 3, "stress": 4, "pleasant": None},
        **{"simulated": False, "entered_ns": clinic.stores.now() // 1000 * 1000},
    }
    return clinic.stores.records.add_rating(Rating(**fields | more))
