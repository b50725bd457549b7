"""An erasure is carried out whatever happens: kill -9 in between, an older backup, two at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from api.services.access_tokens import issue_token
from api.services.erasure import erase_person
from api.services.erasure_again import carry_out_erasures
from cli.main import app
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY
from store import ErasureScope, Stores, hash_id, open_stores
from store.ledger import NAME_BESIDE_BACKUPS
from store.models import Purpose, TokenKind
from tests.support.accounts import add_account
from tests.support.beats import put_beats
from tests.support.canary import START, Canary, add_canary, find_traces

# Runs an ebbtide command, and kills its own process without a word at the Nth call of a function.
_KILLED = """
import importlib, os, signal, sys
module, _, name = sys.argv[1].rpartition(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
real, left = getattr(owner, last), [int(sys.argv[2])]
def killing(*args, **more):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*args, **more)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(owner, last, killing)
sys.argv = ["ebbtide", *sys.argv[3:]]
from cli.main import app
app()
"""
# Where, and after how many calls; 0 is before the first.
ERASE_POINTS = (
    ("store.ledger:ErasureLedger.begin_erasure", 1),
    ("store.sqlite.beats:SqliteBeatStore.erase", 1),
    ("store.sql.records:SqlRecordStore.erase", 0),
    ("store.sql.records:SqlRecordStore.erase", 1),
    ("api.services.erasure:purge", 0),
    ("store.sqlite.beats:SqliteBeatStore.purge", 1),
    ("store.ledger:ErasureLedger.finish_erasure", 0),
)
RESTORE_POINTS = (
    ("store.maintenance.sqlite_backup:shutil.copyfile", 1),
    ("store.maintenance.sqlite_backup:_set_back", 2),
    ("store.maintenance.sqlite_backup:erase_from_copy", 1),
    ("store.maintenance.sqlite_backup:_sync", 1),
    ("store.maintenance.sqlite_backup:_sync", 2),
    ("api.services.erasure_again:carry_out_erasures", 0),
)


def run_killed(settings: Settings, point: tuple[str, int], *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, point[0], str(point[1]), *command],
        env={**os.environ, "EBBTIDE_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9, (done.returncode, done.stdout, done.stderr[-2000:])


def ebbtide(settings: Settings, *command: str, answer: str = "") -> Result:
    environment = {"EBBTIDE_DATA_DIR": str(settings.data_dir)}
    return CliRunner().invoke(app, list(command), env=environment, input=answer)


@contextmanager
def opened(settings: Settings) -> Iterator[Stores]:
    stores = open_stores(settings)
    try:
        yield stores
    finally:
        stores.close()


def filled(settings: Settings) -> Canary:
    """The canary, and somebody who stays."""
    with opened(settings) as stores:
        put_beats(stores, add_account(stores, "eve@example.org"), START, 500)
        return add_canary(stores, beats_file=settings.beats_file)


def assert_gone_after_start(settings: Settings, canary: Canary) -> None:
    """The service starts, and the first answer already knows nobody."""
    stores = open_stores(settings)
    with ApiThread(create_app(stores, settings)) as api:
        assert httpx.get(f"{api.url}/v1/health", timeout=60).status_code == 200
        assert stores.records.person(canary.person.id) is None
        assert stores.beats.coverage(canary.person.subject_id) == []
        assert canary.person.subject_id in stores.beats.erased()
        assert stores.ledger is not None
        assert stores.ledger.read().unfinished == []
        assert [person.email for person in stores.records.people()] == ["eve@example.org"]
        assert find_traces(settings.data_dir, canary) == []


@pytest.mark.parametrize("point", ERASE_POINTS, ids=lambda point: f"{point[0]} {point[1]}")
def test_an_erasure_that_is_killed_is_carried_out_at_the_next_start(
    settings: Settings, point: tuple[str, int]
) -> None:
    canary = filled(settings)
    run_killed(settings, point, "erase", canary.person.email, "--yes")
    assert_gone_after_start(settings, canary)


@pytest.mark.parametrize("point", RESTORE_POINTS, ids=lambda point: f"{point[0]} {point[1]}")
def test_a_restore_that_is_killed_lets_nobody_in_again(
    settings: Settings, tmp_path: Path, point: tuple[str, int]
) -> None:
    canary = filled(settings)
    backup = tmp_path / "backups" / "one"
    assert ebbtide(settings, "backup", str(backup)).exit_code == 0
    assert ebbtide(settings, "erase", canary.person.email, "--yes").exit_code == 0
    run_killed(settings, point, "restore", str(backup), "--replace")
    assert_gone_after_start(settings, canary)
    # And once more, not killed.
    done = ebbtide(settings, "restore", str(backup), "--replace")
    assert done.exit_code == 0, done.output
    assert "erased from it again: 1 person" in done.output
    assert_gone_after_start(settings, canary)


def test_the_disk_is_lost_and_the_copy_beside_the_backup_knows(
    settings: Settings, tmp_path: Path
) -> None:
    canary = filled(settings)
    with opened(settings) as stores:
        token, _ = issue_token(
            stores, canary.person, kind=TokenKind.DEVICE, name="a strap", lifetime_ns=9 * DAY
        )
    backup = tmp_path / "backups" / "one"
    ebbtide(settings, "backup", str(backup))
    ebbtide(settings, "erase", canary.person.email, "--yes")
    copy = backup.parent / NAME_BESIDE_BACKUPS
    assert copy.stat().st_mode & 0o777 == 0o600
    other = Settings(data_dir=tmp_path / "another machine")
    done = ebbtide(other, "restore", str(backup))
    assert done.exit_code == 0, done.output
    assert "no ledger" not in done.output
    assert_gone_after_start(other, canary)
    # Whoever holds a token of the person is still told so, and a stranger is not.
    stores = open_stores(other)
    with ApiThread(create_app(stores, other)) as api:
        for held, status in ((token, 410), ("x" * 43, 401)):
            answer = httpx.get(
                f"{api.url}/v1/streams", headers={"Authorization": f"Bearer {held}"}, timeout=60
            )
            assert answer.status_code == status
            assert ("erased" in answer.text) == (status == 410)


@pytest.mark.parametrize("kind", ["none", "began later"])
def test_without_a_ledger_a_restore_warns_and_asks(
    settings: Settings, tmp_path: Path, kind: str
) -> None:
    canary = filled(settings)
    backup = tmp_path / "backups" / "one"
    ebbtide(settings, "backup", str(backup))
    (backup.parent / NAME_BESIDE_BACKUPS).unlink()
    other = Settings(data_dir=tmp_path / "another machine")
    more = []
    if kind == "began later":
        # As time passes between the backup and the new machine.
        manifest = backup / "backup.json"
        made = manifest.read_text().partition('"made": "')[2][:4]
        manifest.write_text(manifest.read_text().replace(f'"made": "{made}', '"made": "2001', 1))
        stores = open_stores(other)
        with ApiThread(create_app(stores, other)):
            pass
        more = ["--replace"]
    refused = ebbtide(other, "restore", str(backup), *more, answer="n\n")
    assert refused.exit_code == 1
    assert "Whoever was erased since" in refused.output
    with opened(other) as stores:
        assert stores.records.people() == []
    if kind == "none":
        more = ["--replace"]  # opened just now
    done = ebbtide(other, "restore", str(backup), "--without-ledger", *more)
    assert done.exit_code == 0, done.output
    assert "Whoever was erased since" in done.output
    with opened(other) as stores:
        assert stores.records.person(canary.person.id) is not None
        assert stores.ledger is not None
        # It does not claim to know what was before.
        assert not stores.ledger.read().covers(canary.person.created_ns)


def test_two_at_once(settings: Settings) -> None:
    with opened(settings) as stores:
        canaries = [add_canary(stores, name, settings.beats_file) for name in ("one", "two")]
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "ebbtide", "erase", canary.person.email, "--yes"],
            env={**os.environ, "EBBTIDE_DATA_DIR": str(settings.data_dir)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for canary in canaries
    ]
    for process in both:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "nothing is left" in output
    for canary in canaries:
        assert find_traces(settings.data_dir, canary) == []
    with opened(settings) as stores:
        assert stores.ledger is not None
        assert stores.ledger.read().unfinished == []


def test_a_withdrawal_is_carried_out_again_and_the_account_stays(settings: Settings) -> None:
    canary = filled(settings)
    with opened(settings) as stores:
        assert stores.ledger is not None
        stores.ledger.begin(0)
        stores.ledger.begin_erasure(
            canary.person.subject_id, canary.person.id, stores.now(), ErasureScope.DATA
        )
        assert carry_out_erasures(stores).people == 1
        person = stores.records.person(canary.person.id)
        assert person is not None
        assert person.subject_id != canary.person.subject_id
        assert stores.records.ratings(person.id, 0, 2**62) == []
        keeping = [
            answer.given
            for answer in stores.records.consents(person.id)
            if answer.purpose is Purpose.KEEPING
        ]
        assert keeping == [True, False]
        assert carry_out_erasures(stores).people == 0
        # What they record after they agreed again stays.
        put_beats(stores, person, START, 100)
        assert carry_out_erasures(stores).people == 0
        assert len(stores.beats.coverage(person.subject_id)) == 1
    traces = {"note", "rating", "source", "stream", "beats"}
    assert traces & {what for _, what in find_traces(settings.data_dir, canary)} == set()


def test_a_line_that_was_cut_by_a_kill_harms_no_other(settings: Settings) -> None:
    canary = filled(settings)
    with opened(settings) as stores:
        assert stores.ledger is not None
        stores.ledger.begin(7)
        with stores.ledger.place.open("a") as file:
            file.write('{"kind":"erasure","id":"ab')
        erase_person(stores, canary.person.email)
        content = stores.ledger.read()
        assert content.since_ns == 7
        (erasure,) = content.erasures.values()
        assert erasure.subject == hash_id(canary.person.subject_id)
        assert content.unfinished == []
