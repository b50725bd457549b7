"""What administrators see of the service, and erasing an account with its proof."""

from __future__ import annotations

import httpx
import pytest

from ebbtide import __version__
from ebbtide.client import Client
from store.models import Purpose
from tests.support.accounts import PASSWORD
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill

PATHS = ("state", "consents", "access-log", "retention")


@pytest.mark.parametrize("path", PATHS)
def test_it_is_for_administrators_alone(clinic: Clinic, path: str) -> None:
    for name in ("ada", "tom", "ann"):
        assert_problem(clinic[name].get(f"/v1/operation/{path}"), 403, "administrators only")
    assert clinic["adam"].get(f"/v1/operation/{path}").status_code == 200


def test_the_state_says_what_answers_and_what_does_not_run(clinic: Clinic) -> None:
    state = clinic["adam"].get("/v1/operation/state").json()
    assert state["version"] == __version__
    assert [(item["name"], item["answers"]) for item in state["stores"]] == [
        ("beats", True),
        ("people and ratings", True),
    ]
    assert {item["name"]: item["problem"] for item in state["jobs"]} == dict.fromkeys(
        ("nightly", "backup", "retention"), "it is not running"
    )
    assert (state["backups"], state["mail"]) == ([], False)


def test_of_several_servers_of_beats_the_state_names_the_one_that_is_away(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"main": None, "second": "The InfluxDB server second does not answer."}
    monkeypatch.setattr(type(clinic.stores.beats), "server_states", lambda _: away)
    state = clinic["adam"].get("/v1/operation/state").json()
    (second,) = [item for item in state["stores"] if not item["answers"]]
    assert second["name"] == "second"
    ready = httpx.get(f"{clinic.url}/v1/ready", timeout=30)
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    monkeypatch.setattr(type(clinic.stores.beats), "server_states", lambda _: {"main": "away"})
    assert httpx.get(f"{clinic.url}/v1/ready", timeout=30).status_code == 503


def test_consents_and_the_log_have_no_health_data(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    clinic.agree("ada", Purpose.CARE)
    clinic["tom"].get(f"/v1/patients/{clinic.id('ada')}/ratings")
    rows = {row["name"]: row for row in clinic["adam"].get("/v1/operation/consents").json()}
    ada = rows["The name of ada"]
    assert (ada["keeping"], ada["care"], ada["research"]) == ("agreed", True, False)
    assert rows["The name of eve"]["care"] is False
    first = clinic["adam"].get("/v1/operation/access-log", params={"limit": 1}).json()
    (entry,) = first["entries"]
    assert (entry["who"], entry["whose"]) == ("The name of tom", "The name of ada")
    assert entry["what"] == "GET /v1/patients/{patient}/ratings"


def test_an_account_is_erased_with_its_address_and_a_password(clinic: Clinic) -> None:
    fill(clinic.stores, clinic.people["ada"], days=1)
    adam, path = clinic["adam"], f"/v1/accounts/{clinic.id('ada')}/erase"
    right = {"email": "ada@example.org", "password": PASSWORD}
    for name in ("tom", "ann", "eve"):
        assert_problem(clinic[name].post(path, json=right), 403, "administrators only")
    wrong = {**right, "email": "eve@example.org"}
    assert_problem(adam.post(path, json=wrong), 422, "not the address of this account")
    assert_problem(adam.post(path, json={**right, "password": "x"}), 422, "not your password")
    own = f"/v1/accounts/{clinic.id('adam')}/erase"
    body = {"email": "adam@example.org", "password": PASSWORD}
    assert_problem(adam.post(own, json=body), 422, "your own account")
    assert clinic.stores.records.person(clinic.id("ada")) is not None
    found = adam.post(path, json=right)
    assert found.status_code == 200
    assert (found.json()["ratings"], found.json()["sessions"]) == (2, 1)
    assert found.json()["beats"] > 5000
    assert clinic.stores.records.person(clinic.id("ada")) is None
    assert clinic["ada"].get("/v1/me").status_code == 401
    (erasure,) = adam.get("/v1/operation/retention").json()["erasures"]
    assert (erasure["with_account"], erasure["finished"]) == (True, True)
    assert_problem(adam.post(path, json=right), 404, "no account")


def test_the_client_asks_the_same(clinic: Clinic) -> None:
    token = clinic["adam"].headers["Authorization"].removeprefix("Bearer ")
    with Client(clinic.url, token) as api:
        assert api.operation_state()["version"] == __version__
        assert len(api.operation_consents()) == 2
        assert api.operation_access_log(5)["next"] is None
        assert api.operation_retention()["expired"] == []
        gone = api.erase_account(clinic.id("eve"), "eve@example.org", PASSWORD)
        assert gone["remaining"] == []
    assert clinic.stores.records.person(clinic.id("eve")) is None
