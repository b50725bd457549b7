"""Tables of nights from spreadsheets, and Ebbtide's own, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import HOUR
from ingest.files.choices import ChoiceError
from ingest.nights import NightFile, read_nights

BERLIN = "Europe/Berlin"


def read(tmp_path: Path, text: str, zone: str | None = BERLIN) -> NightFile | None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    return read_nights(path, zone=zone)


def nights(tmp_path: Path, text: str) -> tuple[Night, ...]:
    found = read(tmp_path, text)
    assert found is not None
    assert found.format == "Table of nights"
    return found.nights


def refused(tmp_path: Path, text: str, words: str, zone: str | None = BERLIN) -> EbbtideError:
    with pytest.raises(EbbtideError, match=words) as caught:
        read(tmp_path, text, zone)
    return caught.value


def test_a_spreadsheet_of_dates_is_read(tmp_path: Path) -> None:
    text = "Night;HRV (RMSSD, ms);Mean HR;Mood\n01.03.2021;44,1;55,2;3\n02.03.2021;NA;56,2;4\n"
    first, second = nights(tmp_path, text)
    assert (first.day, first.rmssd_ms, first.mean_hr_bpm) == ("2021-03-01", 44.1, 55.2)
    assert (second.rmssd_ms, second.mean_hr_bpm, second.sdnn_ms) == (None, 56.2, None)
    assert first.basis is NightBasis.DEVICE
    found = read(tmp_path, text)
    assert found is not None
    assert any("mood" in note for note in found.notes)


def test_times_of_sleep_name_the_night(tmp_path: Path) -> None:
    text = (
        'device,Sleep start,Sleep end,"HRV, SDNN",avg_hr\n'
        "Ring,2021-03-01 23:10,2021-03-02 06:50,61,54\n"
        "Ring,2021-03-02 14:00,2021-03-02 15:00,80,50\n"
        "Ring,2021-03-02T23:10+05:00,2021-03-03T06:10+05:00,62,53\n"
    )
    first, second = nights(tmp_path, text)
    assert (first.source, first.day, first.sdnn_ms, first.rmssd_ms) == (
        "Ring",
        "2021-03-02",
        61,
        None,
    )
    assert first.end_ns - first.start_ns == 7 * HOUR + 40 * HOUR // 60
    assert (first.offset_s, second.offset_s) == (3600, 18_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date,rmssd\n2021-03-01,44\n", "does not say whether it is of the night"),
        ("date,rmssd,sleep_duration\n2021-03-01,44,430\n", "does not say whether"),
        ("night,hrv\n2021-03-01,44\n", "'hrv' .* does not say which"),
        ("night,ln_rmssd\n2021-03-01,4.1\n", "'ln_rmssd' .* is not a night's RMSSD"),
        ("night,rmssd_first,rmssd_all\n2021-03-01,4,5\n", "several columns"),
        ("id,night,rmssd\n1,2021-03-01,44\n2,2021-03-01,54\n", "two rows of 2021-03-01"),
        ("user_id,night,rmssd\n7,2021-03-01,44\n8,2021-03-02,54\n", "several people"),
        ("night,rmssd\n03/04/2021,44\n", "no date that has one reading"),
        ("night,rmssd\n2021-03-01,0.044\n", "person asleep has"),
    ],
)
def test_what_has_two_readings_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    error = refused(tmp_path, text, words)
    assert error.remedy


def test_one_figure_of_a_night_beside_figures_of_the_day(tmp_path: Path) -> None:
    text = "date,sleep_rmssd,avg_hr\n2021-03-01,44,81\n"
    (night,) = nights(tmp_path, text)
    assert (night.rmssd_ms, night.mean_hr_bpm) == (44, None)


def test_local_times_need_a_zone_and_clocks_that_change_are_said(tmp_path: Path) -> None:
    text = "sleep_start,sleep_end,rmssd\n2021-03-01 23:10,2021-03-02 06:50,44\n"
    assert isinstance(refused(tmp_path, text, "name no zone", zone=None), ChoiceError)
    found = read(tmp_path, text + "2021-10-31 02:30,2021-10-31 08:50,55\n")
    assert found is not None
    assert [night.day for night in found.nights] == ["2021-03-02"]
    assert any("clocks changed" in problem for problem in found.problems)


def test_windows_and_intervals_are_no_nights(tmp_path: Path) -> None:
    windows = "start,end,rmssd,sdnn\n2021-03-28 12:30,2021-03-28 12:35,44,50\n"
    assert read(tmp_path, windows) is None
    assert read(tmp_path, "date,rr_ms,rmssd\n2021-03-28 12:30,812,44\n") is None
