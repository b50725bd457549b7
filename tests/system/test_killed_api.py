"""kill -9 of the API while beats arrive: what it acknowledged is stored, once."""

from __future__ import annotations

import multiprocessing
import os
import random
import socket
import threading
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app_from_settings
from ebbtide.settings import Settings
from ebbtide.upload_schema import GapBody, NotificationBody
from store import BeatStore, open_stores
from tests.support.accounts import PASSWORD, add_account
from tests.support.beats import FOREVER, START, made
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer

# CI runs a sample; EBBTIDE_API_KILLS=1000 runs the whole (see docs/operating/running.md).
KILLS = int(os.environ.get("EBBTIDE_API_KILLS", "6"))


class Uploads:
    """Sends batches of seven without end, each until it is acknowledged."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url, timeout=10, headers={"Authorization": f"Bearer {token}"}
        )
        self.stream = "6f0c1de8-3f5e-4c52-9f5b-5b0a2f6f2f10"
        self.acknowledged = 0
        self.in_flight = 0  # requests that got no answer
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                first = self.acknowledged + 1
                batch = made(first, first + 6)
                body = {
                    "first": first,
                    "last": first + 6,
                    "notifications": [
                        NotificationBody.from_notification(n).model_dump() for n in batch
                    ],
                    "gaps": list[GapBody](),
                }
                try:
                    answer = self._client.post(
                        f"/v1/streams/{self.stream}/notifications", json=body
                    )
                except httpx.ConnectError:
                    time.sleep(0.02)
                except httpx.HTTPError:
                    self.in_flight += 1
                else:
                    answer.raise_for_status()
                    self.acknowledged = answer.json()["acknowledged"]
        except BaseException as error:
            self.error = error
        finally:
            self._client.close()


def _serve(environment: dict[str, str], port: int) -> None:
    """What ``ebbtide serve`` does."""
    os.environ.update(environment)
    uvicorn.run(create_app_from_settings(), port=port, log_level="error")


def verified(store: BeatStore, subject: str, uploads: Uploads) -> int:
    """Everything acknowledged is there, once and in order; how many beats there are."""
    beats = store.read(subject, *FOREVER)
    assert len(beats) >= uploads.acknowledged
    expected = made(1, len(beats))
    assert beats.rr_ticks.tolist() == [n.rr_ticks[0] for n in expected]
    assert beats.time_ns.tolist() == [n.beat_times_ns[0] for n in expected]
    return len(beats)


@pytest.mark.parametrize("engine", ["sqlite", "influxdb"])
def test_what_was_acknowledged_is_stored_once(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    kills = KILLS
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path)}
    if engine == "influxdb":
        influx: InfluxServerProcess = request.getfixturevalue("influxdb")
        records: PostgresServer = request.getfixturevalue("postgres")
        kills = min(KILLS, 3)
        environment |= {
            "EBBTIDE_INFLUXDB_URL": influx.url,
            "EBBTIDE_INFLUXDB_DATABASE": influx.fresh_database(),
            "EBBTIDE_INFLUXDB_USER": "ebbtide",
            "EBBTIDE_INFLUXDB_PASSWORD": influx.password,
            "EBBTIDE_RECORDS_URL": records.fresh_database(),
        }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        stores = open_stores(Settings())
    person = add_account(stores, "ada@example.org", name="Ada")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    # Its modules are loaded once, in a process that each API is forked from: a thousand fresh
    # interpreters would take an hour.
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["api.app", "store.influx.beats", "uvicorn"])

    def serve() -> ForkServerProcess:
        process = forks.Process(target=_serve, args=(environment, port), daemon=True)
        process.start()
        for _ in range(3000):
            try:
                if httpx.get(f"{url}/v1/ready").status_code == 200:
                    return process
            except httpx.HTTPError:
                assert process.is_alive()
            time.sleep(0.01)
        raise AssertionError("the API did not start")

    process = serve()
    try:
        client = httpx.Client(base_url=url, timeout=10)
        with client:
            answer = client.post(
                "/v1/sign-in", json={"email": "ada@example.org", "password": PASSWORD}
            )
            token = answer.json()["token"]
            uploads = Uploads(url, token)
            client.put(
                f"/v1/streams/{uploads.stream}",
                json={"origin": "simulated", "source": "x", "created_ns": START},
                headers={"Authorization": f"Bearer {token}"},
            ).raise_for_status()
        uploads.thread.start()
        chance = random.Random(3)
        for turn in range(kills):
            before = uploads.acknowledged
            while uploads.acknowledged == before:  # it is at work
                assert uploads.error is None
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            process.join()
            if turn % 20 == 0:
                verified(stores.beats, person.subject_id, uploads)
            process = serve()
        uploads.stop.set()
        uploads.thread.join(20)
        assert uploads.error is None
        stored = verified(stores.beats, person.subject_id, uploads)
        (covered,) = stores.beats.coverage(person.subject_id)
        assert covered.beats == stored == covered.acknowledged
        print(f"{engine}: {kills} kills, {stored} beats, {uploads.in_flight} requests unanswered")
    finally:
        process.kill()
        process.join()
        stores.beats.close()
        stores.records.close()
