"""Nights as vendors and studies write them, beside the specimens, in shapes that others read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import from_datetime
from ingest.files.registry import open_recording
from ingest.nights import NightFile, read_nights

BERLIN = ZoneInfo("Europe/Berlin")
BED = datetime(2026, 10, 19, 21, 0, tzinfo=UTC)  # 23:00 in Berlin
DAYS = ("2026-10-20", "2026-10-21", "2026-10-22")


def read(path: Path) -> NightFile:
    found = read_nights(path, zone="Europe/Berlin")
    assert found is not None
    return found


def table(path: Path, names: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([names, *rows]) + "\n", encoding="utf-8-sig")
    return path


def as_json(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def bed(k: int) -> datetime:
    return BED + timedelta(days=k)


def wake(k: int) -> datetime:
    return bed(k) + timedelta(hours=7.5)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(BERLIN):%Y-%m-%d %H:%M:%S}"


def steps(k: int) -> list[datetime]:
    return [bed(k) + timedelta(minutes=5 * n) for n in range(90)]


def check(nights: tuple[Night, ...], basis: NightBasis, *, has_times: bool) -> None:
    assert tuple(night.day for night in nights) == DAYS
    assert [night.rmssd_ms for night in nights] == [40, 43, 46]
    assert {night.basis for night in nights} == {basis}
    if has_times:
        assert [night.start_ns for night in nights] == [from_datetime(bed(k)) for k in range(3)]


def test_tables_of_oura_without_identifiers_lose_no_night(tmp_path: Path) -> None:
    rows = [
        f"{day},{40 + 3 * k},{52 + k},{bed(k).isoformat()},{wake(k).isoformat()}"
        for k, day in enumerate(DAYS)
    ]
    names = "date,Average HRV,Average Resting Heart Rate,Bedtime Start,Bedtime End"
    many = [f"x,40,52,{bed(k).isoformat()},{wake(k).isoformat()}" for k in range(3, 40)]
    found = read(table(tmp_path / "trends.csv", names, rows + many))
    assert len(found.nights) == 40
    assert [night.mean_hr_bpm for night in found.nights[:3]] == [52, 53, 54]


@pytest.mark.parametrize(
    ("names", "row"),
    [
        ("id,date,nremhr,rmssd", "{who},{day},52,40"),
        ("participant,timestamp,rmssd,nremhr,entropy", "{who},{day}T00:00:00,40,52,2.9"),
        ("participant,bedtime_start,bedtime_end,average_hrv", "{who},{bed},{wake},40"),
        (
            "User ID,Cycle start time,Cycle timezone,Heart rate variability (ms)",
            "{who},{local},UTC+02:00,40",
        ),
    ],
)
def test_a_device_s_table_of_several_people_is_refused(
    tmp_path: Path, names: str, row: str
) -> None:
    def rows(people: tuple[str, ...]) -> list[str]:
        return [
            row.format(
                who=who,
                day=DAYS[k],
                bed=bed(k).isoformat(),
                wake=wake(k).isoformat(),
                local=local(bed(k)),
            )
            for who in people
            for k in range(3)
        ]

    with pytest.raises(EbbtideError, match="several people") as caught:
        read(table(tmp_path / "study.csv", names, rows(("p01", "p02"))))
    assert "one person" in caught.value.remedy
    found = read(table(tmp_path / "one.csv", names, rows(("p01",))))
    assert [night.rmssd_ms for night in found.nights] == [40, 40, 40]


def test_dates_of_a_study_without_a_figure_are_no_problem(tmp_path: Path) -> None:
    rows = [f"p01,{DAYS[0]},52,40", f"p01,{DAYS[1]},,", f"p01,{DAYS[2]},54,46"]
    found = read(table(tmp_path / "x.csv", "id,date,nremhr,rmssd", rows))
    assert [night.day for night in found.nights] == [DAYS[0], DAYS[2]]
    assert found.problems == ()


def test_two_averages_of_a_date_are_said(tmp_path: Path) -> None:
    for name, figure in (("p01.csv", 40), ("p02.csv", 61)):
        table(tmp_path / name, "timestamp,rmssd,nremhr,entropy", [f"{DAYS[0]},{figure},52,3"])
    found = read(tmp_path)
    assert [night.rmssd_ms for night in found.nights] == [40]
    assert "second average that differs" in found.problems[0]


def test_answers_of_fitbit_s_web_api(tmp_path: Path) -> None:
    daily = {
        "hrv": [
            {"dateTime": day, "value": {"dailyRmssd": 40.0 + 3 * k, "deepRmssd": 30.0}}
            for k, day in enumerate(DAYS)
        ]
    }
    check(read(as_json(tmp_path / "a.json", daily)).nights, NightBasis.DEVICE, has_times=False)
    minutes = {
        "hrv": [
            {
                "dateTime": day,
                "minutes": [
                    {
                        "minute": f"{t.astimezone(BERLIN):%Y-%m-%dT%H:%M:%S.000}",
                        "value": {"rmssd": 40.0 + 3 * k, "coverage": 0.9, "hf": 1.0, "lf": 2.0},
                    }
                    for t in steps(k)
                ],
            }
            for k, day in enumerate(DAYS)
        ]
    }
    check(read(as_json(tmp_path / "b.json", minutes)).nights, NightBasis.VALUES, has_times=True)


def test_fitabase_writes_american_times(tmp_path: Path) -> None:
    rows = [
        f"1503960366,{t.astimezone(BERLIN):%m/%d/%Y %I:%M:%S %p},{40 + 3 * k},0.9,1,2"
        for k in range(3)
        for t in steps(k)
    ]
    found = read(table(tmp_path / "x.csv", "Id,Time,RMSSD,Coverage,LF,HF", rows))
    check(found.nights, NightBasis.VALUES, has_times=True)


def polar(folder: Path) -> Path:
    recovery = [
        {
            "night": day,
            "meanNightlyRecoveryRri": 1000,
            "meanNightlyRecoveryRmssd": 40 + 3 * k,
            "meanBaselineRmssd": 55,
            "meanBaselineRri": 900,
        }
        for k, day in enumerate(DAYS)
    ]
    return as_json(folder / "nightly_recovery_1-2.json", recovery)


def test_the_account_export_of_polar(tmp_path: Path) -> None:
    polar(tmp_path)
    dated = read(tmp_path)
    check(dated.nights, NightBasis.DEVICE, has_times=False)
    assert {night.mean_hr_bpm for night in dated.nights} == {60}
    assert any("taken for that on which it ended" in note for note in dated.notes)
    sleeps = [
        {
            "night": day,
            "sleepResult": {
                "hypnogram": {
                    "sleepStart": bed(k).astimezone(BERLIN).isoformat(),
                    "sleepEnd": wake(k).astimezone(BERLIN).isoformat(),
                }
            },
        }
        for k, day in enumerate(DAYS)
    ]
    as_json(tmp_path / "sleep_result_1-2.json", sleeps)
    check(read(tmp_path).nights, NightBasis.DEVICE, has_times=True)
    (tmp_path / "nightly_recovery_1-2.json").unlink()
    with pytest.raises(EbbtideError, match="no heart rate variability") as caught:
        read(tmp_path)
    assert "nightly_recovery" in caught.value.remedy


def test_garmin_connect_as_json(tmp_path: Path) -> None:
    summaries = [
        {"calendarDate": day, "weeklyAvg": 70, "lastNightAvg": 40 + 3 * k, "status": "BALANCED"}
        for k, day in enumerate(DAYS)
    ]
    found = read(as_json(tmp_path / "range.json", {"hrvSummaries": summaries}))
    check(found.nights, NightBasis.DEVICE, has_times=False)
    status = [
        {
            "calendarDate": day,
            "metrics": [{"type": "HR", "value": 52}, {"type": "HRV", "value": 40 + 3 * k}],
        }
        for k, day in enumerate(DAYS)
    ]
    found = read(as_json(tmp_path / "healthStatusData.json", status))
    check(found.nights, NightBasis.DEVICE, has_times=False)
    days = [
        {
            "hrvSummary": {**summaries[k], "lastNightAvg": 99},
            "hrvReadings": [
                {"hrvValue": 40 + 3 * k, "readingTimeGMT": f"{t:%Y-%m-%dT%H:%M:%S.0}"}
                for t in steps(k)
            ],
        }
        for k in range(3)
    ]
    # Of a date with values, the other files have only the average: the fuller night stays.
    as_json(tmp_path / "days.json", days)
    check(read(tmp_path).nights, NightBasis.VALUES, has_times=True)
    sleep = [{"sleepStartTimestampGMT": "2026-10-19T21:00:00.0", "calendarDate": DAYS[0]}]
    with pytest.raises(EbbtideError, match="no nightly heart rate variability"):
        read(as_json(tmp_path / "days.json", sleep).rename(tmp_path.parent / "sleepData.json"))


def rates(nights: tuple[Night, ...]) -> None:
    assert tuple(night.day for night in nights) == DAYS
    assert [night.mean_hr_bpm for night in nights] == [52, 53, 54]
    assert {night.rmssd_ms for night in nights} == {None}
    assert [night.start_ns for night in nights] == [from_datetime(bed(k)) for k in range(3)]


def test_withings_has_sleep_and_heart_rates(tmp_path: Path) -> None:
    names = "from,to,light (s),deep (s),rem (s),awake (s),wake up,Average heart rate"
    times = [f"{bed(k).isoformat()},{wake(k).isoformat()},1,1,1,1,0" for k in range(3)]
    sleep = tmp_path / "sleep.csv"
    found = read(table(sleep, names, [f"{row},{52 + k}" for k, row in enumerate(times)]))
    rates(found.nights)
    assert any("exports no heart rate variability" in note for note in found.notes)
    table(sleep, names, [f"{row}," for row in times])
    with pytest.raises(EbbtideError, match="no sleep with heart rates"):
        read(tmp_path)
    raw = [
        f'{t.astimezone(BERLIN).isoformat()},"[300,300]","[{52 + k},{52 + k}]"'
        for k in range(3)
        for t in steps(k)[::2]
    ]
    table(tmp_path / "raw_tracker_hr.csv", "start,duration,value", raw)
    rates(read(tmp_path).nights)
    # Of oxygen, in a table of the same columns.
    others = [row.replace("[5", "[9") for row in raw]
    table(tmp_path / "raw_spo2_auto_spo2.csv", "start,duration,value", others)
    rates(read(tmp_path).nights)


def test_zepp_has_sleep_and_heart_rates(tmp_path: Path) -> None:
    names = "date,deepSleepTime,shallowSleepTime,wakeTime,start,stop,REMTime,naps"
    sleeps = [
        f"{day},95,260,12,{bed(k):%Y-%m-%d %H:%M:%S}+0000,{wake(k):%Y-%m-%d %H:%M:%S}+0000,40,"
        for k, day in enumerate(DAYS)
    ]
    none = "2026-10-23,0,0,0,2026-10-23 00:00:00+0000,2026-10-23 00:00:00+0000,0,"
    table(tmp_path / "SLEEP" / "SLEEP_1.csv", names, [*sleeps, none])
    of_day = [bed(0) + timedelta(minutes=5 * n) for n in range(3 * 288)]
    rows = []
    for t in of_day:
        asleep = next((k for k in range(3) if bed(k) <= t < wake(k)), None)
        bpm = 90 if asleep is None else 52 + asleep
        rows.append(f"{t.astimezone(BERLIN):%Y-%m-%d,%H:%M},{bpm}")
    table(tmp_path / "HEARTRATE_AUTO" / "HEARTRATE_AUTO_1.csv", "date,time,heartRate", rows)
    rates(read(tmp_path).nights)


def test_mi_fitness_has_sleep_in_cells_of_json(tmp_path: Path) -> None:
    def row(key: str, value: dict[str, int]) -> str:
        cell = json.dumps(value).replace('"', '""')
        return f'1,2,{key},1,"{cell}",3'

    rows = [
        row(
            "sleep",
            {
                "bedtime": int(bed(k).timestamp()),
                "wake_up_time": int(wake(k).timestamp()),
                "avg_hr": 52 + k,
            },
        )
        for k in range(3)
    ]
    steps_row = row("steps", {"steps": 12})
    found = read(table(tmp_path / "x.csv", "Uid,Sid,Key,Time,Value,UpdateTime", [*rows, steps_row]))
    rates(found.nights)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("name", "names", "row", "words"),
    [
        (
            "physiologische_zyklen.csv",
            "Startzeit,Zeitzone,Erholung %,Ruhepuls (bpm),Herzfrequenzvariabilität (ms)",
            "2026-10-19 23:00:00,UTC+02:00,66,52,40",
            "not named in English",
        ),
        (
            "sleeps.csv",
            "Cycle start time,Cycle timezone,Sleep onset,Wake onset,Nap",
            "2026-10-19 23:00:00,UTC+02:00,2026-10-19 23:00:00,2026-10-20 06:30:00,false",
            "sleeps of WHOOP and no heart rate variability",
        ),
    ],
)
def test_whoop_without_what_is_needed_is_refused_in_words(
    tmp_path: Path, name: str, names: str, row: str, words: str
) -> None:
    with pytest.raises(EbbtideError, match=words) as caught:
        read(table(tmp_path / name, names, [row]))
    assert caught.value.remedy


def test_a_reading_of_a_morning_is_no_recording_of_heart_rates(tmp_path: Path) -> None:
    names = "Member ID,Type,Date Time Start,Date Time End,Duration,HRV,HR,Rmssd,Pnn50,Sdnn"
    rows = [f"a,readiness,{day} 07:00:00,{day} 07:02:30,150,56,52,40,11,60" for day in DAYS]
    path = table(tmp_path / "elite.csv", names, rows)
    assert read_nights(path, zone="Europe/Berlin") is None
    with pytest.raises(EbbtideError, match="nightly or daily values") as caught:
        open_recording(path, zone="Europe/Berlin")
    assert "rmssd_ms" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"sleep": [{"dateOfSleep": DAYS[0], "duration": 1}]}, "sleep of Fitbit"),
        ({"data": [{"contributors": {"deep_sleep": 1}, "day": DAYS[0]}]}, "scores of Oura"),
        (
            {"data": {"metrics": [{"name": "heart_rate_variability", "data": []}]}},
            "Health Auto Export",
        ),
    ],
)
def test_json_of_nights_without_heart_rate_variability_says_what_to_do(
    tmp_path: Path, content: object, what: str
) -> None:
    path = as_json(tmp_path / "x.json", content)
    assert read_nights(path, zone="Europe/Berlin") is None
    with pytest.raises(EbbtideError, match=what) as caught:
        open_recording(path, zone="Europe/Berlin")
    assert "import the whole export" in caught.value.remedy
