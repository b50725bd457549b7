"""EDF and EDF+: beats as annotations or as a signal of RR; what is refused, and in which words."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal, Patient, Recording
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording

BERLIN = "Europe/Berlin"
DAY = Recording(startdate=date(2026, 11, 24))
START = from_datetime(datetime(2026, 11, 24, 7, 30, tzinfo=UTC))  # 8:30 in Berlin


def intervals(count: int = 80, seed: int = 3) -> list[float]:
    rng = np.random.default_rng(seed)
    raw = 0.83 + 0.05 * np.sin(np.arange(count) / 3) + rng.normal(0, 0.012, count)
    return [round(float(x), 3) for x in raw]


def signal(
    values: np.ndarray, rate: float, label: str, unit: str = "", top: float = 100
) -> EdfSignal:
    return EdfSignal(values, rate, label=label, physical_dimension=unit, physical_range=(-top, top))


def write(
    path: Path,
    signals: list[EdfSignal],
    texts: list[tuple[float, str]] | None = None,
    recording: Recording = DAY,
    at: time = time(8, 30),
) -> Path:
    marks = [EdfAnnotation(onset, None, text) for onset, text in texts or []]
    Edf(signals, annotations=marks, starttime=at, recording=recording).write(path)
    return path


def repeated(rr: list[float], rate: float, first: float = 0.4) -> np.ndarray:
    """The latest interval in ms at each sample."""
    ends = first + np.concatenate([[0], np.cumsum(rr)])
    at = np.arange(int(ends[-1] * rate)) / rate
    at = at[: len(at) // int(rate) * int(rate)]
    latest = np.searchsorted(ends[1:], at, side="right") - 1
    return np.where(latest < 0, 0.0, np.array(rr)[latest] * 1000)  # 0 until the first interval


def ms_of(file: RecordedFile) -> list[float]:
    return [t / 10 for recording in file.recordings for t in recording.rr_ticks]


def read(path: Path, **options: str) -> RecordedFile:
    return open_recording(path, zone=BERLIN, **options)


@pytest.mark.parametrize("text", ["R", "QRS", "beat", "N"])
def test_annotations_give_exact_times(tmp_path: Path, text: str) -> None:
    rr = intervals()
    onsets = [round(float(x), 3) for x in 2 + np.concatenate([[0], np.cumsum(rr)])]
    marks = [(onset, text) for onset in onsets] + [(5.0, "lights off"), (30.0, "Sleep stage R")]
    path = write(tmp_path / "a.edf", [signal(np.zeros(80 * 64), 64, "ECG", "uV")], marks)
    file = read(path)
    assert ms_of(file) == pytest.approx([x * 1000 for x in rr], abs=0.06)
    assert file.recordings[0].times_ns[0] == START + round(onsets[1] * SECOND)
    assert file.read_as is not None and file.read_as.column == f"annotations '{text}'"
    assert file.problems == ()


def test_codes_of_physionet_are_beats(tmp_path: Path) -> None:
    onsets = np.cumsum(intervals())
    marks = [(float(t), "V" if i % 9 == 4 else "N") for i, t in enumerate(onsets.tolist())]
    file = read(write(tmp_path / "a.edf", [signal(np.zeros(80 * 32), 32, "MLII", "mV")], marks))
    assert file.beats == 79
    assert "N, V" in " ".join(file.notes)


def test_sleep_stages_are_no_beats(tmp_path: Path) -> None:
    marks = [(30.0 * i, "N" if i % 2 else "R") for i in range(20)]
    path = write(tmp_path / "a.edf", [signal(np.zeros(600 * 8), 8, "EEG C3", "uV")], marks)
    with pytest.raises(EbbtideError, match="no annotations that mark beats"):
        read(path)


def test_start_below_a_second_is_taken(tmp_path: Path) -> None:
    marks = [(1 + 0.8 * i, "R") for i in range(30)]
    path = write(
        tmp_path / "a.edf", [signal(np.zeros(30 * 8), 8, "EEG")], marks, at=time(8, 30, 0, 250_000)
    )
    assert read(path).recordings[0].times_ns[0] == START + round(2.05 * SECOND)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([4, 8, 32, 256]),
    label=st.sampled_from(["RR", "R-R", "RRI", "IBI", "HRV", "RR interval"]),
    unit=st.sampled_from(["ms", "s", ""]),
)
def test_signal_that_repeats_the_latest_interval_is_its_beats(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rate: int, label: str, unit: str
) -> None:
    rr = intervals(seed=seed)
    values = repeated(rr, rate)
    scale, top = (0.001, 3.2) if unit == "s" else (1, 3200)
    path = tmp_path_factory.mktemp("edf") / "a.edf"
    file = read(write(path, [signal(values * scale, rate, label, unit, top)]))
    found = ms_of(file)
    assert len(found) == pytest.approx(len(rr), abs=2)
    wanted = np.array(rr) * 1000
    # The first is the value of the first sample; each later one is in its place.
    assert found[1:40] == pytest.approx(wanted[1:40], abs=0.2)
    times = np.array(file.recordings[0].times_ns[1:40]) / SECOND - START / SECOND
    assert np.abs(times - 0.4 - np.cumsum(rr)[1:40]).max() <= 1 / rate + 1e-6


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("interpolated", "interpolated"),
        ("one beat a sample", "beats between them"),
        ("slow", "beats"),
    ],
)
def test_values_that_are_not_the_latest_interval_are_refused(
    tmp_path: Path, name: str, why: str
) -> None:
    rr = np.array(intervals(240))
    at = np.arange(0, 180, 0.25)
    values = {
        "interpolated": (np.interp(at, np.cumsum(rr), rr) * 1000 + np.arange(720) % 7, 4),
        "one beat a sample": (rr * 1000, 1),
        "slow": (repeated(rr.tolist(), 1), 1),
    }[name]
    path = write(tmp_path / "a.edf", [signal(values[0], values[1], "RR", "ms", 3200)])
    with pytest.raises(EbbtideError, match=why) as caught:
        read(path)
    assert "text" in caught.value.remedy


def test_no_value_breaks_the_signal(tmp_path: Path) -> None:
    values = repeated(intervals(200), 8)
    values[400:480] = 0  # ten seconds without contact
    values[800:960] = values[800]  # 20 s that stand still
    file = read(write(tmp_path / "a.edf", [signal(values, 8, "RR", "ms", 3200)]))
    times = np.array(file.recordings[0].times_ns) / SECOND - START / SECOND
    assert not ((times > 50.3) & (times < 59.9)).any()
    assert ((times > 101) & (times < 119)).sum() <= 1
    assert len(file.recordings[0].gaps) == 2


def test_discontinuous_records_are_gaps(tmp_path: Path) -> None:
    rr = intervals(100)
    onsets = np.cumsum(rr)
    later = [float(t) if t < 40 else float(t) + 100 for t in onsets]
    path = write(
        tmp_path / "a.edf",
        [signal(np.zeros(80 * 8), 8, "EEG")],
        [(t, "R") for t in onsets.tolist()],
    )
    # EDF+D: the records from 40 s on are 100 s later, and so are their annotations.
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    edf_signals = int(raw[252:256])
    head, records = 256 * (edf_signals + 1), int(raw[236:244])
    width = (len(raw) - head) // records
    body = bytes(raw[head:])
    moved = [body[i * width : (i + 1) * width] for i in range(records)]
    at = 16  # bytes of the EEG: 8 samples
    for i in range(40, records):
        lists = moved[i][at:].rstrip(b"\0").split(b"\0")
        new = b"\0".join(
            f"{float(item.split(bytes([20]))[0]) + 100:+.3f}".encode() + item[item.index(20) :]
            for item in lists
        )
        moved[i] = moved[i][:at] + (new + b"\0").ljust(width - at, b"\0")[: width - at]
    longest = max(len(item) for item in moved)
    assert longest == width
    path.write_bytes(bytes(raw[:head]) + b"".join(moved))
    file = read(path)
    spans = np.diff(later)
    assert ms_of(file) == pytest.approx(spans[spans < 3] * 1000, abs=2)
    assert len(file.recordings[0].gaps) == 1


def test_ecg_alone_names_what_finds_the_beats(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal(np.zeros(2560), 256, "ECG II", "mV", 5)])
    with pytest.raises(EbbtideError, match="holds an ECG") as caught:
        read(path)
    assert "nk.ecg_peaks" in caught.value.remedy and "Kubios" in caught.value.remedy


def test_rate_of_breathing_is_no_rr(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal(np.full(600, 14.0), 1, "RR", "bpm")])
    with pytest.raises(EbbtideError, match="no signal of RR intervals"):
        read(path)


def test_two_signals_are_asked_about(tmp_path: Path) -> None:
    values = repeated(intervals(), 8)
    both = [signal(values, 8, "RR", "ms", 3200), signal(values, 8, "IBI", "ms", 3200)]
    path = write(tmp_path / "a.edf", both)
    with pytest.raises(EbbtideError, match="'RR' and 'IBI'"):
        read(path)
    assert read(path, column="IBI").beats > 70


def test_withheld_date_asks_for_the_beginning(tmp_path: Path) -> None:
    recording = Recording(startdate=None)
    path = write(
        tmp_path / "a.edf",
        [signal(repeated(intervals(), 8), 8, "RR", "ms", 3200)],
        recording=recording,
        at=time(0, 0),
    )
    with pytest.raises(EbbtideError, match="withholds") as caught:
        read(path)
    assert "--start" in caught.value.remedy
    assert open_recording(path, zone=BERLIN, start_ns=START).recordings[0].start_ns > START - SECOND


def test_file_that_is_cut_off_is_read_and_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal(repeated(intervals(), 8), 8, "RR", "ms", 3200)])
    whole = read(path).beats
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 2 // 3 + 1])
    file = read(path)
    assert whole / 3 < file.beats < whole
    assert "cut off" in file.problems[0]


@settings(max_examples=60, deadline=None)
@given(where=st.integers(0, 1100), what=st.binary(min_size=1, max_size=12))
def test_garbled_header_is_refused_or_reads_the_same_beats(
    tmp_path_factory: pytest.TempPathFactory, where: int, what: bytes
) -> None:
    raw = bytearray((Path(__file__).with_name("examples") / "edf.edf").read_bytes())
    right = ms_of(read(Path(__file__).with_name("examples") / "edf.edf"))
    raw[where : where + len(what)] = what
    path = tmp_path_factory.mktemp("edf") / "a.edf"
    path.write_bytes(raw)
    try:
        found = ms_of(read(path))
    except EbbtideError as error:
        assert error.what and error.remedy
        return
    assert set(found) <= set(right) | {round(a + b, 1) for a, b in itertools.pairwise(right)}


def test_patient_is_not_in_the_source(tmp_path: Path) -> None:
    marks = [(1 + 0.8 * i, "R") for i in range(30)]
    edf = Edf(
        [signal(np.zeros(30 * 8), 8, "EEG")],
        annotations=[EdfAnnotation(onset, None, text) for onset, text in marks],
        recording=DAY,
        patient=Patient(name="Ada"),
    )
    edf.write(tmp_path / "a.edf")
    assert "Ada" not in str(read(tmp_path / "a.edf").recordings[0].source)
