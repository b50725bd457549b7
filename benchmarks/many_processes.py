"""Three processes of the API behind a load balancer, one of them killed now and then.

    uv run python benchmarks/many_processes.py [--straps 300 --minutes 10 --every 10]

Each has a data folder of its own; HAProxy gives each request to the next of them; PostgreSQL and
InfluxDB are shared. Straps send a batch every ten seconds until it is acknowledged; visitors look
whether a sign-in, a rating, a limit, a link that is good once hold in whichever process. All on
this machine, on loopback; needs Debian's haproxy, postgresql and influxdb. Exit status 1 where a
beat was lost or doubled, or anything was answered wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.services.access_tokens import issue_token
from ebbtide.settings import Settings
from ebbtide.timestamps import now_ns
from store import open_stores
from tests.support.accounts import add_account
from tests.support.api_processes import ApiProcess, LoadBalancer, haproxy
from tests.support.influx import InfluxServerProcess, influxd
from tests.support.many_processes import (
    ANONYMOUS_A_MINUTE,
    Findings,
    Strap,
    Visits,
    compare_answers,
    count_lost,
    play,
)
from tests.support.postgres import PostgresServer, postgres_bin, started

PROCESSES = 3


def run(
    folder: Path,
    postgres: PostgresServer,
    influx: InfluxServerProcess,
    *,
    straps: int,
    seconds: float,
    every_s: float,
    kill_every_s: float,
) -> dict[str, Any]:
    """Play it in ``folder``, and say what was found."""
    environment = {
        "EBBTIDE_RECORDS_URL": postgres.fresh_database(),
        "EBBTIDE_INFLUXDB_URL": influx.url,
        "EBBTIDE_INFLUXDB_DATABASE": influx.fresh_database(),
        "EBBTIDE_INFLUXDB_USER": "ebbtide",
        "EBBTIDE_INFLUXDB_PASSWORD": influx.password,
        "EBBTIDE_ANONYMOUS_REQUESTS_A_MINUTE": str(ANONYMOUS_A_MINUTE),
        "EBBTIDE_TRUSTED_PROXIES": "127.0.0.1",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        stores = open_stores(Settings(data_dir=folder / "here"))
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    processes = [ApiProcess(folder / f"api{k}", environment) for k in range(PROCESSES)]
    balancer = None
    try:
        people = [
            add_account(stores, f"p{k}@example.org", simulated=True)
            for k in range(max(2, straps // 15))
        ]
        tokens = [(person, issue_token(stores, person)[0]) for person in people]
        for process in processes:
            process.start()
        for process in processes:
            process.wait()
        balancer = LoadBalancer(folder, processes)
        begin_ns = now_ns()
        played = [Strap(people[k % len(people)], k) for k in range(straps)]
        findings = Findings()
        visits = Visits(balancer.url, processes, stores, tokens, findings)
        asyncio.run(play(visits, played, seconds, every_s, kill_every_s))
        sent, lost, doubled = count_lost(stores, played)
        compare_answers(visits, begin_ns)
        return _found(visits, len(played), seconds, sent, lost, doubled)
    finally:
        if balancer is not None:
            balancer.stop()
        for process in processes:
            process.stop()
        stores.close()


def _found(
    visits: Visits, straps: int, seconds: float, sent: int, lost: int, doubled: int
) -> dict[str, Any]:
    findings = visits.findings
    return {
        "processes": len(visits.processes),
        "straps": straps,
        "seconds": seconds,
        "kills": findings.kills,
        "beats": sent,
        "lost": lost,
        "doubled": doubled,
        "wrong": findings.wrong,
        "done": dict(sorted(findings.done.items())),
        "sent_again": dict(sorted(findings.retried.items())),
        "upload_s": {
            "median": round(float(np.median(findings.upload_s)), 2),
            "p95": round(float(np.quantile(findings.upload_s, 0.95)), 2),
            "longest": round(max(findings.upload_s), 2),
        },
    }


def main() -> None:
    """Start the servers, play, and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--straps", type=int, default=300)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--every", type=float, default=10.0, help="seconds between uploads")
    options.add_argument("--kill-every", type=float, default=20.0, help="seconds between kills")
    args = options.parse_args()
    binaries = postgres_bin()
    if binaries is None or influxd() is None or haproxy() is None:
        raise SystemExit("This needs Debian's haproxy, postgresql and influxdb.")
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-many-", dir="/tmp"))
    postgres = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
    influx = InfluxServerProcess(folder / "influxdb")
    influx.start()
    try:
        found = run(
            *(folder, postgres, influx),
            straps=args.straps,
            seconds=args.minutes * 60,
            every_s=args.every,
            kill_every_s=args.kill_every,
        )
    finally:
        influx.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found, indent=2))
    if found["lost"] or found["doubled"] or found["wrong"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
