"""Three processes of the API on PostgreSQL and InfluxDB, behind a load balancer, killed."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.many_processes import run
from tests.conftest import skip_or_fail
from tests.support.api_processes import haproxy
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer

# CI runs a sample; EBBTIDE_MANY_PROCESSES=all runs 300 straps for ten minutes.
WHOLE = os.environ.get("EBBTIDE_MANY_PROCESSES") == "all"


def test_nothing_is_lost_or_answered_wrongly_while_processes_are_killed(
    tmp_path: Path, postgres: PostgresServer, influxdb: InfluxServerProcess
) -> None:
    if haproxy() is None:
        skip_or_fail("no HAProxy on this machine (Debian: apt install haproxy)")
    found = run(
        *(tmp_path, postgres, influxdb),
        straps=300 if WHOLE else 12,
        seconds=600 if WHOLE else 40,
        every_s=10 if WHOLE else 2,
        kill_every_s=20 if WHOLE else 7,
    )
    print(found)
    assert (found["lost"], found["doubled"], found["wrong"]) == (0, 0, [])
    assert found["kills"] >= 1
    # Each of the checks has met what it looks for.
    for what in (
        *("uploads", "ratings read", "sign-ins that hold", "refused after signing out"),
        *("live sharing read", "links used once", "requests beyond the limit, refused"),
        *("guesses refused", "answers compared"),
    ):
        assert found["done"].get(what, 0) > 0, what
