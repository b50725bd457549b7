"""Bodies of requests that upload beats, and the windows that are computed from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx

from ebbtide.timestamps import SECOND

START = 1_790_000_000 * SECOND


def stream_body(**changes: object) -> dict[str, object]:
    return {"origin": "simulated", "source": "a strap", "created_ns": START, **changes}


def batch(first: int, last: int) -> dict[str, Any]:
    """One beat a second, of 1,000 ms."""
    return {
        "first": first,
        "last": last,
        "notifications": [
            {
                "sequence": n,
                "received_ns": START + n * SECOND + 9,
                "heart_rate_bpm": 60,
                "rr_ticks": [1024],
                "beat_times_ns": [START + n * SECOND],
                "contact": True,
            }
            for n in range(first, last + 1)
        ],
        "gaps": [],
    }


def get_hrv(client: httpx.Client, start: datetime, days: int, **more: str) -> dict[str, Any]:
    """Get HRV of five-minute windows from the first beat on."""
    params = {"start": start.isoformat(), "end": (start + timedelta(days=days)).isoformat()}
    params |= {"window_s": "300", "from_first_beat": "true", **more}
    found: dict[str, Any] = client.get("/v1/hrv", params=params).json()
    return found


def get_credentials(client: httpx.Client) -> tuple[str, str]:
    """Return the token of a client, and the id of its account."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return token, client.get("/v1/me").json()["id"]
