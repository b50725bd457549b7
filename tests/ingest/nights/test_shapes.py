"""Nights in shapes beside those of the specimens: other columns, zones, apps and devices."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from garmin_fit_sdk import Encoder, Profile

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import HOUR, MINUTE, from_datetime
from ingest.nights import NightFile, read_nights

BERLIN = "Europe/Berlin"
NUMBERS = Profile["mesg_num"]
BED = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)  # 23:00 in Berlin


def read(path: Path, zone: str | None = BERLIN) -> NightFile:
    found = read_nights(path, zone=zone)
    assert found is not None
    return found


def one(file: NightFile) -> Night:
    (night,) = file.nights
    return night


def steps(begin: datetime, count: int) -> list[datetime]:
    """Every five minutes, in UTC and therefore without a jump."""
    return [begin.astimezone(UTC) + timedelta(minutes=5 * k) for k in range(count)]


def details(folder: Path, local: Sequence[str], name: str = "details.csv") -> Path:
    rows = [f"{time},{40 + k % 7},0.9,1,1" for k, time in enumerate(local)]
    path = folder / name
    path.write_text("timestamp,rmssd,coverage,low_frequency,high_frequency\n" + "\n".join(rows))
    return path


def test_newer_fitbit_tables_have_utc_and_other_names(tmp_path: Path) -> None:
    moments = steps(BED, 90)
    detail = tmp_path / "heart_rate_variability_2026-03-10.csv"
    detail.write_text(
        "timestamp,root mean square of successive differences milliseconds,"
        "standard deviation milliseconds,data source\n"
        + "\n".join(
            f"{t:%Y-%m-%dT%H:%M:%SZ},{40 + k % 7},55.5,Charge" for k, t in enumerate(moments)
        )
    )
    rates = tmp_path / "heart_rate_2026-03-10.csv"
    rates.write_text(
        "timestamp,beats per minute,data source\n"
        + "\n".join(f"{t:%Y-%m-%dT%H:%M:%SZ},{50 + k % 5},Charge" for k, t in enumerate(moments))
    )
    night = one(read(tmp_path))
    assert (night.day, night.windows, night.offset_s) == ("2026-03-10", 90, 3600)
    assert (night.sdnn_ms, night.mean_hr_bpm) == (55.5, 52.0)
    assert night.start_ns == from_datetime(BED)


def test_the_device_s_average_stands_in_where_no_values_are(tmp_path: Path) -> None:
    (tmp_path / "Daily Heart Rate Variability Summary - 2026-03-(1).csv").write_text(
        "timestamp,rmssd,nremhr,entropy\n2026-03-10T00:00:00,33.5,55,2.9\n"
        "2026-03-11T00:00:00,35.5,54,2.9\n2026-03-11T00:00:00,35.5,54,2.9\n"
    )
    moments = [t.astimezone(ZoneInfo(BERLIN)) for t in steps(BED, 80)]
    details(tmp_path, [f"{t:%Y-%m-%dT%H:%M:%S}" for t in moments])
    first, second = read(tmp_path).nights
    assert (first.day, first.basis) == ("2026-03-10", NightBasis.VALUES)
    assert (second.day, second.basis, second.rmssd_ms) == ("2026-03-11", NightBasis.DEVICE, 35.5)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe"])
def test_clocks_that_go_back_in_the_night_are_read_by_order(tmp_path: Path, zone: str) -> None:
    where = ZoneInfo(zone)
    bed = {
        BERLIN: datetime(2026, 10, 24, 23, 0, tzinfo=where),
        "America/New_York": datetime(2026, 10, 31, 22, 30, tzinfo=where),
        "Australia/Lord_Howe": datetime(2026, 4, 4, 22, 0, tzinfo=where),
    }[zone]
    moments = steps(bed, 96)
    local = [f"{t.astimezone(where):%Y-%m-%dT%H:%M:%S}" for t in moments]
    assert len(set(local)) < len(local)  # or nothing is doubled
    night = one(read(details(tmp_path, local), zone))
    assert night.start_ns == from_datetime(moments[0])
    assert [v.at_s for v in night.values] == [300 * k for k in range(96)]


def test_clocks_that_go_forward_leave_no_gap(tmp_path: Path) -> None:
    where = ZoneInfo(BERLIN)
    moments = steps(datetime(2026, 3, 28, 23, 0, tzinfo=where), 90)
    local = [f"{t.astimezone(where):%Y-%m-%dT%H:%M:%S}" for t in moments]
    night = one(read(details(tmp_path, local)))
    assert [v.at_s for v in night.values] == [300 * k for k in range(90)]
    assert (night.day, night.offset_s) == ("2026-03-29", 7200)


def test_one_pass_through_the_double_hour_is_placed_by_its_neighbours_or_left_out(
    tmp_path: Path,
) -> None:
    def local(begin: str, count: int) -> list[str]:
        start = datetime.fromisoformat(begin)
        return [f"{start + timedelta(minutes=5 * k):%Y-%m-%dT%H:%M:%S}" for k in range(count)]

    # It goes on to 03:00: the second of the two hours.
    late = one(read(details(tmp_path, local("2026-10-25T02:30:00", 60))))
    assert late.start_ns == from_datetime(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    # Neither: said, and left out.
    alone = [*local("2026-10-24T22:00:00", 47), *local("2026-10-25T02:15:00", 6)]
    alone += local("2026-10-25T03:05:00", 30)
    file = read(details(tmp_path, alone))
    assert one(file).windows == 47
    assert any("came twice" in problem and "6 values" in problem for problem in file.problems)
    # A time that the zone never had.
    wrong = read(details(tmp_path, local("2026-03-28T23:00:00", 90)))
    assert any("do not exist in Europe/Berlin" in problem for problem in wrong.problems)


def test_a_nap_is_no_night_and_the_longest_sleep_of_a_day_is(tmp_path: Path) -> None:
    night_and_naps = [
        *steps(BED, 80),
        *steps(BED + timedelta(hours=15), 12),  # an hour at noon
        *steps(BED + timedelta(hours=24), 70),
    ]
    local = [f"{t.astimezone(ZoneInfo(BERLIN)):%Y-%m-%dT%H:%M:%S}" for t in night_and_naps]
    file = read(details(tmp_path, local))
    assert [(n.day, n.windows) for n in file.nights] == [("2026-03-10", 80), ("2026-03-11", 70)]
    assert any("shorter than three hours" in problem for problem in file.problems)


def test_a_sleep_by_day_ends_where_it_ends(tmp_path: Path) -> None:
    local = [f"{t:%Y-%m-%dT%H:%M:%S}" for t in steps(datetime(2026, 3, 10, 8, tzinfo=UTC), 80)]
    night = one(read(details(tmp_path, local)))
    assert night.day == "2026-03-10"
    assert night.end_ns - night.start_ns == 80 * 5 * MINUTE


def health_connect(path: Path, apps: dict[int, str], rows: list[tuple[int, int, float]]) -> Path:
    """``rows``: app, epoch milliseconds, RMSSD. Columns in another order, and without a zone."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE application_info_table(app_name text, row_id integer)")
        db.execute(
            "CREATE TABLE heart_rate_variability_rmssd_record_table(app_info_id integer,"
            " heart_rate_variability_millis real, extra text, time integer, zone_offset integer)"
        )
        db.executemany(
            "INSERT INTO application_info_table VALUES (?, ?)", [(n, k) for k, n in apps.items()]
        )
        db.executemany(
            "INSERT INTO heart_rate_variability_rmssd_record_table VALUES (?, ?, 'x', ?, 3600)",
            [(app, ms, time) for app, time, ms in rows],
        )
    return path


def millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_apps_that_wrote_the_same_night_count_once_and_others_stay(tmp_path: Path) -> None:
    moments = steps(BED, 80)
    watch = [(1, millis(t), 40.0 + k % 9) for k, t in enumerate(moments)]
    copied = [(2, time + 400, value) for _, time, value in watch[:70]]
    ring = [(3, millis(t) + 120_000, 52.0 + k % 5) for k, t in enumerate(moments)]
    path = health_connect(
        tmp_path / "x.db", {1: "Watch", 2: "Phone", 3: "Ring"}, watch + copied + ring
    )
    file = read(path, None)
    assert [night.source for night in file.nights] == [
        "Health Connect (Ring)",
        "Health Connect (Watch)",
    ]
    assert file.nights[1].windows == 80
    assert any("counted once" in note and "Phone" in note for note in file.notes)


def test_an_app_that_writes_one_figure_a_night_wrote_an_average(tmp_path: Path) -> None:
    mornings = [BED + timedelta(days=k, hours=7) for k in range(5)]
    rows = [(1, millis(t), 40.0 + k) for k, t in enumerate(mornings)]
    rows.append((1, millis(BED + timedelta(days=6)), 50.0))  # in the evening: of the night to come
    file = read(health_connect(tmp_path / "x.db", {1: "Ring"}, rows), None)
    assert {night.basis for night in file.nights} == {NightBasis.DEVICE}
    assert [night.day for night in file.nights][-2:] == ["2026-03-14", "2026-03-16"]
    assert [night.rmssd_ms for night in file.nights] == [40, 41, 42, 43, 44, 50]


def test_values_all_day_without_sleep_are_not_taken_for_a_night(tmp_path: Path) -> None:
    rows = [(1, millis(t), 40.0 + k % 9) for k, t in enumerate(steps(BED, 600))]
    path = health_connect(tmp_path / "x.db", {1: "Watch"}, rows)
    with pytest.raises(EbbtideError, match="no night"):
        read(path, None)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "CREATE TABLE sleep_session_record_table(start_time integer, end_time integer,"
            " end_zone_offset integer, app_info_id integer)"
        )
        ends = BED + timedelta(hours=7)
        db.execute(
            "INSERT INTO sleep_session_record_table VALUES (?, ?, 3600, 1)",
            (millis(BED), millis(ends)),
        )
    night = one(read(path, None))
    assert (night.windows, night.end_ns) == (84, from_datetime(ends))


def test_another_database_is_no_health_connect(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "notes.db")) as db, db:
        db.execute("CREATE TABLE notes(words text)")
    with pytest.raises(EbbtideError, match="not the export of Health Connect"):
        read(tmp_path / "notes.db")


def test_whoop_columns_in_another_order_and_clocks(tmp_path: Path) -> None:
    path = tmp_path / "physiological_cycles.csv"
    path.write_text(
        "Wake onset,Heart rate variability (ms),Cycle timezone,Cycle start time,Sleep onset,"
        "Resting heart rate (bpm),Cycle end time\n"
        "2026-10-25 06:10:00,41,UTC+02:00,2026-10-24 23:30:00,2026-10-24 23:35:00,55,\n"
        ",,UTC-05:30,2026-10-26 00:30:00,,,2026-10-27 00:10:00\n"
        "2026-10-25 06:10:00,41,UTC+02:00,2026-10-24 23:30:00,2026-10-24 23:35:00,55,\n"
    )
    first, second = read(path, None).nights
    assert (first.day, first.rmssd_ms, first.mean_hr_bpm) == ("2026-10-25", 41.0, 55.0)
    assert first.start_ns == from_datetime(datetime(2026, 10, 24, 21, 35, tzinfo=UTC))
    assert (second.day, second.offset_s, second.is_measured) == ("2026-10-26", -19800, False)
    path.write_text("Cycle start time,Heart rate variability (ms)\n2026-10-24 23:30:00,41\n")
    with pytest.raises(EbbtideError, match="Cycle timezone"):
        read(path)


def oura(folder: Path, *sleeps: dict[str, object]) -> Path:
    path = folder / "oura.json"
    path.write_text(json.dumps({"sleep": sleeps}))
    return path


def test_oura_of_both_versions_naps_and_a_step_of_ten_minutes(tmp_path: Path) -> None:
    new = {
        "id": "a",
        "type": "long_sleep",
        "bedtime_start": "2026-03-09T23:00:00+01:00",
        "bedtime_end": "2026-03-10T05:00:00+01:00",
        "average_hrv": 44,
        "average_heart_rate": None,
        "hrv": {
            "interval": 600,
            "items": [40, None, 0, 48],
            "timestamp": "2026-03-09T23:05:00+01:00",
        },
    }
    old = {
        "summary_date": "2026-03-10",
        "bedtime_start": "2026-03-10T23:30:00-05:00",
        "bedtime_end": "2026-03-11T06:30:00-05:00",
        "rmssd": 39,
        "hr_average": 51.5,
        "rmssd_5min": [38, 0, 40],
        "hr_5min": [0, 50, 52],
    }
    nap = new | {"id": "n", "type": "sleep", "bedtime_end": "2026-03-10T01:00:00+01:00"}
    gone = new | {"id": "d", "type": "deleted", "average_hrv": 99}
    file = read(oura(tmp_path, nap, gone, new, new, old), None)
    first, second = file.nights
    assert (first.day, first.rmssd_ms, first.mean_hr_bpm) == ("2026-03-10", 44.0, None)
    assert [(v.at_s, v.rmssd_ms) for v in first.values] == [(300, 40.0), (2100, 48.0)]
    assert (second.day, second.rmssd_ms, second.mean_hr_bpm) == ("2026-03-11", 39.0, 51.5)
    assert second.offset_s == -18000
    assert second.windows == 2


def fit(*messages: dict[str, object]) -> bytes:
    encoder = Encoder()
    encoder.write_mesg({"mesg_num": NUMBERS["FILE_ID"], "type": "monitoring_b"})
    for message in messages:
        encoder.write_mesg(message)
    return bytes(encoder.close())


def hrv_values(moments: Sequence[datetime]) -> list[dict[str, object]]:
    return [
        {"mesg_num": NUMBERS["HRV_VALUE"], "timestamp": t, "value": 40.0 + k % 4}
        for k, t in enumerate(moments)
    ]


def test_garmin_files_and_the_wellness_zip_in_its_zip(tmp_path: Path) -> None:
    moments = steps(BED, 84)
    summary = {
        "mesg_num": NUMBERS["HRV_STATUS_SUMMARY"],
        "timestamp": BED + timedelta(days=1, hours=7),
        "last_night_average": 39.5,
        "weekly_average": 41.0,
    }
    files = {
        "a_WELLNESS.fit": fit(*hrv_values(moments[:50])),
        "b_WELLNESS.fit": fit(*hrv_values(moments[50:])),
        "c_WELLNESS.fit": fit(summary),
    }
    inner = tmp_path / "UploadedFiles_0-_Part1.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    outer = tmp_path / "garmin.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "DI_CONNECT/DI-Connect-Uploaded-Files/UploadedFiles_0-_Part1.zip")
    first, second = read(outer).nights
    assert (first.day, first.windows, first.rmssd_ms) == (
        "2026-03-10",
        84,
        pytest.approx(41.45, abs=0.01),
    )
    assert (second.day, second.basis) == ("2026-03-11", NightBasis.DEVICE)
    assert second.rmssd_ms == pytest.approx(39.5, abs=1 / 128)
    with pytest.raises(EbbtideError, match="--zone"):
        read(outer, None)


def test_polar_recharge_before_and_after_midnight(tmp_path: Path) -> None:
    begin = datetime(2026, 3, 9, 23, 41, tzinfo=UTC)
    samples = {f"{begin + timedelta(minutes=5 * k):%H:%M}": 30 + k % 3 for k in range(60)}
    recharge = {
        "date": "2026-03-10",
        "heart_rate_avg": 52,
        "heart_rate_variability_avg": 31,
        "hrv_samples": samples,
    }
    bare = {"date": "2026-03-11", "heart_rate_avg": 53, "heart_rate_variability_avg": 33}
    path = tmp_path / "nightly.json"
    path.write_text(json.dumps({"recharges": [recharge, bare]}))
    first, second = read(path).nights
    berlin = timezone(timedelta(hours=1))
    assert first.start_ns == from_datetime(datetime(2026, 3, 9, 23, 41, tzinfo=berlin))
    assert (first.day, first.windows, first.rmssd_ms) == ("2026-03-10", 60, 31.0)
    assert (second.day, second.rmssd_ms, second.basis) == ("2026-03-11", 33.0, NightBasis.DEVICE)


def apple(folder: Path, *records: str) -> Path:
    path = folder / "export.xml"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE HealthData><HealthData>'
        + "".join(records)
        + "</HealthData>"
    )
    return path


def record(kind: str, begin: datetime, end: datetime, value: object, source: str = "Watch") -> str:
    zone = ZoneInfo(BERLIN)
    first, last = (f"{t.astimezone(zone):%Y-%m-%d %H:%M:%S %z}" for t in (begin, end))
    return (
        f'<Record type="HK{kind}" sourceName="{source}" startDate="{first}" endDate="{last}" '
        f'value="{value}"/>'
    )


def test_apple_nights_are_sdnn_and_heart_rates_within_sleep(tmp_path: Path) -> None:
    asleep = "HKCategoryValueSleepAnalysisAsleep"
    kinds = ("Core", "Deep", "REM")
    stages = [
        record(
            "CategoryTypeIdentifierSleepAnalysis",
            BED + timedelta(hours=2 * k),
            BED + timedelta(hours=2 * k, minutes=110),
            asleep + kinds[k % 3],
        )
        for k in range(4)
    ]
    sdnn = "QuantityTypeIdentifierHeartRateVariabilitySDNN"
    inside = [BED + timedelta(hours=k, minutes=3) for k in (1, 3, 5)]
    by_day = [BED + timedelta(hours=12)]
    values = [
        record(sdnn, t, t + timedelta(minutes=1), 60 + k) for k, t in enumerate(inside + by_day)
    ]
    rates = [
        record("QuantityTypeIdentifierHeartRate", t, t, 50 + k % 3)
        for k, t in enumerate(steps(BED, 90))
    ]
    night = one(read(apple(tmp_path, *rates, *values, *stages), None))
    assert (night.source, night.day) == ("Watch (Apple Health)", "2026-03-10")
    assert (night.rmssd_ms, night.sdnn_ms, night.windows) == (None, 61.0, 3)
    assert night.mean_hr_bpm == pytest.approx(51, abs=0.1)
    assert night.end_ns - night.start_ns == 7 * HOUR + 50 * MINUTE


def test_apple_without_sleep_is_left_to_the_reader_of_beats(tmp_path: Path) -> None:
    sdnn = "QuantityTypeIdentifierHeartRateVariabilitySDNN"
    assert read_nights(apple(tmp_path, record(sdnn, BED, BED, 50)), zone=BERLIN) is None


def test_what_is_no_export_of_nights_is_none(tmp_path: Path) -> None:
    (tmp_path / "rr.txt").write_text("812\n799\n830\n")
    assert read_nights(tmp_path / "rr.txt", zone=BERLIN) is None


def test_nights_in_the_future_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "physiological_cycles.csv"
    path.write_text(
        "Cycle start time,Cycle timezone,Heart rate variability (ms)\n"
        "2026-03-09 23:00:00,UTC+01:00,41\n2090-03-09 23:00:00,UTC+01:00,41\n"
    )
    file = read(path)
    assert one(file).day == "2026-03-10"
    assert any("in the future" in problem for problem in file.problems)
