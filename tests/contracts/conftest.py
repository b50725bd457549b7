"""Every engine, as the fixtures that the contracts are tested with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import (
    AccessStore,
    BeatStore,
    NightStore,
    OfferStore,
    ProgrammeStore,
    PromptStore,
    RecordStore,
)
from store.factory import ENGINES
from store.influx.beats import InfluxBeatStore
from store.influx.catalogue import BeatCatalogue
from store.influx.servers import InfluxServers
from store.sql.access import SqlAccessStore
from store.sql.engine import server_engine, sqlite_engine
from store.sql.nights import SqlNightStore
from store.sql.offers import SqlOfferStore
from store.sql.programme import SqlProgrammeStore
from store.sql.prompts import SqlPromptStore
from store.sql.records import SqlRecordStore
from store.sqlite.beats import SqliteBeatStore
from tests.support.influx import InfluxServerProcess, open_influx_beats
from tests.support.postgres import PostgresServer


def _open_sqlite(request: pytest.FixtureRequest, folder: Path) -> BeatStore:
    return SqliteBeatStore(folder / "beats.sqlite")


def _open_influxdb(request: pytest.FixtureRequest, folder: Path) -> BeatStore:
    influx: InfluxServerProcess = request.getfixturevalue("influxdb")
    server: PostgresServer = request.getfixturevalue("postgres")
    return open_influx_beats(influx.address(influx.fresh_database()), server.migrated_database())


def _open_two_influxdb(request: pytest.FixtureRequest, folder: Path) -> BeatStore:
    servers: list[InfluxServerProcess] = request.getfixturevalue("two_influxdb")
    server: PostgresServer = request.getfixturevalue("postgres")
    database = servers[0].fresh_database()
    addresses = {"main": servers[0].address(database), "second": servers[1].address(database)}
    engine = server_engine(server.migrated_database())
    return InfluxBeatStore(InfluxServers.of(addresses), BeatCatalogue(engine))


# By the names of store.factory.ENGINES: a new engine is added here, and every contract runs on it.
_OPEN: dict[str, Callable[[pytest.FixtureRequest, Path], BeatStore]] = {
    "sqlite": _open_sqlite,
    "influxdb": _open_influxdb,
}
_TWO_SERVERS = "two influxdb"  # the same engine, with people on either


@pytest.fixture(params=[*ENGINES, _TWO_SERVERS])
def beat_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BeatStore]:
    """An empty store of beats."""
    opener = _open_two_influxdb if request.param == _TWO_SERVERS else _OPEN[request.param]
    opened = opener(request, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of people, ratings, access and programme."""
    if request.param == "sqlite":
        opened = sqlite_engine(tmp_path / "records.sqlite")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        opened = server_engine(server.migrated_database())
    yield opened
    opened.dispose()


@pytest.fixture
def record_store(sql_engine: Engine) -> RecordStore:
    """An empty store of records."""
    return SqlRecordStore(sql_engine)


@pytest.fixture
def access_store(sql_engine: Engine) -> AccessStore:
    """The store of access in the database of ``record_store``."""
    return SqlAccessStore(sql_engine)


@pytest.fixture
def programme_store(sql_engine: Engine) -> ProgrammeStore:
    """The store of the programme in the database of ``record_store``."""
    return SqlProgrammeStore(sql_engine)


@pytest.fixture
def prompt_store(sql_engine: Engine) -> PromptStore:
    """The store of prompts in the database of ``record_store``."""
    return SqlPromptStore(sql_engine)


@pytest.fixture
def offer_store(sql_engine: Engine) -> OfferStore:
    """The store of offers by lot in the database of ``record_store``."""
    return SqlOfferStore(sql_engine)


@pytest.fixture
def night_store(sql_engine: Engine) -> NightStore:
    """The store of nights in the database of ``record_store``."""
    return SqlNightStore(sql_engine)
