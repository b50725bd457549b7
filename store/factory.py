"""Open the stores that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select

from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store.errors import DamagedStoreError
from store.protocols.beats import BeatStore
from store.sql.access import SqlAccessStore
from store.sql.engine import server_engine, sqlite_engine
from store.sql.jobs import SqlJobStore
from store.sql.nights import SqlNightStore
from store.sql.offers import SqlOfferStore
from store.sql.programme import SqlProgrammeStore
from store.sql.prompts import SqlPromptStore
from store.sql.records import SqlRecordStore
from store.sql.tables.records import PersonRow
from store.sqlite.beats import SqliteBeatStore
from store.stores import ErasureLedger, Stores

if TYPE_CHECKING:
    from store.influx.client import InfluxAddress


def open_stores(settings: Settings) -> Stores:
    """Open every store.

    Raises EbbtideError when one of them cannot be opened, or one file is empty beside one with
    data.
    """
    url = settings.records_url
    is_embedded = url is None and settings.influxdb_url is None
    if is_embedded and _size(settings.beats_file):
        _require_not_empty(settings.records_file, settings.beats_file)
    engine = (
        sqlite_engine(settings.records_file)
        if url is None
        else server_engine(url.get_secret_value())
    )
    # Not while another process makes both files for the first time.
    if is_embedded and _has_accounts(engine):
        _require_not_empty(settings.beats_file, settings.records_file)
    return Stores(
        beats=ENGINES[beat_engine_name(settings)](settings, engine),
        records=SqlRecordStore(engine),
        access=SqlAccessStore(engine),
        programme=SqlProgrammeStore(engine),
        prompts=SqlPromptStore(engine),
        offers=SqlOfferStore(engine),
        nights=SqlNightStore(engine),
        database=engine,
        ledger=ErasureLedger.from_settings(settings),
        jobs=SqlJobStore(engine) if engine.dialect.name == "postgresql" else None,
    )


def _require_not_empty(path: Path, other: Path) -> None:
    """Refuse a file of no bytes at ``path`` where ``other``, made together with it, holds data.

    SQLite takes a file of no bytes for a new database: what a failed copy or a damaged disk left
    would be shown as if nothing had been recorded.
    """
    if _size(path) == 0:
        raise DamagedStoreError(
            f"The store {path} is empty: it has 0 bytes, while {other.name} beside it holds data.",
            "Put your newest backup in its place: ebbtide restore FOLDER --replace. To go on "
            f"without what was in it, remove the empty file {path.name} and start again.",
        )


def _size(path: Path) -> int | None:
    """The file's bytes; None where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _has_accounts(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.execute(select(PersonRow.id).limit(1)).first() is not None


def beat_engine_name(settings: Settings) -> str:
    """Choose the engine of beats, a key of ``ENGINES``, by the settings that are given."""
    return "sqlite" if settings.influxdb_url is None else "influxdb"


def open_sqlite_beats(settings: Settings, engine: Engine) -> BeatStore:
    """Open the embedded store of beats; it does not need the SQL database."""
    del engine
    return SqliteBeatStore(settings.beats_file)


def open_influx_beats(settings: Settings, engine: Engine) -> BeatStore:
    """Open the store of beats on one InfluxDB server or several, with its catalogue in the SQL
    database.
    """
    if settings.influxdb_url is None:
        raise EbbtideError("No InfluxDB is named.", "Set EBBTIDE_INFLUXDB_URL.")
    try:
        # Only where it is used: its client comes with the extra clinic.
        from store.influx.beats import InfluxBeatStore
        from store.influx.catalogue import BeatCatalogue
        from store.influx.servers import InfluxServers
    except ImportError as error:
        raise EbbtideError(
            "InfluxDB needs its client, which is not installed.",
            "In the source folder: uv sync --extra clinic",
        ) from error
    servers = InfluxServers.of(influx_addresses(settings))
    return InfluxBeatStore(servers, BeatCatalogue(engine))


def check_influx_server(settings: Settings, name: str) -> None:
    """Ask one of the InfluxDB servers. Raises EbbtideError where it does not answer, ImportError
    where its client is not installed.
    """
    from store.influx.client import InfluxServer

    with closing(InfluxServer(influx_addresses(settings)[name])) as server:
        server.check()


def influx_addresses(settings: Settings) -> dict[str, InfluxAddress]:
    """The InfluxDB servers that the settings name, by name, with who we are there."""
    from store.influx.client import InfluxAddress

    password, token = settings.influxdb_password, settings.influxdb_token
    return {
        name: InfluxAddress(
            url,
            settings.influxdb_database,
            settings.influxdb_user,
            None if password is None else password.get_secret_value(),
            None if token is None else token.get_secret_value(),
            settings.influxdb_ca_file,
            settings.influxdb_without_erasure,
        )
        for name, url in settings.influxdb_servers.items()
    }


ENGINES: Mapping[str, Callable[[Settings, Engine], BeatStore]] = {
    "sqlite": open_sqlite_beats,
    "influxdb": open_influx_beats,
}
