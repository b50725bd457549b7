"""Routes of the recorder: for whom it records, one scan at a time, and 404 where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.credentials import CredentialFile, Credentials
from cli.server.recorder import RecorderSupervisor
from ebbtide.settings import Settings
from store import Stores
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic

STAND_IN = [sys.executable, "-m", "tests.support.stand_in_recorder"]
ADDRESS = "C0:00:00:00:00:01"
STRAP = f"/v1/recorder/straps/{ADDRESS}"


@pytest.fixture
def clinic(stores: Stores, tmp_path: Path) -> Iterator[Clinic]:
    """A clinic whose computer records for Ada alone."""
    settings = Settings(data_dir=tmp_path / "data")
    with opened_clinic(stores) as opened:
        assert opened.app is not None
        file = CredentialFile(settings.sign_ins_file)
        file.put(Credentials("ada@example.org", opened.url, "a token", opened.id("ada")))
        with RecorderSupervisor(settings, STAND_IN) as supervisor:
            opened.app.state.recorder = supervisor
            yield opened


def test_a_strap_is_found_paired_renamed_and_forgotten(clinic: Clinic) -> None:
    ada = clinic["ada"]
    assert ada.get("/v1/recorder").json()["straps"] == []
    answer = ada.post("/v1/recorder/scan", json={"seconds": 3})
    assert (answer.status_code, answer.json()["found"][0]["address"]) == (202, ADDRESS)
    paired = ada.post("/v1/recorder/straps", json={"address": ADDRESS})
    assert (paired.status_code, paired.json()["heard"]) == (201, "intervals")
    found = ada.get("/v1/recorder/scan").json()["found"]
    assert found[0]["paired_with"] == "you"
    assert_problem(ada.post("/v1/recorder/straps", json={"address": ADDRESS}), 409)
    assert ada.patch(STRAP, json={"name": "Mine"}).json()["name"] == "Mine"
    assert ada.post(f"{STRAP}/off-said").status_code == 204
    (strap,) = ada.get("/v1/recorder").json()["straps"]
    assert (strap["name"], strap["off_notice"], strap["last_heard"]) == ("Mine", False, None)
    assert ada.delete(STRAP).status_code == 204
    assert_problem(ada.delete(STRAP), 404)
    assert_problem(ada.post(f"{STRAP}/off-said"), 404)


def test_it_is_for_the_patients_of_this_computer_alone(clinic: Clinic) -> None:
    for who, status in (("eve", 403), ("tom", 403), ("adam", 403)):
        client = clinic[who]
        assert_problem(client.get("/v1/recorder"), status)
        assert_problem(client.get("/v1/recorder/scan"), status)
        assert_problem(client.post("/v1/recorder/scan", json={}), status)
        assert_problem(client.post("/v1/recorder/straps", json={"address": ADDRESS}), status)
        assert_problem(client.patch(STRAP, json={"name": "x"}), status)
        assert_problem(client.delete(STRAP), status)
        assert_problem(client.post(f"{STRAP}/off-said"), status)
    assert "ebbtide sign-in" in clinic["eve"].get("/v1/recorder").json()["detail"]


@pytest.mark.parametrize("seconds", [2, 31, "20", True])
def test_a_scan_is_bounded(clinic: Clinic, seconds: object) -> None:
    assert_problem(clinic["ada"].post("/v1/recorder/scan", json={"seconds": seconds}), 422)


def test_an_address_is_an_address(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for address in ("H10", "../../straps", f"{ADDRESS}:02"):
        assert_problem(ada.post("/v1/recorder/straps", json={"address": address}), 422)
    assert_problem(ada.delete("/v1/recorder/straps/H10"), 422)
    assert_problem(ada.patch(STRAP, json={"name": "x" * 61}), 422)


def test_a_service_that_does_not_record_says_who_does(stores: Stores) -> None:
    with opened_clinic(stores) as clinic:
        answer = clinic["ada"].get("/v1/recorder")
        assert_problem(answer, 404)
        assert answer.json()["type"].endswith(":no-recorder")
        assert "This service does not record" in answer.json()["detail"]
