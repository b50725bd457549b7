"""After an erasure, nothing of the person is in any file, whatever was deleted before."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from contextlib import closing

import httpx
import pytest

from api.app import create_app
from api.services.erasure import erase_person
from api.services.older_copies import CopyKind, find_copies
from cli.local_erasure import erase_local
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import FOREVER, SECOND
from ingest.outbox.outbox import Outbox
from store import Stores, open_stores
from store.maintenance import create_backup
from tests.support.accounts import PASSWORD, add_account
from tests.support.beats import put_beats
from tests.support.canary import START, WORDS, add_canary, find_traces, integrity

ALLOWED_S = 60.0  # on SQLite, by the requirement


def sign_in(url: str, email: str, **more: str) -> httpx.Client:
    answer = httpx.post(
        f"{url}/v1/sign-in", json={"email": email, "password": PASSWORD, **more}, timeout=60
    )
    token = answer.json()["token"]
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def test_no_trace_in_any_file_within_a_minute(settings: Settings, stores: Stores) -> None:
    """Rewritten blocks, corrected ratings and replaced reports stayed in free pages and logs."""
    other = add_account(stores, "eve@example.org")
    put_beats(stores, other, START, 2000)
    canary = add_canary(stores, beats_file=settings.beats_file)
    with ApiThread(create_app(stores, settings)) as api:
        client = sign_in(api.url, canary.person.email)
        # Results in caches, an export in a snapshot, a response that can be asked for again.
        span = {"start": "2026-09-21T00:00:00Z", "end": "2026-09-23T00:00:00Z"}
        assert client.get("/v1/hrv/trend", params=span).status_code in (200, 422)
        ranged = client.get("/v1/export/beats.csv", headers={"Range": "bytes=0-99"})
        assert ranged.status_code == 206
        rating = {"about": "2026-09-22T10:00:00+02:00", "pain": 3, "stress": 3}
        key = {"Idempotency-Key": "a key"}
        body = {**rating, "note": WORDS["rating"]}
        client.post("/v1/ratings", json=body, headers=key)
        # Of the machine that records: an outbox with what waits.
        with Outbox(settings.outbox_file) as outbox:
            outbox.quarantine(canary.person.id, WORDS["source"], START, b"zq7x", "malformed")
        there = {what for _, what in find_traces(settings.data_dir, canary)}
        assert there == {*canary.traces, "beats"}  # the search finds each of them
        begin = time.monotonic()
        erased = client.post("/v1/me/erase", json={"password": PASSWORD})
        assert erased.status_code == 200, erased.text
        assert erased.json()["remaining"] == []
        erase_local(settings, canary.person.id)
        took_s = time.monotonic() - begin
        assert find_traces(settings.data_dir, canary) == []
        assert took_s < ALLOWED_S
        print(f"erased without a trace in {took_s:.2f} s")
        assert len(stores.beats.read(other.subject_id, *FOREVER)) == 2000
    assert find_traces(settings.data_dir, canary) == []
    place = settings.data_dir.with_name(f"{settings.data_dir.name}-erased.jsonl")
    assert place.stat().st_mode & 0o777 == 0o600
    text = place.read_text()
    assert not any(trace.decode("latin1") in text for trace in canary.traces.values())
    kinds = [json.loads(line)["kind"] for line in text.split()]
    assert kinds == ["ledger", "erasure", "finished"]
    for file in (settings.beats_file, settings.records_file):
        assert integrity(file) == "ok"


def test_a_reader_of_an_older_state_is_waited_for(settings: Settings, stores: Stores) -> None:
    """The log could not be emptied while another process read, and nobody noticed."""
    canary = add_canary(stores, beats_file=settings.beats_file)
    reader = sqlite3.connect(settings.records_file, isolation_level=None, check_same_thread=False)
    with closing(reader):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM people").fetchone()
        timer = threading.Timer(2.0, lambda: reader.execute("COMMIT"))
        timer.start()
        begin = time.monotonic()
        found = erase_person(stores, canary.person.email)
        assert time.monotonic() - begin >= 1.5
        timer.join()
    assert found.remaining == ()
    assert find_traces(settings.data_dir, canary) == []


def test_what_cannot_be_overwritten_now_is_said_and_done_later(
    settings: Settings, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = add_canary(stores, beats_file=settings.beats_file)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("store.sql.purge.overwrite_deleted", full)
        found = erase_person(stores, canary.person.email)
        assert "disk is full" in found.remaining[0]
        assert stores.records.person(canary.person.id) is None
    assert stores.ledger is not None
    assert len(stores.ledger.read().unfinished) == 1
    with ApiThread(create_app(stores, settings)):  # at its start
        assert stores.ledger.read().unfinished == []
        assert find_traces(settings.data_dir, canary) == []


def test_nothing_is_erased_where_it_cannot_be_noted(settings: Settings, stores: Stores) -> None:
    canary = add_canary(stores, beats_file=settings.beats_file)
    assert stores.ledger is not None
    places = [*stores.ledger._places]
    with ApiThread(create_app(stores, settings)) as api:
        for place in places:
            place.unlink(missing_ok=True)
            place.mkdir()
        client = sign_in(api.url, canary.person.email)
        answer = client.post("/v1/me/erase", json={"password": PASSWORD})
        assert answer.status_code == 503
        assert "Nothing was erased" in answer.json()["detail"]
        assert str(settings.data_dir.parent) not in answer.text
        assert client.get("/v1/me").status_code == 200


def test_every_older_copy_is_named(settings: Settings, stores: Stores) -> None:
    """An empty lock file was named, and the embedded files that a move left were not."""
    canary = add_canary(stores, beats_file=settings.beats_file)
    files = [settings.beats_file, settings.records_file]
    parent = settings.data_dir.parent
    assert stores.ledger is not None
    old = create_backup(files, parent / "backups" / "one", "2026-01-01T00:00:00+00:00").folder
    stores.ledger.add_backup(old, 1_767_225_600 * SECOND)
    gone = create_backup(files, parent / "backups" / "gone", "2026-02-01T00:00:00+00:00").folder
    stores.ledger.add_backup(gone, stores.now())
    shutil.rmtree(gone)
    aside = settings.data_dir / "records.sqlite.before-2026-01-01T00-00-00"
    shutil.copy(old / "records.sqlite", aside)
    settings.ecg_folder.mkdir()
    (settings.ecg_folder / "H10.csv").write_text("received_ns,rate_hz,microvolts\n")
    with ApiThread(create_app(stores, settings)) as api:
        sign_in(api.url, canary.person.email, device="kitchen laptop")
        # After the start, which removes those of a restore that was stopped.
        (settings.data_dir / "beats.sqlite.restoring").write_bytes(b"no database")
        other = open_stores(settings)
        stranger = add_account(other, "eve@example.org")
        with_servers = settings.model_copy(update={"influxdb_url": "http://127.0.0.1:1"})
        found = find_copies(stores, settings, canary.person)
        assert {(copy.kind, copy.place.rpartition("/")[2], copy.holds) for copy in found} == {
            (CopyKind.BACKUP, "one", True),
            (CopyKind.BACKUP, "gone", None),
            (CopyKind.PUT_ASIDE, aside.name, True),
            (CopyKind.PUT_ASIDE, "beats.sqlite.restoring", None),
            (CopyKind.ECG, "H10.csv", None),
            (CopyKind.OUTBOX, "kitchen laptop", None),
        }
        left = find_copies(stores, with_servers, canary.person)
        assert {copy.place.rpartition("/")[2] for copy in left} >= {
            "beats.sqlite",
            "records.sqlite",
        }
        # Of somebody who came after the backups, fewer.
        later = find_copies(other, settings, stranger)
        assert {copy.kind for copy in later} == {CopyKind.PUT_ASIDE, CopyKind.ECG}
        other.close()
        answer = sign_in(api.url, canary.person.email).post(
            "/v1/me/erase", json={"password": PASSWORD}
        )
        copies = answer.json()["copies"]
        assert [copy["kind"] for copy in copies].count("backup") == 2
        assert str(settings.data_dir.parent) not in answer.text  # no paths of the server
