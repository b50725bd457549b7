"""Straps on BlueZ: a real kernel's Bluetooth, real Bleak, the project's own commands.

Only the controller and the straps are simulated, by Bumble. One boot runs all cases
(``vm_cases.py``); here the straps' logs are compared with what the API and the store return.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from api.app import create_app
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ingest.outbox.api_client import IngestClient
from ingest.outbox.outbox import Outbox
from ingest.outbox.uploader import Uploader
from store import Stores, open_stores
from tests.bluetooth.bumble_strap import Sent
from tests.bluetooth.expected_beats import compare
from tests.bluetooth.virtual_machine import boot, kernel_tree
from tests.support.accounts import PASSWORD, add_account

CUTS = int(os.environ.get("EBBTIDE_VM_CUTS", "3"))
# The first test waits for the machine, which takes five minutes alone on two cores.
pytestmark = [pytest.mark.bluetooth, pytest.mark.timeout(1800)]


class Outcome:
    """What came out of the guest, and of the store after the upload."""

    def __init__(self, results: Path, stores: Stores, account: str, console: str) -> None:
        self.console = console
        self.cases: dict[str, Any] = json.loads((results / "cases.json").read_text())
        self.logs: dict[str, list[list[Any]]] = json.loads((results / "logs.json").read_text())
        person = stores.records.person(account)
        assert person is not None
        self.beats = stores.beats.read(person.subject_id, 0, 2**62)
        self.gaps = stores.beats.gaps(person.subject_id, 0, 2**62)
        with Outbox(results / "outbox.sqlite") as outbox:
            self.waiting = sum(state.waiting for state in outbox.states())
            self.quarantined = outbox.count_quarantined(account, "Strap 2")

    def case(self, name: str) -> Any:
        found = self.cases[name]
        assert found["error"] is None, found["error"]
        return found["result"]

    def stored(self, strap: str) -> list[int]:
        streams = [i for i, s in enumerate(self.beats.streams) if s.source == strap]
        inside = np.isin(self.beats.stream, streams)
        assert (np.diff(self.beats.time_ns[inside]) > 0).all()
        found: list[int] = self.beats.rr_ticks[inside].tolist()
        return found


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    kernel_tree()
    results = tmp_path_factory.mktemp("results")
    work = tmp_path_factory.mktemp("machine")
    stores = open_stores(Settings(data_dir=tmp_path_factory.mktemp("data")))
    email = "ada@example.org"
    add_account(stores, email, name="Ada", zone="Europe/Berlin")
    with ApiThread(create_app(stores)) as api:
        body = {"email": email, "password": PASSWORD}
        token = httpx.post(f"{api.url}/v1/sign-in", json=body).json()["token"]
        me = httpx.get(f"{api.url}/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
        # In the guest nothing listens at this address: the server is unavailable the whole time.
        sign_in = {
            "email": email,
            "api_url": "http://127.0.0.1:9",
            "token": token,
            "account": me["id"],
        }
        (results / "sign-ins.json").write_text(json.dumps({"sign_ins": [sign_in]}))
        (results / "cuts").write_text(str(CUTS))
        console = boot(work, results, 1200 + 20 * CUTS)
        print(console)
        assert "GUEST ENDED WITH 0" in console, console[-4000:]

        async def upload() -> None:
            with Outbox(results / "outbox.sqlite") as outbox:
                async with IngestClient(api.url, token) as client:
                    await Uploader(outbox, client, me["id"]).upload_waiting()

        asyncio.run(upload())
        return Outcome(results, stores, me["id"], console)


def test_scan_lists_names_signal_battery_and_what_each_offers(outcome: Outcome) -> None:
    found = {strap["name"]: strap for strap in outcome.case("scan")}
    assert set(found) == {"Strap 1", "Strap 2", "Strap 3"}
    for strap in found.values():
        assert strap["trouble"] is None
        assert strap["facts"]["battery_percent"] == 87
        assert strap["facts"]["gives"] == ["heart rate"]
        assert strap["signal_dbm"] < 0


def test_pair_detects_rr_and_stores_the_strap(outcome: Outcome) -> None:
    paired = outcome.case("pair")
    assert (paired["name"], paired["heard"]) == ("Strap 1", "RR")
    assert paired["patient"] == "ada@example.org"
    assert paired["facts"]["model"] == "H10"


@pytest.mark.parametrize(
    "case",
    ["three_at_once", "cuts", "silent", "daemon_killed", "strap_restarted"],
)
def test_the_recorder_continues_by_itself(outcome: Outcome, case: str) -> None:
    print(case, outcome.case(case), outcome.cases[case]["seconds"], "s")


def test_heart_rate_without_rr_is_not_called_good(outcome: Outcome) -> None:
    assert outcome.case("heart_rate_only") != "good"


def test_duplicate_and_malformed_notifications_are_quarantined(outcome: Outcome) -> None:
    counts = outcome.case("twice_and_malformed")
    assert counts["malformed"] >= 3
    assert counts["repeated"] >= 5
    assert outcome.quarantined["malformed"] >= counts["malformed"]


def test_recorder_ends_on_sigterm(outcome: Outcome) -> None:
    assert outcome.case("ended") == 0
    assert outcome.waiting == 0  # after the upload, on the host


def test_doctor_reports_the_kernels_limits(outcome: Outcome) -> None:
    checks = {check["about"]: check for check in outcome.case("doctor")}
    assert checks["Bluetooth adapter"]["what"] == "hci0"
    limits = checks["Connection interval of hci0"]
    assert limits["finding"] == "worth a look"
    assert "conn_max_interval" in limits["remedy"]
    assert checks["Bluetooth"]["finding"] == "fine"


@pytest.mark.parametrize("strap", ["Strap 1", "Strap 2", "Strap 3"])
def test_every_beat_of_an_intact_connection_is_stored_once(outcome: Outcome, strap: str) -> None:
    log = [Sent(ticks, 0.0, sure) for ticks, sure in outcome.logs[strap]]
    found = compare(log, outcome.stored(strap))
    print(f"{strap}: {found}")
    assert found.exact, str(found)
    assert found.sent > 50


def test_each_break_is_a_gap(outcome: Outcome) -> None:
    reasons = {str(item.gap.reason) for item in outcome.gaps}
    assert "link lost" in reasons
    # Cuts, a silence, a daemon killed under three straps, a restart: no gap without a cause.
    assert len(outcome.gaps) <= CUTS + 40
