"""Streams of beats: uploaded once, refused whole, each patient's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from tests.support.assertions import assert_problem
from tests.support.uploads import START, batch, stream_body

SignedIn = Callable[..., httpx.Client]


def test_beats_are_stored_once_however_often_they_are_sent(signed_in: SignedIn) -> None:
    client = signed_in()
    stream = new_id()
    url = f"/v1/streams/{stream}/notifications"
    assert_problem(client.post(url, json=batch(1, 5)), 404, "PUT /v1/streams")
    assert client.put(f"/v1/streams/{stream}", json=stream_body()).status_code == 204
    assert client.put(f"/v1/streams/{stream}", json=stream_body()).status_code == 204
    for first, last, acknowledged in [(1, 5, 5), (1, 5, 5), (3, 9, 9), (20, 22, 9), (10, 19, 22)]:
        answer = client.post(url, json=batch(first, last))
        assert answer.json() == {"stream_id": stream, "acknowledged": acknowledged}
    stored = client.get(f"/v1/streams/{stream}").json()
    assert (stored["beats"], stored["acknowledged"]) == (22, 22)
    assert stored["last_beat_ns"] == START + 22 * SECOND
    assert client.get("/v1/streams").json()["beats"] == 22
    assert_problem(
        client.put(f"/v1/streams/{stream}", json=stream_body(source="another")),
        409,
        "new random id",
    )


def test_a_batch_brings_its_stream_and_no_other_persons(signed_in: SignedIn) -> None:
    ada, eve = signed_in(), signed_in("eve@example.org")
    stream = new_id()
    url = f"/v1/streams/{stream}/notifications"
    whole = {**batch(1, 5), "stream": stream_body()}
    for _ in range(2):
        assert ada.post(url, json=whole).json() == {"stream_id": stream, "acknowledged": 5}
    other = {**batch(6, 9), "stream": stream_body(source="another")}
    assert_problem(ada.post(url, json=other), 409, "new random id")
    assert_problem(eve.post(url, json=whole), 409, "new random id")
    assert_problem(ada.post(url, json={**whole, "stream": {"source": ""}}), 422, "stream")
    assert eve.get("/v1/streams").json() == {"beats": 0, "streams": []}
    assert ada.get("/v1/streams").json()["beats"] == 5


def broken(**changes: object) -> dict[str, Any]:
    body = batch(1, 3)
    body["notifications"][1].update(changes)
    return body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**batch(1, 3), "last": 4}, ["1 to 4"]),
        ({**batch(1, 3), "last": 2**52}, ["1 to 4503599627370496"]),  # said, and never laid out
        ({**batch(1, 3), "first": 3, "last": 1}, ["3 to 1"]),
        (broken(sequence=7), ["each once and in order"]),
        (broken(rr_ticks=[1024, 1024]), ["same length"]),
        (broken(rr_ticks=[70_000]), ["rr_ticks"]),
        (broken(rr_ticks=[-1]), ["rr_ticks"]),
        (broken(beat_times_ns=[START]), ["strictly increasing"]),
        (broken(beat_times_ns=[5]), ["beat_times_ns"]),
        (broken(heart_rate_bpm=None), ["heart_rate_bpm"]),
        (
            {
                **batch(1, 3),
                "gaps": [{"sequence": 9, "start_ns": START, "end_ns": START, "reason": "paused"}],
            },
            ["not of this batch"],
        ),
        (
            {
                **batch(1, 3),
                "gaps": [{"sequence": 2, "start_ns": START, "end_ns": START, "reason": "bored"}],
            },
            ["reason"],
        ),
    ],
)
def test_bad_batches_are_named_and_nothing_is_stored(
    signed_in: SignedIn, body: object, words: list[str]
) -> None:
    client = signed_in()
    stream = new_id()
    client.put(f"/v1/streams/{stream}", json=stream_body())
    assert_problem(client.post(f"/v1/streams/{stream}/notifications", json=body), 422, *words)
    assert client.get("/v1/streams").json()["beats"] == 0


def test_a_patient_reaches_only_their_own(signed_in: SignedIn) -> None:
    ada, eve = signed_in(), signed_in("eve@example.org")
    stream = new_id()
    ada.put(f"/v1/streams/{stream}", json=stream_body())
    ada.post(f"/v1/streams/{stream}/notifications", json=batch(1, 400))
    rating = ada.post("/v1/ratings", json={"pain": 4, "stress": 6}).json()
    ada.put("/v1/sessions/1", json={"held": "2026-11-01T10:00:00Z"})
    assert_problem(eve.get(f"/v1/streams/{stream}"), 404)
    assert_problem(eve.put(f"/v1/streams/{stream}", json=stream_body()), 409)
    assert_problem(eve.post(f"/v1/streams/{stream}/notifications", json=batch(1, 3)), 404)
    assert_problem(
        eve.put(f"/v1/ratings/{rating['id']}", json={"pain": 1, "stress": 1, "version": 1}), 404
    )
    taken = eve.post("/v1/ratings", json={"id": rating["id"], "pain": 1, "stress": 1})
    assert_problem(taken, 409)
    assert eve.get("/v1/ratings").json()["ratings"] == []
    assert eve.get("/v1/streams").json() == {"beats": 0, "streams": []}
    assert eve.get("/v1/sessions").json() == []
    assert eve.get("/v1/link").json()["beats_before_ratings"]["ratings"] == 0
    span = {"start": "2026-09-10T00:00:00Z", "end": "2026-10-10T00:00:00Z"}  # around START
    assert ada.get("/v1/hrv", params=span).json()["windows"][0]["beats"] == 400
    assert eve.get("/v1/hrv", params=span).json()["windows"][0]["beats"] == 0
