"""``ebbtide status``."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path

import pytest

from cli.admin.store import backup, restore
from cli.credentials import CredentialFile, Credentials
from cli.straps.status import status
from ebbtide import timestamps
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.recorder import Recorder
from ingest.straps.paired import PairedStrap, PairedStraps
from ingest.straps.simulated import SimulatedStrap
from store.factory import open_stores
from tests.support.beats import a_stream, made
from tests.support.records import a_person


def test_status_of_an_empty_machine_and_of_one_that_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path))
    status(as_json=False)
    assert "begin: ebbtide pair" in capsys.readouterr().out
    PairedStraps(tmp_path / "straps.json").put(PairedStrap("AA", "strap 1", "a@b.example"))
    CredentialFile(tmp_path / "sign-ins.json").put(
        Credentials("a@b.example", "http://127.0.0.1:9", "t", "1")
    )

    async def record() -> None:
        with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
            start = timestamps.now_ns() - 200 * SECOND
            await Recorder(SimulatedStrap("strap 1", [[1024] * 100], start), writer, "1").run()

    asyncio.run(record())
    status(as_json=False)
    out = capsys.readouterr().out
    assert "strap 1 (a@b.example): 100 beats kept, 100 wait for upload" in out
    assert "No answer" in out
    status(as_json=True)
    (strap,) = json.loads(capsys.readouterr().out)["straps"]
    assert (strap["beats_kept"], strap["set_aside"]) == (100, {})
    assert "quarantine" not in strap


def test_status_after_a_restore_on_a_new_computer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No strap is paired there and nothing waits, but the store is full."""
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path / "old"))
    with closing(open_stores(Settings())) as stores:
        person = a_person(stores.records)
        stream = a_stream(stores.beats, person.subject_id)
        stores.beats.append(person.subject_id, stream, made(1, 50), [])
    backup(tmp_path / "copy")
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path / "new"))
    restore(tmp_path / "copy", without_ledger=True)
    capsys.readouterr()
    status(as_json=False)
    said = capsys.readouterr().out
    assert "nothing was recorded" not in said
    assert "1 account, 1 recording, 50 beats" in said
    status(as_json=True)
    assert json.loads(capsys.readouterr().out)["store"] == {
        "people": 1,
        "recordings": 1,
        "beats": 50,
    }
