"""The API under load, from a second process (Locust): straps uploading, readers of a year.

    uv run python benchmarks/load.py [--straps 200 --readers 50 --seconds 120 --together]

On this machine: ``ebbtide serve --workers 2`` on the embedded store, and Locust, on loopback.
A strap sends two seconds of beats every two seconds; a reader asks for a year's trend of a patient
who wore a strap eight hours a day, ratings and link in between, every five seconds. They come five
a second; figures begin when all are there, so that a worker's first request for the year (some
seconds) is not in them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from analytics.association.hrv_before_rating import Span
from api.services.access_tokens import issue_token
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import load_daily_hrv
from api.services.link_report import load_report_json
from benchmarks.children import end_with_us
from benchmarks.soak import answers, cpu_s, free_port, memory_mb
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, SECOND
from store import Stores, open_stores
from store.models import Person, Rating
from tests.support.accounts import add_account

A_SECOND = 5  # people who come


def a_year(stores: Stores, person: Person, days: int) -> None:
    """Eight hours of beats and two ratings a day."""
    rng = np.random.default_rng(1)
    begin = stores.now() // DAY * DAY - days * DAY
    ticks = np.clip(rng.normal(880, 45, 34_000), 500, 1500).astype(int)
    times = np.cumsum(ticks * SECOND // 1024)
    inside = times < 8 * HOUR
    ticks, times = ticks[inside], times[inside]
    stream = Stream(new_id(), Origin.SIMULATED, "a strap", begin)
    stores.beats.put_stream(person.subject_id, stream)
    first = 1
    for day in range(days):
        start = begin + day * DAY + 8 * HOUR
        stores.beats.append(
            person.subject_id,
            stream.id,
            [
                Notification(first + k, int(start + t), 70, (int(n),), (int(start + t),), True)
                for k, (n, t) in enumerate(zip(ticks, times, strict=True))
            ],
        )
        first += len(ticks)
        for hour in (10, 15):
            at = begin + day * DAY + hour * HOUR
            pain, stress = (int(value) for value in rng.integers(0, 11, 2))
            stores.records.add_rating(
                Rating(new_id(), 1, person.id, at, at, "UTC", pain, stress, None, True)
            )
    # As the nightly run leaves it.
    load_daily_hrv(stores, person, begin, begin + days * DAY)
    load_report_json(stores, AnalysisCache(), person, 0, 2**62, Span.MINUTES_30)


def main() -> None:
    """Fill, start, let Locust ask, and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--straps", type=int, default=200)
    options.add_argument("--readers", type=int, default=50)
    options.add_argument("--seconds", type=int, default=120)
    options.add_argument("--days", type=int, default=365)
    options.add_argument(
        "--together", action="store_true", help="those begun in one second ask in one moment"
    )
    args = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-load-", dir="/tmp"))
    stores = open_stores(Settings(data_dir=folder))
    people = [
        add_account(stores, f"p{k}@example.org", simulated=True)
        for k in range(args.straps // 10 + 1)
    ]
    began = time.monotonic()
    a_year(stores, people[0], args.days)
    filled = time.monotonic() - began
    tokens = [issue_token(stores, person)[0] for person in people]
    stores.close()
    port = free_port()
    environment = {**os.environ, "EBBTIDE_DATA_DIR": str(folder)}
    with (folder / "api.log").open("wb") as log:
        api = subprocess.Popen(
            [*(sys.executable, "-m", "ebbtide", "serve"), *("--port", str(port), "--workers", "2")],
            stdout=log,
            stderr=log,
            env={**environment, "EBBTIDE_REQUESTS_A_MINUTE": "1000000"},
        )
        end_with_us(api)
    url = f"http://127.0.0.1:{port}"
    answers(f"{url}/v1/ready")
    ramp = (args.straps + args.readers) / A_SECOND
    (folder / "tokens.json").write_text(json.dumps(tokens))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("load_users.py"))),
            *("--headless", "--host", url, "-u", str(args.straps + args.readers)),
            *("-r", str(A_SECOND), "--reset-stats", "-t", f"{args.seconds + ramp:.0f}s"),
            *("--csv", str(folder / "found"), "--only-summary"),
        ],
        env={
            **environment,
            "LOAD_TOKENS": str(folder / "tokens.json"),
            "LOAD_STRAPS": str(args.straps),
            "LOAD_READERS": str(args.readers),
            "LOAD_TOGETHER": "1" if args.together else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    memory, used = memory_mb(api.pid), cpu_s(api.pid)
    table = (folder / "found_stats.csv").read_text().splitlines()
    names = table[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in table[1:]]
    print(
        json.dumps(
            {
                "straps": args.straps,
                "readers": args.readers,
                "seconds": args.seconds,
                "together": args.together,
                "filled_s": round(filled),
                "api_mb": round(memory),
                "api_cpu_s": round(used),
                "asked": {
                    row["Name"]: {
                        "requests": int(row["Request Count"]),
                        "failures": int(row["Failure Count"]),
                        "median_ms": row["50%"],
                        "p95_ms": row["95%"],
                        "p99_ms": row["99%"],
                    }
                    for row in rows
                    if row["Name"] != "Aggregated"
                },
            },
            indent=2,
        )
    )
    if done.returncode not in (0, 1):
        print(done.stderr[-2000:], file=sys.stderr)
    api.terminate()
    api.wait(30)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
