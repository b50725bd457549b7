"""How long and in how much memory the recordings of years are imported and analysed.

    uv run python benchmarks/long_files.py [--megabytes 1000] [--activities 2000] [--only week]

Three inputs are made: an export of a watch's health app (rates, and measurements of a minute, in
the proportion of a real one,
36,875 measurements and 1.5 million rates in 479 MB), a week of a strap in
one text file, and a folder of FIT activities. Each is imported by ``ebbtide import`` against
``ebbtide serve`` in another process, with the server's usual limit of requests, and analysed by
``ebbtide hrv``. Seconds and the peak of memory (VmHWM) are those of the command's own process.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

BEGIN = datetime(2012, 3, 1, 6, tzinfo=UTC)
FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
PASSWORD = "a long enough password"
MEASUREMENTS_A_MB = 36_875 / 479
RATES_A_MB = 1_500_000 / 479
BEATS = 60


def health_export(path: Path, megabytes: float) -> None:
    """An export of that size over 14 years, the rates first, as the app writes them."""
    chance = random.Random(1)
    span_s = 14 * 365 * 86_400
    rates, measurements = int(RATES_A_MB * megabytes), int(MEASUREMENTS_A_MB * megabytes)
    device = (
        "&lt;&lt;HKDevice: 0x2&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, "
        "hardware:Watch6,2, software:9.1&gt;"
    )
    with path.open("w") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE HealthData [\n]>\n')
        file.write('<HealthData locale="en_GB">\n')
        for number in range(rates):
            at = BEGIN + timedelta(seconds=number * span_s // rates)
            text = f"{at:%Y-%m-%d %H:%M:%S} +0000"
            file.write(
                ' <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch of Ada" '
                f'sourceVersion="9.1" unit="count/min" creationDate="{text}" startDate="{text}" '
                f'endDate="{text}" value="{60 + number % 40}"/>\n'
            )
        for number in range(measurements):
            at = BEGIN + timedelta(seconds=number * span_s // measurements)
            text = f"{at:%Y-%m-%d %H:%M:%S} +0000"
            file.write(
                ' <Record type="HKQuantityTypeIdentifierHeartRateVariabilitySDNN" '
                f'sourceName="Watch of Ada" sourceVersion="9.1" device="{device}" unit="ms" '
                f'creationDate="{text}" startDate="{text}" endDate="{text}" value="40">\n'
                "  <HeartRateVariabilityMetadataList>\n"
            )
            beat = at
            for _ in range(BEATS):
                step = 0.83 + 0.04 * chance.random()
                beat += timedelta(seconds=step)
                file.write(
                    f'   <InstantaneousBeatsPerMinute bpm="{round(60 / step)}" '
                    f'time="{beat:%H:%M:%S}.{beat.microsecond // 10_000:02}"/>\n'
                )
            file.write("  </HeartRateVariabilityMetadataList>\n </Record>\n")
        file.write("</HealthData>\n")


def week_of_a_strap(path: Path) -> None:
    """A line an interval, with the time at which it arrived, for seven days."""
    chance = random.Random(2)
    at = BEGIN
    with path.open("w") as file:
        file.write("timestamp,rr_ms\n")
        while at < BEGIN + timedelta(days=7):
            rr = int(800 + 60 * chance.random())
            at += timedelta(milliseconds=rr)
            file.write(f"{at.isoformat(timespec='milliseconds')},{rr}\n")


def fit_activities(folder: Path, count: int) -> None:
    """An hour each, every other day: a record a second, and the intervals of that second.

    Writing one takes a second: twenty are written, and the others are those on other days, with
    each time stamp (uint32, seconds) and the check sum replaced.
    """
    from fitdecode.utils import compute_crc
    from garmin_fit_sdk import Encoder, Profile  # of the development tools

    chance = random.Random(3)
    numbers = Profile["mesg_num"]
    written: list[tuple[bytes, list[tuple[int, int]]]] = []
    for number in range(count):
        begin = BEGIN + timedelta(days=2 * number)
        if number >= 20:
            data, stamps = written[number % 20]
            moved = bytearray(data[:-2])
            for place, seconds in stamps:
                later = seconds + 2 * 86_400 * (number - number % 20)
                moved[place : place + 4] = later.to_bytes(4, "little")
            moved += compute_crc(bytes(moved)).to_bytes(2, "little")
            (folder / f"{number:05}.fit").write_bytes(moved)
            continue
        encoder = Encoder()
        encoder.write_mesg(
            {"mesg_num": numbers["FILE_ID"], "type": "activity", "time_created": begin}
        )
        start = {"event": "timer", "event_type": "start", "timestamp": begin}
        encoder.write_mesg({"mesg_num": numbers["EVENT"], **start})
        at = 0.0
        for second in range(1, 3601):
            part = []
            while at < second:
                rr = round(0.5 + 0.1 * chance.random(), 3)
                at += rr
                part.append(rr)
            encoder.write_mesg({"mesg_num": numbers["HRV"], "time": part})
            when = begin + timedelta(seconds=second)
            encoder.write_mesg(
                {"mesg_num": numbers["RECORD"], "timestamp": when, "heart_rate": 110}
            )
        data = bytes(encoder.close())
        first = int((begin - FIT_EPOCH).total_seconds())
        places, at_byte = [], 0
        for seconds in (first, first, *range(first + 1, first + 3601)):
            at_byte = data.index(seconds.to_bytes(4, "little"), at_byte)
            places.append((at_byte, seconds))
            at_byte += 4
        written.append((data, places))
        (folder / f"{number:05}.fit").write_bytes(data)


def run(environment: dict[str, str], *command: str) -> tuple[float, float, str]:
    """Seconds, the peak of memory in MB, and the last words of ``ebbtide command``."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "ebbtide", *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(f"{PASSWORD}\n{PASSWORD}\n")
    process.stdin.close()
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    words = out.strip().splitlines()[-1][:300] if out.strip() else ""
    if status:
        words = f"FAILED: {out[-1500:]}"
    return took, usage.ru_maxrss / 1024, words


def await_server() -> None:
    """Return when the server answers."""
    for _ in range(100):
        try:
            httpx.get("http://127.0.0.1:8899/v1/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.3)
        else:
            return
    raise SystemExit("the server did not start")


def main() -> None:
    """Print a line a command."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--megabytes", type=float, default=1000)
    options.add_argument("--activities", type=int, default=2000)
    options.add_argument("--only", default="health,week,fit")
    options.add_argument("--no-hrv", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "EBBTIDE_DATA_DIR": str(folder / "data"),
            "EBBTIDE_PORT": "8899",
        }
        environment["EBBTIDE_API_URL"] = "http://127.0.0.1:8899"
        print(
            run(
                environment,
                "add-patient",
                "ada@example.org",
                "--name",
                "Ada",
                "--zone",
                "UTC",
                "--agree",
            )[2]
        )
        server = subprocess.Popen(
            [sys.executable, "-m", "ebbtide", "serve", "--port", "8899"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await_server()
            print(run(environment, "sign-in", "ada@example.org")[2])
            for kind in chosen.only.split(","):
                target = folder / kind
                if kind == "health":
                    target = folder / "export.xml"
                    health_export(target, chosen.megabytes)
                elif kind == "week":
                    target = folder / "week.csv"
                    week_of_a_strap(target)
                else:
                    target.mkdir()
                    fit_activities(target, chosen.activities)
                size = (
                    sum(f.stat().st_size for f in target.rglob("*"))
                    if target.is_dir()
                    else (target.stat().st_size)
                )
                print(f"{kind}: {size / 1e6:.0f} MB")
                for command in (["import", str(target)], ["import", str(target)]):
                    took, memory, words = run(environment, *command)
                    print(f"  {command[0]}: {took:.1f} s, {memory:.0f} MB; {words}", flush=True)
                if target.is_file() and not chosen.no_hrv:
                    took, memory, words = run(environment, "hrv", str(target), "--json")
                    print(
                        f"  hrv: {took:.1f} s, {memory:.0f} MB; {len(words)} characters", flush=True
                    )
        finally:
            server.terminate()
            server.wait(20)
    print(
        f"peak of this script: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    main()
