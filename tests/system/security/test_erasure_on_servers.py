"""After an erasure, PostgreSQL's and InfluxDB's files hold nothing of the person."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from api.services.erasure import erase_person
from api.services.erasure_again import carry_out_erasures
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.influx.beats import InfluxBeatStore
from tests.conftest import skip_or_fail
from tests.support.accounts import add_account
from tests.support.assertions import wait_for
from tests.support.beats import put_beats
from tests.support.canary import START, add_canary, find_traces
from tests.support.influx import InfluxServerProcess, influxd
from tests.support.postgres import PostgresServer, postgres_bin

ALLOWED_S = 60.0


@contextmanager
def running_postgres(*options: str) -> Iterator[PostgresServer]:
    binaries = postgres_bin()
    if binaries is None:
        skip_or_fail("no PostgreSQL on this machine (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp"))
    server = PostgresServer(folder, binaries, secrets.token_urlsafe(12), options=options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def opened(settings: Settings, url: str) -> Iterator[Stores]:
    stores = open_stores(settings.model_copy(update={"records_url": SecretStr(url)}))
    try:
        yield stores
    finally:
        stores.close()


def test_postgresql_holds_nothing_after_the_erasures_own_vacuum(settings: Settings) -> None:
    """Their bytes stayed in pages, statistics and the write-ahead log."""
    with (
        running_postgres("wal_recycle=off") as server,
        opened(settings, server.fresh_database()) as stores,
    ):
        for number in range(20):  # so that its frequent values are people of this database
            add_account(stores, f"p{number}@example.org")
        canary = add_canary(stores)
        with stores.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("ANALYZE")
            db.exec_driver_sql("CHECKPOINT")
        data = server.folder / "data"
        there = {what for _, what in find_traces(data, canary)}
        assert there >= {"address", "name", "note", "rating", "id"}
        begin = time.monotonic()
        found = erase_person(stores, canary.person.email)
        took_s = time.monotonic() - begin
        left = find_traces(data, canary)
        print(f"PostgreSQL: {took_s:.1f} s; {left}; {found.remaining}")
        assert left == []
        assert found.remaining == ()
        assert took_s < ALLOWED_S


def test_what_postgresql_keeps_by_its_settings_is_said(settings: Settings) -> None:
    with (
        running_postgres("archive_mode=on", "archive_command=true") as server,
        opened(settings, server.fresh_database()) as stores,
    ):
        canary = add_canary(stores)
        words = " ".join(erase_person(stores, canary.person.email).remaining)
        assert "wal_recycle = off" in words
        assert "archive" in words
        left = find_traces(server.folder / "data" / "base", canary)
        assert left == []
        # A user who may not: named, with what to grant.
        with stores.engine.begin() as db:
            db.exec_driver_sql("CREATE USER clinic PASSWORD 'x'")
            db.exec_driver_sql("GRANT ALL ON SCHEMA public TO clinic")
            for (name,) in db.exec_driver_sql(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall():
                db.exec_driver_sql(f"ALTER TABLE {name} OWNER TO clinic")
        url = stores.engine.url.render_as_string(hide_password=False)
        as_clinic = url.replace(f"ebbtide:{server.password}@", "clinic:x@")
        with opened(settings, as_clinic) as clinic:
            another = add_canary(clinic, "two")
            words = " ".join(erase_person(clinic, another.person.email).remaining)
            assert "GRANT pg_checkpoint" in words
            assert "pg_statistic" in words


def test_influxdb_holds_nothing_after_its_compaction(settings: Settings) -> None:
    """With compaction of cold shards after seconds, as docs/operating/running.md recommends; after
    four hours by InfluxDB's own settings.
    """
    if influxd() is None:
        skip_or_fail("no InfluxDB on this machine (Debian: apt install influxdb)")
    influx = InfluxServerProcess(
        Path(tempfile.mkdtemp(prefix="ebbtide-influxdb-")),
        data_settings=(
            'cache-snapshot-write-cold-duration = "1s"\n  compact-full-write-cold-duration = "2s"'
        ),
    )
    influx.start()
    try:
        with running_postgres("wal_recycle=off") as server:
            on_servers = settings.model_copy(
                update={
                    "influxdb_url": influx.url,
                    "influxdb_database": influx.fresh_database(),
                    "influxdb_user": "ebbtide",
                    "influxdb_password": SecretStr(influx.password),
                }
            )
            with opened(on_servers, server.fresh_database()) as stores:
                eve = add_account(stores, "eve@example.org")
                put_beats(stores, eve, START, 500)
                canary = add_canary(stores)
                subject = canary.person.subject_id.encode()
                wait_for(lambda: holding(influx.folder / "data", subject, ".tsm"), 60)
                begin = time.monotonic()
                found = erase_person(stores, canary.person.email)
                print(f"InfluxDB: erased in {time.monotonic() - begin:.1f} s: {found.remaining}")
                assert any("InfluxDB" in words for words in found.remaining)
                wait_for(lambda: not points_of(influx.folder, subject), 120)
                took_s = time.monotonic() - begin
                print(f"out of InfluxDB's files of points after {took_s:.1f} s")
                assert took_s < ALLOWED_S
                assert find_traces(server.folder / "data", canary) == []
                assert len(stores.beats.read(eve.subject_id, 0, 2**62)) == 500
                # InfluxDB alone is set back: its points have no person any more.
                beats = stores.beats
                assert isinstance(beats, InfluxBeatStore)
                beats.servers.get("main").write(
                    [
                        f"beats,stream=s,subject={canary.person.subject_id} "
                        f"rr_ticks=800i,sequence=1i {START}"
                    ]
                )
                assert beats.orphan_subjects() == [canary.person.subject_id]
                assert carry_out_erasures(stores).people == 1
                assert beats.orphan_subjects() == []
    finally:
        influx.stop()


def test_a_native_restore_of_postgresql_erases_again_at_the_start(settings: Settings) -> None:
    binaries = postgres_bin()
    if binaries is None:
        skip_or_fail("no PostgreSQL on this machine (Debian: apt install postgresql)")
    pg_dump, psql = shutil.which("pg_dump"), shutil.which("psql")
    if pg_dump is None or psql is None:
        skip_or_fail("no pg_dump (Debian: apt install postgresql-client)")
    with running_postgres() as server:
        url = server.fresh_database()
        plain = url.replace("+psycopg", "")
        with opened(settings, url) as stores:
            canary = add_canary(stores)
            dump = settings.data_dir / "dump.sql"
            subprocess.run([pg_dump, "--clean", "-f", str(dump), plain], check=True, timeout=60)
            erase_person(stores, canary.person.email)
        subprocess.run(
            [psql, "-q", "-f", str(dump), plain], check=True, timeout=60, capture_output=True
        )
        with opened(settings, url) as stores:
            assert stores.records.person(canary.person.id) is not None
            assert carry_out_erasures(stores).people == 1
            assert stores.records.person(canary.person.id) is None
            left = find_traces(server.folder / "data" / "base", canary)
            assert left == []


def holding(folder: Path, word: bytes, *ends: str) -> bool:
    return any(
        word in path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith(ends)
    )


def points_of(folder: Path, word: bytes) -> bool:
    """Whether files of points name the subject: data, deletions that wait, and the log."""
    try:
        return holding(folder, word, ".tsm", ".tombstone", ".wal")
    except FileNotFoundError:  # compacted meanwhile
        return True
