"""Consent that is taken back in one worker ends every use in all of them, and is carried out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.export import files, responses
from api.http.withdrawals import WithdrawalTask
from api.services.access_tokens import issue_token
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, to_datetime
from store import open_stores
from store.models import Purpose, Role
from tests.support.assertions import wait_for
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS

NO = {"purpose": "keeping", "given": False, "wording": "keeping, 1"}
YES = {**NO, "given": True}


@dataclass
class Workers:
    """Two workers of one clinic; ``clinic`` is signed in at the first."""

    clinic: Clinic
    other_url: str

    def fresh(self, who: str) -> httpx.Client:
        """Somebody's client without connections: servers close those that are not used for 5 s."""
        token, _ = issue_token(self.clinic.stores, self.clinic.people[who])
        return self.clinic.client(token)

    def other(self, who: str) -> httpx.Client:
        """Somebody's client at the second worker."""
        client = self.fresh(who)
        client.base_url = httpx.URL(self.other_url)
        self.clinic.clients[f"{who} at the other"] = client
        return client


@pytest.fixture(params=[24.0, 0.0], ids=["in a day", "at once"])
def workers(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workers]:
    """Have six patients who agree to everything, and look often for what is due."""
    monkeypatch.setenv("EBBTIDE_WITHDRAWAL_HOURS", str(request.param))
    monkeypatch.setattr(WithdrawalTask, "every_s", 0.5)
    many = settings.model_copy(
        update={
            "requests_a_minute": 10**6,
            "anonymous_requests_a_minute": 10**6,
            "withdrawal_hours": request.param,
        }
    )
    with (
        opened_clinic(open_stores(settings), settings.data_dir) as clinic,
        ApiThread(create_app(open_stores(settings), many)) as other,
    ):
        for number in range(4):
            clinic.add(f"p{number}", Role.PATIENT)
        for seed, name in enumerate(("ada", "eve", "p0", "p1", "p2", "p3")):
            fill(clinic.stores, clinic.people[name], days=1, seed=seed)
            for purpose in Purpose:
                clinic.agree(name, purpose)
        clinic["ada"].put("/v1/live/sharing", json={"minutes": 60})
        yield Workers(clinic, other.url)


def test_every_use_ends_in_every_worker_also_of_what_was_cached(workers: Workers) -> None:
    clinic = workers.clinic
    # What analysts may see: old enough to be released.
    fill(clinic.stores, clinic.people["ada"], days=1, seed=9, weeks_ago=RELEASED_WEEKS)
    patient = f"/v1/patients/{clinic.id('ada')}"
    now = clinic.stores.now()
    span = {
        "start": to_datetime(now - 9 * DAY).isoformat(),
        "end": to_datetime(now).isoformat(),
        "bucket_s": "86400",
    }
    ada, tom, ann = (workers.other(name) for name in ("ada", "tom", "ann"))
    uses: list[tuple[httpx.Client, str, dict[str, str]]] = [
        (clinic["ada"], "/v1/link", {}),
        (ada, "/v1/link", {}),
        (ada, "/v1/hrv/trend", span),
        (ada, "/v1/export/hrv.csv", {}),
        (tom, f"{patient}/link", {}),
        (tom, f"{patient}/hrv/trend", span),
        (tom, f"{patient}/ratings", {}),
        (tom, f"{patient}/export/beats.csv", {}),
        (clinic["tom"], f"{patient}/fhir/Observation", {}),
    ]
    for client, path, params in uses:  # computed, and stored and cached where it can be
        assert client.get(path, params=params).status_code == 200, path
    people = ann.get("/v1/research/people").json()["people"]
    assert len(people) == 6
    before = ann.get("/v1/research/ratings.csv")
    assert before.status_code == 200

    assert clinic["ada"].post("/v1/consents", json=NO).status_code == 201
    for client, path, params in uses:
        assert client.get(path, params=params).status_code == 403, path
    left = ann.get("/v1/research/people").json()["people"]
    assert len(left) == 5
    (name,) = {row["person"] for row in people} - {row["person"] for row in left}
    assert name in before.text
    assert name not in ann.get("/v1/research/ratings.csv").text
    resumed = ann.get(
        "/v1/research/ratings.csv",
        headers={"Range": "bytes=10-", "If-Range": before.headers.get("etag", "")},
    )
    assert name not in resumed.text
    assert clinic.stores.records.report(clinic.id("ada"), "30 minutes") is None


def test_live_streams_end_with_a_reason(workers: Workers) -> None:
    clinic = workers.clinic
    for who, path in (
        ("ada", "/v1/live"),
        ("tom", f"/v1/patients/{clinic.id('ada')}/live"),
    ):
        clinic["ada"].post("/v1/consents", json=YES)
        clinic["ada"].put("/v1/live/sharing", json={"minutes": 60})
        client = workers.other(who)
        with client.stream("GET", path, params={"seconds": 60}) as answer:
            events = parse(answer)
            assert next(events)[0] == "heart"
            clinic["ada"].post("/v1/consents", json=NO)
            begin = time.monotonic()
            *_, (kind, last) = events
        assert kind == "ended", who
        assert "taken" in last["reason"] and "back" in last["reason"]
        assert time.monotonic() - begin < 10


@pytest.mark.parametrize("who", ["ada", "tom", "ann"])
def test_an_export_under_way_is_cut_short(
    workers: Workers, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = workers.clinic
    table_parts, research_parts = responses.table_parts, responses.research_parts

    def slow(parts: Iterator[Any]) -> Iterator[Any]:
        for part in parts:
            # Read once: of a part that is read anew after the erasure, nothing would be sent.
            rows = part.rows()
            part = replace(part, rows=lambda rows=rows: rows)
            for _ in range(6000 if len(rows) else 1):  # ten minutes where there are rows
                yield part
                time.sleep(0.1)

    def slow_parts(*arguments: Any) -> Iterator[Any]:
        return slow(table_parts(*arguments))

    def slow_research_parts(*arguments: Any) -> Iterator[Any]:
        return slow(research_parts(*arguments))

    monkeypatch.setattr(responses, "table_parts", slow_parts)
    monkeypatch.setattr(responses, "research_parts", slow_research_parts)
    monkeypatch.setattr(files, "_WAIT_S", 0.5)  # after which the file is sent while it is made
    # What analysts may see: old enough to be released.
    fill(clinic.stores, clinic.people["ada"], days=1, seed=9, weeks_ago=RELEASED_WEEKS)
    path = {
        "ada": "/v1/export/beats.csv",
        "tom": f"/v1/patients/{clinic.id('ada')}/export/beats.csv",
        "ann": "/v1/research/beats.csv",
    }[who]
    client, ada = workers.other(who), workers.fresh("ada")
    taken_back_s = last_s = 0.0
    received = 0
    plain = {"Accept-Encoding": "identity"}
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("GET", path, headers=plain) as answer,
    ):
        assert answer.status_code == 200
        for chunk in answer.iter_raw():
            last_s = time.monotonic()
            received += len(chunk)
            if received > 1000 and not taken_back_s:  # beats, and not the heading alone
                assert ada.post("/v1/consents", json=NO).status_code == 201
                taken_back_s = time.monotonic()
    # Cut within two seconds of a machine that has time.
    assert taken_back_s
    assert last_s - taken_back_s < 10
    assert time.monotonic() - taken_back_s < 150
    ada.close()
    assert not [*clinic.snapshots.glob("*.snapshot"), *clinic.snapshots.glob("*.part")]


def test_it_is_carried_out_once_and_the_page_says_so(workers: Workers) -> None:
    clinic = workers.clinic
    ada = workers.other("ada")
    hours = ada.get("/v1/consents").json()["withdrawal_hours"]
    assert clinic["ada"].post("/v1/consents", json=NO).status_code == 201
    if hours:
        time.sleep(2)  # both workers have looked
        found = ada.get("/v1/consents").json()
        assert found["withdrawal"]["erased"] is None
        assert len(clinic.stores.records.ratings(clinic.id("ada"), 0, 2**62)) == 2
        return
    wait_for(lambda: ada.get("/v1/consents").json()["withdrawal"]["erased"], 60)
    found = clinic["ada"].get("/v1/consents").json()
    assert (found["keeping"], found["holds"]["keeping"]) == ("withdrawn", False)
    assert (found["withdrawal"]["ratings"], found["withdrawal"]["sessions"]) == (2, 1)
    assert found["withdrawal"]["beats"] > 1000
    assert [line.action for line in clinic.stores.records.audit()] == [
        "withdrawal begun",
        "withdrawal carried out",
    ]
    assert ada.get("/v1/ratings").json()["ratings"] == []
    assert ada.get("/v1/streams").json()["beats"] == 0
    assert ada.get("/v1/generation").headers["Ebbtide-Withdrawn-Ns"].isdigit()
    # The others', and whoever agrees again, go on.
    assert len(clinic["eve"].get("/v1/ratings").json()["ratings"]) == 2
    assert ada.post("/v1/ratings", json={"pain": 1, "stress": 1}).status_code == 403
    assert ada.post("/v1/consents", json=YES).status_code == 201
    assert ada.post("/v1/ratings", json={"pain": 1, "stress": 1}).status_code == 201
    time.sleep(1.5)
    assert len(ada.get("/v1/ratings").json()["ratings"]) == 1


def parse(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in answer.iter_lines():
        if line.startswith("event:"):
            kind = line.partition(":")[2].strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.partition(":")[2])
