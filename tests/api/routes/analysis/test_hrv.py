"""HRV of a range, and the stress index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from tests.support.assertions import assert_problem
from tests.support.uploads import START, batch, stream_body

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
    assert "two worn days" in full[1]["stress_index"]["missing"]
    assert full[1]["longest_gap_s"] == 0
    assert full[1]["coverage"] == pytest.approx(1, abs=0.01)
    assert (full[1]["contact_share"], full[1]["motion_mg"]) == (1, None)


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
