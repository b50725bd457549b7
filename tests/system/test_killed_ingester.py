"""kill -9 in the middle: no beat lost, none doubled, and each restart is a gap."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cli.server.thread import ApiThread
from ebbtide.timestamps import SECOND
from ingest.straps.heart_rate import decode
from store import Stores
from tests.conftest import ROOT
from tests.support.ingester_process import strap_log
from tests.support.uploads import get_credentials

START = 1_790_000_000 * SECOND
# CI runs a sample; EBBTIDE_KILLS=1000 runs the whole (see docs/evidence/no-beat-lost.md).
KILLS = int(os.environ.get("EBBTIDE_KILLS", "4"))


def test_no_beat_is_lost_or_doubled_when_the_ingester_is_killed(
    tmp_path: Path, recordings: Path, api: ApiThread, stores: Stores, client: httpx.Client
) -> None:
    token, account = get_credentials(client)
    recording = recordings / "pyhrv_nni_long.txt"
    rounds = 1 + KILLS // 50  # so that every kill hits an ingester at work
    log = strap_log(recording, START, rounds)
    outbox = tmp_path / "outbox.sqlite"
    command = [sys.executable, "-m", "tests.support.ingester_process", api.url, token, account]
    command += [str(outbox), str(recording), str(START), str(rounds)]
    random_wait = random.Random(5)
    killed = 0
    while True:
        if killed < KILLS:
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
                # It says so when it records; then it uploads at once, too.
                assert process.stdout is not None
                assert process.stdout.readline() == b"recording\n"
                time.sleep(random_wait.uniform(0, 0.5))
                assert process.poll() is None
                process.kill()
            killed += 1
            continue
        process = subprocess.Popen(command, cwd=ROOT)
        assert process.wait(timeout=1800) == 0
        break
    person = stores.records.person(account)
    assert person is not None
    beats = stores.beats.read(person.subject_id, START - SECOND, START + 10**6 * SECOND)
    sent = [ticks for _, payload in log for ticks in decode(payload).rr_ticks]
    assert beats.rr_ticks.tolist() == sent
    assert len(set(beats.time_ns.tolist())) == len(sent)
    (stream,) = client.get("/v1/streams").json()["streams"]
    assert stream["acknowledged"] == len(log)
    assert stream["beats"] == len(sent)
    # Each restart after a stored notification leaves a gap.
    gaps = client.get("/v1/gaps").json()
    assert killed // 2 <= len(gaps) <= killed
    print(f"{killed} kills, {len(sent)} beats, {len(gaps)} gaps")
    assert {gap["reason"] for gap in gaps} == {"link lost"}
    assert int((~beats.follows).sum()) == len(gaps) + 1
    first = datetime.fromtimestamp(START / SECOND, UTC)
    assert all(datetime.fromisoformat(gap["start"]) >= first for gap in gaps)


def test_no_beat_is_lost_while_the_api_is_unavailable(
    tmp_path: Path, recordings: Path, api: ApiThread, stores: Stores, client: httpx.Client
) -> None:
    """The ingester records while the API cannot be reached, and uploads when it can."""
    token, account = get_credentials(client)
    recording = recordings / "pyhrv_nni_short.txt"
    outbox = tmp_path / "outbox.sqlite"
    with httpx.Client() as anonymous:
        refused = f"http://127.0.0.1:{_closed_port()}"
        command = [sys.executable, "-m", "tests.support.ingester_process", refused, token, account]
        command += [str(outbox), str(recording), str(START), "1"]
        process = subprocess.Popen(command, cwd=ROOT)
        time.sleep(4)
        assert process.poll() is None  # still recording or trying
        process.terminate()
        process.wait()
        assert anonymous.get(f"{api.url}/v1/health").is_success
    assert client.get("/v1/streams").json()["beats"] == 0
    command[3] = api.url
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == 0
    assert client.get("/v1/streams").json()["beats"] == 337


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
