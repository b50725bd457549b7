"""``ebbtide doctor`` on files like those of a system."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.credentials import CredentialFile, Credentials
from cli.straps.check import Finding
from cli.straps.doctor import _checks
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from ingest.outbox.connection_history import (
    ConnectionRecord,
    dropped_early,
    rejected_parameters,
)
from ingest.outbox.outbox import Outbox
from ingest.straps.bluetooth import linux
from tests.support.command_line import NO_BLUETOOTH, run_ebbtide


def spell(seconds: float, why: str = "the strap or the radio ended it") -> ConnectionRecord:
    return ConnectionRecord("Polar H10", 0, int(seconds * SECOND), why)


def test_connections_that_end_after_150_s_are_seen() -> None:
    assert rejected_parameters([spell(150.2), spell(3000), spell(149.1)]) == {"Polar H10": 2}
    assert rejected_parameters([spell(30.4), spell(29.8), spell(30)]) == {"Polar H10": 3}
    assert rejected_parameters([spell(150), spell(700), spell(31_000)]) == {}
    ended = "recording ended"
    assert rejected_parameters([spell(150, ended), spell(150, ended)]) == {}


def test_a_strap_that_leaves_at_once_is_seen() -> None:
    assert dropped_early([spell(2), spell(3), spell(1)]) == {"Polar H10": 3}
    assert dropped_early([spell(2), spell(300), spell(1)]) == {}


@pytest.fixture
def sys_folder(tmp_path: Path) -> Path:
    (tmp_path / "class/bluetooth/hci0").mkdir(parents=True)
    (tmp_path / "class/bluetooth/hci0:64").mkdir()
    switch = tmp_path / "class/rfkill/rfkill0"
    switch.mkdir(parents=True)
    for name, value in (("type", "bluetooth"), ("name", "hci0"), ("soft", "1"), ("hard", "0")):
        (switch / name).write_text(value + "\n")
    debug = tmp_path / "kernel/debug/bluetooth/hci0"
    debug.mkdir(parents=True)
    (debug / "conn_min_interval").write_text("24\n")
    (debug / "conn_max_interval").write_text("40\n")
    return tmp_path


def test_linux_is_read(sys_folder: Path) -> None:
    assert linux.adapters(sys_folder) == ["hci0"]
    assert linux.switched_off(sys_folder) == {"hci0": "by software"}
    (limits,) = linux.interval_limits(sys_folder) or []
    assert (limits.smallest, limits.largest) == (24, 40)
    assert linux.adapters(sys_folder / "nothing") == []
    assert linux.interval_limits(sys_folder / "nothing") is None


def test_connections_of_150_s_are_reported_with_a_remedy(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    with Outbox(settings.outbox_file) as outbox:
        for _ in range(3):
            outbox.connections.add("me", spell(150.0))
    (check,) = [c for c in _checks(settings) if c.about == "Connections of Polar H10"]
    assert check.finding is Finding.ERROR
    assert "150 s" in check.what
    assert "conn_max_interval" in check.remedy


def test_an_unavailable_server_is_reported(settings: Settings) -> None:
    CredentialFile(settings.sign_ins_file).put(
        Credentials("a@b.example", "http://127.0.0.1:9", "t", "x")
    )
    (check,) = [c for c in _checks(settings) if c.about.startswith("Server")]
    assert check.finding is Finding.ERROR
    assert "No answer" in check.what


def test_a_damaged_outbox_is_reported(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True)
    settings.outbox_file.write_text("only words " * 500)
    (check,) = [c for c in _checks(settings) if c.about == "Outbox"]
    assert check.finding is Finding.ERROR


def test_the_command_always_prints_a_report(tmp_path: Path) -> None:
    done = run_ebbtide(
        "doctor", "--json", environment={"EBBTIDE_DATA_DIR": str(tmp_path), **NO_BLUETOOTH}
    )
    checks = json.loads(done.stdout)
    assert done.returncode == (1 if any(c["finding"] == "to be mended" for c in checks) else 0)
    assert {"Disk", "Outbox", "Sign-in", "Clock"} <= {check["about"] for check in checks}
    for check in checks:
        assert check["remedy"] or check["finding"] == "fine"
