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

from locust import HttpUser, constant_pacing, task

TOKENS = json.loads(Path(os.environ["LOAD_TOKENS"]).read_text())
_turns = itertools.count()


class Strap(HttpUser):
    """Two seconds of beats every two seconds."""

    fixed_count = int(os.environ["LOAD_STRAPS"])
    wait_time = constant_pacing(2)

    def on_start(self) -> None:
        token = TOKENS[1 + next(_turns) % (len(TOKENS) - 1)]
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.stream, self.sequence = str(uuid.uuid4()), 1
        self.at = time.time_ns()
        body = {"origin": "simulated", "source": "a strap", "created_ns": self.at}
        self.client.put(f"/v1/streams/{self.stream}", json=body, name="register a stream")
        # Locust lets its users begin in one moment; hearts do not.
        time.sleep(random.uniform(0, 2))

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


class Reader(HttpUser):
    """A year of a patient."""

    fixed_count = int(os.environ["LOAD_READERS"])
    wait_time = constant_pacing(5)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {TOKENS[0]}"
        time.sleep(random.uniform(0, 5))

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
