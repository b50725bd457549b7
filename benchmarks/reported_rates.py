"""What the stress index has of a device's own heart rate, where there are no beats; and what they
cost.

    uv run python -m benchmarks.reported_rates [--data ../shared/data/stress]
    uv run python -m benchmarks.reported_rates --cost [--days 365] [--every 5]

``--cost`` stores heart rates of another system in the embedded store, one every few seconds all
day, and prints seconds of all processes and the growth of memory of each request that reads them,
the first time and again. The server runs in a process of its own.

Without it: Stress-Predict (Iqbal et al. 2022), 17 people, wrist. By ``analytics.hrv.reported``,
whose lag is each person's own: AUC of stress against rest within a person, mean over people, of
windows with a rate (of beats: of those with five); the lag; and how far rates are from beats of the
same window.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from analytics.hrv.heart_rate import accept_intervals, estimate_lag_s
from analytics.hrv.reported import ReportedRates, reported_windows
from analytics.hrv.windows import BeatArrays
from benchmarks.stress_index import auc, load
from ebbtide.timestamps import DAY, SECOND
from store.models.imports import ImportedHeartRate, heart_rate_id
from store.sql.rows import to_values
from store.sql.tables.imports import HeartRateRow
from tests.support.cost import Cost, CostServer, running_server

_ROWS = 20_000  # of a statement


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/stress"))
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--every", type=int, default=5, help="Seconds from one rate to the next")
    options = parser.parse_args()
    if options.cost:
        print_cost(options.days, options.every)
    else:
        print_figures(options.data)


def print_cost(days: int, every_s: int) -> None:
    """Print a line for each request. Ratings: three on each of the last 20 days."""
    with running_server(days=2, ratings=60) as server:
        stored = store_rates(server, days, every_s)
        print(f"{stored:,} heart rates on {days} days, one every {every_s} s")
        print("request | status | CPU, s | memory, MB | again: CPU, s | memory, MB")
        with server.client("ada") as client, server.client("tom") as therapist:
            for name, path, query in requests_of(server, days):
                sender = therapist if path == "/v1/patients" else client
                cells = []
                for _ in range(2):
                    cost = server.measure(sender, "GET", path, params=query)
                    if cost.status == 202:
                        cells.append("202")
                        cost = _finish_job(server, path, query)
                    cells.append(f"{cost.status} | {cost.cpu_s:.2f} | {cost.memory_mb:.0f}")
                print(f"{name} | {' | '.join(cells)}", flush=True)


def store_rates(server: CostServer, days: int, every_s: int) -> int:
    """Store ada's heart rates of so many days; how many there are."""
    person = server.people["ada"]
    begin = server.end_ns - days * DAY
    rng = np.random.default_rng(1)

    def rows() -> Iterator[dict[str, object]]:
        for day in range(days):
            times = begin + day * DAY + np.arange(0, DAY, every_s * SECOND)
            bpm = np.round(70 + 8 * np.sin(times / DAY * 6) + rng.normal(0, 3, len(times)))
            for time_ns, rate in zip(times.tolist(), bpm.tolist(), strict=True):
                own_id = heart_rate_id(person.id, "watch", time_ns)
                item = ImportedHeartRate(
                    own_id,
                    person.id,
                    time_ns,
                    rate,
                    "watch",
                    False,
                    "sensed",
                    None,
                    "final",
                    None,
                    None,
                    server.end_ns,
                )
                yield to_values(item)

    left, count = rows(), 0
    while batch := list(islice(left, _ROWS)):
        with server.stores.engine.begin() as db:
            db.execute(insert(HeartRateRow), batch)
        count += len(batch)
    return count


def requests_of(server: CostServer, days: int) -> list[tuple[str, str, dict[str, object]]]:
    """List the requests, cheap ones first: name, path, query."""

    def last(count: int, **more: object) -> dict[str, object]:
        begin = np.datetime64(server.end_ns - count * DAY, "ns")
        end = np.datetime64(server.end_ns, "ns")
        return {"start": f"{begin}Z", "end": f"{end}Z", **more}

    return [
        ("first days", "/v1/first-days", {}),
        ("streams", "/v1/streams", {}),
        ("live", "/v1/live/now", {}),
        ("hrv of a day", "/v1/hrv", last(1)),
        ("trend of a day", "/v1/hrv/trend", last(1, bucket="1h")),
        ("trend of a week", "/v1/hrv/trend", last(7)),
        ("trend of all days", "/v1/hrv/trend", last(days)),
        ("nights", "/v1/nights", last(30)),
        ("link", "/v1/link", {}),
        ("link, nights", "/v1/link", {"span": "night before"}),
        ("caseload", "/v1/patients", {}),
        ("export of heart rates, a day", "/v1/export/heart_rates.csv", last(1)),
        ("export of heart rates, all", "/v1/export/heart_rates.csv", last(days)),
        ("export of HRV, a week", "/v1/export/hrv.csv", last(7)),
        ("FHIR, a page", "/v1/fhir/Observation", {"code": "8867-4"}),
    ]


def _finish_job(server: CostServer, path: str, query: dict[str, object]) -> Cost:
    """Ask until the job is done; what all of it cost."""
    cpu, memory, began = server.cpu_s(), server.memory_mb(), time.perf_counter()
    most, cost = memory, None
    with server.client("ada") as client:
        while cost is None or cost.status == 202:
            time.sleep(0.5)
            cost = server.measure(client, "GET", path, params=query)
            most = max(most, server.memory_mb())
    seconds = time.perf_counter() - began
    return Cost(seconds, server.cpu_s() - cpu, most - memory, cost.health_s, cost.status)


def print_figures(folder: Path) -> None:
    """Print a line for each length of window."""
    for length_s in (60, 300):
        figures: dict[str, list[float]] = {}
        for one in load(folder, length_s):
            source = np.zeros(len(one.time_ns), np.int32)
            beats = BeatArrays(one.time_ns, one.rr_ms, one.follows, one.contact, source)
            rates = ReportedRates(one.rate_ns, one.rate_bpm, np.zeros(len(one.rate_ns), np.int32))
            at = (one.start_ns, one.window_ns)
            late = reported_windows(rates, *at).window_bpm
            own = reported_windows(rates, *at, beats).window_bpm
            of_beats = one.rates().window_bpm
            near = accept_intervals(one.time_ns, one.rr_ms, one.contact)
            bpm = 60_000 / one.rr_ms[near]
            lag_s = estimate_lag_s(one.time_ns[near], bpm, one.rate_ns, one.rate_bpm)
            for name, value in (
                ("AUC of rates, lag taken out", auc(own, one.task > 0)),
                ("AUC of rates as they came", auc(late, one.task > 0)),
                ("AUC of beats", auc(of_beats, one.task > 0)),
                ("lag, s", np.nan if lag_s is None else lag_s),
                ("rates minus beats, median, bpm", float(np.nanmedian(own - of_beats))),
                ("rates minus beats, SD, bpm", float(np.nanstd(own - of_beats))),
            ):
                figures.setdefault(name, []).append(value)
        print(f"Windows of {length_s} s, {len(figures['lag, s'])} people")
        for name, values in figures.items():
            print(
                f"  {name}: mean {np.nanmean(values):.3f}, median {np.nanmedian(values):.2f},"
                f" {np.nanmin(values):.2f} to {np.nanmax(values):.2f}"
            )


if __name__ == "__main__":
    main()
