"""People of every role with fixed data, all of it sent through the API."""

from __future__ import annotations

import contextlib
import hashlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from normalising import SECOND
from product import Product

PASSWORD = "correct horse battery"
WRONG = "not the right words"


def fixed_id(words: str) -> str:
    """A UUID that is the same in every recording (and looks random to the product)."""
    made = hashlib.sha256(words.encode()).digest()[:16]
    return str(uuid.UUID(bytes=made, version=4))


def instant(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment on the given day, counted from 24 October 2026."""
    begin = datetime(2026, 10, 24, tzinfo=UTC)
    return begin + timedelta(days=day, hours=hour, minutes=minute)


PEOPLE = {
    "ada": "patient",
    "ben": "patient",
    "cleo": "patient",
    "eve": "patient",
    "tom": "therapist",
    "tess": "therapist",
    "ann": "analyst",
    "adam": "administrator",
}
ROLES = ("anonymous", "ada", "ada's device", "eve", "tom", "tess", "ann", "adam")


def bearer(token: str) -> dict[str, str]:
    """The Authorization header of a token."""
    return {"Authorization": f"Bearer {token}"}


def ratings_of(name: str, seed: int, days: int) -> list[dict[str, Any]]:
    """Two ratings a day that go down over the weeks, with pain and stress moving together."""
    rng = random.Random(seed)
    found: list[dict[str, Any]] = []
    for day in range(30 - days, 30):
        for part, hour in enumerate((8, 18)):
            mood = rng.gauss(0, 1.6)
            pain, stress = (
                min(10, max(0, round(level - day / 10 + share * mood + rng.gauss(0, 0.8))))
                for level, share in ((6.0, 0.8), (6.6, 1.0))
            )
            body: dict[str, Any] = {
                "id": fixed_id(f"{name} rating {day} {part}"),
                **{"pain": pain, "stress": stress},
                "about": instant(day, hour).isoformat(),
            }
            if part:
                body["pleasant"] = rng.randint(2, 8)
            if day % 6 == 0:
                body["note"] = f"A note of {name}, day {day}."
            found.append(body)
    return found


def intervals(seed: int, count: int, artefacts: bool = True) -> list[int]:
    """RR intervals in ms with a breathing rhythm, and with some beats missed, extra and early."""
    rng = random.Random(seed)
    found: list[int] = []
    level = 0.0
    for k in range(count):
        level = 0.9 * level + rng.gauss(0, 9)
        wave = 30 * (1 if (k // 6) % 2 else -1)
        found.append(round(870 + level + wave + rng.gauss(0, 12)))
    if artefacts:
        for at, value in ((70, 1790), (150, 430), (151, 440), (260, 560), (261, 1190)):
            if at < count:
                found[at] = value
    return found


class Clinic:
    """People of every role with fixed data, all of it sent through the API."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ids: dict[str, str] = {}
        self.clients = {"anonymous": httpx.Client(base_url=product.url, timeout=60)}

    def make_administrator(self) -> None:
        """The first account, before the API is served; the others are invited."""
        words = ("--name", "The name of adam", "--zone", "Europe/Berlin")
        typed = f"{PASSWORD}\n{PASSWORD}\n"
        done = self.product.run("add-account", "adam@example.org", *words, typed=typed)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def client(self, name: str, device: str | None = None) -> httpx.Client:
        """Sign in again."""
        body = {"email": f"{name}@example.org", "password": PASSWORD}
        body |= {"device": device} if device else {}
        answer = httpx.post(f"{self.product.url}/v1/sign-in", json=body, timeout=60)
        token = answer.raise_for_status().json()["token"]
        return httpx.Client(base_url=self.product.url, headers=bearer(token), timeout=60)

    def fill(self) -> None:
        """All the data."""
        self.clients["adam"] = self.client("adam")
        for name, role in PEOPLE.items():
            if name != "adam":
                invited = {"email": f"{name}@example.org", "name": f"The name of {name}"}
                invited |= {"zone": "Europe/Berlin", "role": role}
                token = self.send("adam", "POST", "/v1/invitations", invited)["token"]
                accepted = {"token": token, "password": PASSWORD}
                self.send("anonymous", "POST", "/v1/invitations/accept", accepted)
                self.clients[name] = self.client(name)
            self.ids[name] = self.clients[name].get("/v1/me").json()["id"]
            self.product.normalise.names[self.ids[name]] = f"<id of {name}>"
        self.clients["ada's device"] = self.client("ada", "a recorder")
        for name in ("ada", "ben"):
            path = f"/v1/accounts/{self.ids['tom']}/care/{self.ids[name]}"
            self.send("adam", "PUT", path)
            self.send(name, "PUT", f"/v1/therapists/{self.ids['tom']}")
        for name, purposes in (
            ("ada", ("keeping", "care", "research")),
            ("ben", ("keeping", "care", "research")),
            ("cleo", ("keeping", "research")),
        ):
            for purpose in purposes:
                body = {"purpose": purpose, "given": True, "wording": f"{purpose}, English, 1"}
                self.send(name, "POST", "/v1/consents", body)
        lives = (("ada", 30, 16), ("ben", 25, 2), ("cleo", 20, 2))  # days of ratings, of beats
        for seed, (name, days, beats) in enumerate(lives):
            for body in ratings_of(name, seed, days):
                self.send(name, "POST", "/v1/ratings", body)
            self._beats(name, seed, beats)
        self._programme()

    def send(self, who: str, method: str, path: str, body: object = None) -> Any:
        """A request that has to work."""
        answer = self.clients[who].request(method, path, json=body)
        if not answer.is_success:
            raise RuntimeError(f"{who}: {method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def _beats(self, name: str, seed: int, days: int) -> None:
        """35 minutes before the evening's rating, four beats a notification."""
        stream = fixed_id(f"{name} stream")
        created = int(instant(30 - days, 0).timestamp()) * SECOND
        body = {"origin": "strap", "source": f"Polar H10 of {name}", "created_ns": created}
        self.send(name, "PUT", f"/v1/streams/{stream}", body)
        batch: list[dict[str, Any]] = []
        gaps: list[dict[str, Any]] = []
        spans: list[dict[str, Any]] = []
        before = 0
        for day in range(30 - days, 30):
            begin = int(instant(day, 17, 25).timestamp()) * SECOND
            at, ms = begin, iter(intervals(seed * 100 + day, 4000))
            sequence = len(batch) + 1
            if before:
                gap = {"sequence": sequence, "start_ns": before, "end_ns": begin}
                gaps.append({**gap, "reason": "link lost"})
            while at < begin + 35 * 60 * SECOND:
                ticks = [next(ms) * 1024 // 1000 for _ in range(4)]
                times = []
                for tick in ticks:
                    at += tick * SECOND // 1024
                    times.append(at)
                batch.append(
                    {
                        **{"sequence": len(batch) + 1, "received_ns": at + 9},
                        **{"heart_rate_bpm": 68, "rr_ticks": ticks, "beat_times_ns": times},
                        "contact": True,
                    }
                )
            before = at
            spans += [
                {"start_ns": begin + k * 60 * SECOND, "mad_mg": 3.5 + (k * 7 + day) % 40}
                for k in range(35)
            ]
        for first in range(0, len(batch), 2000):
            part = batch[first : first + 2000]
            low, high = part[0]["sequence"], part[-1]["sequence"]
            body = {
                **{"first": low, "last": high, "notifications": part},
                "gaps": [gap for gap in gaps if low <= gap["sequence"] <= high],
            }
            self.send(name, "POST", f"/v1/streams/{stream}/notifications", body)
        for first in range(0, len(spans), 2000):
            part = spans[first : first + 2000]
            self.send(name, "POST", f"/v1/streams/{stream}/activity", {"spans": part})

    def _programme(self) -> None:
        """Ada's programme, notes, practices and sessions."""
        changes = {"physical_cause_ruled_out": True, "started": True, "ratings_a_day": 2}
        self.send("ada", "PUT", "/v1/programme", changes)
        for reading in ("setbacks",):
            self.send("ada", "PUT", f"/v1/programme/readings/{reading}")
        kinds = ("trigger", "fear", "stressor", "helped", "pleasant")
        words = ("sitting long", "that bending harms me", "the late shift", "a walk", "sun")
        for k in range(15):
            body = {
                **{"kind": kinds[k % 5], "words": words[k % 5], "id": fixed_id(f"note {k}")},
                "about": instant(2 * k, 12).isoformat(),
            }
            self.send("ada", "POST", "/v1/notes", body)
        for k in range(12):
            body = {
                "kind": ("somatic tracking", "paced breathing")[k % 2],
                "start": instant(2 * k + 3, 17, 30).isoformat(),
                "end": instant(2 * k + 3, 17, 40).isoformat(),
                "pain_before": 5,
                "stress_before": 6,
                "pain_after": 4 - k % 3,
                "stress_after": 5 - k % 2,
                **({"breaths_per_min": 6.0} if k % 2 else {}),
            }
            self.send("ada", "PUT", f"/v1/practices/{fixed_id(f'practice {k}')}", body)
        for number in range(1, 8):
            body = {"held": instant(3 * number + 1, 15).isoformat()}
            self.send("ada", "PUT", f"/v1/sessions/{number}", body)
        self.send("ada", "PUT", "/v1/sessions/8", {"held": instant(33, 9).isoformat()})
        body = {"notes": "Less afraid of bending.", "homework": "Track once a day.", "version": 0}
        self.send("tom", "PUT", f"/v1/patients/{self.ids['ada']}/sessions/7/notes", body)

    def close(self) -> None:
        """End the connections."""
        for client in self.clients.values():
            client.close()


@contextlib.contextmanager
def open_clinic(product: Product) -> Iterator[Clinic]:
    """A served and filled clinic."""
    clinic = Clinic(product)
    clinic.make_administrator()
    with product.serve():
        try:
            clinic.fill()
            yield clinic
        finally:
            clinic.close()
