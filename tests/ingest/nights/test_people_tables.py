"""Tables of nights as people have them: read right, or refused in words, never a wrong number."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.export.columns import Table, table_columns
from ebbtide.errors import EbbtideError
from ingest.nights import NightFile, read_nights

PSEUDONYM = "0d5f3f6a-52d2-4a39-9c1c-2f6c1d0f8a11"


def read(tmp_path: Path, text: str) -> NightFile:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    found = read_nights(path, zone="Europe/Berlin")
    assert found is not None
    return found


def refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(EbbtideError, match=words) as caught:
        read(tmp_path, text)
    assert caught.value.remedy


def figures(found: NightFile) -> list[tuple[str, float | None, float | None]]:
    return [(night.day, night.rmssd_ms, night.mean_hr_bpm) for night in found.nights]


@pytest.mark.parametrize(
    ("names", "values", "words"),
    [
        ("night,rmssd,RMSSD", "2026-04-03,44,51", "2 columns that are named 'rmssd'"),
        ("night,rmssd (ms),RMSSD_ms", "2026-04-03,44,51", "2 columns that are named 'rmssd_ms'"),
        ("night,Night,rmssd", "2026-04-03,2026-05-03,44", "2 columns that are named 'night'"),
        ("night,rmssd,device,Device", "2026-04-03,44,A,B", "2 columns that are named 'device'"),
        ("sleep_date,night_date,rmssd", "2026-04-02,2026-04-03,44", "several columns of a date"),
        ("date,day,sleep rmssd", "2026-04-02,2026-04-03,44", "several columns of a date"),
        (
            "bedtime,sleep onset,sleep end,rmssd",
            "2026-04-02 22:00,2026-04-02 23:00,2026-04-03 06:00,44",
            "several columns of when",
        ),
    ],
)
def test_two_columns_that_could_be_meant_are_refused(
    tmp_path: Path, names: str, values: str, words: str
) -> None:
    refused(tmp_path, f"{names}\n{values}\n", words)


def test_columns_that_are_not_read_may_have_one_name(tmp_path: Path) -> None:
    found = read(tmp_path, "night,rmssd,notes,notes\n2026-04-03,44,a,b\n")
    assert figures(found) == [("2026-04-03", 44, None)]


def test_the_name_that_is_asked_for_wins(tmp_path: Path) -> None:
    text = "bedtime,sleep start,sleep end,rmssd\n2026-04-02 22:00,2026-04-02 23:00,2026-04-03 06:00"
    (night,) = read(tmp_path, f"{text},44\n").nights
    assert night.end_ns - night.start_ns == 7 * 3600 * 10**9
    found = read(tmp_path, "sleep_date,night,rmssd\n2026-04-02,2026-04-03,44\n")
    assert figures(found) == [("2026-04-03", 44, None)]


def test_a_table_for_analysts_is_nobodys_own(tmp_path: Path) -> None:
    names = ",".join(table_columns(Table.NIGHTS, True))
    row = {
        "person": PSEUDONYM,
        "start_ns": "1616277600000000000",
        "end_ns": "1616305200000000000",
        "source": "Ring",
        "rmssd_ms": "44",
    }
    cells = ",".join(row.get(name, "") for name in names.split(","))
    refused(tmp_path, f"{names}\n{cells}\n", "for analysts: .* dates are moved")
    refused(tmp_path, f"person,night,rmssd\n{PSEUDONYM},2026-04-03,44\n", "for analysts")
    # A column of one's own that happens to have that name.
    found = read(tmp_path, "person,night,rmssd\nme,2026-04-03,44\n")
    assert figures(found) == [("2026-04-03", 44, None)]
    own = {"start_ns": row["start_ns"], "end_ns": row["end_ns"], "rmssd_ms": "44"}
    names = ",".join(table_columns(Table.NIGHTS, False))
    cells = ",".join(own.get(name, "") for name in names.split(","))
    assert figures(read(tmp_path, f"{names}\n{cells}\n")) == [("2021-03-21", 44, None)]


@pytest.mark.parametrize(
    "name",
    [
        *("rmssd us", "rmssd_7_day_average", "rmssd rolling mean"),
        *("rmssd percentile", "rmssd target", "morning rmssd", "daytime rmssd", "rmssd last week"),
        *("sdnn index", "ln rmssd"),
    ],
)
def test_what_is_of_another_time_or_unit_is_refused(tmp_path: Path, name: str) -> None:
    refused(tmp_path, f"night,{name}\n2026-04-03,44\n", "not a night's RMSSD or SDNN in ms")


@pytest.mark.parametrize("name", ["daily hr", "puls abends", "hr morning", "hr 7 day"])
def test_a_rate_of_another_time_is_not_the_nights(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, f"night,rmssd,{name}\n2026-04-03,44,75\n")
    assert figures(found) == [("2026-04-03", 44, None)]
    assert any(name in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("night,rmssd,mean hr\n2026-04-03,44,5,55,2\n", "more cells than the table has names"),
        ('night,rmssd\n2026-04-03,"1,044"\n', "thousands or decimals"),
        ("night;rmssd\n2026-04-03;1.044\n", "thousands or decimals"),
        ("night,rmssd\n2026-04-03 23:10,44\n", "no date that has one reading"),
        ("night,rmssd\n2026-04-03T02:00:00Z,44\n", "no date that has one reading"),
        ("night,rmssd\n03-04-2026,44\n", "no date that has one reading"),
        ("night,rmssd\n05/04/2026,44\n", "no date that has one reading"),
        ("night,rmssd\n25/04/2026,44\n04/25/2026,44\n", "no date that has one reading"),
        ("night,rmssd\n46115,44\n", "no date that has one reading"),
        ("night,rmssd\n2026-04-03,44 us\n", "person asleep has"),
        ("night,rmssd\n2026-04-03,0.044\n", "person asleep has"),
        ("night,rmssd (s)\n2026-04-03,44\n", "person asleep has"),
        ("night starting,rmssd\n2026-04-03,44\n", "on which a night began"),
        ("bed date,rmssd\n2026-04-03,44\n", "on which a night began"),
        ("Datum,HFV über Nacht\n2026-04-03,44 ms\n", "which heart rate variability"),
        ("night,sleep start,sleep end,rmssd\n2026-04-03,23:10,06:50,44\n", "no sure reading"),
        ("night,sleep start,sleep end,rmssd\n2026-04-03,1380,1830,44\n", "no sure reading"),
        ("sleep start,sleep end,rmssd\n03/04/2026 11:10 PM,03/05/2026 6:50 AM,4\n", "no sure"),
        ("name,night,rmssd\nAnn,2026-04-03,44\nBen,2026-04-04,51\n", "several people"),
        ("id,night,rmssd\n1,2026-04-03,44\n2,2026-04-04,51\n1,2026-04-05,44\n", "several people"),
    ],
)
def test_a_row_of_two_readings_is_refused(tmp_path: Path, text: str, words: str) -> None:
    refused(tmp_path, text, words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sep=;\nNight;RMSSD;HR\n03.04.2026;44,5;55,25\n", [("2026-04-03", 44.5, 55.25)]),
        ("\ufeffNight,RMSSD\n2026-04-03,44\n", [("2026-04-03", 44, None)]),
        ("night,rmssd\n2026-04-03 00:00:00,44\n", [("2026-04-03", 44, None)]),
        ("night,rmssd\n2026-04-03 07:10,44\n", [("2026-04-03", 44, None)]),
        ("nuit;rmssd;fréquence cardiaque\n2026-04-03;44,5;55\n", [("2026-04-03", 44.5, 55)]),
        ("noche,rmssd\n2026-04-03,44\n", [("2026-04-03", 44, None)]),
        (
            "sleep start,sleep end,rmssd\n2026-04-02 11:10 PM,2026-04-03 06:50 AM,44\n",
            [("2026-04-03", 44, None)],
        ),
        (
            "night,sleep duration,rmssd\n2026-04-03,7:32,44\n2026-04-04,7h 32m,45\n"
            "2026-04-05,452,46\n2026-04-06,7.5,47\n",
            [(f"2026-04-0{day}", 41 + day, None) for day in (3, 4, 5, 6)],
        ),
        (
            "night,rmssd\n2026-04-03,44\n2026-04-04,46\nAverage,45\n,90\n",
            [("2026-04-03", 44, None), ("2026-04-04", 46, None)],
        ),
        (
            "night,type,rmssd\n2026-04-03,sleep,44\n2026-04-03,nap,70\n2026-04-04,Nap,71\n",
            [("2026-04-03", 44, None)],
        ),
        ("id,night,rmssd\n1,2026-04-03,44\n2,2026-04-04,51\n", None),
    ],
)
def test_what_has_one_reading_is_read(
    tmp_path: Path, text: str, expected: list[tuple[str, float, float | None]] | None
) -> None:
    found = figures(read(tmp_path, text))
    assert found == expected if expected is not None else len(found) == 2


def test_what_a_date_is_taken_for_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, "night of,rmssd\n2026-04-03,44\n")
    assert any("on which it ended" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        "My nights\nnight,rmssd,hr\n2026-04-03,44,55\n",
        "My nights,,\n,,\nnight,rmssd,hr\n2026-04-03,44,55\n",
        "# made by an app\n# units: ms\nnight,rmssd,hr\n2026-04-03,44,55\n",
        "Summary\nmean rmssd,46\n\nnight,rmssd,hr\n2026-04-03,44,55\n",
        "Meine Nächte;;\nNacht;RMSSD (ms);Puls Schlaf\n03.04.2026;44,0;55\n",
        "night|rmssd|hr\n2026-04-03|44|55\n",
        "| night | rmssd | hr |\n| --- | ---: | --- |\n| 2026-04-03 | 44 | 55 |\n",
        "night,rmssd,hr\nYYYY-MM-DD,ms,bpm\n2026-04-03,44,55\n",
        "night,rmssd,hr\n2026-04-03,44 ms,55 bpm\n",
        "night,rmssd,hr\n2026-04-03,44ms,55/min\n",
        "night,rmssd (s),hr\n2026-04-03,0.044,55\n",
        "night;rmssd (s);hr\n2026-04-03;0,044;55\n",
        "night,rmssd,hr\n2026-04-03,0.044 s,55\n",
    ],
)
def test_titles_separators_and_units_are_read(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert figures(found) == [("2026-04-03", pytest.approx(44), 55)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_title_is_none_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("Nächte\nNacht;RMSSD\n03.04.2026;44,5\n".encode(encoding))
    found = read_nights(path, zone="Europe/Berlin")
    assert found is not None and figures(found) == [("2026-04-03", 44.5, None)]


@pytest.mark.parametrize(
    "dates",
    [
        *(("13/04/2026", "03/04/2026"), ("04/13/2026", "04/03/2026"), ("13-04-2026", "03-04-2026")),
        *(("13 Apr 2026", "3 Apr 2026"), ("April 13, 2026", "Apr 3, 2026")),
        *(("13. April 2026", "3. April 2026"), ("13 avr. 2026", "3 avril 2026")),
        ("Mon, 13.04.2026", "Fri, 03.04.2026"),
    ],
)
def test_the_dates_of_a_table_have_one_order(tmp_path: Path, dates: tuple[str, str]) -> None:
    rows = "".join(f'"{one}",44\n' for one in dates)
    found = read(tmp_path, f"night,rmssd\n{rows}")
    assert [night.day for night in found.nights] == ["2026-04-03", "2026-04-13"]


@pytest.mark.parametrize(
    ("names", "begin", "end"),
    [
        ("Einschlafzeit;Aufwachzeit", "02.04.2026 23:00", "03.04.2026 06:30"),
        ("début du sommeil;fin du sommeil", "02 avril 2026 23:00", "03 avril 2026 06:30"),
        ("sleep start (UTC);sleep end (UTC)", "2026-04-02 21:00", "2026-04-03 04:30"),
        ("sleep start;sleep end", "1775163600", "1775190600"),
        ("sleep start;sleep end", "1775163600000", "1775190600000"),
        ("fell asleep;woke up", "2026-04-02 11:00 PM", "2026-04-03 6:30 AM"),
    ],
)
def test_times_in_other_words_and_clocks(tmp_path: Path, names: str, begin: str, end: str) -> None:
    (night,) = read(tmp_path, f"{names};rmssd\n{begin};{end};44\n").nights
    assert (night.day, night.offset_s, night.rmssd_ms) == ("2026-04-03", 7200, 44)
    assert night.start_ns == 1_775_163_600 * 10**9
    assert night.end_ns - night.start_ns == 27_000 * 10**9
