"""Exports as other programs write them again: encodings, separators, order, what stands before."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night
from ingest.nights import read_nights, registry

BERLIN = "Europe/Berlin"
Rows = list[dict[str, Any]]


def oura_rows() -> Rows:
    return [
        {
            "id": f"night {day}",
            "type": "long_sleep",
            "day": f"2026-03-{day:02}",
            "bedtime_start": f"2026-03-{day - 1:02}T23:00:00+01:00",
            "bedtime_end": f"2026-03-{day:02}T06:00:00+01:00",
            "average_hrv": 40 + day,
            "average_heart_rate": 55.5,
            "hrv": {
                "interval": 300.0,
                "items": [40 + day if k % 9 else None for k in range(84)],
                "timestamp": f"2026-03-{day - 1:02}T23:00:00+01:00",
            },
        }
        for day in (10, 11)
    ]


def table(rows: Rows, delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    for row in rows:
        cells = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in row.items()}
        writer.writerow(cells)
    return out.getvalue()


def activity() -> Rows:
    return [{"day": "2026-03-10", "met": {"interval": 60, "items": [0.9] * 1400}}] * 9


OURA: dict[str, Callable[[Rows], str | bytes]] = {
    "something else first": lambda rows: json.dumps({"daily_activity": activity(), "sleep": rows}),
    "one item a line": lambda rows: json.dumps({"data": rows}, indent=8),
    "keys in another order": lambda rows: json.dumps(
        {"data": [dict(reversed(list(row.items()))) for row in rows]}, indent=20
    ),
    "another name of the list": lambda rows: json.dumps({"sleep_periods": rows}),
    "pages": lambda rows: json.dumps([{"data": [row]} for row in rows]),
    "one a line": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "marked UTF-8": lambda rows: b"\xef\xbb\xbf" + json.dumps({"data": rows}).encode(),
    "UTF-16": lambda rows: json.dumps({"data": rows}).encode("utf-16"),
    "a table": lambda rows: table(rows, ","),
    "a table with semicolons": lambda rows: table(rows, ";"),
    "a table with tabs": lambda rows: table(rows, "\t"),
}


def nights_of(path: Path, content: str | bytes) -> list[Night]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_nights(path, zone=BERLIN)
    assert found is not None, "not recognised"
    assert found.problems == ()
    return list(found.nights)


@pytest.mark.parametrize("layout", OURA)
def test_oura_however_it_is_written(tmp_path: Path, layout: str) -> None:
    ending = "csv" if "table" in layout else "json"
    nights = nights_of(tmp_path / f"oura.{ending}", OURA[layout](oura_rows()))
    assert [(night.day, night.rmssd_ms) for night in nights] == [
        ("2026-03-10", 50.0),
        ("2026-03-11", 51.0),
    ]
    assert all((night.windows, night.mean_hr_bpm) == (74, 55.5) for night in nights)


def test_the_table_of_oura_s_web_page(tmp_path: Path) -> None:
    text = (
        "date,Average Resting Heart Rate,Average HRV,Bedtime Start,Bedtime End\n"
        "2026-03-10,57.2,44,2026-03-09T23:00:00+01:00,2026-03-10T06:00:00+01:00\n"
        "2026-03-11,,,2026-03-10T23:00:00+01:00,2026-03-11T06:00:00+01:00\n"
    )
    first, second = nights_of(tmp_path / "oura_trends.csv", text)
    assert (first.rmssd_ms, first.mean_hr_bpm) == (44.0, 57.2)
    assert not second.is_measured


def test_many_files_are_not_searched_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"daily_activity": activity(), "sleep": oura_rows()})
    (tmp_path / "oura.json").write_text(text)
    assert read_nights(tmp_path, zone=BERLIN) is not None
    monkeypatch.setattr(registry, "_MAX_SEARCHED_BYTES", 1000)
    assert read_nights(tmp_path, zone=BERLIN) is None


WHOOP_NAMES = (
    *("Cycle start time", "Cycle end time", "Cycle timezone", "Resting heart rate (bpm)"),
    *("Heart rate variability (ms)", "Sleep onset", "Wake onset"),
)


def whoop(hrv: str, zone: str = "UTC+01:00") -> Rows:
    begin, end = "2026-03-09 23:00:00", "2026-03-10 06:00:00"
    return [dict(zip(WHOOP_NAMES, (begin, end, zone, "56", hrv, begin, end), strict=True))]


@pytest.mark.parametrize(("hrv", "delimiter"), [("47.8", ";"), ("47,8", ";"), ("47,8", ",")])
def test_whoop_saved_again_by_a_spreadsheet(tmp_path: Path, hrv: str, delimiter: str) -> None:
    (night,) = nights_of(tmp_path / "cycles.csv", table(whoop(hrv), delimiter))
    assert (night.day, night.rmssd_ms, night.mean_hr_bpm) == ("2026-03-10", 47.8, 56.0)


@pytest.mark.parametrize("hrv", ["n/a", "4.780,5", "4780"])
def test_what_is_no_value_is_said_and_not_kept(tmp_path: Path, hrv: str) -> None:
    path = tmp_path / "cycles.csv"
    path.write_text(table(whoop(hrv), ";"))
    found = read_nights(path, zone=BERLIN)
    assert found is not None
    assert [night.rmssd_ms for night in found.nights] == [None]
    assert hrv in " ".join(found.problems)


def test_an_error_says_what_was_wrong_with_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "cycles.csv"
    path.write_text(table(whoop("48", zone="Mars"), ","))
    with pytest.raises(EbbtideError, match=r"no time or no offset.*2026-03-09 23:00:00"):
        read_nights(path, zone=BERLIN)
