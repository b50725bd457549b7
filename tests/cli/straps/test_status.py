"""``ebbtide status``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from cli.credentials import CredentialFile, Credentials
from cli.straps.status import status
from ebbtide import timestamps
from ebbtide.timestamps import SECOND
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.recorder import Recorder
from ingest.straps.paired import PairedStrap, PairedStraps
from ingest.straps.simulated import SimulatedStrap


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
