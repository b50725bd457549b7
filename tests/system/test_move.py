"""The embedded store to servers, a backup of servers and its way back, and their check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.services.accounts import create_account
from api.services.erasure import erase_person
from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from store import Stores, open_stores
from store.influx.client import InfluxServer
from store.maintenance import copy
from store.models import (
    PLANNED_BY_PROGRAMME,
    AccessToken,
    AuditLine,
    Consent,
    Purpose,
    QuestionnaireResponse,
    Rating,
    Scope,
    TherapySession,
    TokenKind,
    pack_answers,
)
from store.sql.engine import server_engine, sqlite_engine
from tests.support.accounts import PASSWORD
from tests.support.beats import FOREVER, START, made
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer

NOW = START + 1000 * SECOND


def fill(stores: Stores) -> None:
    """Two people with everything that can be stored, and one who was erased."""
    for email in ("ada@example.org", "eve@example.org", "gone@example.org"):
        person = create_account(
            stores.records, email=email, password=PASSWORD, name="N", zone="UTC", now_ns=START
        )
        for offset in (0, 1):
            stream = Stream(new_id(), Origin.STRAP, "a strap", START + offset)
            stores.beats.put_stream(person.subject_id, stream)
            sent = made(1, 6000 + offset)
            sent[7] = Notification(8, START, 61, (), (), False, 9)
            gap = Gap(400, START + 399 * SECOND, START + 400 * SECOND, GapReason.LINK_LOST)
            stores.beats.append(person.subject_id, stream.id, sent[:5000], [gap])
            stores.beats.append(person.subject_id, stream.id, sent[5100:])  # a hole
            stores.beats.append_activity(
                person.subject_id,
                stream.id,
                [Activity(START + k * 5 * SECOND, k + offset / 3) for k in range(50)],
            )
        rating = Rating(new_id(), 1, person.id, START, START, "Europe/Berlin", 3, 4, None, False)
        stores.records.add_rating(rating)
        stores.records.add_rating(replace(rating, version=2, pain=5, entered_ns=START + 9))
        stores.records.add_session(TherapySession(new_id(), person.id, 1, START))
        stores.programme.add_response(
            QuestionnaireResponse(
                *(new_id(), 1, person.id, "gad7", 1, "en", pack_answers({"1": 2})),
                *(START, START, "Europe/Berlin", "before", PLANNED_BY_PROGRAMME),
                simulated=False,
            )
        )
        stores.records.add_consent(Consent(person.id, Purpose.CARE, True, "care, 1", START))
        stores.access.add_token(
            AccessToken(
                f"token of {email}",
                person.id,
                START,
                2**61,
                new_id(),
                TokenKind.DEVICE,
                "a strap's",
                frozenset({Scope.UPLOAD}),
                START,
            )
        )
    stores.access.update_cohort([item.id for item in stores.records.people()], 1, START)
    stores.access.research_secret()
    erase_person(stores, "gone@example.org")


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    stores = open_stores(Settings(data_dir=folder))
    fill(stores)
    stores.close()
    return folder


@pytest.fixture
def servers(influxdb: InfluxServerProcess, postgres: PostgresServer) -> dict[str, str]:
    """As the environment names them."""
    return {
        "EBBTIDE_INFLUXDB_URL": influxdb.url,
        "EBBTIDE_INFLUXDB_DATABASE": influxdb.fresh_database(),
        "EBBTIDE_INFLUXDB_USER": "ebbtide",
        "EBBTIDE_INFLUXDB_PASSWORD": influxdb.password,
        "EBBTIDE_RECORDS_URL": postgres.fresh_database(),
    }


def at(servers: dict[str, str]) -> Stores:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in servers.items():
            patch.setenv(name, value)
        return open_stores(Settings())


def ebbtide(*words: str, folder: Path, servers: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ebbtide", *words],
        env={**os.environ, **servers, "EBBTIDE_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_store_moves_and_moves_again(embedded: Path, servers: dict[str, str]) -> None:
    done = ebbtide("move", "--json", folder=embedded, servers=servers)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["rows"] == {
        "people": 2,
        "sign_ins": 2,
        "ratings": 4,
        "therapy_sessions": 2,
        "consents": 2,
        "care": 0,
        "care_proposals": 0,
        "known_devices": 0,
        "storage_keys": 2,
        "passkeys": 0,
        "totp": 0,
        "recovery_codes": 0,
        "looks": 0,
        "research_secret": 1,
        "cohort_members": 2,
        "live_shares": 0,
        "programmes": 0,
        "notes": 0,
        "practices": 0,
        "baseline_starts": 0,
        "index_methods": 0,
        "readings": 0,
        "session_notes": 0,
        "messages": 0,
        "questionnaire_responses": 2,
        "reminder_plans": 0,
        "prompts": 0,
        "offer_plans": 0,
        "decision_points": 0,
        "nights": 0,
        "push_subscriptions": 0,
        "server_keys": 0,
        "heart_rates": 0,
        "imported_identifiers": 0,
        "rating_parts": 0,
        "erased_tokens": 1,
        "audit": 2,
    }
    counts = {name: found[name] for name in ("streams", "notifications", "gaps", "movement")}
    assert counts == {"streams": 4, "notifications": 23602, "gaps": 4, "movement": 200}
    assert found["beats"] == 23602 - 4
    stores = at(servers)
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    assert stores.access.find_token("token of ada@example.org", NOW)[0] == person  # type: ignore[index]
    assert [rating.pain for rating in stores.records.ratings(person.id, 0, 2**62)] == [5]
    stores.records.add_audit(AuditLine(NOW, "something else", "s"))  # its numbers go on
    assert len(stores.records.audit()) == 3
    # What came since, on the embedded store, is all that a second move has to do; and somebody
    # who was erased there meanwhile is erased here.
    source = open_stores(Settings(data_dir=embedded))
    (first, *_) = source.beats.coverage(person.subject_id)
    source.beats.append(person.subject_id, first.stream.id, made(5001, 5100))
    source.access.end_token("token of ada@example.org")
    erase_person(source, "eve@example.org")
    source.records.add_audit(AuditLine(NOW, "something else", "s"))
    source.close()
    done = ebbtide("move", "--json", folder=embedded, servers=servers)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["beats"] == 11_801 + 100 - 2
    assert stores.access.find_token("token of ada@example.org", NOW) is None
    assert stores.records.person_by_email("eve@example.org") is None
    assert len(stores.beats.subjects()) == 1
    stores.close()
    done = ebbtide("store", "check", "--json", folder=embedded, servers=servers)
    assert done.returncode == 0, done.stdout
    checked = json.loads(done.stdout)
    assert checked["problems"] == []
    assert (checked["beats"], checked["ratings"]) == (11_899, 1)
    assert "5001 to 5100" in checked["waiting"][0]


def test_a_stopped_move_continues(
    embedded: Path, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = open_stores(Settings(data_dir=embedded)), at(servers)
    appended: list[int] = []
    inner = target.beats.append

    def append(subject: str, stream: str, batch: list[Notification], gaps: list[Gap]) -> int:
        if len(appended) == 3:
            appended.append(0)
            raise KeyboardInterrupt
        appended.append(len(batch))
        return inner(subject, stream, batch, gaps)

    monkeypatch.setattr(target.beats, "append", append)
    with pytest.raises(KeyboardInterrupt):
        copy.copy_beats(source.beats, target.beats)
    first = sum(appended)
    progress: list[tuple[str, int, int]] = []
    copy.copy_beats(source.beats, target.beats, lambda *word: progress.append(word))
    # Only a batch after the hole is sent a second time.
    assert sum(appended) - first < 23_602 - first + 5000
    assert progress[-1] == ("beats", 23_598, 23_598)
    assert copy.compare_beats(source.beats, target.beats).beats == 23_598
    source.close()
    target.close()


def test_differences_are_reported(embedded: Path, servers: dict[str, str]) -> None:
    source, target = open_stores(Settings(data_dir=embedded)), at(servers)
    copy.copy_beats(source.beats, target.beats)
    (subject, _) = source.beats.subjects()
    (first, *_) = source.beats.coverage(subject)
    target.beats.append(subject, first.stream.id, made(5001, 5001))
    with pytest.raises(EbbtideError, match="not the same"):
        copy.compare_beats(source.beats, target.beats)
    source.close()
    target.close()


def test_people_of_another_store_are_not_touched(embedded: Path, servers: dict[str, str]) -> None:
    target = at(servers)
    create_account(
        target.records, email="x@example.org", password=PASSWORD, name="N", zone="UTC", now_ns=START
    )
    engine = sqlite_engine(Settings(data_dir=embedded).records_file)
    there = server_engine(servers["EBBTIDE_RECORDS_URL"])
    with pytest.raises(EbbtideError, match="whom the source does not know"):
        copy.copy_records(engine, there)
    assert [person.email for person in target.records.people()] == ["x@example.org"]
    engine.dispose()
    there.dispose()
    target.close()


@pytest.fixture
def uploading(embedded: Path, servers: dict[str, str]) -> Iterator[None]:
    """An upload to the servers runs meanwhile."""
    done = ebbtide("move", folder=embedded, servers=servers)
    assert done.returncode == 0, done.stderr
    stores = at(servers)
    subject = stores.beats.subjects()[0]
    (covered, *_) = stores.beats.coverage(subject)
    stop = threading.Event()

    def upload() -> None:
        number = 10_000
        while not stop.is_set():
            stores.beats.append(subject, covered.stream.id, made(number, number + 4))
            number += 5

    thread = threading.Thread(target=upload)
    thread.start()
    yield
    stop.set()
    thread.join(20)
    stores.close()


def test_servers_are_backed_up_in_use_and_restored(
    embedded: Path,
    tmp_path: Path,
    servers: dict[str, str],
    uploading: None,
    influxdb: InfluxServerProcess,
    postgres: PostgresServer,
) -> None:
    folder = tmp_path / "backup"
    done = ebbtide("backup", str(folder), folder=embedded, servers=servers)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {
        "backup.json",
        "beats.sqlite",
        "records.sqlite",
    }
    done = ebbtide("restore", str(folder), folder=embedded, servers=servers)
    assert done.returncode == 1
    assert "There are people" in " ".join(done.stderr.split())
    empty = {
        **servers,
        "EBBTIDE_INFLUXDB_DATABASE": influxdb.fresh_database(),
        "EBBTIDE_RECORDS_URL": postgres.fresh_database(),
    }
    done = ebbtide("restore", str(folder), folder=embedded, servers=empty)
    assert done.returncode == 0, done.stderr
    assert "people 2," in done.stdout
    restored = at(empty)
    person = restored.records.person_by_email("eve@example.org")
    assert person is not None
    assert len(restored.beats.read(person.subject_id, *FOREVER)) >= 5900
    restored.close()
    # The very same backup is a store by itself.
    done = ebbtide(
        *("restore", str(folder)), folder=tmp_path / "alone", servers={"EBBTIDE_LOG": "quiet"}
    )
    assert done.returncode == 0, done.stderr
    done = ebbtide("store", "check", folder=tmp_path / "alone", servers={"EBBTIDE_LOG": "quiet"})
    assert done.returncode == 0, done.stdout


def test_what_is_wrong_on_servers_is_named(
    embedded: Path, servers: dict[str, str], influxdb: InfluxServerProcess
) -> None:
    assert ebbtide("move", folder=embedded, servers=servers).returncode == 0
    server = InfluxServer(influxdb.address(servers["EBBTIDE_INFLUXDB_DATABASE"]))
    stores = at(servers)
    subject = stores.beats.subjects()[0]
    erased = stores.beats.erased()[0]
    stores.close()
    where = f"\"subject\" = '{subject}' AND time = {START + 20 * SECOND}"
    server.command(f"DELETE FROM beats WHERE {where}")
    server.write([f"beats,stream=x,subject={erased} rr_ticks=1i,sequence=1i,contact=1i 5"])
    server.close()
    done = ebbtide("store", "check", folder=embedded, servers=servers)
    assert done.returncode == 1
    assert "lacks beats of 1 to" in done.stdout
    assert f"points of {erased}, who was erased" in done.stdout
