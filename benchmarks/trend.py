"""A long trend from stored windows, beside working it out of the beats.

    uv run python benchmarks/trend.py [--days 60]

One patient who wears a strap day and night. The first request computes all windows and stores
them; later ones read them; beside that, ``GET /v1/hrv`` over the same range as it does without
(windows of five minutes, all beats read).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from analytics.hrv.windows import WINDOW_NS, hrv_windows, starts_by_stretch
from api.services.daily_windows import load_daily_hrv
from api.services.inputs import to_beat_arrays
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, SECOND
from store import open_stores
from tests.support.accounts import add_account

MIDNIGHT = 20_700 * DAY


def clock(work: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Fill a store, and measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=60)
    days = options.parse_args().days
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(data_dir=Path(folder)))
        add_account(stores, "ada@example.org", name="Ada")
        person = stores.records.person_by_email("ada@example.org")
        assert person is not None
        stream = new_id()
        stores.beats.put_stream(person.subject_id, Stream(stream, Origin.SIMULATED, "", MIDNIGHT))
        sequence, beats = 1, 0
        for day in range(days):
            rr = 800 + 40 * np.sin(np.arange(107_000) * 1.3) + rng.normal(0, 15, 107_000)
            ticks = np.round(rr * 1.024).astype(np.int64)
            times = MIDNIGHT + day * DAY + np.cumsum(ticks) * SECOND // 1024
            inside = times < MIDNIGHT + (day + 1) * DAY
            ticks, times = ticks[inside], times[inside]
            items = []
            for at in range(0, len(ticks), 8):
                part = tuple(times[at : at + 8].tolist())
                items.append(
                    Notification(sequence, part[-1], 75, tuple(ticks[at : at + 8].tolist()), part)
                )
                sequence += 1
            for at in range(0, len(items), 4096):
                stores.beats.append(person.subject_id, stream, items[at : at + 4096])
            beats += len(ticks)
        end = MIDNIGHT + days * DAY

        def whole() -> None:
            read = to_beat_arrays(stores.beats.read(person.subject_id, MIDNIGHT, end))
            hrv_windows(read, starts_by_stretch(read, WINDOW_NS, WINDOW_NS), WINDOW_NS)

        first = clock(lambda: load_daily_hrv(stores, person, MIDNIGHT, end))
        later = min(clock(lambda: load_daily_hrv(stores, person, MIDNIGHT, end)) for _ in range(5))
        plain = clock(whole)
        size = sum(file.stat().st_size for file in Path(folder).glob("beats.sqlite*"))
        print(f"{days} days, {beats} beats, {size / beats:.2f} bytes a beat, windows included")
        print(f"first look {first:.2f} s, later ones {later * 1e3:.1f} ms")
        print(f"out of the beats {plain:.2f} s, {plain / later:.0f} times as long")
        stores.beats.close()
        stores.records.close()


if __name__ == "__main__":
    main()
