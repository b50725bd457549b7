"""Nights over the API: stored once, read by day, what goes with the days, and who may."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from api.services import night_links
from api.services import nights as nights_service
from ebbtide.beats import new_id
from ebbtide.client import Client
from ebbtide.timestamps import from_datetime, to_datetime
from store.models import Rating
from store.models.records import Purpose
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic

WAKE = datetime(2026, 3, 2, 5, 30, tzinfo=UTC)  # 06:30 in Berlin
BERLIN = timedelta(hours=1)


def a_night(number: int = 0, **changes: Any) -> dict[str, Any]:
    end = WAKE + timedelta(days=number)
    night = {
        "day": end.date().isoformat(),
        "source": "Oura",
        "start": (end - timedelta(hours=7)).isoformat(),
        "end": end.isoformat(),
        "basis": "five-minute values",
        "rmssd_ms": 40.0 + number % 5,
        "mean_hr_bpm": 55.5,
        "windows": 2,
        "steps": 84,
        "values": [[0, 39.5, None, 56.0], [300, 40.5, None, None]],
    }
    return night | changes


def put(client: httpx.Client, *nights: dict[str, Any]) -> httpx.Response:
    return client.put("/v1/nights", json={"nights": list(nights)})


def test_nights_are_stored_once_and_read_by_day(clinic: Clinic) -> None:
    ada = clinic["ada"]
    many = [a_night(k) for k in (0, 1, 3)]
    many.append(a_night(4, rmssd_ms=None, mean_hr_bpm=None, values=[], missing_reason="not worn"))
    assert put(ada, *many).json() == {"new": 4, "grown": 0, "known": 0}
    assert put(ada, *many).json() == {"new": 0, "grown": 0, "known": 4}
    assert put(ada, a_night(1, windows=3)).json()["grown"] == 1
    listed = ada.get("/v1/nights").json()
    assert [n["day"] for n in listed["nights"]] == [
        *("2026-03-02", "2026-03-03", "2026-03-05", "2026-03-06"),
    ]
    gaps = [(gap["day"], gap["reason"]) for gap in listed["gaps"]]
    assert gaps[1] == ("2026-03-06", "not worn")
    assert gaps[0][0] == "2026-03-04" and "no night in the export" in gaps[0][1]
    some = ada.get("/v1/nights", params={"first": "2026-03-03", "last": "2026-03-04"}).json()
    assert [n["day"] for n in some["nights"]] == ["2026-03-03"]
    (opened,) = ada.get("/v1/nights/2026-03-02").json()
    assert opened["values"] == [[0, 39.5, None, 56.0], [300, 40.5, None, None]]
    assert (opened["calmer_than"], opened["compared_with"]) == (None, 0)
    assert_problem(ada.get("/v1/nights/2026-03-04"), 404, "no night")
    assert ada.delete("/v1/nights", params={"source": "Oura"}).json()["known"] == 4
    assert_problem(ada.delete("/v1/nights", params={"source": "Oura"}), 404, "no night")
    assert ada.get("/v1/nights").json() == {"nights": [], "gaps": []}


def test_a_night_keeps_the_clock_of_where_the_person_woke(clinic: Clinic) -> None:
    end = "2026-03-01T23:30:00-06:00"  # in Berlin it was March 2
    start = "2026-03-01T15:00:00-06:00"
    put(clinic["ada"], a_night(day="2026-03-01", start=start, end=end)).raise_for_status()
    (night,) = clinic["ada"].get("/v1/nights").json()["nights"]
    assert (night["start"], night["end"]) == (start, end)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"day": "2026-03-01"}, "date of end"),
        ({"start": (WAKE - timedelta(hours=2)).isoformat()}, "three to 24 hours"),
        ({"start": (WAKE + timedelta(hours=2)).isoformat()}, "three to 24 hours"),
        ({"start": "2026-03-01T20:00:00"}, "needs a zone"),
        ({"end": "2126-03-01T20:00:00Z"}, "2000 and 2100"),
        ({"values": [[300, 40.0, None, None], [0, 40.0, None, None]]}, "in order of time"),
        ({"rmssd_ms": -1}, "greater than 0"),
        ({"source": "a\u0007b"}, "printable"),
        ({"rmssd_ms": True}, "rmssd_ms"),
        ({"mean_hr_bpm": "60"}, "mean_hr_bpm"),
        ({"values": [[0, True, None, None]]}, "values"),
        ({"basis": "a guess"}, "device's own average"),
    ],
)
def test_a_wrong_night_is_refused_and_nothing_is_stored(
    clinic: Clinic, changes: dict[str, Any], words: str
) -> None:
    response = put(clinic["ada"], a_night(1), a_night(**changes))
    assert_problem(response, 422, words)
    assert "nights.1" in response.text
    assert clinic["ada"].get("/v1/nights").json()["nights"] == []


def test_a_night_of_the_future_is_refused(clinic: Clinic) -> None:
    end = to_datetime(clinic.stores.now()) + timedelta(days=2)
    night = a_night(
        day=end.date().isoformat(),
        end=end.isoformat(),
        start=(end - timedelta(hours=8)).isoformat(),
    )
    assert_problem(put(clinic["ada"], night), 422, "future")


def test_the_therapist_reads_them_with_consent_and_it_is_logged(clinic: Clinic) -> None:
    put(clinic["ada"], a_night()).raise_for_status()
    path = f"/v1/patients/{clinic.id('ada')}/nights"
    assert clinic["eve"].get(path).status_code in (403, 404)
    assert clinic["eve"].get("/v1/nights").json()["nights"] == []
    clinic.agree("ada", Purpose.CARE)
    clinic["ada"].put(f"/v1/therapists/{clinic.id('tom')}")
    answer = clinic["tom"].get(path)
    if answer.status_code == 404:  # not in Tom's care in this clinic
        pytest.fail("Ada is not in Tom's care")
    assert [n["day"] for n in answer.json()["nights"]] == ["2026-03-02"]
    log = clinic["ada"].get("/v1/me/looks").text
    assert "/v1/patients/{patient}/nights" in log
    assert clinic["tom"].put(path, json={"nights": [a_night()]}).status_code == 405


def test_links_agreement_and_rank_of_a_person_with_two_devices(clinic: Clinic) -> None:
    rng = np.random.default_rng(1)
    ada, person = clinic["ada"], clinic.people["ada"]
    level = rng.normal(size=100)
    nights = []
    for k, value in enumerate(level.tolist()):
        nights.append(a_night(k, rmssd_ms=40 * float(np.exp(0.2 * value))))
        if k < 20:
            nights.append(
                a_night(k, source="Strap", rmssd_ms=52 * float(np.exp(0.2 * value)), values=[])
            )
        for hours in (3, 10):
            about = from_datetime(WAKE + timedelta(days=k, hours=hours))
            pain = int(np.clip(np.round(5 - 1.5 * value + 0.5 * rng.normal()), 0, 10))
            clinic.stores.records.add_rating(
                Rating(new_id(), 1, person.id, about, about, "Europe/Berlin", pain, 5, None, False)
            )
    for at in range(0, len(nights), 60):
        put(ada, *nights[at : at + 60]).raise_for_status()
    found = ada.get("/v1/nights/link").json()
    assert (found["metric"], found["nights"], found["levels"]) == ("rmssd_ms", 100, 1)
    by_question = {link["question"]: link for link in found["links"]}
    first = by_question["night, then pain"]
    assert first["is_clear"] and first["estimate"] < 0
    assert "cannot" in by_question["stress, then night"]["sentence"] or (
        by_question["stress, then night"]["missing_reason"] is not None
    )
    (ratio,) = [one for one in found["agreement"] if one["metric"] == "rmssd_ms"]
    assert ratio["n"] == 20 and ratio["bias"] == pytest.approx(40 / 52, abs=0.001)
    assert "not what brought it" in found["caution"]
    last = (WAKE + timedelta(days=99)).date().isoformat()
    (opened,) = ada.get(f"/v1/nights/{last}").json()
    below = 100 * np.mean(level[:99] < level[99])
    assert opened["calmer_than"] == pytest.approx(below)
    assert opened["compared_with"] == 99


def test_the_client_has_them(clinic: Clinic) -> None:
    token = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    with Client(clinic.url, token) as api:
        assert api.put_nights([a_night()])["new"] == 1
        assert len(api.night_list(date(2026, 3, 1), date(2026, 3, 3))["nights"]) == 1
        assert api.night(date(2026, 3, 2))[0]["source"] == "Oura"
        assert api.night_links()["nights"] == 1
        assert api.remove_nights("Oura") == 1


def test_links_are_made_once_until_a_night_or_a_rating_changes(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks at each of its reruns."""
    made = []
    original = night_links.night_links_json

    def counting(inputs: night_links.NightLinkInputs) -> str:
        made.append(len(inputs.stored))
        return original(inputs)

    monkeypatch.setattr(night_links, "night_links_json", counting)
    # Where it is called: a process of its own would not count here.
    monkeypatch.setattr(night_links, "compute", lambda _, function, *given: function(*given))
    ada, person = clinic["ada"], clinic.people["ada"]
    put(ada, *(a_night(k) for k in range(5))).raise_for_status()
    first = ada.get("/v1/nights/link").json()
    assert ada.get("/v1/nights/link").json() == first
    assert made == [5]
    put(ada, a_night(5)).raise_for_status()
    assert ada.get("/v1/nights/link").json()["nights"] == 6
    about = from_datetime(WAKE + timedelta(hours=4))
    clinic.stores.records.add_rating(
        Rating(new_id(), 1, person.id, about, about, "Europe/Berlin", 4, 5, None, False)
    )
    ada.get("/v1/nights/link").raise_for_status()
    ada.get("/v1/nights/link").raise_for_status()
    assert made == [5, 6, 6]
    assert clinic["ada"].delete("/v1/nights", params={"source": "Oura"}).json()["known"] == 6
    assert ada.get("/v1/nights/link").json()["nights"] == 0


def test_a_person_has_so_many_nights_and_sources_and_no_more(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = clinic["ada"]
    put(ada, *(a_night(0, source=f"S{k}") for k in range(24))).raise_for_status()
    assert_problem(put(ada, a_night(0, source="one more")), 422, "at most 24")
    put(ada, a_night(1, source="S3")).raise_for_status()
    found = ada.get("/v1/nights/link").json()  # of the eight with most nights
    assert len(found["devices"]) == 8 and any("S3," in name for name in found["devices"])
    assert len(found["agreement"]) <= 3 * 28
    monkeypatch.setattr(nights_service, "MAX_NIGHTS", 26)
    put(ada, a_night(2, source="S3")).raise_for_status()
    assert_problem(put(ada, a_night(3, source="S3")), 422, "more than 26 nights")
    assert ada.delete("/v1/nights", params={"source": "S9"}).status_code == 200
    put(ada, a_night(3, source="S3")).raise_for_status()
