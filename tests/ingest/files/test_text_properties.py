"""Text files of any layout: read exactly right or refused in words, never another number."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording

START = 1_790_000_000 * SECOND
# Words of one interval in each unit, and by how much its digits may be off in ms.
UNITS = {
    "ms": (1.0, 0, 0.51),
    "ms to a tenth": (1.0, 1, 0.06),
    "s": (0.001, 3, 0.51),
    "1/1024": (1.024, 0, 0.5),
}
NAMES = {
    "ms": ["rr_ms", "RR-interval [ms]", "IBI (ms)", "NN (msec)", "RR"],
    "ms to a tenth": ["rr_ms", "RR (ms)"],
    "s": ["rr_s", "RR interval (s)", "IBI [s]", "RR"],
    "1/1024": ["RR (1/1024 s)"],
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]


def intervals(seed: int, count: int) -> list[int]:
    rng = np.random.default_rng(seed)
    mean = rng.uniform(550, 1150)
    raw = mean * (1 + 0.06 * np.sin(np.arange(count) / 3)) + rng.normal(0, 15, count)
    return [int(x) for x in raw.round()]


def number(value: float, digits: int, decimal: str) -> str:
    return f"{value:.{digits}f}".replace(".", decimal)


def ms_of(file: RecordedFile) -> np.ndarray:
    return np.array([t / 10 for recording in file.recordings for t in recording.rr_ticks])


@settings(max_examples=100, deadline=None)
@given(data=st.data(), seed=st.integers(0, 100_000))
def test_any_layout_is_read_right_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, seed: int
) -> None:
    rr = intervals(seed, data.draw(st.sampled_from([24, 60, 150]), "rows"))
    unit = data.draw(st.sampled_from(sorted(UNITS)), "unit")
    scale, digits, spare = UNITS[unit]
    decimal = data.draw(st.sampled_from([".", ","]), "decimal")
    separator = data.draw(
        st.sampled_from([";", "\t"] if decimal == "," else [",", ";", "\t", " "]), "separator"
    )
    lead = data.draw(
        st.sampled_from(["none", "index", "seconds", "ms", "epoch s", "epoch ms", "clock"]), "time"
    )
    header = data.draw(st.sampled_from(["names", "comment", "none"]), "header")
    comment = data.draw(
        st.sampled_from(["", "# from a logger", "% Größe: 3,5", "// x\n# y"]), "top"
    )
    encoding = data.draw(st.sampled_from(ENCODINGS), "encoding")
    newline = data.draw(st.sampled_from(["\n", "\r\n"]), "newline")
    tail = data.draw(st.sampled_from(["", "\n"]), "tail")
    at = [0.25 + t / 1000 for t in itertools.accumulate(rr)]
    begin = datetime(2026, 11, 24, 8, 30, tzinfo=UTC).replace(tzinfo=None)
    leads = {
        "index": ("index", [str(i) for i in range(len(rr))]),
        "seconds": ("time_s", [number(t, 3, decimal) for t in at]),
        "ms": ("time (ms)", [f"{t * 1000:.0f}" for t in at]),
        "epoch s": ("timestamp", [number(1_790_000_000 + t, 3, decimal) for t in at]),
        "epoch ms": ("timestamp", [f"{1_790_000_000_000 + t * 1000:.0f}" for t in at]),
        "clock": (
            "time",
            [(begin + timedelta(seconds=t)).isoformat(timespec="milliseconds") for t in at],
        ),
    }
    name = data.draw(st.sampled_from(NAMES[unit]), "name")
    if separator == " ":
        name = name.replace(" ", "")
    values = [number(ms * scale, digits, decimal) for ms in rr]
    if lead == "none":
        head, rows = name, values
    else:
        of_time, times = leads[lead]
        if separator == " ":
            of_time = of_time.replace(" ", "")
        head = separator.join([of_time, name])
        rows = [separator.join(pair) for pair in zip(times, values, strict=True)]
    lines = [comment] if comment else []
    lines += {"names": [head], "comment": [f"# {head}"], "none": []}[header]
    text = newline.join([*lines, *rows]) + tail.replace("\n", newline)
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes(text.encode(encoding, "replace"))
    try:
        file = open_recording(path, zone="UTC", start_ns=START)
    except EbbtideError as error:
        assert error.what and error.remedy
        # Refusing is right where nothing names the unit, the comma may separate columns, or spaces
        # do, and stand within the times of day too.
        spaced = separator == " " and lead == "clock"
        assert header == "none" or name == "RR" or decimal == "," or spaced, str(error)
        return
    found = ms_of(file)
    if unit == "1/1024" and header == "none" and lead in ("none", "index"):
        # Nothing says that these are no milliseconds; the answer says what was taken.
        assert file.read_as is not None and file.read_as.unit == "ms"
        return
    assert len(found) == len(rr)
    assert found == pytest.approx(np.array(rr), abs=spare)


def test_ticks_beside_a_clock_are_not_read_as_milliseconds(tmp_path: Path) -> None:
    rr = intervals(7, 60)
    begin = datetime(2026, 11, 24, 8, 30, tzinfo=UTC).replace(tzinfo=None)
    ends = itertools.accumulate(rr)
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(
            f"{(begin + timedelta(milliseconds=t)).isoformat(timespec='milliseconds')},"
            f"{ms * 1.024:.0f}"
            for t, ms in zip(ends, rr, strict=True)
        )
    )
    with pytest.raises(EbbtideError, match="which 1/1024 would be") as caught:
        open_recording(path, zone="UTC")
    assert "--unit 1/1024" in caught.value.remedy
    found = ms_of(open_recording(path, zone="UTC", unit="1/1024"))
    assert found == pytest.approx(np.array(rr), abs=0.5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 3), sign=st.sampled_from("é€𝄞"))
def test_text_that_ends_within_a_character_is_read_and_said(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int, sign: str
) -> None:
    rr = intervals(seed, 40)
    whole = ("rr_ms,note\n" + "\n".join(f"{ms},ok" for ms in rr) + f"\n# {sign}").encode()
    lost = min(cut, len(sign.encode()) - 1)
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes(whole[: len(whole) - lost])
    file = open_recording(path, zone="UTC", start_ns=START)
    assert ms_of(file) == pytest.approx(np.array(rr))
    assert any("cut off" in problem for problem in file.problems)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    zone=st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Atlantic/Azores",
            "Asia/Tokyo",
        ]
    ),
    night=st.sampled_from(
        [(2026, 3, 29), (2026, 10, 25), (2026, 3, 8), (2026, 11, 1), (2026, 4, 5)]
    ),
    hour=st.integers(0, 2),
    has_elapsed=st.booleans(),
)
def test_nights_in_which_clocks_change_keep_every_interval(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    zone: str,
    night: tuple[int, int, int],
    hour: int,
    has_elapsed: bool,
) -> None:
    where = ZoneInfo(zone)
    begin = datetime(*night, hour, 10, tzinfo=where).astimezone(UTC)
    rr = intervals(seed, 200) * 25
    ends = list(itertools.accumulate(rr))
    rows = []
    for at, ms in zip(ends, rr, strict=True):
        local = (begin + timedelta(milliseconds=at)).astimezone(where).replace(tzinfo=None)
        elapsed = f",{at / 1000:.3f}" if has_elapsed else ""
        rows.append(f"{local.isoformat(timespec='milliseconds')}{elapsed},{ms}")
    heading = "date,elapsed_s,rr_ms" if has_elapsed else "date,rr_ms"
    path = tmp_path_factory.mktemp("night") / "a.csv"
    path.write_text("\n".join([heading, *rows]))
    try:
        file = open_recording(path, zone=zone)
    except EbbtideError as error:
        assert error.remedy
        return
    times = np.array([t for recording in file.recordings for t in recording.times_ns])
    assert ms_of(file) == pytest.approx(np.array(rr))
    # All of one recording: no hour too many or too few, and an hour is not counted twice.
    assert np.diff(times) == pytest.approx(np.array(rr[1:]) * 1_000_000, abs=2_000_000)
    assert abs(times[0] - from_datetime(begin) - rr[0] * 1_000_000) in (
        pytest.approx(0, abs=5_000_000),
        pytest.approx(3600 * SECOND, abs=5_000_000),
    )
