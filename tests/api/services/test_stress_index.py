"""The stress index from beats to trend, tables and link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.services.stress_days import GAP_WORDS
from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Person
from tests.support.beats import MIDNIGHT, put_beats

DAYS = 4


def put_even_beats(stores: Stores, person: Person, start_ns: int, minutes: int, bpm: float) -> None:
    """Beats that never vary, faster than those of ``put_beats``, with a gap before the last."""
    ticks = round(60 / bpm * 1024)
    step = ticks * SECOND // 1024
    count = minutes * MINUTE // step
    stream = Stream(new_id(), Origin.STRAP, "a strap", start_ns)
    stores.beats.put_stream(person.subject_id, stream)
    beats = [
        Notification(k + 1, start_ns + k * step, 70, (ticks,), (start_ns + k * step,))
        for k in range(count)
    ]
    last = start_ns + (count - 1) * step
    later = last + 20 * MINUTE
    beats.append(Notification(count + 1, later, 70, (ticks,), (later,)))
    stores.beats.append(
        person.subject_id, stream.id, beats, [Gap(count + 1, last, later, GapReason.CONTACT_LOST)]
    )


def test_every_reason_of_a_gap_has_words() -> None:
    assert GAP_WORDS.keys() == set(GapReason)


def test_a_day_is_compared_with_the_days_before_it(
    signed_in: Callable[..., httpx.Client], stores: Stores
) -> None:
    client = signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    for day in range(DAYS - 1):
        put_beats(stores, person, MIDNIGHT + day * DAY + 8 * HOUR, 2000, seed=day)
    excited = MIDNIGHT + (DAYS - 1) * DAY + 8 * HOUR
    put_even_beats(stores, person, excited, 45, 84)
    span = {
        "start": to_datetime(MIDNIGHT).isoformat(),
        "end": to_datetime(MIDNIGHT + DAYS * DAY - HOUR * 3).isoformat(),
        "bucket_s": "1800",
    }

    def days() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.get("/v1/hrv/trend", params=span).json()["days"]
        return found

    before = days()
    index = [item["stress_index"] for item in before]
    assert [item["value"] is None for item in index] == [True, True, False, False]
    assert "two worn days" in index[0]["missing"]
    assert [item["baseline_days"] for item in index] == [0, 1, 2, 3]
    usual, high = index[2:]
    assert usual["low"] <= usual["own_low"] < usual["value"] < usual["own_high"] <= usual["high"]
    assert usual["usual_low"] < 50 < usual["usual_high"]
    assert high["value"] > usual["value"] and 0 < high["known_share"] < 0.1
    # Forty-five minutes say less of a day than of their own half hours.
    buckets = client.get("/v1/hrv/trend", params=span).json()["buckets"]
    half_hour = buckets[-2]["stress_index"]
    assert half_hour["value"] > 90
    assert half_hour["own_high"] - half_hour["own_low"] < high["own_high"] - high["own_low"]
    assert {"reason": "not worn: no skin contact", "minutes": 20} in before[3]["gaps"]

    # The half hour before a rating, alike in the table and behind the link.
    about = to_datetime(excited + 40 * MINUTE)
    body = {"pain": 4, "stress": 6, "about": about.isoformat()}
    rating = client.post("/v1/ratings", json=body).json()
    evening = to_datetime(excited - 12 * HOUR).isoformat()  # the strap was off
    client.post("/v1/ratings", json={"pain": 4, "stress": 6, "about": evening})
    table = client.get("/v1/export/stress_before", params={"format": "json"}).json()["rows"]
    without, row = table
    assert (without["stress_index"], without["stress_index_missing"]) == (None, "no beats recorded")
    assert row["rating"] == rating["id"] and row["stress_index_version"] == 2
    assert row["stress_index_low"] < row["stress_index"] < row["stress_index_high"]
    assert row["stress_index"] > 90
    gaps = client.get("/v1/export/gaps", params={"format": "json"}).json()["rows"]
    assert [(gap["reason"], gap["seconds"]) for gap in gaps] == [("contact lost", 1200)]

    # Sitting still is a reading of its own; a practice is left out.
    def practise(kind: str, minutes: int, at: int) -> None:
        sent = client.put(
            f"/v1/practices/{new_id()}",
            json={
                "kind": kind,
                "start": to_datetime(at).isoformat(),
                "end": (to_datetime(at) + timedelta(minutes=minutes)).isoformat(),
            },
        )
        assert sent.status_code == 200, sent.text

    practise("seated rest", 5, excited + 5 * MINUTE)
    rested = days()[3]
    assert rested["stress_index"] == high and rested["rest"]["value"] > 90

    # A declared start: the days before keep their values, those after learn anew.
    fourth = before[3]["day"]
    path = f"/v1/stress/baseline/{fourth}"
    assert client.put(path, json={"reason": "new strap"}).status_code == 200
    started = days()
    assert started[2]["stress_index"] == usual
    assert "two worn days" in started[3]["stress_index"]["missing"]
    found = client.get("/v1/stress/baseline").json()
    assert [item["day"] for item in found["starts"]] == [fourth]
    assert (found["version"], found["worked_out_anew"]) == (2, False)
    assert client.delete(path).status_code == 204 and client.delete(path).status_code == 404
    future = client.put("/v1/stress/baseline/2999-01-01", json={"reason": "other"})
    assert future.status_code == 422
    practise("paced breathing", 120, excited - 30 * MINUTE)
    assert "practice" in days()[3]["stress_index"]["missing"]
    assert client.get("/v1/practices/around").json()["practices"] == 1


@pytest.mark.parametrize("first", [1, 2])
def test_values_that_were_worked_out_anew_are_told_once(
    signed_in: Callable[..., httpx.Client], stores: Stores, first: int
) -> None:
    client = signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    stores.programme.note_index_method(person.id, first, 1)

    def is_told() -> bool:
        return bool(client.get("/v1/stress/baseline").json()["worked_out_anew"])

    assert is_told() == is_told() == (first == 1)
    assert client.post("/v1/stress/new-values/seen").status_code == 204
    assert not is_told()
