"""Streams of beats: uploaded once, refused whole, each patient's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores
from store.models import StoredReport
from tests.support.accounts import PASSWORD
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
        assert answer.json() == {
            "stream_id": stream,
            "acknowledged": acknowledged,
            "generation": client.get("/v1/generation").json(),
        }
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
        answer = ada.post(url, json=whole).json()
        assert answer.pop("generation").keys() == {"id", "counter", "covered"}
        assert answer == {"stream_id": stream, "acknowledged": 5}
    other = {**batch(6, 9), "stream": stream_body(source="another")}
    assert_problem(ada.post(url, json=other), 409, "new random id")
    assert_problem(eve.post(url, json=whole), 409, "new random id")
    assert_problem(ada.post(url, json={**whole, "stream": {"source": ""}}), 422, "stream")
    assert eve.get("/v1/streams").json() == {"beats": 0, "streams": [], "keeping": "agreed"}
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
    assert eve.get("/v1/streams").json() == {"beats": 0, "streams": [], "keeping": "agreed"}
    assert eve.get("/v1/sessions").json() == []
    assert eve.get("/v1/link").json()["beats_before_ratings"]["ratings"] == 0
    span = {"start": "2026-09-10T00:00:00Z", "end": "2026-10-10T00:00:00Z"}  # around START
    assert ada.get("/v1/hrv", params=span).json()["windows"][0]["beats"] == 400
    assert eve.get("/v1/hrv", params=span).json()["windows"][0]["beats"] == 0


def test_a_recording_is_removed_by_its_person_alone_and_stays_removed(
    signed_in: SignedIn, stores: Stores
) -> None:
    ada, eve = signed_in(), signed_in("eve@example.org")
    stream, other = new_id(), new_id()
    whole = {**batch(1, 400), "stream": stream_body(origin="file")}
    for one in (stream, other):
        assert ada.post(f"/v1/streams/{one}/notifications", json=whole).is_success
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    stores.records.put_report(StoredReport(person.id, "link", "content", "{}"))
    assert_problem(eve.delete(f"/v1/streams/{stream}"), 404, "no stream")
    assert ada.delete(f"/v1/streams/{stream}").json() == {"stream_id": stream, "beats": 400}
    assert [item["id"] for item in ada.get("/v1/streams").json()["streams"]] == [other]
    assert stores.records.report(person.id, "link") is None
    entries = ada.get("/v1/me/looks").json()["looks"]
    assert [entry["what"] for entry in entries] == ["DELETE /v1/streams/{stream_id}"]
    assert stores.records.audit()[-1].action == "recording removed"
    # An outbox that still holds it is told so, whatever it sends.
    for answer in (
        ada.post(f"/v1/streams/{stream}/notifications", json=batch(401, 405)),
        ada.post(f"/v1/streams/{stream}/notifications", json=whole),
        ada.put(f"/v1/streams/{stream}", json=stream_body(origin="file")),
        ada.post(
            f"/v1/streams/{stream}/activity", json={"spans": [{"start_ns": START, "mad_mg": 1.0}]}
        ),
        ada.delete(f"/v1/streams/{stream}"),
    ):
        assert_problem(answer, 410, "removed")
        assert answer.json()["type"] == "urn:ebbtide:problem:removed"
        assert int(answer.headers["Ebbtide-Removed-Ns"]) > START
    early = {**whole, "stream": stream_body(origin="file", imported_ns=START)}
    assert_problem(ada.post(f"/v1/streams/{stream}/notifications", json=early), 410, "removed")
    # Imported again by a person, after it was removed.
    again = {**whole, "stream": stream_body(origin="file", imported_ns=stores.now() + SECOND)}
    assert ada.post(f"/v1/streams/{stream}/notifications", json=again).is_success
    assert ada.get("/v1/streams").json()["beats"] == 800


def test_a_device_may_not_remove(signed_in: SignedIn) -> None:
    ada = signed_in()
    body = {"email": "ada@example.org", "password": PASSWORD, "device": "a machine"}
    token = ada.post("/v1/sign-in", json=body).json()["token"]
    stream = new_id()
    ada.put(f"/v1/streams/{stream}", json=stream_body())
    answer = ada.delete(f"/v1/streams/{stream}", headers={"Authorization": f"Bearer {token}"})
    assert_problem(answer, 403, "scope")


@pytest.mark.parametrize("origin", ["file", "strap"])
def test_a_file_cannot_end_in_the_future(signed_in: SignedIn, stores: Stores, origin: str) -> None:
    client, stream = signed_in(), new_id()
    ahead = stores.now() + 10 * MINUTE - START
    body = batch(1, 3)
    for item in body["notifications"]:
        item["beat_times_ns"] = [time + ahead for time in item["beat_times_ns"]]
    whole = {**body, "stream": stream_body(origin=origin)}
    for sent in (whole, body):
        answer = client.post(f"/v1/streams/{stream}/notifications", json=sent)
        if origin == "strap":  # of a clock that is ahead, which is no reason to lose beats
            assert answer.is_success
        else:
            assert_problem(answer, 422, "future")
            client.put(f"/v1/streams/{stream}", json=stream_body(origin=origin))
    late = stream_body(origin=origin, created_ns=START + ahead)
    assert client.put(f"/v1/streams/{new_id()}", json=late).status_code == (
        204 if origin == "strap" else 422
    )
