"""What has two readings, or is of two people, is refused or said; what is too large is not read."""

from __future__ import annotations

import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import HOUR
from ingest.nights import NightFile, json_objects, night_table, read_nights

TWICE = "second average that differs; the first was kept"
NO_FIGURE = "none that a person asleep has"


def read(path: Path, content: object) -> NightFile:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    found = read_nights(path, zone="Europe/Berlin")
    assert found is not None
    return found


def refused(path: Path, content: object, words: str) -> None:
    with pytest.raises(EbbtideError, match=words) as caught:
        read(path, content)
    assert caught.value.remedy


def five_minutes(value: float, start: str = "2025-11-24T22:00:00", count: int = 60) -> object:
    first = datetime.fromisoformat(start)
    times = [(first + timedelta(minutes=5 * k)).isoformat() for k in range(count)]
    return {"hrvReadings": [{"readingTimeGMT": one, "hrvValue": value} for one in times]}


@pytest.mark.parametrize("clock", ["", " 00:00", " 2:00:00 AM"])
def test_fitbit_s_dates_between_slashes_have_one_order(tmp_path: Path, clock: str) -> None:
    def table(*dates: str) -> str:
        rows = "".join(f"{date}{clock},{40 + k},55\n" for k, date in enumerate(dates))
        return f"date,daily_rmssd,nremhr\n{rows}"

    path = tmp_path / "x.csv"
    refused(path, table("01/11/2025", "12/11/2025"), "whether the day comes first")
    refused(path, table("13/11/2025", "11/14/2025"), "whether the day comes first")
    for dates in (("05/11/2025", "13/11/2025"), ("11/05/2025", "11/13/2025")):
        found = read(path, table(*dates))
        assert [night.day for night in found.nights] == ["2025-11-05", "2025-11-13"]


def test_values_of_fitbit_between_slashes_have_one_order(tmp_path: Path) -> None:
    names = "timestamp,rmssd,coverage,low_frequency,high_frequency\n"

    def table(date: str) -> str:
        rows = (f"{date} {k // 12:02}:{k % 12 * 5:02},40,0.9,1,1\n" for k in range(60))
        return names + "".join(rows)

    refused(tmp_path / "x.csv", table("05/11/2025"), "whether the day comes first")
    assert read(tmp_path / "x.csv", table("25/11/2025")).nights[0].day == "2025-11-25"
    # Takeout writes a year of two digits, always with the month first.
    assert read(tmp_path / "x.csv", table("11/05/25")).nights[0].day == "2025-11-05"


@pytest.mark.parametrize("hours", [0.5, 3.5])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_nap_is_not_the_night_of_polar(tmp_path: Path, hours: float, is_first: bool) -> None:
    nap_end = datetime(2025, 11, 24, 17, tzinfo=UTC)
    nap = {
        "sleepStart": (nap_end - timedelta(hours=hours)).isoformat(),
        "sleepEnd": nap_end.isoformat(),
    }
    night = {"sleepStart": "2025-11-23T23:00:00+01:00", "sleepEnd": "2025-11-24T07:00:00+01:00"}
    figures = {"night": "2025-11-24", "meanNightlyRecoveryRmssd": 40}
    sleeps = [nap, night] if is_first else [night, nap]
    (found,) = read(tmp_path / "p.json", {"n": [figures], "s": sleeps}).nights
    assert found.end_ns - found.start_ns == 8 * HOUR
    (found,) = read(tmp_path / "p.json", {"n": [figures], "s": [nap]}).nights
    assert (found.end_ns - found.start_ns == 3.5 * HOUR) is (hours > 3)


def mi(person: int, day: int, rate: object = 50) -> str:
    start = 1763935200 + day * 86_400
    value = json.dumps({"bedtime": start, "wake_up_time": start + 28_800, "avg_hr": rate})
    return f'{person},1,sleep,{start},"{value.replace(chr(34), chr(34) * 2)}",0\n'


def test_two_people_of_mi_fitness_are_refused(tmp_path: Path) -> None:
    names = "Uid,Sid,Key,Time,Value,UpdateTime\n"
    refused(tmp_path / "m.csv", names + mi(1, 0) + mi(2, 1), "several people: 'uid'")
    assert len(read(tmp_path / "m.csv", names + mi(1, 0) + mi(1, 1)).nights) == 2
    (tmp_path / "n.csv").write_text(names + mi(2, 5))
    with pytest.raises(EbbtideError, match="several people"):
        read_nights(tmp_path, zone="Europe/Berlin")


def test_two_people_in_json_are_refused(tmp_path: Path) -> None:
    def garmin(person: int, day: int) -> object:
        summary = {"calendarDate": f"2025-11-{day}", "lastNightAvg": 40 + person}
        return {"hrvSummary": summary, "userProfilePK": person}

    refused(tmp_path / "g.json", [garmin(1, 24), garmin(2, 25)], "several people: 'userProfilePK'")
    assert len(read(tmp_path / "g.json", [garmin(1, 24), garmin(1, 25)]).nights) == 2
    recharges = [
        {"polar_user": f"https://x/{k}", "date": f"2025-11-2{k}", "heart_rate_variability_avg": 40}
        for k in (1, 2)
    ]
    refused(tmp_path / "p.json", {"recharges": recharges}, "several people: 'polar_user'")


@pytest.mark.parametrize("minute", ["00", "02"])
def test_two_series_at_one_time_are_of_two_people(tmp_path: Path, minute: str) -> None:
    both = [five_minutes(40), five_minutes(120, f"2025-11-24T22:{minute}:00")]
    refused(tmp_path / "g.json", both, "several people, or of several watches")
    twice = read(tmp_path / "g.json", [five_minutes(40), five_minutes(40)])
    assert [night.rmssd_ms for night in twice.nights] == [40] and twice.problems == ()
    one_other = [five_minutes(40), five_minutes(120, count=1)]
    (problem,) = read(tmp_path / "g.json", one_other).problems
    assert "second value that differs" in problem


@pytest.mark.parametrize(
    ("day", "figure"),
    [
        ("calendarDate", "lastNightAvg"),
        ("night", "meanNightlyRecoveryRmssd"),
        ("date", "heart_rate_variability_avg"),
    ],
)
def test_a_second_average_of_a_date_is_said(tmp_path: Path, day: str, figure: str) -> None:
    rows = [{day: "2025-11-24", figure: value} for value in (40, 90, 40)]
    found = read(tmp_path / "x.json", rows)
    assert [night.rmssd_ms for night in found.nights] == [40]
    assert any(f"1 dates have a {TWICE}" in problem for problem in found.problems)
    assert read(tmp_path / "x.json", rows[:1] * 2).problems == ()


@pytest.mark.parametrize(
    "name",
    [
        *("record_id", "study_id", "subj", "case_id", "participant_number", "username", "email"),
        *("User name", "vp", "Patientennummer", "sujet", "paciente", "vp_nr"),
    ],
)
def test_columns_of_people_in_every_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.csv"
    refused(path, f"{name},night,rmssd_ms\n1,2025-11-24,40\n2,2025-11-25,90\n", "several people")
    whoop = "Cycle start time,Cycle timezone,Heart rate variability (ms)"
    rows = "".join(f"2025-11-2{k} 23:00:00,UTC+01:00,4{k},{k}\n" for k in (3, 4))
    refused(path, f"{whoop},{name}\n{rows}", "several people")


def test_numbers_that_may_be_of_people(tmp_path: Path) -> None:
    def table(name: str, *numbers: int) -> str:
        rows = (f"{one},2025-11-{10 + k},4{k}\n" for k, one in enumerate(numbers))
        return f"{name},night,rmssd_ms\n{''.join(rows)}"

    path = tmp_path / "x.csv"
    for name in ("cohort_id", "fall_nr", "panel number"):
        refused(path, table(name, 1, 2, 1, 2), "may hold nights of several people")
        assert len(read(path, table(name, 1, 2, 3, 4)).nights) == 4
        assert len(read(path, table(name, 1, 1, 1, 1)).nights) == 4
    assert len(read(path, table("week_number", 1, 1, 2, 2)).nights) == 4
    found = read(path, table("id", 101, 102, 103))
    assert any("a number of the row and not of a person" in note for note in found.notes)


@pytest.mark.parametrize("column", ["night", "rmssd_ms", "hr"])
def test_a_long_cell_takes_no_minutes(tmp_path: Path, column: str) -> None:
    cells = {"night": "2025-11-25", "rmssd_ms": "41", "hr": "50"}
    cells[column] = "1" + " " * 100_000 + "x"
    rows = f"2025-11-24,40,50\n{','.join(cells.values())}\n"
    begin = time.process_time()
    found = read(tmp_path / "x.csv", f"night,rmssd_ms,hr\n{rows}")
    assert time.process_time() - begin < 2
    assert any("more than 100 letters" in problem for problem in found.problems)


def withings(folder: Path, duration: str, rates: str = "[55]") -> NightFile:
    (folder / "raw_tracker_hr.csv").write_text(
        f'start,duration,value\n2025-11-24T01:00:00+01:00,"{duration}","{rates}"\n'
        "2025-11-24T02:00:00+01:00,[60],[55]\n"
    )
    (folder / "sleep.csv").write_text(
        "from,to,light (s),deep (s),Average heart rate\n"
        "2025-11-23T23:00:00+01:00,2025-11-24T07:00:00+01:00,1,1,\n"
        "2025-11-24T23:00:00+01:00,2025-11-25T07:00:00+01:00,1,1,50\n"
    )
    found = read_nights(folder, zone="Europe/Berlin")
    assert found is not None
    return found


@pytest.mark.parametrize("duration", ["9" * 400, "86401", "0", "-60"])
def test_values_last_at_most_a_day(tmp_path: Path, duration: str) -> None:
    (problem,) = withings(tmp_path, f"[{duration}]").problems
    assert "do not last from a moment to a day" in problem


def test_sleeps_without_an_average_have_that_of_their_rates(tmp_path: Path) -> None:
    found = withings(tmp_path, "[60]")
    figures = [(night.day, night.mean_hr_bpm) for night in found.nights]
    assert figures == [("2025-11-24", 55), ("2025-11-25", 50)]


def test_json_is_bounded_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, night = tmp_path / "g.json", {"calendarDate": "2025-11-24", "lastNightAvg": 40}
    monkeypatch.setattr(json_objects, "MAX_OBJECTS", 3)
    refused(path, [night, {}, {}], "more than 3 objects and lists")
    monkeypatch.setattr(json_objects, "MAX_JSON_BYTES", 1_000_000)
    refused(path, [night, "x" * 1_000_000], "JSON of more than 1 MB")
    monkeypatch.undo()
    with zipfile.ZipFile(tmp_path / "g.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("g.json", json.dumps([night, "x" * 11_000_000]))
    with pytest.raises(EbbtideError, match="50 times as large unpacked"):
        read_nights(tmp_path / "g.zip", zone="Europe/Berlin")


def test_a_table_of_nights_has_so_many_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night_table, "MAX_ROWS", 3)
    rows = [f"2025-11-{day},40\n" for day in range(10, 14)]
    refused(tmp_path / "x.csv", "night,rmssd\n" + "".join(rows), "more than 3 rows")
    assert len(read(tmp_path / "x.csv", "night,rmssd\n" + "".join(rows[:3])).nights) == 3


def test_bad_figures_of_garmin_are_said(tmp_path: Path) -> None:
    def average(value: object, day: object = "2025-11-24") -> dict[str, object]:
        return {"calendarDate": day, "lastNightAvg": value}

    path, good = tmp_path / "g.json", average(40, "2025-11-20")
    for bad in (float("nan"), 45_000, -5, True, "4_5", "9" * 100_000):
        (problem,) = read(path, [good, average(bad)]).problems
        assert NO_FIGURE in problem
    assert "of this century" in read(path, [good, average(40, "0001-01-01")]).problems[0]
    assert read(path, [good, average(None), average(0)]).problems == ()
    refused(path, [average(45_000)], "Garmin that can be read: 1 values are none")
    halves = [five_minutes(40), five_minutes(900, "2025-11-25T03:00:00")]
    assert "60 values are none" in read(path, halves).problems[0]


def test_bad_figures_of_mi_fitness_are_said(tmp_path: Path) -> None:
    names = "Uid,Sid,Key,Time,Value,UpdateTime\n"
    found = read(tmp_path / "m.csv", names + mi(1, 0) + mi(1, 1, 900))
    assert len(found.nights) == 1 and NO_FIGURE in found.problems[0]
    refused(tmp_path / "m.csv", names + mi(1, 1, 900), NO_FIGURE)


@pytest.mark.parametrize("name", ["marraskuu", "maaliskuu", "Decembrist"])
def test_a_month_is_not_what_begins_as_one(tmp_path: Path, name: str) -> None:
    found = read(tmp_path / "x.csv", f"night;rmssd\n24 {name} 2025;40\n25 Nov 2025;41\n")
    assert [night.day for night in found.nights] == ["2025-11-25"]


@pytest.mark.parametrize(
    ("rmssd", "rate", "expected"),
    [
        ("45 bpm", "60 s", (None, None)),
        ("45/min", "60 ms", (None, None)),
        ("4_5", "6_0", (None, None)),
        ("45 ms", "60 bpm", (45, 60)),
        ("0.045 s", "60/min", (45, 60)),
    ],
)
def test_a_unit_fits_its_column(
    tmp_path: Path, rmssd: str, rate: str, expected: tuple[float | None, float | None]
) -> None:
    rows = f"2025-11-23,40,50\n2025-11-24,{rmssd},{rate}\n"
    found = read(tmp_path / "x.csv", f"night,rmssd,hr\n{rows}")
    night = found.nights[1]
    assert (night.rmssd_ms, night.mean_hr_bpm) == expected
    assert bool(found.problems) is (expected == (None, None))


def test_of_two_rows_of_a_night_it_is_said_which_was_kept(tmp_path: Path) -> None:
    def table(*figures: int) -> str:
        rows = (f"2025-11-23 23:00:00,UTC+01:00,{one}\n" for one in figures)
        return f"Cycle start time,Cycle timezone,Heart rate variability (ms)\n{''.join(rows)}"

    found = read(tmp_path / "w.csv", table(40, 90))
    assert [night.rmssd_ms for night in found.nights] == [40]
    assert "the fuller or longer was kept" in found.problems[0]
    assert read(tmp_path / "w.csv", table(40, 40)).problems == ()


def test_a_name_twice_in_an_object_is_said(tmp_path: Path) -> None:
    text = '{"calendarDate":"2025-11-24","lastNightAvg":40,"lastNightAvg":%d}'
    found = read(tmp_path / "g.json", text % 90)
    assert [night.rmssd_ms for night in found.nights] == [90]
    assert "name twice with other values; the last was kept" in found.problems[0]
    assert read(tmp_path / "g.json", text % 40).problems == ()
