"""People on two InfluxDB servers, by the API and by the commands of whoever runs it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api import create_app
from api.services.erasure import erase_person
from cli.main import app
from cli.server.thread import ApiThread
from cli.straps import doctor
from cli.straps.check import Finding
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from store import open_stores
from store.influx.beats import InfluxBeatStore
from store.influx.points import measurements_of
from store.maintenance import list_servers
from store.sqlite.beats import SqliteBeatStore
from tests.support.accounts import PASSWORD, add_account
from tests.support.beats import FOREVER, START, put_beats
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer
from tests.support.uploads import batch, stream_body


@pytest.fixture
def second() -> Iterator[InfluxServerProcess]:
    server = InfluxServerProcess(Path(tempfile.mkdtemp(prefix="ebbtide-influxdb-")))
    yield server
    server.stop()


@pytest.fixture
def clinic(
    influxdb: InfluxServerProcess,
    second: InfluxServerProcess,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    second.password = influxdb.password
    second.start()
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "RECORDS_URL": postgres.migrated_database(),
        "INFLUXDB_URL": f"main={influxdb.url}, second={second.url}",
        "INFLUXDB_DATABASE": influxdb.fresh_database(),
        "INFLUXDB_USER": "ebbtide",
        "INFLUXDB_PASSWORD": influxdb.password,
    }.items():
        monkeypatch.setenv(f"EBBTIDE_{name}", value)
    monkeypatch.setenv("EBBTIDE_LANGUAGE", "en")
    return Settings()


def _ebbtide(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def test_people_on_two_servers(clinic: Settings, second: InfluxServerProcess) -> None:
    stores = open_stores(clinic)
    clients: dict[str, httpx.Client] = {}
    streams: dict[str, str] = {}
    with ApiThread(create_app(stores)) as api:
        for name in ("ada", "bob"):
            add_account(stores, f"{name}@example.org")
            clients[name] = httpx.Client(base_url=api.url, timeout=60)
            body = {"email": f"{name}@example.org", "password": PASSWORD}
            token = clients[name].post("/v1/sign-in", json=body).json()["token"]
            clients[name].headers["Authorization"] = f"Bearer {token}"
            streams[name] = new_id()
            clients[name].put(f"/v1/streams/{streams[name]}", json=stream_body())

        def send(name: str, first: int, last: int) -> httpx.Response:
            return clients[name].post(
                f"/v1/streams/{streams[name]}/notifications", json=batch(first, last)
            )

        assert send("ada", 1, 100).json()["acknowledged"] == 100
        assert send("bob", 1, 100).json()["acknowledged"] == 100
        code, said = _ebbtide("store", "servers")
        assert code == 0
        assert said.splitlines() == [
            "main: 1 person with 100 beats; answers",
            "second: 1 person with 100 beats; answers",
        ]
        ready = httpx.get(f"{api.url}/v1/ready").json()
        assert (ready["status"], ready["beat_servers"]) == ("ok", {"main": True, "second": True})

        second.kill()
        away = send("bob", 101, 110)
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        assert away.json()["type"].endswith("away")
        assert "Nothing was lost; try again." in away.json()["detail"]
        assert send("ada", 101, 110).json()["acknowledged"] == 110
        ready = httpx.get(f"{api.url}/v1/ready", timeout=30)
        assert ready.status_code == 200
        assert ready.json()["status"] == "degraded"
        assert ready.json()["beat_servers"] == {"main": True, "second": False}
        code, said = _ebbtide("store", "servers")
        assert (code, said.splitlines()[1]) == (
            1,
            "second: 1 person with 100 beats; InfluxDB does not answer (ConnectionError).",
        )
        checks = {check.about: check.finding for check in doctor._beat_servers(clinic)}
        assert checks == {
            "InfluxDB server main": Finding.OK,
            "InfluxDB server second": Finding.ERROR,
        }
        second.restart()
        for _ in range(100):
            if (back := send("bob", 101, 110)).status_code == 200:
                break
            time.sleep(0.2)
        assert back.json()["acknowledged"] == 110
        for client in clients.values():
            client.close()
    stores.close()


def test_a_plan_is_shown_and_carried_out_and_all_else_works_there(
    clinic: Settings, tmp_path: Path
) -> None:
    stores = open_stores(clinic)
    people = [add_account(stores, f"{name}@example.org") for name in "abcd"]
    for person in people:
        put_beats(stores, person, START, 500)
    assert _ebbtide("store", "rebalance", "--yes") == (0, "Nobody needs to move.\n")
    code, said = _ebbtide("store", "rebalance", "--drain", "second", "--json")
    plan = json.loads(said)
    moving = [person.subject_id for person in (people[1], people[3])]
    assert (code, plan["beats"], plan["moved"]) == (0, 1000, None)
    assert sorted(move["subject_id"] for move in plan["moves"]) == sorted(moving)
    # Not agreed to: nothing happens.
    done = CliRunner().invoke(app, ["store", "rebalance", "--drain", "second"], input="n\n")
    assert done.exit_code == 1
    assert "In total from second to main: 2 people, 1000 beats." in done.output
    beats = stores.beats
    assert isinstance(beats, InfluxBeatStore)
    assert beats.catalogue.places.get(moving[0]).server == "second"
    code, said = _ebbtide("store", "rebalance", "--drain", "second", "--yes")
    assert (code, said.splitlines()[-1]) == (0, "Moved: 2 people, 1000 beats.")
    assert measurements_of(beats.servers.get("second"), moving[0]) == []
    assert _ebbtide("store", "servers")[1].splitlines() == [
        "main: 4 people with 2000 beats; answers",
        "second: 0 people with 0 beats; answers, takes no new people",
    ]
    code, said = _ebbtide("store", "rebalance", "--undrain", "second", "--yes")
    assert (code, said.splitlines()[-1]) == (0, "Moved: 2 people, 1000 beats.")
    code, said = _ebbtide("store", "check")
    assert code == 0, said
    # A backup has everybody, wherever they are; so has what is restored from it.
    folder = tmp_path / "backup"
    assert _ebbtide("backup", str(folder))[0] == 0
    copy = SqliteBeatStore(folder / clinic.beats_file.name)
    for person in people:
        assert len(copy.read(person.subject_id, *FOREVER)) == 500
    copy.close()
    for person in people:
        erase_person(stores, person.email)
        assert all(not measurements_of(s, person.subject_id) for s in beats.servers.all())
    assert [item.people for item in list_servers(beats)] == [0, 0]
    assert _ebbtide("store", "rebalance", "--drain", "third")[0] == 1
    stores.close()
