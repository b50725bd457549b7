"""ebbtide.client over a running API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ebbtide.client import ApiError, Client, SignedOutError, UnavailableError
from ebbtide.timestamps import DAY, FOREVER, to_datetime
from store import Stores
from tests.support.accounts import PASSWORD
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"])
        yield opened


def test_every_table_is_a_frame(clinic: Clinic) -> None:
    with Client.sign_in(clinic.url, "ada@example.org", PASSWORD) as api:
        beats, hrv, ratings = api.beats(), api.hrv(), api.ratings()
        sessions, link = api.sessions(), api.link()
        stored = clinic.stores.beats.read(clinic.people["ada"].subject_id, *FOREVER)
        assert np.array_equal(beats["time_ns"].to_numpy(), stored.time_ns)
        assert beats["time"].dtype == pd.DatetimeTZDtype("ns", "UTC")
        assert beats["rr_ms"].to_numpy() == pytest.approx(stored.rr_ticks / 1.024)
        assert len(ratings) == 6
        assert set(ratings["pain"]) <= set(range(11))
        assert len(sessions) == 1
        assert hrv["usable"].sum() > 50
        assert link.iloc[0]["key"] == "same_moment"
        begin = ratings["about"].iloc[2]
        assert len(api.ratings(start=begin)) == 4
        assert len(api.ratings(start=begin, end=begin + timedelta(microseconds=1))) == 1
        assert len(api.ratings(since=begin.to_pydatetime())) == 4
        other = Client(clinic.url, api.token, frames="polars")
        assert isinstance(other.beats(), pl.DataFrame)
        assert other.beats()["rr_ms"].to_list() == beats["rr_ms"].to_list()
        assert other.ratings()["pain"].to_list() == ratings["pain"].to_list()
    with pytest.raises(SignedOutError):
        api.ratings()


def test_json_and_writes(clinic: Clinic) -> None:
    with Client.sign_in(clinic.url, "ada@example.org", PASSWORD) as api:
        assert api.me()["role"] == "patient"
        stored = api.rate({"pain": 3, "stress": 4})
        changed = api.correct(stored["id"], {"pain": 4, "stress": 4, "version": 1})
        assert changed["version"] == 2
        assert api.withdraw(stored["id"], 2)["withdrawn"]
        start, end = to_datetime(10**18), to_datetime(4 * 10**18)
        assert len(api.rating_list(start, end)) == 6
        assert api.link_report()["ratings"]["given"] == 6
        assert api.therapy()["pain"]["missing"]
        assert api.streams()["beats"] > 1000
        assert len(api.gaps()) == 2
        assert api.therapists()[0]["name"] == "The name of tom"
        assert not api.consents()["holds"]["care"]
        assert api.agree("care", True, "care, 1")["given"]
        assert api.put_session(2, to_datetime(clinic.stores.now()))["version"] == 1
        assert len(api.session_list()) == 2
        now = to_datetime(clinic.stores.now())
        assert api.trend(now - timedelta(days=9), now, 3600)["usable"] > 50
        with Client.sign_in(clinic.url, "tom@example.org", PASSWORD) as tom:
            assert [p["name"] for p in tom.patients()] == ["The name of ada", "The name of eve"]
            patient = tom.patient(clinic.id("ada"))
            assert len(patient.ratings()) == 6
            assert patient.link_report() == api.link_report()
            with pytest.raises(ApiError, match="not agreed"):
                tom.patient(clinic.id("eve")).ratings()
        assert [entry["what"].removeprefix("GET /v1/patients") for entry in api.looks()] == [
            "/{patient}/link",
            "/{patient}/export/{table}",
            "",
        ]


def test_research_by_pseudonym(clinic: Clinic) -> None:
    assert clinic["ann"].get("/v1/research/people").json()["people"] == []
    fill(clinic.stores, clinic.people["ada"], weeks_ago=RELEASED_WEEKS)
    agree_together(clinic, "ada")
    with Client.sign_in(clinic.url, "ann@example.org", PASSWORD) as ann:
        people = ann.research.people()
        assert len(people) == 5
        (person,) = (row for row in people if row["ratings"])
        assert person["ratings"] == 6
        assert person["days_with_beats"] == 3
        assert person["beats"] == len(ann.research.beats())
        with pytest.raises(ApiError) as few:
            ann.research.ratings(person=[person["person"]])
        assert (few.value.status, few.value.kind) == (403, "few-people")
        ratings = ann.research.ratings(person=[row["person"] for row in people])
        assert set(ratings["person"]) == {person["person"]}
        assert len(ann.research.beats()) > 10_000
        with pytest.raises(ApiError) as refused:
            ann.research.hrv(person="nobody")
        assert (refused.value.status, refused.value.kind) == (404, "not-found")


def test_errors_name_the_field(clinic: Clinic) -> None:
    with pytest.raises(ApiError, match="not right"):
        Client.sign_in(clinic.url, "ada@example.org", "wrong")
    with Client.sign_in(clinic.url, "ada@example.org", PASSWORD) as api:
        with pytest.raises(ApiError) as refused:
            api.rate({"pain": 11, "stress": 1})
        assert list(refused.value.fields) == ["body.pain"]
        assert refused.value.kind == "invalid"


def test_requests_are_repeated_after_retry_after() -> None:
    keys: list[str | None] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            keys.append(self.headers["idempotency-key"])
            body = json.dumps({"id": "x"} if len(keys) == 3 else {"detail": "busy", "type": "a:b"})
            self.send_response(201 if len(keys) == 3 else 503)
            self.send_header("retry-after", "0.01")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = Client(f"http://127.0.0.1:{server.server_address[1]}", "token")
    assert api.rate({"pain": 1, "stress": 1}) == {"id": "x"}
    assert len(keys) == 3
    assert len(set(keys)) == 1  # the same key: it cannot be done twice
    server.shutdown()
    server.server_close()
    with pytest.raises(UnavailableError, match="does not answer"):
        Client("http://127.0.0.1:9", "token").me()


def test_what_is_still_computed_is_fetched_when_it_is_ready(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.compute.LIGHT_S", 0.0)  # everything is a job
    monkeypatch.setattr("api.http.compute._HOLD_S", 0.0)
    ada = clinic["ada"]
    first = ada.get("/v1/link")
    assert (first.status_code, first.headers["Retry-After"]) == (202, "2")
    assert first.json()["status"] == "computing"
    with Client.sign_in(clinic.url, "ada@example.org", PASSWORD) as api:
        assert api.link_report()["ratings"]["given"] == 6
        now = clinic.stores.now()
        assert api.trend(to_datetime(now - 10 * DAY), to_datetime(now), 3600)["buckets"]
