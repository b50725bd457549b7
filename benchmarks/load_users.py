"""Locust's users for benchmarks/load.py: straps and readers."""

from __future__ import annotations

import itertools
import json
import os
import random
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from locust import HttpUser, task

TOKENS = json.loads(Path(os.environ["LOAD_TOKENS"]).read_text())
TOGETHER = bool(os.environ.get("LOAD_TOGETHER"))
_turns = itertools.count()


class Paced(HttpUser):
    """A task every ``pace_s``, at a moment of one's own. (Locust's own ``constant_pacing`` counts
    from when a user was begun, which it does at whole seconds: all would come in one moment.)
    """

    abstract = True
    pace_s: float
    _next: float

    def on_start(self) -> None:
        if not TOGETHER:
            time.sleep(random.uniform(0, self.pace_s))
        self._next = time.monotonic()

    def wait_time(self) -> float:
        self._next = max(self._next + self.pace_s, time.monotonic())
        return self._next - time.monotonic()


class Strap(Paced):
    """Two seconds of beats every two seconds."""

    fixed_count = int(os.environ["LOAD_STRAPS"])
    pace_s = 2.0

    def on_start(self) -> None:
        # The first is worn by the patient who is read: its stored year changes meanwhile.
        turn = next(_turns)
        token = TOKENS[0 if turn == 0 else 1 + turn % (len(TOKENS) - 1)]
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.stream, self.sequence = str(uuid.uuid4()), 1
        self.at = time.time_ns()
        body = {"origin": "simulated", "source": "a strap", "created_ns": self.at}
        self.client.put(f"/v1/streams/{self.stream}", json=body, name="register a stream")
        super().on_start()

    @task
    def upload(self) -> None:
        items = []
        for _ in range(2):
            self.at += 1_000_000_000
            items.append(
                {
                    "sequence": self.sequence,
                    "received_ns": self.at,
                    "heart_rate_bpm": 60,
                    "rr_ticks": [1024],
                    "beat_times_ns": [self.at],
                    "contact": True,
                }
            )
            self.sequence += 1
        body = {
            "first": items[0]["sequence"],
            "last": items[-1]["sequence"],
            "notifications": items,
            "gaps": [],
        }
        self.client.post(f"/v1/streams/{self.stream}/notifications", json=body, name="upload")


class Reader(Paced):
    """A year of a patient."""

    fixed_count = int(os.environ["LOAD_READERS"])
    pace_s = 5.0

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {TOKENS[0]}"
        super().on_start()

    @task(4)
    def trend(self) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        params = {
            "start": (now - timedelta(days=366)).isoformat(),
            "end": now.isoformat(),
            "bucket_s": "14400",
        }
        self.client.get("/v1/hrv/trend", params=params, name="a year's trend")

    @task(1)
    def ratings(self) -> None:
        self.client.get("/v1/ratings", params={"limit": "1000"}, name="a year's ratings")

    @task(1)
    def link(self) -> None:
        self.client.get("/v1/link", name="link")
