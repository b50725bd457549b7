"""Opens the stores that the settings name."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store.protocols.beats import BeatStore
from store.sql.access import SqlAccessStore
from store.sql.engine import server_engine, sqlite_engine
from store.sql.programme import SqlProgrammeStore
from store.sql.records import SqlRecordStore
from store.sqlite.beats import SqliteBeatStore
from store.stores import Stores


@dataclass(frozen=True, slots=True)
class OpenStores:
    """Both stores, and the database of records, for what goes beneath their protocols."""

    beats: BeatStore
    engine: Engine

    def close(self) -> None:
        """Let go of files and connections."""
        self.beats.close()
        self.engine.dispose()


def open_engine_and_beats(settings: Settings) -> OpenStores:
    """Raises EbbtideError when they cannot be opened."""
    url = settings.records_url
    engine = (
        sqlite_engine(settings.records_file)
        if url is None
        else server_engine(url.get_secret_value())
    )
    return OpenStores(_open_beats(settings, engine), engine)


def open_stores(settings: Settings) -> Stores:
    """Raises EbbtideError when a store cannot be opened."""
    stores = open_engine_and_beats(settings)
    return Stores(
        beats=stores.beats,
        records=SqlRecordStore(stores.engine),
        access=SqlAccessStore(stores.engine),
        programme=SqlProgrammeStore(stores.engine),
    )


def _open_beats(settings: Settings, engine: Engine) -> BeatStore:
    if settings.influxdb_url is None:
        return SqliteBeatStore(settings.beats_file)
    try:
        # Only where it is wanted: its client comes with ebbtide[clinic].
        from store.influx.beats import InfluxBeatStore
        from store.influx.catalogue import BeatCatalogue
        from store.influx.client import InfluxAddress, InfluxServer
    except ImportError as error:
        raise EbbtideError(
            "InfluxDB needs its client, which is not installed.", "pip install ebbtide[clinic]"
        ) from error
    password, token = settings.influxdb_password, settings.influxdb_token
    server = InfluxServer(
        InfluxAddress(
            settings.influxdb_url,
            settings.influxdb_database,
            settings.influxdb_user,
            None if password is None else password.get_secret_value(),
            None if token is None else token.get_secret_value(),
            settings.influxdb_ca_file,
            settings.influxdb_without_erasure,
        )
    )
    server.make_database()
    return InfluxBeatStore(server, BeatCatalogue(engine))
