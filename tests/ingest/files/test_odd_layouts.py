"""Files as strangers have them: read as they are meant, or refused naming what to do."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.column_names import parse_unit, sampling_rate, unit_named
from ingest.files.importer import require_past
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording

START = 1_790_000_000 * SECOND


def intervals(seed: int = 1, count: int = 80) -> list[int]:
    rng = np.random.default_rng(seed)
    mean = rng.uniform(650, 1050)
    raw = mean * (1 + 0.05 * np.sin(np.arange(count) / 3)) + rng.normal(0, 15, count)
    return [int(x) for x in raw.round()]


def read(folder: Path, text: str | bytes, name: str = "a.txt", **options: str) -> RecordedFile:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_recording(path, zone=options.pop("zone", "UTC"), start_ns=START, **options)


def ms_of(file: RecordedFile) -> list[float]:
    return [t / 10 for recording in file.recordings for t in recording.rr_ticks]


def lines(*columns: list, separator: str = ",") -> str:
    return "\n".join(separator.join(map(str, row)) for row in zip(*columns, strict=True)) + "\n"


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    head=st.sampled_from(["", "RR\n", "rr_interval\n"]),
    scale=st.sampled_from([60_000, 0.1, 0.256]),
)
def test_numbers_of_the_size_of_heart_rates_are_asked_for_their_unit(
    tmp_path_factory: pytest.TempPathFactory, seed: int, head: str, scale: float
) -> None:
    rr = intervals(seed)
    values = [round(scale / x if scale > 1 else x * scale) for x in rr]
    if max(values) >= 200:
        return
    folder = tmp_path_factory.mktemp("x")
    with pytest.raises(EbbtideError, match="look like heart rates") as caught:
        read(folder, head + lines(values))
    assert "--unit" in caught.value.remedy
    if scale == 0.1:
        found = ms_of(read(folder, head + lines(values), unit="1/100"))
        assert found == pytest.approx(rr, abs=5.1)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    order=st.sampled_from(["rr,hr", "hr,rr"]),
    decimal=st.booleans(),
)
def test_rates_beside_intervals_without_a_heading_are_no_candidate(
    tmp_path_factory: pytest.TempPathFactory, seed: int, order: str, decimal: bool
) -> None:
    rr = intervals(seed)
    rate = [round(60_000 / x) for x in rr]
    words = [f"{x / 1000:.3f}".replace(".", ",") for x in rr] if decimal else rr
    columns = [words, rate] if order == "rr,hr" else [rate, words]
    file = read(tmp_path_factory.mktemp("x"), lines(*columns, separator=";" if decimal else ","))
    assert ms_of(file) == pytest.approx(rr)
    assert file.read_as is not None
    assert file.read_as.unit_from == "heart rate"


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rate=st.sampled_from([128, 250, 256, 360, 500, 512, 1024, 2000]),
    name=st.sampled_from(["", "r_peak_index", "sample", "Rpeaks", "ECG_R_Peaks", "peak index"]),
    said=st.sampled_from(["", "# fs = {} Hz\n", "# Sampling rate: {}\n", "% {} Hz, R-peaks\n"]),
)
def test_sample_numbers_need_their_sampling_rate(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rate: int, name: str, said: str
) -> None:
    rr = intervals(seed)
    peaks = [round(t * rate / 1000) for t in itertools.accumulate(rr)]
    text = said.format(rate) + (name + "\n" if name else "") + lines(peaks)
    folder = tmp_path_factory.mktemp("x")
    if not said:
        with pytest.raises(EbbtideError, match="sample numbers") as caught:
            read(folder, text)
        assert "--unit samples@" in caught.value.remedy
    file = read(folder, text) if said else read(folder, text, unit=f"samples@{rate}")
    assert ms_of(file) == pytest.approx(rr[1:], abs=1000 / rate + 0.06)


def test_units_are_fractions_of_a_second() -> None:
    assert parse_unit("samples@500") == parse_unit("1/500") == parse_unit("500 Hz") == "1/500"
    assert parse_unit("1/1000") == unit_named("RR [1/1000 s]") == "ms"
    assert unit_named("RR (1/512 s)") == "1/512"
    assert unit_named("1/12/2026") is None
    assert sampling_rate("ECG, fs=1 kHz") == 1000
    assert sampling_rate("250 Hz and 500 Hz") is None
    for bad in ("weeks", "500", "1/0", "samples@0"):
        with pytest.raises(EbbtideError, match="no unit"):
            parse_unit(bad)


def derived(rr: list[int], every: float = 1.0) -> tuple[list[float], list[int]]:
    at = np.cumsum(rr) / 1000
    moments = np.arange(0, at[-1], every)
    return moments.tolist(), np.round(60_000 / np.interp(moments, at, rr)).astype(int).tolist()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), layout=st.sampled_from(["time,hr,rr", "rr", "json"]))
@example(seed=4, layout="time,hr,rr")  # near 60 bpm, where ms may be taken for ticks of 1/1024 s
def test_intervals_computed_from_rates_are_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, layout: str
) -> None:
    moments, rates = derived(intervals(seed, 300))
    rr = [round(60_000 / rate) for rate in rates]
    if len(set(rr)) < 8:
        return
    text = {
        "time,hr,rr": "time,hr,rr\n" + lines([f"{t:.0f}" for t in moments], rates, rr),
        "rr": "RR (ms)\n" + lines(rr),
        "json": json.dumps({"rr": rr}),
    }[layout]
    with pytest.raises(EbbtideError, match="60,000 divided by"):
        read(tmp_path_factory.mktemp("x"), text)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(30, 300), step=st.sampled_from([1, 4, 8, 10]))
def test_measured_intervals_are_not_taken_for_computed_ones(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, step: int
) -> None:
    rr = [round(x / step) * step for x in intervals(seed, count)]
    assert ms_of(read(tmp_path_factory.mktemp("x"), "rr_ms\n" + lines(rr))) == pytest.approx(rr)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# resampled at 4 Hz\nrr_ms\n" + lines(intervals()), "resampled"),
        (lines([x for x in intervals() for _ in range(4)]), "repeats every value 4 times"),
        ("subject,rr_ms\n" + lines(["anna"] * 40 + ["ben"] * 40, intervals()), "anna, ben"),
        ("session,rr_ms\n" + lines([1, 2] * 40, intervals()), "mixed"),
        ("rr_ms,artifact\n" + lines(intervals(), [1] * 60 + [0] * 20), "rules out 60 of 80"),
        ("rr1,rr2\n" + lines(intervals(1), intervals(2)), "several devices"),
    ],
)
def test_rows_that_are_no_beats_of_one_person_are_refused(
    tmp_path: Path, text: str, why: str
) -> None:
    with pytest.raises(EbbtideError, match=why) as caught:
        read(tmp_path, text)
    assert caught.value.remedy


def test_a_steady_heart_is_read(tmp_path: Path) -> None:
    assert ms_of(read(tmp_path, lines([1000] * 100))) == [1000] * 100
    text = "# ECG resampled at 1000 Hz\nrr_ms\n" + lines(intervals())
    assert ms_of(read(tmp_path, text)) == intervals()


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("valid", "0", "1"),
        ("artifact", "True", "False"),
        ("blocker", "1", "0"),
        ("ok", "no", "yes"),
    ],
)
def test_rows_that_a_flag_rules_out_are_left_out(
    tmp_path: Path, name: str, bad: str, good: str
) -> None:
    rr = intervals()
    flags = [bad if i in (20, 50) else good for i in range(80)]
    file = read(tmp_path, f"rr_ms,{name}\n" + lines(rr, flags))
    assert ms_of(file) == [x for i, x in enumerate(rr) if i not in (20, 50)]
    assert len(file.recordings[0].gaps) == 2
    assert any("2 rows are left out" in note for note in file.notes)


def test_a_column_of_quality_is_named_as_not_used(tmp_path: Path) -> None:
    file = read(tmp_path, "rr_ms,quality\n" + lines(intervals(), [90 + i % 9 for i in range(80)]))
    assert ms_of(file) == intervals()
    assert any("quality is not used" in note for note in file.notes)


@pytest.mark.parametrize("has_time", [False, True])
def test_sessions_have_a_gap_between(tmp_path: Path, has_time: bool) -> None:
    rr = intervals()
    at = [t / 1000 for half in (rr[:40], rr[40:]) for t in itertools.accumulate(half)]
    session = [1] * 40 + [2] * 40
    text = (
        "session,time_s,rr_ms\n" + lines(session, at, rr)
        if has_time
        else "session,rr_ms\n" + lines(session, rr)
    )
    file = read(tmp_path, text)
    assert ms_of(file) == rr
    assert len(file.recordings[0].gaps) == 1
    assert any("session has 2 parts" in note for note in file.notes)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    form=st.sampled_from(["columns", "brackets", "spaces", "objects", "one line"]),
)
def test_all_intervals_of_a_notification_are_read(
    tmp_path_factory: pytest.TempPathFactory, seed: int, form: str
) -> None:
    rr = intervals(seed)
    pairs = list(itertools.batched(rr, 2)) if hasattr(itertools, "batched") else [
        tuple(rr[i : i + 2]) for i in range(0, len(rr), 2)
    ]  # fmt: skip
    begin = datetime(2026, 3, 3, 8, tzinfo=UTC)
    ends = list(itertools.accumulate(a + b for a, b in pairs))
    at = [(begin + timedelta(milliseconds=t)).isoformat(timespec="milliseconds") for t in ends]
    text = {
        "columns": "time,rr1,rr2,rr3\n" + lines(at, [f"{a},{b}," for a, b in pairs]),
        "brackets": "time,rrs\n" + lines(at, [f'"[{a}, {b}]"' for a, b in pairs]),
        "spaces": "time,rr\n" + lines(at, [f"{a} {b}" for a, b in pairs]),
        "objects": "\n".join(
            json.dumps({"time": t, "rr": list(pair)}) for t, pair in zip(at, pairs, strict=True)
        ),
        "one line": ", ".join(map(str, rr)) + "\n",
    }[form]
    assert ms_of(read(tmp_path_factory.mktemp("x"), text)) == pytest.approx(rr)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), form=st.sampled_from(["iso", "seconds", "pm", "epoch"]))
def test_the_newest_row_may_stand_first(
    tmp_path_factory: pytest.TempPathFactory, seed: int, form: str
) -> None:
    rr = intervals(seed)
    begin = datetime(2026, 3, 3, 11, 59, 50, tzinfo=UTC).replace(tzinfo=None)
    ends = [t / 1000 for t in itertools.accumulate(rr)]
    moments = [begin + timedelta(seconds=t) for t in ends]
    at = {
        "iso": [m.isoformat(timespec="milliseconds") for m in moments],
        "seconds": [f"{t:.3f}" for t in ends],
        "pm": [m.strftime("%Y-%m-%d %I:%M:%S %p") for m in moments],
        "epoch": [f"{1_790_000_000_000 + t * 1000:.0f}" for t in ends],
    }[form]
    file = read(tmp_path_factory.mktemp("x"), "time,rr_ms\n" + lines(at[::-1], rr[::-1]))
    assert ms_of(file) == pytest.approx(rr)
    assert any("newest row stands first" in note for note in file.notes)


def test_half_an_hour_that_comes_twice_is_read_by_order(tmp_path: Path) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    begin = datetime(2026, 4, 5, 1, 55, tzinfo=zone).astimezone(UTC)
    rr = intervals(3, 900)
    ends = list(itertools.accumulate(rr))
    at = [
        (begin + timedelta(milliseconds=t)).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f")
        for t in ends
    ]
    file = read(tmp_path, "time,rr_ms\n" + lines(at, rr), zone="Australia/Lord_Howe")
    assert ms_of(file) == rr
    times = file.recordings[0].times_ns
    assert times[-1] - times[0] == pytest.approx((ends[-1] - ends[0]) * 1e6, abs=1e6)
    assert times[0] == pytest.approx(from_datetime(begin) + rr[0] * 1e6, abs=2e6)
    assert any("half hour that comes twice" in note for note in file.notes)


def test_beat_times_by_the_clock_alone(tmp_path: Path) -> None:
    rr = intervals()
    begin = datetime(2026, 3, 3, 8, tzinfo=UTC).replace(tzinfo=None)
    moments = [begin + timedelta(milliseconds=t) for t in itertools.accumulate(rr)]
    text = "beat_time\n" + lines([m.isoformat(timespec="milliseconds") for m in moments])
    assert ms_of(read(tmp_path, text)) == pytest.approx(rr[1:])
    whole = "beat_time\n" + lines([m.isoformat(timespec="seconds") for m in moments])
    with pytest.raises(EbbtideError, match="whole seconds"):
        read(tmp_path, whole)


@settings(max_examples=15, deadline=None)
@given(zeros=st.integers(1, 5000), count=st.integers(10, 200))
def test_a_tail_of_zero_bytes_is_said_and_the_rest_read(
    tmp_path_factory: pytest.TempPathFactory, zeros: int, count: int
) -> None:
    rr = intervals(1, count)
    file = read(tmp_path_factory.mktemp("x"), lines(rr).encode() + b"\0" * zeros)
    assert ms_of(file) == rr
    assert any(f"{zeros} zero bytes" in problem for problem in file.problems)


def test_units_and_lists_of_json(tmp_path: Path) -> None:
    rr = intervals()
    ticks = {"unit": "1/1024 s", "rr": [round(x * 1.024) for x in rr]}
    assert ms_of(read(tmp_path, json.dumps(ticks))) == pytest.approx(rr, abs=0.6)
    two = json.dumps({"rr_raw": rr, "rr_filtered": [x + 30 for x in rr]})
    with pytest.raises(EbbtideError, match="'rr_raw' and 'rr_filtered'"):
        read(tmp_path, two)
    assert ms_of(read(tmp_path, two, column="rr_raw")) == rr
    rows = [{"rr": x, "t": t / 1000} for x, t in zip(rr, itertools.accumulate(rr), strict=True)]
    assert ms_of(read(tmp_path, "\n".join(map(json.dumps, rows)))) == rr
    assert ms_of(read(tmp_path, json.dumps(rows))) == rr


def test_a_zip_in_a_zip_is_read_and_a_third_refused(tmp_path: Path) -> None:
    def zipped(name: str, content: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, content)
        return buffer.getvalue()

    twice = zipped("b.zip", zipped("rr.txt", lines(intervals()).encode()))
    assert ms_of(read(tmp_path, twice, "a.zip")) == intervals()
    with pytest.raises(EbbtideError, match="zip in a zip in a zip"):
        read(tmp_path, zipped("c.zip", twice), "a.zip")


@pytest.mark.parametrize(("year", "why"), [(1926, "before 1970"), (1980, "before 2000")])
def test_clocks_that_were_never_set_are_refused(tmp_path: Path, year: int, why: str) -> None:
    rr = intervals()
    begin = datetime(year, 3, 3, 8, tzinfo=UTC).replace(tzinfo=None)
    at = [(begin + timedelta(milliseconds=t)).isoformat() for t in itertools.accumulate(rr)]
    with pytest.raises(EbbtideError, match=why):
        require_past(read(tmp_path, "time,rr_ms\n" + lines(at, rr)))


def test_gaps_given_as_intervals_do_not_make_a_fixed_rate(tmp_path: Path) -> None:
    rr = [830 + i % 3 for i in range(60)]
    rr[30] = 26_000
    at = [f"{t / 1000:.3f}" for t in itertools.accumulate(rr)]
    file = read(tmp_path, "time_s,rr_ms\n" + lines(at, rr))
    assert file.notes == ()
    assert ms_of(file) == [x for x in rr if x < 3000]


def test_words_before_a_list_are_no_heading_and_the_unit_is_said_to_be_assumed(
    tmp_path: Path,
) -> None:
    file = read(tmp_path, "Patient: X\nBeats: 80\n\n" + lines(intervals()))
    assert ms_of(file) == intervals()
    assert file.read_as is not None
    assert (file.read_as.column, file.read_as.unit_from) == ("column 1", "assumed")
    assert any("assumed" in note for note in file.notes)
