"""What is recorded without consent waits in the outbox, says so, and arrives once it is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api.services.withdrawal import carry_out_withdrawals
from cli.credentials import CredentialFile, Credentials
from cli.main import app
from cli.server.thread import ApiThread
from ebbtide import timestamps
from ebbtide.timestamps import FOREVER, SECOND
from ingest.outbox.api_client import ConsentMissingError, IngestClient
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.outbox.uploader import Uploader
from ingest.recorder import Recorder
from ingest.straps.simulated import SimulatedStrap
from store import Stores
from store.models import Consent, Person, Purpose
from tests.support.accounts import answer_on_keeping
from tests.support.assertions import wait_for
from tests.support.uploads import get_credentials

SignedIn = Callable[..., httpx.Client]


def record(outbox: Outbox, account: str, beats: int, ago_s: int) -> None:
    start = timestamps.now_ns() - ago_s * SECOND

    async def run() -> None:
        with BatchWriter(outbox) as writer:
            await Recorder(
                SimulatedStrap("strap 1", [[1024] * beats], start), writer, account
            ).run()

    asyncio.run(run())


async def until(true: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_for, true, 60)


def ada(stores: Stores) -> Person:
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    return person


def test_beats_from_before_consent_arrive_after_it_once_each(
    tmp_path: Path,
    stores: Stores,
    api: ApiThread,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.outbox.uploader._CONSENT_S", 0.05)
    client = signed_in(agrees=False)
    token, account = get_credentials(client)
    said: list[str] = []

    async def upload(outbox: Outbox) -> None:
        async with IngestClient(api.url, token) as ingest:
            uploader = Uploader(outbox, ingest, account)
            running = asyncio.create_task(uploader.run(0.05))
            await until(lambda: uploader.last_problem is not None)
            assert uploader.last_problem is not None
            said.append(uploader.last_problem)
            assert sum(state.beats_waiting for state in outbox.states()) == 300
            await asyncio.to_thread(answer_on_keeping, stores, ada(stores))
            await until(lambda: not any(state.beats_waiting for state in outbox.states()))
            await until(lambda: uploader.last_problem is None)
            running.cancel()

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        record(outbox, account, 300, 900)
        asyncio.run(asyncio.wait_for(upload(outbox), 60))
        assert "waits for consent" in said[0]
        assert "Agree on the page Consents" in said[0]
        beats = stores.beats.read(ada(stores).subject_id, *FOREVER)
        assert len(beats.time_ns) == len(set(beats.time_ns.tolist())) == 300


def test_what_is_from_before_a_withdrawal_goes_and_what_came_later_waits(
    tmp_path: Path, stores: Stores, api: ApiThread, signed_in: SignedIn
) -> None:
    client = signed_in()
    token, account = get_credentials(client)

    async def upload(outbox: Outbox) -> None:
        async with IngestClient(api.url, token) as ingest:
            await Uploader(outbox, ingest, account).upload_all()

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        record(outbox, account, 100, 900)
        asyncio.run(upload(outbox))
        assert outbox.states()[0].beats_waiting == 0  # held until a backup has it
        person = ada(stores)
        no = Consent(person.id, Purpose.KEEPING, False, "1", timestamps.now_ns() - 300 * SECOND)
        stores.records.add_consent(no, no.at_ns)
        assert len(carry_out_withdrawals(stores, None)) == 1
        record(outbox, account, 50, 200)
        with pytest.raises(ConsentMissingError, match="taken back"):
            asyncio.run(upload(outbox))
        assert [state.beats_kept for state in outbox.states() if state.beats_kept] == [50]
        assert sum(state.beats_waiting for state in outbox.states()) == 50
        answer_on_keeping(stores, person)
        asyncio.run(upload(outbox))
        now = ada(stores)
        assert len(stores.beats.read(now.subject_id, *FOREVER).time_ns) == 50
        asyncio.run(upload(outbox))
        assert len(stores.beats.read(now.subject_id, *FOREVER).time_ns) == 50


def test_status_and_import_say_so(
    tmp_path: Path,
    stores: Stores,
    api: ApiThread,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token, account = get_credentials(signed_in(agrees=False))
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path / "recorder"))
    (tmp_path / "recorder").mkdir()
    CredentialFile(tmp_path / "recorder" / "sign-ins.json").put(
        Credentials("ada@example.org", api.url, token, account)
    )
    file = tmp_path / "intervals.txt"
    file.write_text("\n".join(["800"] * 200))
    command = ["import", str(file), "--start", "2026-09-01T08:00:00"]
    runner = CliRunner()
    said = runner.invoke(app, command)
    assert "200 new beats" in said.output
    assert "It waits for consent: Nothing is stored before you agree" in said.output
    report = json.loads(runner.invoke(app, [*command, "--json"]).stdout)
    assert report["waits_for_consent"] is True
    assert "waits for consent" in runner.invoke(app, ["status"]).output
    report = json.loads(runner.invoke(app, ["status", "--json"]).stdout)
    assert [strap["waits_for_consent"] for strap in report["straps"]] == [True]
    answer_on_keeping(stores, ada(stores))
    assert "Uploaded." in runner.invoke(app, command).output
    assert len(stores.beats.read(ada(stores).subject_id, *FOREVER).time_ns) == 200
    report = json.loads(runner.invoke(app, ["status", "--json"]).stdout)
    assert [strap["waits_for_consent"] for strap in report["straps"]] == [False]
