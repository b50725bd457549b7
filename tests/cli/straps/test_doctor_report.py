"""The report of ``ebbtide doctor`` has nothing of a person, whatever is on the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.credentials import CredentialFile, Credentials
from cli.server.at_login import log_file
from cli.straps.check import Check, Finding
from cli.straps.doctor import list_checks
from cli.straps.doctor_report import make_report
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND, now_ns
from ingest.outbox.connection_history import ConnectionRecord
from ingest.outbox.outbox import Entry, Outbox
from store import open_stores
from tests.support.canary import WORDS, add_canary
from tests.support.command_line import NO_BLUETOOTH, run_ebbtide

MAC = "A0:9E:1A:4B:52:7C"
TOKEN = "token-Zq7x-Kh3vQ0bX"
WITH_WORDS = ("Zq7x", "zq7", "Kanarie", "kanarienvogel", MAC, "A09E1A4B527C", TOKEN)


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything that a machine has, each with a word that must not come out."""
    settings = Settings(data_dir=tmp_path / "Users" / "Kanarie Zq7x" / "ebbtide")
    stores = open_stores(settings)
    canary = add_canary(stores)
    stores.close()
    CredentialFile(settings.sign_ins_file).put(
        Credentials(
            canary.person.email,
            f"http://{WORDS['name'].split()[1]}.local:1",
            TOKEN,
            canary.person.id,
            "Europe/Berlin",
        )
    )
    start = now_ns() - 3 * 86_400 * SECOND
    stream = Stream(new_id(), Origin.STRAP, f"Polar H10 Zq7x {MAC}", start)
    with Outbox(settings.outbox_file) as outbox:
        outbox.open_stream(stream, canary.person.id)
        entry = Entry(b"", Notification(0, start + 9, 60, (1024,), (start,), True))
        outbox.append(stream.id, [entry])
        for _ in range(3):
            outbox.connections.add(
                "me", ConnectionRecord(f"Polar H10 Zq7x {MAC}", 0, 150 * SECOND, "ended")
            )
    log_file(settings).write_text(
        f"2026-11-27T08:00:00.000+00:00 ERROR ebbtide.start: it ended: {WORDS['address']} {MAC}\n"
        f"2026-11-27T08:00:01.000+00:00 ERROR zq7x.{TOKEN}: no\n"
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    unit = tmp_path / "config" / "systemd" / "user" / "ebbtide.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(TOKEN)
    monkeypatch.setattr("platform.node", lambda: "zq7x-laptop")
    monkeypatch.setattr("platform.release", lambda: "6.1.0-zq7x-laptop")
    monkeypatch.setattr("platform.machine", lambda: "zq7x")
    for name, value in NO_BLUETOOTH.items():
        monkeypatch.setenv(name, value)
    return settings


def test_no_canary_is_in_the_report(filled: Settings) -> None:
    checks = list_checks(filled)
    said = " ".join(f"{check.about} {check.what} {check.remedy}" for check in checks)
    # What the page of its owner names, so that this can fail.
    for word in (WORDS["address"], MAC, str(filled.data_dir)):
        assert word in said
    text = json.dumps(make_report(filled, checks))
    for word in WITH_WORDS:
        assert word.lower() not in text.lower()
    for path in (filled.data_dir, Path.home()):
        assert str(path) not in text
    report = json.loads(text)
    assert report["release"] == "6.1.0"
    assert report["machine"] == "another"
    assert report["errors_logged"] == {"ebbtide.start": 1}
    found = {(item["check"], item["finding"]) for item in report["checks"]}
    assert ("Connections of", "to be mended") in found
    assert ("Server", "to be mended") in found
    assert ("Outbox", "worth a look") in found


def test_every_check_is_one_that_the_report_names(filled: Settings) -> None:
    assert all(check.key != "another" for check in list_checks(filled))
    unnamed = Check("Zq7x", Finding.OK, "Zq7x")
    assert make_report(filled, [unnamed])["checks"] == [{"check": "another", "finding": "fine"}]


def test_the_command_prints_the_same(filled: Settings) -> None:
    environment = {"EBBTIDE_DATA_DIR": str(filled.data_dir), **NO_BLUETOOTH}
    done = run_ebbtide("doctor", "--report", environment=environment)
    report = json.loads(done.stdout)
    assert {"ebbtide", "python", "packages", "checks"} <= report.keys()
    for word in WITH_WORDS:
        assert word.lower() not in done.stdout.lower()
