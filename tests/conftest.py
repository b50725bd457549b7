"""What many tests use. Servers are real: the API runs under uvicorn on the loopback address."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn

import httpx

# Imported early: its plugin otherwise imports it at the very end, where CPython 3.11 fails to parse
# it (SystemError: AST constructor recursion depth mismatch) when a test file alone does not use it.
import hypothesis  # noqa: F401
import pytest
from fastapi.routing import APIRoute, _EffectiveRouteContext, _RouterIncludeContext
from httpx._transports import default as httpx_transports
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from api.app import create_app
from api.services import passwords
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.sql import engine as sql_engine
from tests.support.accounts import PASSWORD, add_account
from tests.support.influx import InfluxServerProcess, influxd
from tests.support.postgres import PostgresServer, postgres_bin, started

# Making a context for TLS costs 55 ms of a core; the tests make a thousand clients, and none of
# them speaks TLS without a context of its own.
httpx_transports.create_ssl_context = cache(httpx_transports.create_ssl_context)

# Argon2 is slow on purpose, 0.2 s of a core, and the tests make and sign in people by the thousand:
# in their own process it is as cheap as it may be. Servers that they start have it as it is.
passwords._hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))

# Each application works out anew what its 200 routes take, a third of a second of a core, and the
# tests make a thousand applications of the same routes.
_contexts: dict[tuple[int, str], _EffectiveRouteContext] = {}
_new_context = _EffectiveRouteContext.from_api_route


def _known_context(
    *, original_route: APIRoute, include_context: _RouterIncludeContext
) -> _EffectiveRouteContext:
    key = (id(original_route), include_context.prefix)
    known = _contexts.get(key)
    if known is None or known.original_route is not original_route:
        known = _new_context(original_route=original_route, include_context=include_context)
        _contexts[key] = known
    return known


_EffectiveRouteContext.from_api_route = staticmethod(_known_context)

# The migrations take a quarter of a second for each new store: an empty SQLite file becomes a copy
# of one that was migrated. Their own tests call upgrade() themselves.
_migrate = sql_engine._newest


@cache
def _migrated() -> sqlite3.Connection:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    _migrate(engine)
    connection = engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def _newest_from_copy(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as raw:
            empty = raw.driver_connection
            assert isinstance(empty, sqlite3.Connection)
            if empty.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
                _migrated().backup(empty)
    return _migrate(engine)


sql_engine._newest = _newest_from_copy

# A shell makes its background jobs ignore Ctrl-C, and children inherit that: the demonstrations
# that tests end with it would never end.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def pytest_xdist_auto_num_workers() -> int:
    """Three processes on two cores: the tests of browsers, servers and straps mostly wait (those of
    the app on a phone use a third of a core, those of the pages a half). xdist's own variable says
    another number.
    """
    said = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(said) if said else max(1, (os.cpu_count() or 1) * 3 // 2)


# Paths below tests/, longest first: started first, so that no core idles at the end of the run.
# Those of browsers stand apart, since two at a time already fill two cores.
LONGEST = (
    "bluetooth/test_straps_on_bluez.py",
    "browser/test_roles.py",
    "project/test_project_rules.py",
    "project/test_openapi.py",
    "browser/test_patient_tasks.py",
    "system/test_clinic.py",
    "system/test_many_processes.py",
    "project/test_openapi_tools.py",
    "browser/test_clinic_tasks.py",
    "system/test_whole_path.py",
    "dashboard/test_pages.py",
    "browser/test_pages.py",
    "bluetooth/test_straps_in_process.py",
    "project/test_every_route.py",
    "browser/test_newcomer_path.py",
    "system/security/test_reidentification.py",
    "analytics/hrv/test_compiled.py",
    "browser/phone/test_recording.py",
    "system/security/test_erased_in_memory.py",
    "project/test_newcomer.py",
    "system/test_rolling_upgrade.py",
    "browser/test_offers.py",
    "dashboard/test_bring_in.py",
    "system/security/test_cost.py",
    "browser/test_passkeys.py",
    "analytics/association/test_within_person.py",
    "system/test_demo.py",
    "browser/test_computer.py",
    "api/services/test_nightly.py",
    "store/sql/test_migrations.py",
    "browser/test_questions.py",
    "system/test_store_faults.py",
    "system/security/test_withdrawal.py",
    "browser/test_nights.py",
    "cli/admin/test_accounts.py",
    "project/test_documents_run.py",
    "browser/test_start.py",
    "system/test_wheel.py",
    "browser/phone/test_accessibility.py",
    "system/test_killed_ingester.py",
    "browser/test_home_https.py",
    "cli/server/test_computer.py",
    "browser/test_my_devices.py",
)


# Folders whose tests drive browsers, servers and machines beside them, all on two busy cores. One
# that fails is tried twice more, and the summary lists it as RERUN: each such line is a finding, in
# the test or in the product. Tests in one process are never tried again.
_OTHER_PROCESSES = ("bluetooth", "browser", "cli/server", "system")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest files first, else in order; let tests of other processes be tried again."""
    ranks = {ROOT / "tests" / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
    folders = [ROOT / "tests" / name for name in _OTHER_PROCESSES]
    for item in items:
        if any(folder in item.path.parents for folder in folders):
            item.add_marker(pytest.mark.flaky(reruns=2))


def skip_or_fail(reason: str) -> NoReturn:
    """A bare machine may lack a browser or a server; CI may not."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI this is a failure)")
    pytest.skip(reason)


@pytest.fixture
def recordings() -> Path:
    """The folder of real recordings."""
    folder = SHARED / "rr"
    if not folder.is_dir():
        pytest.skip("the real recordings (../shared/data/rr) are not here")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """A real browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        skip_or_fail("no Chromium on this machine (Debian: apt install chromium)")
    return found


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a real PostgreSQL, and stop it at the end."""
    binaries = postgres_bin()
    if binaries is None:
        skip_or_fail("no PostgreSQL on this machine (Debian: apt install postgresql)")
    # A socket's path may have 107 bytes: not below pytest's own folders.
    server = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def influxdb() -> Iterator[InfluxServerProcess]:
    """A real InfluxDB."""
    if influxd() is None:
        skip_or_fail("no InfluxDB on this machine (Debian: apt install influxdb)")
    server = InfluxServerProcess(Path(tempfile.mkdtemp(prefix="ebbtide-influxdb-")))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def two_influxdb(influxdb: InfluxServerProcess) -> Iterator[list[InfluxServerProcess]]:
    """Two real InfluxDB servers with the same administrator."""
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-influxdb-"))
    server = InfluxServerProcess(folder, password=influxdb.password)
    server.start()
    yield [influxdb, server]
    server.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of their own."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    """Empty embedded stores. Closed by the API that serves them, and at the end of the test."""
    opened = open_stores(settings)
    yield opened
    opened.beats.close()
    opened.records.close()


@pytest.fixture
def api(stores: Stores) -> Iterator[ApiThread]:
    """A running API over ``stores``."""
    with ApiThread(create_app(stores)) as running:
        yield running


@pytest.fixture
def patient(stores: Stores) -> Callable[..., str]:
    """Makes an account and returns its address."""

    def make(
        email: str = "ada@example.org", *, simulated: bool = False, agrees: bool = True
    ) -> str:
        add_account(
            stores, email, name="Ada", zone="Europe/Berlin", simulated=simulated, agrees=agrees
        )
        return email

    return make


@pytest.fixture
def signed_in(api: ApiThread, patient: Callable[..., str]) -> Iterator[Callable[..., httpx.Client]]:
    """Makes HTTP clients that are signed in."""
    clients: list[httpx.Client] = []

    def make(
        email: str = "ada@example.org", *, simulated: bool = False, agrees: bool = True
    ) -> httpx.Client:
        patient(email, simulated=simulated, agrees=agrees)
        client = httpx.Client(base_url=api.url, timeout=30)
        clients.append(client)
        answer = client.post("/v1/sign-in", json={"email": email, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(signed_in: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of one patient, signed in."""
    return signed_in()
