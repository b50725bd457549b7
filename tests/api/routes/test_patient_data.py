"""The API under uvicorn, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from store.stores import Stores
from tests.conftest import PASSWORD
from tests.support.assertions import assert_problem

SignedIn = Callable[..., httpx.Client]
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


def test_sign_in_me_and_sign_out(signed_in: SignedIn) -> None:
    client = signed_in()
    me = client.get("/v1/me").json()
    assert (me["email"], me["name"], me["role"]) == ("ada@example.org", "Ada", "patient")
    assert "password" not in json.dumps(me)
    assert client.post("/v1/sign-out").status_code == 204
    assert_problem(client.get("/v1/me"), 401, "Sign in first")


def test_wrong_passwords_and_unknown_people_get_the_same_answer(
    api: ApiThread, patient: Callable[..., str]
) -> None:
    patient()
    answers = [
        httpx.post(f"{api.url}/v1/sign-in", json={"email": email, "password": password})
        for email, password in [("ada@example.org", "wrong"), ("eve@example.org", PASSWORD)]
    ]
    assert_problem(answers[0], 401)
    assert answers[0].json() == answers[1].json()


def test_passwords_are_stored_as_argon2(stores: Stores, patient: Callable[..., str]) -> None:
    patient()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    assert person.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me"),
        ("POST", "/v1/ratings"),
        ("GET", "/v1/ratings"),
        ("PUT", "/v1/ratings/6f0d4a53-5d0a-4a0c-9c7e-0f5b7f2f8a11"),
        ("GET", "/v1/link"),
        ("GET", "/v1/hrv"),
        ("GET", "/v1/streams"),
        ("GET", "/v1/gaps"),
        ("PUT", "/v1/streams/6f0d4a53-5d0a-4a0c-9c7e-0f5b7f2f8a11"),
        ("POST", "/v1/streams/6f0d4a53-5d0a-4a0c-9c7e-0f5b7f2f8a11/notifications"),
        ("GET", "/v1/sessions"),
        ("PUT", "/v1/sessions/1"),
    ],
)
def test_nothing_is_reached_without_a_sign_in(api: ApiThread, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
        assert_problem(httpx.request(method, api.url + path, headers=headers), 401)


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
        ({"pain": 3}, ["body.stress"]),
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


def test_what_is_not_json_is_a_problem(signed_in: SignedIn) -> None:
    client = signed_in()
    answer = client.post(
        "/v1/ratings", content=b"{pain", headers={"content-type": "application/json"}
    )
    assert_problem(answer, 422)


def test_problems_do_not_repeat_a_password(api: ApiThread) -> None:
    answer = httpx.post(f"{api.url}/v1/sign-in", json={"email": 5, "password": "hunter2hunter2"})
    assert_problem(answer, 422)
    assert "hunter2" not in answer.text


def test_unknown_paths_and_methods_are_problems(api: ApiThread) -> None:
    assert_problem(httpx.get(f"{api.url}/v1/nothing"), 404)
    assert_problem(httpx.delete(f"{api.url}/v1/me"), 405)


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
    kept = client.get(f"/v1/streams/{stream}").json()
    assert (kept["beats"], kept["acknowledged"]) == (22, 22)
    assert kept["last_beat_ns"] == START + 22 * SECOND
    assert client.get("/v1/streams").json()["beats"] == 22
    assert_problem(
        client.put(f"/v1/streams/{stream}", json=stream_body(source="another")),
        409,
        "new random id",
    )


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
def test_bad_batches_are_named_and_keep_nothing(
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
    answer = client.get(
        "/v1/hrv",
        params={
            "start": start.isoformat(),
            "end": (start + timedelta(days=8)).isoformat(),
            "window_s": "300",
            "from_first_beat": "true",
            "with_stress_index": "true",
        },
    ).json()
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


def test_simulated_people_and_ratings_stay_marked(signed_in: SignedIn) -> None:
    client = signed_in(simulated=True)
    assert client.get("/v1/me").json()["simulated"] is True
    rating = client.post("/v1/ratings", json={"pain": 4, "stress": 6}).json()
    assert rating["simulated"] is True
    assert client.get("/v1/link").json()["simulated"] is True


def test_health_and_readiness(api: ApiThread, stores: Stores) -> None:
    assert httpx.get(f"{api.url}/v1/health").json()["status"] == "ok"
    assert httpx.get(f"{api.url}/v1/ready").status_code == 200
    stores.beats.close()
    assert_problem(httpx.get(f"{api.url}/v1/ready"), 503, "beats")
    assert httpx.get(f"{api.url}/v1/health").status_code == 200


def test_an_error_of_ours_is_a_problem_without_its_innards(
    signed_in: SignedIn, stores: Stores
) -> None:
    client = signed_in()
    stores.beats.close()
    answer = client.get("/v1/streams")
    assert_problem(answer, 500, "not with your request")
    assert "sqlite" not in answer.text.lower()


def test_openapi_is_whole_and_has_examples(api: ApiThread) -> None:
    schema = httpx.get(f"{api.url}/openapi.json").json()
    text = json.dumps(schema)
    for reference in set(part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]):
        assert reference in schema["components"]["schemas"]
    assert schema["components"]["schemas"]["UploadWire"]["examples"]
    assert schema["components"]["schemas"]["NewRating"]["examples"]
    for path, methods in schema["paths"].items():
        assert path.startswith("/v1/")
        for method in methods.values():
            assert method["description"]
            for status, answer in method["responses"].items():
                if status.startswith(("4", "5")):
                    assert list(answer["content"]) == ["application/problem+json"], path
