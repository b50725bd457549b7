"""The link report and the course of a programme."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np

SignedIn = Callable[..., httpx.Client]


def test_link_without_data_says_what_is_missing(signed_in: SignedIn) -> None:
    client = signed_in()
    client.post("/v1/ratings", json={"pain": 4, "stress": 6})
    report = client.get("/v1/link").json()
    assert report["stress"]["estimate"] is None
    assert report["stress"]["verdict"] == "not enough yet"
    assert "29 more are needed" in report["stress"]["sentence"]
    assert report["beats_before_ratings"] == {
        "ratings": 1,
        "usable": 0,
        "why_not": {"no beats recorded": 1},
    }


def rate_for_weeks(client: httpx.Client, n: int, link: float) -> None:
    """Three ratings a day; both fall, and pain follows stress as strongly as said."""
    rng = np.random.default_rng(5)
    mood, ache = 1.5 * rng.standard_normal((2, n))
    fall = -3 * np.linspace(0, 1, n)
    stress = np.clip(np.round(6 + fall + mood), 0, 10)
    pain = np.clip(np.round(6 + fall + link * mood + 0.6 * ache), 0, 10)
    start = datetime(2026, 9, 1, 6, tzinfo=UTC)
    for k in range(n):
        rating = {
            "pain": int(pain[k]),
            "stress": int(stress[k]),
            "about": (start + timedelta(hours=8 * k)).isoformat(),
        }
        assert client.post("/v1/ratings", json=rating).status_code == 201


def test_the_link_report_has_words_numbers_and_what_is_missing(signed_in: SignedIn) -> None:
    client = signed_in()
    rate_for_weeks(client, 84, 0.7)
    report = client.get("/v1/link").json()
    first = report["stress"]
    assert first["key"] == "same_moment" and first["verdict"] == "moved together"
    assert first["low"] < 0.7 < first["high"]
    assert first["p_adjusted"] == first["p_value"]
    assert len(first["points"]) == 84
    others = {row["key"]: row for row in report["others"]}
    assert set(others) == {
        "stress_before",
        "pain_before",
        "day_to_day",
        "stress_index",
        "stress_index_stress",
        "rmssd",
        "heart_rate",
    }
    assert others["rmssd"]["missing"] and others["rmssd"]["estimate"] is None
    for row in others.values():
        if row["p_value"] is not None:
            assert row["p_adjusted"] >= row["p_value"]
    assert report["pain_change"]["high"] < 0
    pattern = report["ratings"]
    assert (pattern["given"], pattern["back_dated"], pattern["close_together"]) == (84, 84, 0)
    assert pattern["zones"] == ["Europe/Berlin"]
    assert report["span"] == "30 minutes"
    for span in ("5 minutes", "60 minutes", "night before"):
        heart = client.get("/v1/link", params={"span": span}).json()["beats_before_ratings"]
        assert heart == {"ratings": 84, "usable": 0, "why_not": {"no beats recorded": 84}}
    assert client.get("/v1/link", params={"span": "a year"}).status_code == 422


def test_the_course_of_a_programme(signed_in: SignedIn) -> None:
    client = signed_in()
    empty = client.get("/v1/therapy").json()
    assert empty["pain"]["missing"] and empty["onset"]["missing"]
    assert empty["nearly_free"] is None
    rate_for_weeks(client, 84, 0.4)
    client.put("/v1/sessions/1", json={"held": "2026-09-08T10:00:00Z"})
    client.put("/v1/sessions/2", json={"held": "2026-09-28T20:00:00Z"})
    report = client.get("/v1/therapy").json()
    assert report["pain"]["change"] < -1 and report["pain"]["reliable"]
    assert report["at_least_30_percent_less"] == (report["pain"]["percent"] <= -30)
    first, second = report["sessions"]
    assert first["pain"]["n_before"] == 9 and first["pain_before"]["n"] == 9
    assert second["pain"]["missing"]
    assert report["trial"][0]["name"] == "Pain Reprocessing Therapy"
    assert "not an arm of a trial" in report["caution"] and "Ashar" in report["paper"]
