"""Time and memory of reading big exports of nights, beside reading the same files with pandas.

    uv run python benchmarks/night_exports.py [--years 5] [--apple-mb 1000] [--folder /tmp/nights]

A Takeout of Fitbit (values asleep and a heart rate every 15 s, as the real one has), a Health
Connect database, and Apple Health exports of 100 MB and of 1 GB. Each is read in a process of its
own, which reports its time and its highest memory. pandas reads the rows into frames and averages
them by day, with nothing about zones, naps, copies or gaps. It gets 6 GB, and ends where that is
not enough.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BED = datetime(2021, 1, 1, tzinfo=UTC)  # from midnight to about seven
_STEPS = 85
_MAX_BYTES = 6_000_000_000


def make_takeout(path: Path, days: int) -> None:
    """Details of each night, and rates of each day."""
    rng = random.Random(1)
    seconds = (_BED + timedelta(seconds=15 * k) for k in range(5760))
    rates = json.dumps(
        [
            {"dateTime": f"@ {moment:%H:%M:%S}", "value": {"bpm": 50 + k % 20, "confidence": 2}}
            for k, moment in enumerate(seconds)
        ]
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for day in range(days):
            bed = _BED + timedelta(days=day)
            moments = (bed + timedelta(minutes=5 * k) for k in range(_STEPS))
            rows = "\n".join(
                f"{moment:%Y-%m-%dT%H:%M:%SZ},{rng.gauss(40, 6):.2f},0.9,1,1" for moment in moments
            )
            name = f"{bed:%Y-%m-%d}"
            kind = "Heart Rate Variability"
            archive.writestr(
                f"Takeout/Fitbit/{kind}/{kind} Details - {name}.csv",
                f"timestamp,rmssd,coverage,low_frequency,high_frequency\n{rows}\n",
            )
            archive.writestr(
                f"Takeout/Fitbit/Global Export Data/heart_rate-{name}.json",
                rates.replace("@", f"{bed:%m/%d/%y}"),
            )


def make_health_connect(path: Path, days: int) -> None:
    """RMSSD of each night, and a heart rate a minute."""
    rng = random.Random(1)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE application_info_table(row_id integer, app_name text)")
        db.execute("INSERT INTO application_info_table VALUES (1, 'Watch')")
        db.execute(
            "CREATE TABLE heart_rate_variability_rmssd_record_table(app_info_id integer,"
            " time integer, zone_offset integer, heart_rate_variability_millis real)"
        )
        db.execute(
            "CREATE TABLE heart_rate_record_series_table(parent_key integer,"
            " beats_per_minute integer, epoch_millis integer)"
        )
        for day in range(days):
            bed = round((_BED + timedelta(days=day)).timestamp()) * 1000
            db.executemany(
                "INSERT INTO heart_rate_variability_rmssd_record_table VALUES (1, ?, 3600, ?)",
                [(bed + 300_000 * k, rng.gauss(40, 6)) for k in range(_STEPS)],
            )
            db.executemany(
                "INSERT INTO heart_rate_record_series_table VALUES (1, ?, ?)",
                [(50 + k % 20, bed + 60_000 * k) for k in range(1440)],
            )


def make_apple(path: Path, megabytes: int) -> None:
    """Heart rates all day, sleep and SDNN of each night, until the file is as large."""
    day, rows = 0, "".join(_apple_day(_BED)).replace(f"{_BED:%Y-%m-%d}", "@")
    with path.open("w") as out:
        out.write('<?xml version="1.0"?><!DOCTYPE HealthData><HealthData locale="en">\n')
        while out.tell() < megabytes * 1_000_000:
            out.write(rows.replace("@", f"{_BED + timedelta(days=day % 1800):%Y-%m-%d}"))
            day += 1
        out.write("</HealthData>")


def _apple_day(bed: datetime) -> list[str]:
    def record(kind: str, begin: datetime, end: datetime, value: object) -> str:
        return (
            f'<Record type="HK{kind}" sourceName="Watch" sourceVersion="11.1" device="&lt;Apple'
            f' Watch&gt;" unit="count/min" creationDate="{end:%Y-%m-%d %H:%M:%S} +0000"'
            f' startDate="{begin:%Y-%m-%d %H:%M:%S} +0000" endDate="{end:%Y-%m-%d %H:%M:%S} +0000"'
            f' value="{value}"><MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>'
            "</Record>\n"
        )

    rates = [
        record("QuantityTypeIdentifierHeartRate", t, t, 50 + k % 20)
        for k, t in enumerate(bed + timedelta(seconds=150 * k) for k in range(575))
    ]
    sdnn = [
        record("QuantityTypeIdentifierHeartRateVariabilitySDNN", t, t + timedelta(minutes=1), 60)
        for t in (bed + timedelta(hours=k) for k in range(8))
    ]
    asleep = record(
        "CategoryTypeIdentifierSleepAnalysis",
        bed,
        bed + timedelta(hours=8),
        "HKCategoryValueSleepAnalysisAsleepCore",
    )
    return [*rates, *sdnn, asleep]


def read_ours(path: Path) -> int:
    """Read with the reader of nights."""
    from ingest.nights import read_nights

    found = read_nights(path, zone="Europe/Berlin")
    return 0 if found is None else len(found.nights)


def read_pandas(path: Path) -> int:
    """Read into frames, and average by day of UTC."""
    import pandas as pd

    if path.suffix == ".zip":
        details, rates = [], []
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    if name.endswith(".csv"):
                        details.append(pd.read_csv(file))
                    else:
                        rates.append(pd.json_normalize(json.load(file)))
        values, beats = pd.concat(details), pd.concat(rates)
        values["day"] = (pd.to_datetime(values["timestamp"]) + pd.Timedelta(hours=6)).dt.date
        beats["time"] = pd.to_datetime(beats["dateTime"], format="%m/%d/%y %H:%M:%S")
        return len(values.groupby("day")["rmssd"].mean())
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as db:
            values = pd.read_sql("SELECT * FROM heart_rate_variability_rmssd_record_table", db)
            beats = pd.read_sql("SELECT * FROM heart_rate_record_series_table", db)
        beats["time"] = pd.to_datetime(beats["epoch_millis"], unit="ms")
        values["day"] = (pd.to_datetime(values["time"], unit="ms") + pd.Timedelta(hours=6)).dt.date
        return len(values.groupby("day")["heart_rate_variability_millis"].mean())
    frame = pd.read_xml(
        path, iterparse={"Record": ["type", "startDate", "endDate", "value"]}, parser="etree"
    )
    sdnn = frame[frame["type"].str.endswith("SDNN")].copy()
    sdnn["day"] = pd.to_datetime(sdnn["startDate"], utc=True).dt.date
    return len(sdnn.groupby("day").size())


def measure(reader: str, path: Path) -> dict[str, float] | None:
    """Read in a process of its own; None where it failed."""
    done = subprocess.run(
        [sys.executable, "-P", __file__, "--read", reader, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Make the exports, read each with both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=float, default=5)
    parser.add_argument("--apple-mb", type=int, default=1000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--read", nargs=2)
    given = parser.parse_args()
    if given.read:
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
        begun = time.perf_counter()
        count = {"ours": read_ours, "pandas": read_pandas}[given.read[0]](Path(given.read[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = used.ru_utime + used.ru_stime
        wall = time.perf_counter() - begun
        print(json.dumps({"nights": count, "cpu_s": seconds, "wall_s": wall, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        days = round(365 * given.years)
        makers = {
            "takeout.zip": lambda path: make_takeout(path, days),
            "health_connect_export.db": lambda path: make_health_connect(path, days),
            "export 100 MB.xml": lambda path: make_apple(path, 100),
            "export.xml": lambda path: make_apple(path, given.apple_mb),
        }
        print("| export | MB | reader | nights | CPU s | highest memory MB |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, make in makers.items():
            if not (folder / name).exists():
                make(folder / name)
        for name, reader in ((name, reader) for name in makers for reader in ("ours", "pandas")):
            found = measure(reader, folder / name)
            if found is None:
                size = (folder / name).stat().st_size / 1e6
                print(f"| {name} | {size:.0f} | {reader} | not read | | |", flush=True)
                continue
            print(
                f"| {name} | {(folder / name).stat().st_size / 1e6:.0f} | {reader} | "
                f"{found['nights']:.0f} | {found['cpu_s']:.1f} | {found['peak_mb']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
