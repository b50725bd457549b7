"""A running session as server-sent events."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ebbtide.beats import Notification
from ebbtide.timestamps import MINUTE
from store.models.records import Purpose
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic
from tests.support.live_strap import LiveStrap


def events(
    client: httpx.Client, path: str, strap: LiveStrap | None = None
) -> list[tuple[str, Any]]:
    found = []
    with client.stream("GET", path, timeout=30) as answer:
        answer.raise_for_status()
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
                if strap is not None:
                    strap.send()
    return found


def test_the_heart_of_the_last_minute_comes_every_second(clinic: Clinic) -> None:
    strap = LiveStrap(clinic)
    found = events(clinic["ada"], "/v1/live?seconds=3", strap)
    assert [name for name, _ in found] == ["heart", "heart", "heart", "ended"]
    hearts = [heart for name, heart in found if name == "heart"]
    for heart in hearts:
        assert heart["missing"] is None
        assert heart["heart_rate_bpm"] == pytest.approx(60 / (1034 / 1024), abs=0.3)
        assert heart["rmssd_ms"] == pytest.approx(20 / 1.024, abs=0.5)
        assert heart["beat_age_s"] < 3
        assert heart["origin"] == "simulated"
        # There is no fortnight yet to compare with: no number, and the reason.
        assert heart["stress_index"]["value"] is None
        assert heart["stress_index"]["missing"]
    assert hearts[0]["at"] < hearts[-1]["at"]
    assert found[-1][1]["reason"] == "the time asked for is over"


def test_without_beats_there_is_no_number(clinic: Clinic) -> None:
    (first, _) = events(clinic["ada"], "/v1/live?seconds=1")
    assert first[1]["heart_rate_bpm"] is None
    assert "no beats came" in first[1]["missing"]
    strap = LiveStrap(clinic)
    strap.stores.beats.append(
        strap.subject,
        strap.stream.id,
        [Notification(strap.sequence, strap.at, 60, (), (), False)],
    )
    LiveStrap(clinic, "eve", back_s=60)
    (first, _) = events(clinic["eve"], "/v1/live?seconds=1")
    assert first[1]["heart_rate_bpm"] is None or first[1]["coverage"] >= 0.8


def test_a_therapist_watches_while_it_is_shared(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)
    strap = LiveStrap(clinic)
    path = f"/v1/patients/{clinic.id('ada')}/live?seconds=30"
    assert events(clinic["tom"], path) == [
        ("ended", {"reason": "the patient does not share it now"})
    ]
    shared = clinic["ada"].put("/v1/live/sharing", json={"minutes": 5}).json()
    assert shared["until"] is not None
    assert clinic["ada"].get("/v1/live/sharing").json() == shared
    assert_problem(clinic["tess"].get(path), 404)
    seen = []
    with clinic["tom"].stream("GET", path, timeout=30) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                seen.append(line)
                strap.send()
            if len(seen) == 2:
                # Taken back while they watch: it ends within seconds.
                clinic["ada"].put("/v1/live/sharing", json={"minutes": 0}).raise_for_status()
                seen.append("taken back")
    assert seen[:2] == ["event: heart"] * 2
    assert seen[-1] == "event: ended"
    assert len(seen) < 10
    entries = clinic["ada"].get("/v1/me/looks").json()["looks"]
    assert {entry["what"] for entry in entries} == {"GET /v1/patients/{patient}/live"}


def test_it_ends_with_the_session(clinic: Clinic) -> None:
    LiveStrap(clinic)
    seen = []
    with clinic["ada"].stream("GET", "/v1/live?seconds=30", timeout=30) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                seen.append(line)
            if len(seen) == 1:
                clinic.stores.access.end_tokens(clinic.id("ada"))
    assert seen[-1] == "event: ended"
    assert len(seen) < 10


def test_sharing_ends_by_itself(clinic: Clinic) -> None:
    clinic.stores.access.share_live(clinic.id("ada"), clinic.stores.now() - MINUTE)
    assert clinic["ada"].get("/v1/live/sharing").json() == {"until": None}
    assert_problem(clinic["tom"].get("/v1/live/sharing"), 403)
    assert_problem(clinic["ada"].put("/v1/live/sharing", json={"minutes": 999}), 422)
