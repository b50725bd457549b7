"""What the heart costs the API: the live page, today's windows, and a year's trend.

    uv run python -m benchmarks.live_heart [--days 4]

One person in an embedded store. The live heart each second with a new beat, and without; the stored
windows of today after each of 15 more minutes, 16 h worn; the trend of a year from stored windows,
12 h a day, as ``GET /v1/hrv/trend`` makes it. Milliseconds of CPU in this process: median and
least. At last the largest memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from api.routes.analysis.live import live_heart
from api.services import daily_windows
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import load_daily_hrv
from api.services.hrv_trend import load_trend_json
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores, open_stores
from store.models import DailyWindows, Person
from tests.support.accounts import add_account

TODAY = 20_700


class Strap:
    """A strap whose beats come a part at a time."""

    def __init__(self, stores: Stores, person: Person, begin_ns: int) -> None:
        self.stores, self.subject, self.stream = stores, person.subject_id, new_id()
        stores.beats.put_stream(self.subject, Stream(self.stream, Origin.STRAP, "", begin_ns))
        self.rng, self.at, self.sequence = np.random.default_rng(1), begin_ns, 1

    def send(self, until_ns: int) -> None:
        """Append all beats until then."""
        items = []
        while self.at < until_ns - SECOND:
            ticks = int(850 + 30 * np.sin(self.sequence * 1.3) + self.rng.normal(0, 15))
            self.at += ticks * SECOND // 1024
            items.append(Notification(self.sequence, self.at, 70, (ticks,), (self.at,)))
            self.sequence += 1
        for at in range(0, len(items), 4000):
            self.stores.beats.append(self.subject, self.stream, items[at : at + 4000])


def measure(
    name: str, rounds: int, work: Callable[[], object], between: Callable[[], None]
) -> None:
    """Print a row."""
    took = []
    for _ in range(rounds):
        between()
        began = time.process_time()
        work()
        took.append(1e3 * (time.process_time() - began))
    print(f"| {name} | {np.median(took):.1f} ms | {min(took):.1f} ms |", flush=True)


def store_year(stores: Stores, person: Person) -> None:
    """Store a year of windows, with one notification a day so that days have fingerprints."""
    first, stream, rng = TODAY - 365, new_id(), np.random.default_rng(1)
    stores.beats.put_stream(person.subject_id, Stream(stream, Origin.STRAP, "", first * DAY))
    for sequence, day in enumerate(range(first, TODAY), 1):
        at = day * DAY + 8 * HOUR
        item = Notification(sequence, at, 70, (900,), (at,))
        stores.beats.append(person.subject_id, stream, [item])
    names = stores.beats.day_fingerprints(person.subject_id, first * DAY, TODAY * DAY)
    days = {}
    for day in range(first, TODAY):
        minutes = 70 + 4 * rng.standard_normal((144, 1)) + rng.standard_normal((144, 5))
        columns = dict(zip(daily_windows.MINUTES, minutes.T, strict=True))
        for name in (*daily_windows.METRICS, "window_bpm", "vagal"):
            columns[name] = np.median(minutes, axis=1)
        columns["motion_mg"] = np.full(144, np.nan)
        starts = day * DAY + 8 * HOUR + 5 * MINUTE * np.arange(144)
        days[day] = DailyWindows(names[day], starts, columns)
    stores.beats.store_windows(person.subject_id, daily_windows.STORED_METHOD, days)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=4, help="before today, 16 h worn each")
    days = options.parse_args().days
    clock = [TODAY * DAY]
    print("| | median | least |\n| --- | --- | --- |")
    with (
        tempfile.TemporaryDirectory() as name,
        closing(open_stores(Settings(data_dir=Path(name) / "store"))) as opened,
    ):
        stores = replace(opened, now=lambda: clock[0])
        people = []
        for email in ("ada@example.org", "eve@example.org"):
            add_account(stores, email, name="A person")
            person = stores.records.person_by_email(email)
            assert person is not None
            people.append(person)
        ada, eve = people
        for day in range(TODAY - days, TODAY):
            Strap(stores, ada, day * DAY + 6 * HOUR).send(day * DAY + 22 * HOUR)
        strap = Strap(stores, ada, TODAY * DAY + 10 * SECOND)

        def wait(length_ns: int) -> Callable[[], None]:
            def later() -> None:
                clock[0] += length_ns
                strap.send(clock[0])

            return later

        wait(16 * HOUR)()
        load_daily_hrv(stores, ada, TODAY * DAY, (TODAY + 1) * DAY)
        measure(
            "today's windows, a minute more",
            15,
            lambda: load_daily_hrv(stores, ada, TODAY * DAY, (TODAY + 1) * DAY),
            wait(MINUTE),
        )
        cache = AnalysisCache()
        live_heart(stores, cache, ada)
        measure(
            "the live heart, a beat more", 40, lambda: live_heart(stores, cache, ada), wait(SECOND)
        )
        measure(
            "the live heart, nothing new", 40, lambda: live_heart(stores, cache, ada), lambda: None
        )
        store_year(stores, eve)
        for bucket_ns, words in ((DAY, "days"), (HOUR, "hours")):
            cache = AnalysisCache()
            cache.baselines.load(stores, eve)
            measure(
                f"a year's trend, by {words}",
                3,
                lambda c=cache, b=bucket_ns: load_trend_json(  # type: ignore[misc]
                    stores, c, eve, (TODAY - 365) * DAY, TODAY * DAY, b
                ),
                cache.responses.clear,
            )
    print(f"Largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
