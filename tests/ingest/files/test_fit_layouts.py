"""FIT files as devices really write them: where intervals stand, and files that were not closed."""

from __future__ import annotations

import contextlib
import io
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fitdecode
import numpy as np
import pytest
from fitdecode.utils import compute_crc
from garmin_fit_sdk import Encoder, Profile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording

START = 1_790_000_000
BEGIN = datetime.fromtimestamp(START, UTC)
NUMBERS = Profile["mesg_num"]


class Writer:
    """Writes messages; ``second`` counts from the start of the timer."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._encoder.write_mesg(
            {"mesg_num": NUMBERS["FILE_ID"], "type": "activity", "time_created": BEGIN}
        )

    def timer(self, what: str, second: float) -> None:
        self._encoder.write_mesg(
            {
                "mesg_num": NUMBERS["EVENT"],
                "event": "timer",
                "event_type": what,
                "timestamp": BEGIN + timedelta(seconds=int(second)),
            }
        )

    def record(self, second: float) -> None:
        self._encoder.write_mesg(
            {
                "mesg_num": NUMBERS["RECORD"],
                "timestamp": BEGIN + timedelta(seconds=int(second)),
                "heart_rate": 72,
            }
        )

    def intervals(self, ms: list[int]) -> None:
        for at in range(0, len(ms), 5):
            part = [value / 1000 for value in ms[at : at + 5]]
            self._encoder.write_mesg({"mesg_num": NUMBERS["HRV"], "time": part})

    def beat_intervals(self, ms: list[int], second: float) -> None:
        self._encoder.write_mesg(
            {
                "mesg_num": NUMBERS["BEAT_INTERVALS"],
                "timestamp": BEGIN + timedelta(seconds=int(second)),
                "timestamp_ms": round(second % 1 * 1000),
                "time": ms,
            }
        )

    def close(self) -> bytes:
        return bytes(self._encoder.close())


def series(count: int, seed: int = 1) -> list[int]:
    rng = np.random.default_rng(seed)
    return [int(v) for v in 830 + 40 * np.sin(np.arange(count) / 4) + rng.normal(0, 8, count)]


def read(folder: Path, data: bytes) -> RecordedFile:
    path = folder / "activity.fit"
    path.write_bytes(data)
    return open_recording(path, zone="UTC")


def beat_times(file: RecordedFile) -> list[float]:
    (recording,) = file.recordings
    return [t / SECOND - START for n in recording.notifications for t in n.beat_times_ns]


def interleaved(ms: list[int], marks: list[int]) -> bytes:
    """Before each record, the intervals that ended since the one before."""
    writer = Writer()
    writer.timer("start", 0)
    ends = np.cumsum(ms) / 1000
    at = 0
    for mark in marks:
        upto = int(np.searchsorted(ends, mark, side="right"))
        writer.intervals(ms[at:upto])
        at = upto
        writer.record(mark)
    writer.intervals(ms[at:])
    writer.timer("stop_all", ends[-1] + 1)
    return writer.close()


def at_end(ms: list[int]) -> bytes:
    writer = Writer()
    writer.timer("start", 0)
    for second in range(1, sum(ms) // 1000 + 1):
        writer.record(second)
    writer.intervals(ms)
    writer.timer("stop_all", sum(ms) / 1000 + 1)
    return writer.close()


def at_beginning(ms: list[int]) -> bytes:
    writer = Writer()
    writer.timer("start", 0)
    writer.intervals(ms)
    for second in range(1, sum(ms) // 1000 + 2):
        writer.record(second)
    return writer.close()


def after_each_record(ms: list[int]) -> bytes:
    """A record a minute, and after it the intervals of the minute before it."""
    writer = Writer()
    writer.timer("start", 0)
    ends = np.cumsum(ms) / 1000
    at = 0
    for mark in range(60, int(ends[-1]) + 61, 60):
        upto = int(np.searchsorted(ends, mark, side="right"))
        writer.record(min(mark, ends[-1]))
        writer.intervals(ms[at:upto])
        at = upto
    return writer.close()


LAYOUTS = {
    "at the end": at_end,
    "at the beginning": at_beginning,
    "a record a minute": lambda ms: interleaved(ms, list(range(60, sum(ms) // 1000, 60))),
    "a record a minute, before its intervals": after_each_record,
    "smart recording": lambda ms: interleaved(
        ms, [m for m in itertools.accumulate([1, 6, 2, 7, 3, 1, 5] * 200) if m < sum(ms) // 1000]
    ),
    "very smart recording": lambda ms: interleaved(
        ms, [m for m in itertools.accumulate([1, 30, 2, 17, 45] * 200) if m < sum(ms) // 1000]
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(count=st.integers(90, 900), seed=st.integers(0, 1000))
def test_beats_are_where_the_running_sum_says(
    layout: str, count: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ms = series(count, seed)
    file = read(tmp_path_factory.mktemp("fit"), LAYOUTS[layout](ms))
    times = beat_times(file)
    assert file.problems == ()
    assert file.recordings[0].gaps == ()
    assert len(times) == count
    true = np.cumsum(ms) / 1000
    assert np.abs(np.array(times) - true).max() < 3
    assert np.diff(times).max() < 2


def test_intervals_that_do_not_fill_the_time_are_reported(tmp_path: Path) -> None:
    writer = Writer()
    writer.timer("start", 0)
    for second in range(1, 601):
        writer.record(second)
    writer.intervals(series(300))  # 249 s of 600 s
    file = read(tmp_path, writer.close())
    assert file.beats == 300
    (problem,) = file.problems
    assert "stand apart from the records" in problem
    assert "249 s" in problem
    assert "600 s" in problem


def test_more_intervals_than_time_are_reported(tmp_path: Path) -> None:
    writer = Writer()
    writer.timer("start", 0)
    for second in range(1, 101):
        writer.record(second)
    writer.intervals(series(300))
    file = read(tmp_path, writer.close())
    assert file.beats == 300
    assert any("after its end" in problem for problem in file.problems)


def test_a_pause_of_the_timer_lies_between_the_beats_around_it(tmp_path: Path) -> None:
    ms = series(300)
    writer = Writer()
    writer.timer("start", 0)
    for second in range(1, 101):
        writer.record(second)
    writer.timer("stop_all", 100)
    writer.timer("start", 400)
    for second in range(401, 550):
        writer.record(second)
    writer.intervals(ms)
    writer.timer("stop_all", 549)
    file = read(tmp_path, writer.close())
    times = np.array(beat_times(file))
    assert file.problems == ()
    (gap,) = file.recordings[0].gaps
    assert abs(gap.start_ns / SECOND - START - 100) < 2
    assert abs(gap.end_ns / SECOND - START - 400) < 2
    assert not ((times > 101.5) & (times < 400)).any()
    assert abs(times[-1] - 549) < 3


def test_a_strap_that_was_lost_for_minutes_leaves_a_gap(tmp_path: Path) -> None:
    ms = series(360)
    writer = Writer()
    writer.timer("start", 0)
    ends = np.cumsum(ms) / 1000
    ends[180:] += 300
    at = 0
    for mark in range(60, 660, 60):
        upto = int(np.searchsorted(ends, mark, side="right"))
        writer.intervals(ms[at:upto])
        at = upto
        writer.record(mark)
    file = read(tmp_path, writer.close())
    times = np.array(beat_times(file))
    assert len(file.recordings[0].gaps) == 1
    assert np.abs(times[:140] - ends[:140]).max() < 3
    assert np.abs(times[240:] - ends[240 : len(times)]).max() < 6


@pytest.mark.parametrize("stamp_is_end", [True, False])
def test_beat_interval_messages(tmp_path: Path, stamp_is_end: bool) -> None:
    ms = series(240)
    writer = Writer()
    writer.timer("start", 0)
    done = 0.0
    for at in range(0, len(ms), 12):
        part = ms[at : at + 12]
        begun, done = done, done + sum(part) / 1000
        writer.beat_intervals(part, done if stamp_is_end else begun)
    file = read(tmp_path, writer.close())
    assert file.problems == ()
    assert file.beats == 240
    assert np.abs(np.array(beat_times(file)) - np.cumsum(ms) / 1000).max() < 3


def whole_intervals(data: bytes) -> list[float]:
    """The intervals of all HRV messages that a file holds whole, by its own length."""
    found: list[float] = []
    header = bytearray(data[:12])
    header[4:8] = (len(data) - 14).to_bytes(4, "little")
    header += compute_crc(bytes(header)).to_bytes(2, "little")
    with contextlib.suppress(fitdecode.FitError):  # its end is missing
        for frame in fitdecode.FitReader(io.BytesIO(bytes(header) + data[14:])):
            if isinstance(frame, fitdecode.FitDataMessage) and frame.name == "hrv":
                values = frame.get_value("time")  # a float where it is one
                values = values if isinstance(values, tuple) else (values,)
                found += [value for value in values if value is not None]
    return found


@given(cut=st.floats(0.3, 1), header=st.sampled_from([0, 500, 0xFFFFFFFF]))
@settings(max_examples=15, deadline=None)
def test_a_file_that_was_not_closed_is_read_to_its_end(
    cut: float, header: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ms = series(200)
    whole = interleaved(ms, list(range(1, 150)))[:-2]
    data = bytearray(whole[: int(len(whole) * cut)])
    data[4:8] = header.to_bytes(4, "little")
    data[12:14] = compute_crc(bytes(data[:12])).to_bytes(2, "little")
    file = read(tmp_path_factory.mktemp("fit"), bytes(data))
    got = [tick for n in file.recordings[0].notifications for tick in n.rr_ticks]
    assert got == ms[: len(got)]
    assert len(got) == len(whole_intervals(bytes(data)))
    assert file.problems


def test_intervals_without_any_time_ask_for_one(tmp_path: Path) -> None:
    encoder = Encoder()
    encoder.write_mesg({"mesg_num": NUMBERS["FILE_ID"], "type": "activity"})
    encoder.write_mesg({"mesg_num": NUMBERS["HRV"], "time": [0.8, 0.81]})
    path = tmp_path / "x.fit"
    path.write_bytes(bytes(encoder.close()))
    with pytest.raises(EbbtideError, match="--start"):
        open_recording(path, zone="UTC")
    given_start = START * SECOND
    file = open_recording(path, zone="UTC", start_ns=given_start)
    assert file.recordings[0].start_ns == given_start + 800 * MILLISECOND
