"""What an operator sees: metrics, logs, traces, readiness; and what none of them may hold."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.middleware.tracing import trace
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from store import Stores
from store.sql.access import SqlAccessStore
from store.sql.engine import server_engine
from store.sql.nights import SqlNightStore
from store.sql.offers import SqlOfferStore
from store.sql.programme import SqlProgrammeStore
from store.sql.prompts import SqlPromptStore
from store.sql.records import SqlRecordStore
from tests.conftest import skip_or_fail
from tests.support.accounts import PASSWORD
from tests.support.assertions import wait_for
from tests.support.influx import InfluxServerProcess, influxd, open_influx_beats
from tests.support.postgres import postgres_bin, started

RATING = {"pain": 7, "stress": 3, "about": "2026-11-01T08:00:00+01:00"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(folder: Path, log: Path, **more: str) -> Iterator[str]:
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ebbtide", "serve", "--port", str(port)],
            env={**os.environ, "EBBTIDE_DATA_DIR": str(folder), **more},
            stdout=out,
            stderr=out,
        )
    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{port}/v1/ready").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_metrics_of_all_workers_and_logs_without_people(
    tmp_path: Path, settings: Settings, stores: Stores, patient: Callable[..., str]
) -> None:
    email = patient()
    metrics, log = free_port(), tmp_path / "log"
    with serving(
        settings.data_dir,
        log,
        EBBTIDE_METRICS_PORT=str(metrics),
        EBBTIDE_API_WORKERS="2",
        EBBTIDE_LOG_FORMAT="json",
    ) as url:
        token = httpx.post(f"{url}/v1/sign-in", json={"email": email, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {token.json()['token']}"}
        for _ in range(30):  # each a connection of its own: both workers answer some
            httpx.get(
                f"{url}/v1/ratings",
                params={"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"},
                headers=headers,
            ).raise_for_status()
        httpx.get(f"{url}/made-up/ada@example.org?pain=7")
        httpx.post(f"{url}/v1/sign-in", json={"email": email, "password": "Ada's wrong one"})
        # A request is counted and logged after it was answered.
        wait_for(lambda: log.read_text().count('"route": "/v1/ratings"') >= 30)
        wait_for(lambda: log.read_text().count('"status": 401') >= 1)
        seen = httpx.get(f"http://127.0.0.1:{metrics}/metrics").text
        assert httpx.get(f"{url}/metrics").status_code == 404  # not where everybody can ask
    (counted,) = re.findall(
        r'^ebbtide_answers_total\{method="GET",route="/v1/ratings",status="200"\} (.*)$', seen, re.M
    )
    assert float(counted) == 30
    assert 'ebbtide_request_seconds_bucket{le="+Inf",method="GET",route="/v1/ratings"} 30' in seen
    assert 'route="none",status="404"' in seen
    lines = log.read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    requests = [line for line in entries if line.get("route") == "/v1/ratings"]
    assert len(requests) == 30
    assert {(line["status"], line["method"], line["level"]) for line in requests} == {
        (200, "GET", "INFO")
    }
    assert len({line["request_id"] for line in requests}) == 30
    for secret in ("ada@", "example.org", "Ada", PASSWORD, "pain", "2026-11-01", "made-up"):
        assert secret not in log.read_text()
        assert secret not in seen


def test_an_error_of_ours_is_logged_without_its_words(
    stores: Stores,
    patient: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patient()

    def broken(*_: object) -> None:
        raise RuntimeError("pain of ada@example.org was 7")

    monkeypatch.setattr(type(stores.records), "person_by_email", broken)
    with ApiThread(create_app(stores)) as api:
        answer = httpx.post(f"{api.url}/v1/sign-in", json={"email": "a@b.c", "password": PASSWORD})
    assert answer.status_code == 500
    (line,) = [r.getMessage() for r in caplog.records if r.name == "ebbtide.api"]
    assert line.startswith("POST /v1/sign-in failed: RuntimeError\n")
    assert "in broken" in line
    # The code's own line is there (this test's), and no error's words.
    assert not any("ada@" in r.getMessage() for r in caplog.records if r.name != "ebbtide.api")
    assert all(r.exc_info is None for r in caplog.records)


def test_traces_name_routes_and_not_people(stores: Stores, patient: Callable[..., str]) -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    patient()
    exporter = InMemorySpanExporter()
    app = create_app(stores)
    assert trace(app, exporter)
    with ApiThread(app) as api:
        token = httpx.post(
            f"{api.url}/v1/sign-in", json={"email": "ada@example.org", "password": PASSWORD}
        ).json()["token"]
        httpx.get(
            f"{api.url}/v1/link",
            params={"start": "2026-11-01T00:00:00Z"},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
    app.state.trace_provider.shutdown()
    spans = exporter.get_finished_spans()
    assert {"POST /v1/sign-in", "GET /v1/link"} <= {span.name for span in spans}
    exported = " ".join(span.to_json() for span in spans)
    for secret in ("2026-11-01", "ada@example.org", token, 'peer.ip": "1', "python-httpx"):
        assert secret not in exported


def test_no_traces_unless_configured(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert not trace(create_app(stores))


def test_ready_reports_the_state_of_each_server(tmp_path: Path) -> None:
    binaries = postgres_bin()
    if binaries is None or influxd() is None:
        skip_or_fail("no PostgreSQL or no InfluxDB on this machine")
    records = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
    influx = InfluxServerProcess(tmp_path / "influxdb")
    influx.start()
    url = records.fresh_database()
    engine = server_engine(url)
    servers = Stores(
        beats=open_influx_beats(influx.address("beats"), url),
        records=SqlRecordStore(engine),
        access=SqlAccessStore(engine),
        programme=SqlProgrammeStore(engine),
        prompts=SqlPromptStore(engine),
        offers=SqlOfferStore(engine),
        nights=SqlNightStore(engine),
    )
    with ApiThread(create_app(servers)) as api:

        def ready() -> tuple[int, str]:
            answer = httpx.get(f"{api.url}/v1/ready", timeout=30)
            return answer.status_code, answer.json().get("detail", "")

        assert ready() == (200, "")
        influx.kill()
        assert ready() == (503, "The store of beats does not answer.")
        assert httpx.get(f"{api.url}/v1/health").status_code == 200
        influx.restart()
        assert ready() == (200, "")
        records.kill()
        assert ready()[0] == 503
        # A request that needs it is answered 503 with Retry-After, not 4xx.
        answer = httpx.get(f"{api.url}/v1/me", headers={"Authorization": "Bearer x"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        records.restart()
        assert ready() == (200, "")
    records.stop()
    influx.stop()


def test_a_port_in_use_is_reported(settings: Settings, stores: Stores) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "ebbtide", "serve", "--port", "0"],
            env={
                **os.environ,
                "EBBTIDE_DATA_DIR": str(settings.data_dir),
                "EBBTIDE_METRICS_PORT": str(taken.getsockname()[1]),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot be used for metrics" in " ".join(done.stderr.split())
