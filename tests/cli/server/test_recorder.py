"""The recorder of ``ebbtide start`` as a process that is watched: it ends, hangs, is asked."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from api.services.access_tokens import issue_token
from api.services.accounts import store_account
from api.services.recorder import (
    NotTheirsError,
    RecorderBusyError,
    UnknownStrapError,
    is_off_worth_saying,
)
from cli.credentials import CredentialFile, Credentials
from cli.server import recorder as recorder_module
from cli.server.home_recorder import HomeRecorder
from cli.server.recorder import COMMAND, RecorderSupervisor, renew_sign_ins
from ebbtide.settings import Settings
from ebbtide.timestamps import HOUR, MINUTE, SECOND
from ingest.straps.bluetooth.troubles import Trouble, name_trouble
from ingest.straps.paired import PairedStrap, PairedStraps
from store import Stores
from store.models.access import Scope, TokenKind
from tests.support.stand_in_recorder import NO_HEART, SILENT

STAND_IN = [sys.executable, "-m", "tests.support.stand_in_recorder"]
ADDRESS = "C0:00:00:00:00:01"
ADA = Credentials("ada@localhost", "http://127.0.0.1:9", "token of ada", "account of ada")
EVE = Credentials("eve@localhost", "http://127.0.0.1:9", "token of eve", "account of eve")
ZONE = "Europe/Berlin"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(data_dir=tmp_path / "data")
    for person in (ADA, EVE):
        CredentialFile(found.sign_ins_file).put(person)
    return found


@contextmanager
def supervised(settings: Settings, *more: str) -> Iterator[RecorderSupervisor]:
    with RecorderSupervisor(settings, [*STAND_IN, *more]) as supervisor:
        yield supervisor


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pair(settings: Settings, address: str = ADDRESS, name: str = "H10", who: str = "") -> None:
    PairedStraps(settings.straps_file).put(PairedStrap(address, name, who or ADA.email))


def test_a_computer_without_straps_has_no_process(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_CHECK_S", 0.02)
    with supervised(settings) as supervisor:
        assert supervisor.state(ADA.account, ZONE).straps == []
        assert supervisor.scan(ADA.account).found == []
        time.sleep(0.2)  # ten times as long as it looks for something to do
        assert (supervisor.starts, supervisor.pid) == (0, None)
        monkeypatch.setattr(recorder_module, "_IDLE_S", 0.5)
        assert [found.name for found in supervisor.start_scan(ADA.account, 3).found] == ["H10"]
        assert supervisor.starts == 1
        wait_for(lambda: supervisor.pid is None)  # nothing to do any more
        assert supervisor.starts == 1


def test_a_process_that_is_killed_is_started_again(settings: Settings) -> None:
    pair(settings)
    with supervised(settings) as supervisor:
        for start in (1, 2, 3):
            wait_for(lambda start=start: supervisor.starts == start and supervisor.pid)
            pid = supervisor.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: supervisor.starts == 4 and supervisor.pid)
        pid = supervisor.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_hangs_is_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_CHECK_S", 0.05)
    monkeypatch.setattr(recorder_module, "_HANGS_S", 1.0)
    monkeypatch.setattr(recorder_module, "_END_S", 1.0)
    pair(settings)
    with supervised(settings, "hang") as supervisor:
        wait_for(lambda: supervisor.starts == 2)


def test_a_program_that_never_starts_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_MIN_WAIT_S", 0.01)
    pair(settings)
    with RecorderSupervisor(settings, ["/nowhere/at/all"]) as supervisor:
        wait_for(lambda: supervisor.state(ADA.account, ZONE).problem == "not running")
        assert supervisor.state(ADA.account, ZONE).straps[0].connection == "off"


def test_pairing_naming_and_forgetting(settings: Settings) -> None:
    pair(settings, "C0:00:00:00:00:02", "H10", EVE.email)
    listed = PairedStraps(settings.straps_file)
    with supervised(settings) as supervisor:
        with pytest.raises(RecorderBusyError, match="no heart rate"):
            supervisor.pair(ADA.account, NO_HEART, None)
        with pytest.raises(RecorderBusyError, match="was not heard"):
            supervisor.pair(ADA.account, SILENT, None)
        with pytest.raises(RecorderBusyError, match="somebody else on this computer"):
            supervisor.pair(ADA.account, "C0:00:00:00:00:02", None)
        paired = supervisor.pair(ADA.account, ADDRESS, None)
        assert (paired.heard, paired.strap.name) == ("intervals", "H10 2")  # Eve's is H10
        stored = listed.find(ADDRESS)
        assert stored is not None
        assert (stored.patient, stored.manufacturers, stored.model) == (ADA.email, (107,), "H10")
        with pytest.raises(RecorderBusyError, match="with you already"):
            supervisor.pair(ADA.account, ADDRESS.lower(), None)
        with pytest.raises(RecorderBusyError, match="is called H10"):
            supervisor.rename(ADA.account, ADDRESS, "H10")
        assert supervisor.rename(ADA.account, ADDRESS, "Mine").name == "Mine"
        state = supervisor.state(ADA.account, ZONE)
        assert ([strap.name for strap in state.straps], state.straps_of_others) == (["Mine"], 1)
        with pytest.raises(UnknownStrapError):
            supervisor.forget(EVE.account, ADDRESS)
        supervisor.forget(ADA.account, ADDRESS)
        assert [strap.name for strap in listed.all()] == ["H10"]
        with pytest.raises(NotTheirsError, match="ebbtide sign-in"):
            supervisor.state("somebody else's account", ZONE)


def test_the_real_process_ends_with_its_pipe_and_never_beside_another_recorder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    pair(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with RecorderSupervisor(settings, COMMAND) as supervisor:
        with FileLock(settings.recording_lock):
            wait_for(lambda: supervisor.state(ADA.account, ZONE).problem == "another recorder")
            assert not settings.outbox_file.exists()
        # This machine has no Bluetooth at all, or no service of it on that bus.
        wait_for(lambda: supervisor.state(ADA.account, ZONE).bluetooth is not None)
        state = supervisor.state(ADA.account, ZONE)
        assert state.problem is None
        assert state.bluetooth in ("no adapter", "no daemon", "adapter off")
        assert state.straps[0].trouble == state.bluetooth
        pid = supervisor.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with FileLock(settings.recording_lock, timeout=0):
        pass


def test_what_cannot_be_opened_is_said_and_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    pair(settings)
    settings.outbox_file.mkdir(parents=True)

    async def run() -> None:
        home = HomeRecorder(settings)
        await home.tick()
        assert home.describe()["problem"] == "disk"
        settings.outbox_file.rmdir()
        home._retry_at_s = 0.0
        await home.tick()
        state = home.describe()
        assert state["problem"] is None
        assert list(state["straps"]) == [ADDRESS]
        PairedStraps(settings.straps_file).remove(PairedStrap(ADDRESS, "H10", ADA.email))
        home.reload()
        await home.tick()
        assert home.describe()["straps"] == {}
        await home.close()

    asyncio.run(run())


def test_the_sign_in_of_this_computer_is_renewed_and_follows_the_port(
    stores: Stores, settings: Settings
) -> None:
    owner = store_account(
        stores.records,
        email="owner@localhost",
        password_hash="",
        name="Ada",
        zone=ZONE,
        now_ns=stores.now(),
    )
    token, _ = issue_token(stores, owner, TokenKind.DEVICE, "desk", frozenset({Scope.UPLOAD}))
    file = CredentialFile(settings.sign_ins_file)
    file.put(Credentials(owner.email, "http://127.0.0.1:1", token, owner.id))
    signed_in: list[str] = []
    there = settings.model_copy(update={"api_url": "http://127.0.0.1:8430"})
    renew_sign_ins(there, stores, lambda person: signed_in.append(person.id))
    assert file.of(owner.email).api_url == "http://127.0.0.1:8430"
    assert file.of(ADA.email) == ADA  # of another service
    assert signed_in == []
    file.put(replace(file.of(owner.email), token="one that has ended"))
    renew_sign_ins(there, stores, lambda person: signed_in.append(person.id))
    assert signed_in == [owner.id]


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("it was not heard for 15 seconds. Wet its electrodes", Trouble.NOT_HEARD),
        ("it was not heard under its address; of its name (H10) was heard: C0", Trouble.MOVED),
        ("it was heard but did not answer in time", Trouble.NO_ANSWER),
        ("[org.bluez.Error.Failed] le-connection-abort-by-local", Trouble.NO_ANSWER),
        ("No Bluetooth adapters found.", Trouble.NO_ADAPTER),
        ("No powered Bluetooth adapters found. Turn on Bluetooth", Trouble.ADAPTER_OFF),
        ("[org.bluez.Error.NotReady] Resource Not Ready", Trouble.ADAPTER_OFF),
        ("[org.freedesktop.DBus.Error.AccessDenied] Rejected send", Trouble.NOT_ALLOWED),
        ("Connection Limit Exceeded", Trouble.NO_LINK_LEFT),
        ("anything else", Trouble.OTHER),
    ],
)
def test_the_words_of_the_system_are_named(words: str, trouble: Trouble) -> None:
    assert name_trouble(words) is trouble


def test_a_strap_is_off_after_ten_minutes_by_day() -> None:
    noon = 1_795_521_600 * SECOND  # 2026-11-24, 13:00 in Berlin
    assert not is_off_worth_saying(None, noon, ZONE)
    assert not is_off_worth_saying(noon - 9 * MINUTE, noon, ZONE)
    assert is_off_worth_saying(noon - 10 * MINUTE, noon, ZONE)
    assert is_off_worth_saying(noon - 23 * HOUR, noon, ZONE)
    assert not is_off_worth_saying(noon - 25 * HOUR, noon, ZONE)
    for hours, minutes, said in ((8, 59, True), (9, 1, False), (19, 5, False), (19, 11, True)):
        now = noon + hours * HOUR + minutes * MINUTE
        assert is_off_worth_saying(now - 11 * MINUTE, now, ZONE) is said
