"""Files that have heart rates and no times between beats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from garmin_fit_sdk import Encoder, Profile

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from ingest.files.importer import find_same_intervals, import_recordings
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording
from ingest.outbox.outbox import Outbox
from tests.ingest.files.test_fit_layouts import Writer, series

START = 1_790_000_000
BEGIN = datetime.fromtimestamp(START, UTC)
NUMBERS = Profile["mesg_num"]


def fit(rates: list[int | None]) -> bytes:
    """A FIT file of a watch that writes a record a second, and no intervals."""
    encoder = Encoder()
    encoder.write_mesg({"mesg_num": NUMBERS["FILE_ID"], "type": "activity", "time_created": BEGIN})
    for second, rate in enumerate(rates):
        moment = BEGIN + timedelta(seconds=second)
        record = {"mesg_num": NUMBERS["RECORD"], "timestamp": moment}
        encoder.write_mesg(record if rate is None else {**record, "heart_rate": rate})
    return bytes(encoder.close())


def read(folder: Path, name: str, content: bytes | str, zone: str | None = "UTC") -> RecordedFile:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_recording(path, zone=zone)


def rates_of(file: RecordedFile) -> list[tuple[float, int]]:
    (recording,) = file.recordings
    assert recording.beats == 0 and file.beats == 0
    for item in recording.notifications:
        assert not item.rr_ticks and not item.beat_times_ns
    return [
        (item.received_ns / SECOND - START, item.heart_rate_bpm) for item in recording.notifications
    ]


def test_a_fit_file_without_intervals_gives_its_heart_rates(tmp_path: Path) -> None:
    file = read(tmp_path, "run.fit", fit([70, 71, None, 73, *[75] * 20]))
    expected = [(0, 70), (1, 71), (3, 73), *((second, 75) for second in range(4, 24))]
    assert rates_of(file) == expected
    assert file.rates == 23
    (note,) = file.notes
    assert "23 heart rates and no times between beats" in note and "no HRV" in note
    assert file.recordings[0].source == "run.fit (FIT, heart rates)"


def test_a_fit_file_with_intervals_is_read_by_them(tmp_path: Path) -> None:
    writer, ms = Writer(), series(60)
    elapsed = 0.0
    for at in range(0, 60, 1):
        writer.intervals(ms[at : at + 1])
        elapsed += ms[at] / 1000
        writer.record(elapsed)
    file = read(tmp_path, "strap.fit", writer.close())
    assert file.beats == 60 and file.rates == 0


def test_a_fit_file_with_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EbbtideError, match="no RR intervals and no heart rates"):
        read(tmp_path, "bike.fit", fit([None] * 30))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("iso", "time,heart_rate\n{0:%Y-%m-%dT%H:%M:%SZ},70\n{1:%Y-%m-%dT%H:%M:%SZ},71.6\n"),
        ("newest first", "time;hr\n{1:%Y-%m-%d %H:%M:%S};71.6\n{0:%Y-%m-%d %H:%M:%S};70\n"),
        ("epoch", "unix,bpm,steps\n{2},70,3\n{3},71.6,0\n"),
    ],
)
def test_a_table_of_heart_rates_with_dates_is_taken(tmp_path: Path, name: str, text: str) -> None:
    content = text.format(BEGIN, BEGIN + timedelta(seconds=60), START, START + 60)
    file = read(tmp_path, f"{name}.csv", content)
    assert rates_of(file) == [(0, 70), (60, 72)]
    assert file.format == "Heart rates" and file.read_as is not None
    assert (file.read_as.quantity, file.read_as.unit) == ("heart rate", "1/min")
    assert any("by heart rate only" in note for note in file.notes)


def test_rows_that_say_no_heart_rate_are_told(tmp_path: Path) -> None:
    lines = [f"{BEGIN + timedelta(minutes=k):%Y-%m-%dT%H:%M:%SZ},{60 + k}" for k in range(5)]
    lines[2] = lines[2].rpartition(",")[0] + ","
    file = read(tmp_path, "gaps.csv", "time,heart_rate\n" + "\n".join([*lines, lines[0]]))
    assert len(rates_of(file)) == 4
    assert file.problems == ("2 of 6 rows have no time or no heart rate of their own; left out",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,hr\n" + "\n".join(f"{i},{70 + i % 3}" for i in range(60)), "date and time of each"),
        (
            "time,hr_left,hr_right\n" + "\n".join(f"{START + i},{70},{71}" for i in range(60)),
            "hr_left and hr_right",
        ),
    ],
)
def test_rates_without_dates_or_with_two_readings_are_refused(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(EbbtideError) as caught:
        read(tmp_path, "rates.csv", text)
    assert why in f"{caught.value} {caught.value.remedy}"


def test_a_file_of_rates_is_imported_once_whatever_its_name(tmp_path: Path) -> None:
    content = fit([70 + k % 9 for k in range(700)])
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        seen: list[int] = []
        first = import_recordings(
            read(tmp_path, "a.fit", content), outbox, "account", seen.append, name="a.fit"
        )
        assert (first.new_beats, first.new_rates, sum(seen)) == (0, 700, 700)
        again = read(tmp_path, "b.fit", content)
        second = import_recordings(again, outbox, "account")
        assert (second.new_rates, second.stream_ids) == (0, first.stream_ids)
        (state,) = outbox.states()
        assert state.last_sequence == 700
        # Another hour at the same rates is another recording.
        assert find_same_intervals(again, outbox, "account") is None
