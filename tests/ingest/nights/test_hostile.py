"""Exports that are broken or made to harm: each is read so far or refused in words, never more."""

from __future__ import annotations

import csv
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.nights import find_fault
from ingest.nights import NightFile, read_nights
from ingest.nights import members as members_module
from ingest.nights.apple import _offset_s
from ingest.nights.clock import parse_offset

BERLIN = "Europe/Berlin"
WHOOP = "Cycle start time,Cycle timezone,Heart rate variability (ms),Sleep onset,Wake onset\n"
FITBIT = "timestamp,rmssd,coverage,low_frequency,high_frequency\n"
GOOD = "2026-03-09 23:00:00,UTC+01:00,41,,\n"  # of WHOOP
YEARS = ("0001", "1900", "2300", "9999")


def read(folder: Path, name: str, text: str) -> NightFile:
    (folder / name).write_text(text)
    found = read_nights(folder / name, zone=BERLIN)
    assert found is not None
    return found


def oura(**more: Any) -> str:
    sleep = {
        "bedtime_start": "2026-03-09T23:00:00+01:00",
        "bedtime_end": "2026-03-10T06:00:00+01:00",
        "average_hrv": 40,
    }
    return json.dumps({"data": [sleep | more]})


@pytest.mark.parametrize(
    "row",
    [
        "2026-03-10 23:00:00,UTC+99:00,41,,\n",
        "0001-01-01 00:00:00,UTC+05:00,41,,\n",
        "9999-12-31 23:00:00,UTC-05:00,41,,\n",
        "2026-03-10 23:00:00,UTC+01:00,41,2026-03-10 23:00:00,2026-03-11 01:00:00\n",
    ],
)
def test_one_row_that_cannot_be_costs_no_other(tmp_path: Path, row: str) -> None:
    file = read(tmp_path, "w.csv", WHOOP + GOOD + row)
    assert [night.day for night in file.nights] == ["2026-03-10"]
    assert len(file.problems) == 1 and "left out" in file.problems[0]


@pytest.mark.parametrize("cell", ["x" * 200_000, "a\rb"])
def test_a_broken_table_is_kept_up_to_there(
    tmp_path: Path, cell: str, request: pytest.FixtureRequest
) -> None:
    # As where scipy or frictionless were imported in the same process.
    request.addfinalizer(partial(csv.field_size_limit, csv.field_size_limit(2**31 - 1)))
    file = read(tmp_path, "w.csv", f"{WHOOP}{GOOD}2026-03-10 23:00:00,UTC+01:00,41,{cell},\n")
    assert [night.day for night in file.nights] == ["2026-03-10"]
    assert any("w.csv, line 3" in problem for problem in file.problems)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.csv", FITBIT + "{}-01-01T00:00:00,40,1,1,1\n"),
        ("d.csv", FITBIT + "{}-01-01T00:00:00+14:00,40,1,1,1\n"),
        ("d.csv", "timestamp,rmssd,nremhr,entropy\n{}-01-01T00:00:00,40,50,2\n"),
        (
            "p.json",
            '[{{"date":"{}-01-01","heart_rate_variability_avg":31,"hrv_samples":{{"00:10":30}}}}]',
        ),
        (
            "o.json",
            '[{{"bedtime_start":"{0}-01-01T00:00:00+14:00","average_hrv":40,'
            '"bedtime_end":"{0}-01-01T07:00:00+14:00"}}]',
        ),
    ],
)
def test_times_of_another_century_are_no_nights(
    tmp_path: Path, name: str, text: str, year: str
) -> None:
    with pytest.raises(EbbtideError, match=r"no |without"):
        read(tmp_path, name, text.format(year))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (oura(hrv={"interval": float("nan"), "items": [40, 41]}), 0),
        (oura(hrv={"interval": float("inf"), "items": [40, 41]}), 0),
        (oura(hrv={"interval": 1e300, "items": [40, 41]}), 0),
        (oura(hrv={"interval": 300, "items": [40] * 5000}), 289),
        (
            oura(
                hrv={"interval": 300, "items": [40] * 9, "timestamp": "2026-03-01T23:00:00+01:00"}
            ),
            0,
        ),
        (oura(hrv={"interval": 300, "items": [10**400, float("nan"), -1, "1e999"]}), 0),
    ],
)
def test_lists_of_oura_stay_within_the_sleep(tmp_path: Path, text: str, steps: int) -> None:
    (night,) = read(tmp_path, "o.json", text).nights
    assert len(night.values) == steps
    assert find_fault(night) is None


def test_a_night_that_the_api_would_refuse_is_left_out_and_said(tmp_path: Path) -> None:
    many = json.loads(oura(hrv={"interval": 1, "items": [40] * 5000}))["data"]
    many += json.loads(oura().replace("03-10", "03-12").replace("03-09", "03-11"))["data"]
    file = read(tmp_path, "o.json", json.dumps(many))
    assert [night.day for night in file.nights] == ["2026-03-12"]
    assert file.problems == (
        "1 nights cannot be, the first of 2026-03-10: values must be at most 2000; left out",
    )


def test_polar_s_night_is_the_sleep_that_ends_on_its_date(tmp_path: Path) -> None:
    """From noon to seven: what is after 15:00 reads as of the evening before."""
    samples = {f"{hour}:{minute:02}": 30 for hour in range(12, 19) for minute in range(0, 60, 5)}
    row = {"date": "2026-03-10", "heart_rate_variability_avg": 31, "hrv_samples": samples}
    (night,) = read(tmp_path, "p.json", json.dumps([row])).nights
    assert night.day == date(2026, 3, 10).isoformat()
    assert find_fault(night) is None


def database(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


TABLE = (
    "CREATE TABLE heart_rate_variability_rmssd_record_table"
    "(time integer, heart_rate_variability_millis real, zone_offset integer)"
)


@pytest.mark.parametrize("offset", ["0", "NULL"])
def test_times_that_no_date_has_are_left_out_of_a_database(tmp_path: Path, offset: str) -> None:
    path = tmp_path / "x.db"
    insert = "INSERT INTO heart_rate_variability_rmssd_record_table VALUES"
    database(path, TABLE, f"{insert} ({2**62}, 40, {offset}), ({-(2**62)}, 40, {offset})")
    with pytest.raises(EbbtideError, match="no night"):
        read_nights(path, zone=BERLIN)


def test_a_view_without_end_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(
        path,
        "CREATE VIEW heart_rate_variability_rmssd_record_table AS WITH RECURSIVE c(n) AS "
        "(SELECT 1 UNION ALL SELECT n + 1 FROM c) "
        "SELECT n AS time, 40.0 AS heart_rate_variability_millis FROM c",
    )
    with pytest.raises(EbbtideError, match="not the export of Health Connect"):
        read_nights(path, zone=BERLIN)


def test_samsung_s_package_and_offset_make_a_source_that_can_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "com.samsung.health.hrv.1.csv",
            "com.samsung.health.hrv,1,1\nstart_time,time_offset,binning_data,pkg_name\n"
            f"2026-03-09 22:00:00,UTC+9999,b.json,{'x' * 500}\n",
        )
        values = [{"start_time": 1_773_090_000_000 + k * 300_000, "rmssd": 40} for k in range(80)]
        archive.writestr("b.json", json.dumps(values))
    found = read_nights(path, zone=BERLIN)
    assert found is not None
    (night,) = found.nights
    assert (night.source, night.offset_s) == (f"Samsung Health ({'x' * 60})", 3600)


def test_offsets_as_exports_write_them() -> None:
    written = ("UTC+02:00", "UTC-0530", "GMT+1", "Z", "utc", "", "UTC+99:00", "Berlin")
    assert [parse_offset(text) for text in written] == [
        *(7200, -19800, 3600, 0, 0, None, None, None),
    ]
    assert [_offset_s(f"2026-03-09 23:00:00 {text}") for text in ("-0500", "-05:00", "+0130")] == [
        *(-18000, -18000, 5400),
    ]


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_file_in_a_zip_is_named(tmp_path: Path, how: int) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("sleep.json", json.dumps(list(range(5000))))
    data = bytearray(path.read_bytes())
    for place in range(60, 200):
        data[place] ^= 0x5A
    path.write_bytes(data)
    with pytest.raises(EbbtideError, match=r"sleep\.json .*damaged"):
        read_nights(path, zone=BERLIN)


def test_a_zip_that_unpacks_without_end_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten zips of 20 MB of zeros in one of 0.2 MB: each is small, and together they are not."""
    monkeypatch.setattr(members_module, "_SMALL_BYTES", 50_000_000)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = tmp_path / "wellness.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.zip", b"PK\x03\x04" + bytes(20_000_000))
    assert path.stat().st_size < 250_000
    with pytest.raises(EbbtideError, match="50 times"):
        read_nights(path, zone=BERLIN)
    assert list(temporary.iterdir()) == []


def test_many_files_of_nothing_in_a_zip_end_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them is unpacked to the disk, each is small enough for memory, and all are read."""
    monkeypatch.setattr(members_module, "_SMALL_BYTES", 50_000_000)
    path = tmp_path / "oura.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.json", oura() + " " * 20_000_000)
    with pytest.raises(EbbtideError, match="50 times"):
        read_nights(path, zone=BERLIN)


@pytest.mark.parametrize(
    "head",
    [
        '{"bedtime_start": ',
        '{"heart_rate_variability_avg": 1, "hrv_samples": ',
        '[{"date": "2026-03-10", "heart_rate_variability_avg": 1, "hrv_samples": {"00:10": ',
    ],
)
def test_fifteen_megabytes_of_brackets_are_damaged_json(tmp_path: Path, head: str) -> None:
    (tmp_path / "x.json").write_text(head + "[" * 15_000_000)
    try:
        found = read_nights(tmp_path / "x.json", zone=BERLIN)
    except EbbtideError as error:
        assert "damaged" in str(error) or "no " in str(error)
    else:
        assert found is None or found.nights == ()


def test_brackets_in_exports_of_many_files_are_damaged_and_the_rest_is_read(
    tmp_path: Path,
) -> None:
    deep = "[" * 15_000_000
    for name, rows in {
        "Takeout/Fitbit/Global Export Data/heart_rate-2026-03-10.json": deep,
        "com.samsung.health.hrv/b.json": deep,
    }.items():
        path = tmp_path / f"{len(name)}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, rows)
            archive.writestr(
                "Takeout/Fitbit/Heart Rate Variability/Details - 2026-03-10.csv",
                FITBIT
                + "".join(
                    f"2026-03-10T0{hour}:{minute:02}:00,40,1,1,1\n"
                    for hour in range(1, 6)
                    for minute in range(0, 60, 5)
                ),
            )
            archive.writestr(
                "com.samsung.health.hrv.1.csv",
                "com.samsung.health.hrv,1,1\nstart_time,time_offset,binning_data,pkg_name\n"
                "2026-03-09 22:00:00,UTC+0100,b.json,x\n",
            )
        found = read_nights(path, zone=BERLIN)
        assert found is not None and [night.day for night in found.nights] == ["2026-03-10"]


def test_names_that_lead_out_of_the_zip_are_names_alone(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../o.json", oura())
        archive.writestr("/x/../../y.db", b"SQLite format 3\0" + bytes(90))
    found = read_nights(path, zone=BERLIN)
    assert found is not None and len(found.nights) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["export.zip"]
