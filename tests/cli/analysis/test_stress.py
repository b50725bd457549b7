"""``ebbtide stress`` of files: the index of the product, by day, hour or five minutes."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from tests.support.command_line import run_ebbtide, run_ebbtide_json

BERLIN = ZoneInfo("Europe/Berlin")


def day_file(folder: Path, day: int, bpm: float, *, hour: int = 9, minutes: int = 90) -> Path:
    """A heart of one day: its times in UTC, so that the hour is the zone's."""
    rng = np.random.default_rng(day)
    begin = datetime(2026, 11, day, hour, tzinfo=BERLIN).astimezone(ZoneInfo("UTC"))
    path = folder / f"day{day}.csv"
    lines, passed = ["time,rr_ms"], 0.0
    while passed < minutes * 60:
        # Slow ups and downs of 3 bpm, and a little from beat to beat.
        rr = 60_000 / (bpm + 3 * np.sin(passed / 700 + day)) + rng.normal(0, 15)
        passed += rr / 1000
        at = begin + timedelta(seconds=passed)
        lines.append(f"{at.isoformat(timespec='milliseconds')},{rr:.1f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Five usual days, and a sixth 12 bpm above."""
    folder = tmp_path_factory.mktemp("days")
    paths = [day_file(folder, day, 68) for day in range(2, 7)]
    return [str(path) for path in (*paths, day_file(folder, 7, 80))]


def told(*words: str) -> dict[str, Any]:
    return run_ebbtide_json("stress", *words, "--zone", "Europe/Berlin")


def test_a_day_above_the_usual_is_high_and_the_first_two_are_not_known(files: list[str]) -> None:
    answer = told(*files)
    assert answer["method"].endswith("version 2")
    rows = answer["rows"]
    assert [row["start"][:13] for row in rows] == [f"2026-11-{d:02}T07" for d in range(2, 8)]
    assert [row["missing"] is None for row in rows] == [False, False, True, True, True, True]
    assert rows[0]["stress_index"] is None
    assert all(row["low"] < 50 < row["high"] for row in rows[2:5])
    assert rows[5]["stress_index"] > 80 and rows[5]["low"] > 50
    assert rows[5]["baseline_days"] == 5
    assert [row["known_minutes"] for row in rows[2:]] == [90] * 4


def test_order_of_files_hours_and_windows(files: list[str]) -> None:
    assert told(*reversed(files))["rows"] == told(*files)["rows"]
    hours = told(*files, "--each", "hour")["rows"]
    assert [row["start"][11:16] for row in hours[-2:]] == ["09:00", "10:00"]
    assert len(hours) == 12
    result = run_ebbtide("stress", *files, "--each", "window", "--csv", "--zone", "Europe/Berlin")
    table = pd.read_csv(io.StringIO(result.stdout))
    assert len(table) == 6 * 19  # the last beat begins a window
    assert table["start"].iloc[0].startswith("2026-11-02T09:00")
    assert table["stress_index"].iloc[-19:].mean() > 75
    assert table["stress_index"].iloc[: 2 * 19].isna().all()


def test_words(files: list[str]) -> None:
    result = run_ebbtide("stress", *files, "--zone", "Europe/Berlin")
    lines = result.stdout.splitlines()
    assert "50 is usual" in lines[0]
    assert "not known yet" in lines[1]
    assert "compared with 5 days" in lines[-1]


def test_what_is_refused(files: list[str], tmp_path: Path) -> None:
    no_zone = run_ebbtide("stress", *files)
    assert no_zone.returncode == 1 and "--zone" in no_zone.stderr
    plain = tmp_path / "plain.txt"
    plain.write_text("\n".join(["850"] * 400))
    no_times = run_ebbtide("stress", str(plain), "--zone", "Europe/Berlin")
    assert no_times.returncode == 1 and "hours of days" in " ".join(no_times.stderr.split())
    both = run_ebbtide("stress", *files, "--json", "--csv", "--zone", "Europe/Berlin")
    assert both.returncode == 1 and "Choose one" in both.stderr
