"""Ratings: stored once, corrected as versions, in pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from tests.support.assertions import assert_problem

SignedIn = Callable[..., httpx.Client]


def test_ratings_are_stored_and_listed(signed_in: SignedIn) -> None:
    client = signed_in()
    made = client.post("/v1/ratings", json={"pain": 4, "stress": 6, "pleasant": 3})
    assert made.status_code == 201
    rating = made.json()
    assert (rating["pain"], rating["stress"], rating["pleasant"]) == (4, 6, 3)
    assert (rating["zone"], rating["version"], rating["simulated"]) == ("Europe/Berlin", 1, False)
    page = client.get("/v1/ratings").json()
    assert page == {"ratings": [rating], "next": None}


def test_a_repeated_rating_is_stored_once(signed_in: SignedIn) -> None:
    client = signed_in()
    body = {"id": new_id(), "pain": 4, "stress": 6}
    first, second = client.post("/v1/ratings", json=body), client.post("/v1/ratings", json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert_problem(client.post("/v1/ratings", json={**body, "pain": 5}), 409, "new id")
    assert len(client.get("/v1/ratings").json()["ratings"]) == 1


def test_a_rating_keeps_when_it_was_about_and_the_zone_then(signed_in: SignedIn) -> None:
    client = signed_in()
    body = {"pain": 1, "stress": 2, "about": "2026-03-01T23:30:00-07:00", "zone": "America/Denver"}
    rating = client.post("/v1/ratings", json=body).json()
    assert rating["about"] == "2026-03-01T23:30:00-07:00"
    assert rating["about_ns"] == 1_772_433_000 * SECOND
    assert rating["zone"] == "America/Denver"
    assert rating["entered"] > rating["about"]


def test_a_correction_is_a_version(signed_in: SignedIn) -> None:
    client = signed_in()
    rating = client.post("/v1/ratings", json={"pain": 4, "stress": 6}).json()
    body = {"pain": 2, "stress": 6, "version": 1}
    corrected = client.put(f"/v1/ratings/{rating['id']}", json=body)
    assert corrected.status_code == 200
    assert (corrected.json()["version"], corrected.json()["pain"]) == (2, 2)
    assert corrected.json()["about_ns"] == rating["about_ns"]
    stale = client.put(f"/v1/ratings/{rating['id']}", json={**body, "pain": 9})
    assert_problem(stale, 409, "newest version")
    assert_problem(client.put(f"/v1/ratings/{new_id()}", json=body), 404)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pain": 11, "stress": 1}, ["body.pain"]),
        ({"pain": -1, "stress": 1}, ["body.pain"]),
        ({"pain": 3.5, "stress": 1}, ["body.pain"]),
        ({"pain": "3", "stress": 1}, ["body.pain"]),
        ({"pain": True, "stress": 1}, ["body.pain"]),
        ({"pleasant": 3}, ["body.pain", "stress is not given"]),
        ({"pain": 3, "stress": 1, "pian": 2}, ["body.pian"]),
        ({"pain": 3, "stress": 1, "about": "2026-03-01T10:00:00"}, ["body.about: needs a zone"]),
        ({"pain": 3, "stress": 1, "about": "1820-03-01T10:00:00Z"}, ["about", "2000 and 2100"]),
        ({"pain": 3, "stress": 1, "about": "2099-03-01T10:00:00Z"}, ["future"]),
        ({"pain": 3, "stress": 1, "id": "x"}, ["body.id"]),
        ([], ["body"]),
    ],
)
def test_bad_ratings_are_named(signed_in: SignedIn, body: object, words: list[str]) -> None:
    client = signed_in()
    assert_problem(client.post("/v1/ratings", json=body), 422, *words)
    assert client.get("/v1/ratings").json()["ratings"] == []


def test_a_zone_that_is_none_is_named(signed_in: SignedIn) -> None:
    body = {"pain": 3, "stress": 1, "zone": "Mars/Base"}
    assert_problem(
        signed_in().post("/v1/ratings", json=body), 422, "body.zone", "Mars/Base", "Europe/Berlin"
    )


def test_pages_of_ratings(signed_in: SignedIn) -> None:
    client = signed_in()
    now = datetime.now(UTC)
    for hours in range(7):
        about = (now - timedelta(hours=hours)).isoformat()
        client.post("/v1/ratings", json={"pain": hours, "stress": 1, "about": about})
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/ratings", params={"limit": "3", **cursor}).json()
        seen += [rating["pain"] for rating in page["ratings"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert_problem(client.get("/v1/ratings", params={"cursor": "???"}), 422, "cursor")


def test_simulated_people_and_ratings_stay_marked(signed_in: SignedIn) -> None:
    client = signed_in(simulated=True)
    assert client.get("/v1/me").json()["simulated"] is True
    rating = client.post("/v1/ratings", json={"pain": 4, "stress": 6}).json()
    assert rating["simulated"] is True
    assert client.get("/v1/link").json()["simulated"] is True


def test_a_rating_may_be_of_pain_or_stress_alone(signed_in: SignedIn) -> None:
    client = signed_in()
    made = client.post("/v1/ratings", json={"stress": 6})
    assert made.status_code == 201
    rating = made.json()
    assert (rating["pain"], rating["stress"]) == (None, 6)
    path = f"/v1/ratings/{rating['id']}"
    corrected = client.put(path, json={"stress": 5, "version": 1}).json()
    assert (corrected["pain"], corrected["stress"], corrected["version"]) == (None, 5, 2)
    assert_problem(client.post("/v1/ratings", json={"pleasant": 3}), 422, "stress is not given")
    now = datetime.now(UTC)
    when = {"start": (now - timedelta(days=1)).isoformat(), "end": now.isoformat()}
    for address in ("/v1/therapy", "/v1/link", "/v1/notes/patterns"):
        answer = client.get(address, params=when if address != "/v1/notes/patterns" else {})
        assert answer.status_code in (200, 404), (address, answer.text)
