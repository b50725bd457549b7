"""What the store of beats writes to InfluxDB for other programs."""

from __future__ import annotations

from ebbtide.timestamps import DAY
from store.influx.client import InfluxServer
from tests.support.beats import START, a_day
from tests.support.influx import InfluxServerProcess, open_influx_beats
from tests.support.postgres import PostgresServer


def test_windows_are_in_influxdb_too_for_others_to_draw(
    influxdb: InfluxServerProcess, postgres: PostgresServer
) -> None:
    address = influxdb.address(influxdb.fresh_database())
    store = open_influx_beats(address, postgres.fresh_database())
    server = InfluxServer(address)
    query = "SELECT rmssd_ms FROM hrv_5min WHERE \"subject\" = 'subject'"
    day = START // DAY
    store.store_windows("subject", "method", {day: a_day("a", 3)})
    assert server.rows(query) == [
        [start, value]
        for start, value in zip(
            a_day("a", 3).start_ns.tolist(),
            a_day("a", 3).metrics["rmssd_ms"].tolist(),
            strict=True,
        )
        if value == value
    ]
    store.store_windows("subject", "method", {day: a_day("b", 2)})
    assert [row[1] for row in server.rows(query)] == [30.25]
    server.close()
    store.close()
