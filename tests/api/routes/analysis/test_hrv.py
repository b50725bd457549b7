"""HRV of a range, and the stress index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from tests.support.assertions import assert_problem
from tests.support.uploads import START, batch, get_hrv, stream_body

SignedIn = Callable[..., httpx.Client]


def test_hrv_over_a_range(signed_in: SignedIn) -> None:
    client = signed_in()
    stream = new_id()
    client.put(f"/v1/streams/{stream}", json=stream_body())
    client.post(f"/v1/streams/{stream}/notifications", json=batch(1, 700))
    start = datetime.fromtimestamp(START // SECOND, UTC)
    span = {"start": start.isoformat(), "end": (start + timedelta(seconds=1200)).isoformat()}
    whole = client.get("/v1/hrv", params=span).json()
    assert whole["origins"] == ["simulated"]
    assert "58%" in whole["windows"][0]["missing"]
    assert whole["windows"][0]["rmssd_ms"] is None
    parts = client.get("/v1/hrv", params={**span, "window_s": "300"}).json()["windows"]
    assert [w["beats"] for w in parts] == [299, 300, 101]
    assert parts[1]["mean_hr_bpm"] == pytest.approx(60)
    assert (parts[1]["rmssd_ms"], parts[1]["missing"]) == (0, None)
    assert parts[2]["missing"]
    fitted = client.get(
        "/v1/hrv", params={**span, "window_s": "300", "from_first_beat": "true"}
    ).json()["windows"]
    assert [w["beats"] for w in fitted] == [299, 300]
    full = client.get(
        "/v1/hrv",
        params={
            **span,
            "window_s": "300",
            "domain": ["frequency", "nonlinear"],
            "with_stress_index": "true",
        },
    ).json()["windows"]
    assert "hf_ms2" in full[1]["figures"] and "rmssd_ms" not in full[1]["figures"]
    assert full[1]["figures"]["sampen"] is None  # every interval is 1000 ms
    assert "do not vary" in full[1]["absent"]["sampen"]
    assert set(full[1]["absent"]) == {k for k, v in full[1]["figures"].items() if v is None}
    assert "1200 s are needed" in parts[1]["absent"]["tinn_ms"]
    assert parts[2]["missing"] and parts[2]["absent"] == {}
    assert full[1]["stress_index"]["value"] is None
    assert "too few usable" in full[1]["stress_index"]["missing"]  # and so no range
    assert full[1]["longest_gap_s"] == 0
    assert full[1]["coverage"] == pytest.approx(1, abs=0.01)
    assert (full[1]["contact_share"], full[1]["motion_mg"]) == (1, None)


def test_the_stress_index_against_the_first_days(signed_in: SignedIn) -> None:
    """Seven mornings of a breathing heart; on the last it beats faster and more evenly."""
    client = signed_in()
    rng = np.random.default_rng(4)
    for day in range(7):
        calm = day < 6
        at = np.arange(5400 if calm else 6600)
        swing = 45 if calm else 12
        mean = rng.uniform(840, 880) if calm else 690
        rr = mean + swing * np.sin(at * 1.35) + rng.normal(0, swing / 4, len(at))
        rr *= 1 + 0.03 * np.sin(2 * np.pi * at / 1500)
        stream = new_id()
        begin = START + (day * 24 * 3600 + 17 * 3600) * SECOND  # about nine in the morning
        times = begin + np.round(np.cumsum(rr) * 1e6).astype(np.int64)
        client.put(f"/v1/streams/{stream}", json=stream_body())
        items = [
            {
                "sequence": k + 1,
                "received_ns": int(times[k]),
                "heart_rate_bpm": 70,
                "rr_ticks": [round(rr[k] * 1.024)],
                "beat_times_ns": [int(times[k])],
            }
            for k in range(len(rr))
        ]
        for first in range(0, len(items), 1000):
            some = items[first : first + 1000]
            part = {
                "first": first + 1,
                "last": first + len(some),
                "notifications": some,
                "gaps": [],
            }
            sent = client.post(f"/v1/streams/{stream}/notifications", json=part)
            assert sent.status_code == 200, sent.text
    start = datetime.fromtimestamp(START // SECOND, UTC)
    answer = get_hrv(client, start, 8, with_stress_index="true")
    by_day: dict[str, list[dict[str, Any]]] = {}
    for window in answer["windows"]:
        by_day.setdefault(window["start"][:10], []).append(window["stress_index"])
    days = list(by_day.values())
    assert len(days) == 7
    assert all(item["value"] is None and item["missing"] for day in days[:5] for item in day)
    assert 3 < np.median([item["value"] for item in days[5]]) < 97
    assert all(item["value"] > 95 for item in days[6][:-1])
    assert all(item["low"] <= item["value"] <= item["high"] for item in days[6])
    assert days[6][0]["baseline_days"] == 6
    assert "first 14 days" in answer["method"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, ["query.start"]),
        (
            {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
            ["query.end: must be after"],
        ),
        (
            {"start": "2026-01-02T00:00:00", "end": "2026-01-03T00:00:00Z"},
            ["query.start: needs a zone"],
        ),
        (
            {"start": "2026-01-01T00:00:00Z", "end": "2026-01-30T00:00:00Z", "window_s": "30"},
            ["longer step_s"],
        ),
        (
            {"start": "2026-01-01T00:00:00Z", "end": "2026-12-01T00:00:00Z", "window_s": "300"},
            ["at most 32 days", "GET /v1/hrv/trend"],
        ),
        (
            {
                "start": "2026-01-01T00:00:00Z",
                "end": "2026-01-02T00:00:00Z",
                "window_s": "60",
                "step_s": "0.01",
            },
            ["step_s"],
        ),
    ],
)
def test_bad_ranges_are_named(
    signed_in: SignedIn, params: dict[str, str], words: list[str]
) -> None:
    assert_problem(signed_in().get("/v1/hrv", params=params), 422, *words)
