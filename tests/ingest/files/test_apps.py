"""Files of the apps that people have: each read as its documentation says."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.recording import RecordedFile
from ingest.files.registry import open_recording

BERLIN = "Europe/Berlin"
START = from_datetime(datetime(2026, 11, 24, 7, 30, tzinfo=UTC))  # 8:30 in Berlin
EXAMPLES = Path(__file__).with_name("examples")
RR = (
    (830 + 40 * np.sin(np.arange(90)) + np.random.default_rng(5).normal(0, 12, 90))
    .round()
    .astype(int)
    .tolist()
)
ENDS = np.cumsum(RR)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(separator: str = ";", extra: str = "") -> list[str]:
    """Local time of each beat and its interval."""
    begin = datetime(2026, 11, 24, 8, 30, tzinfo=UTC).replace(tzinfo=None)
    return [
        f"{(begin + timedelta(milliseconds=int(t))).isoformat(timespec='milliseconds')}"
        f"{separator}{ms}{extra}"
        for t, ms in zip(ENDS, RR, strict=True)
    ]


def ms_of(file: RecordedFile) -> list[float]:
    return [
        t * 1000 / recording.ticks_per_second
        for recording in file.recordings
        for t in recording.rr_ticks
    ]


def read(path: Path, **options: str) -> RecordedFile:
    return open_recording(path, zone=BERLIN, **options)


SIMPLE = {
    "Elite HRV, 2026-11-24 08-30-00.txt": "\n".join(map(str, RR)),
    "Polar Flow, 2026-11-24T08-30-00_RR.csv": "duration,offline\n"
    + "\n".join(f"{ms},0" for ms in RR),
    "HRV4Training, 2026-11-24 08-30-00.csv": "\n".join(f"{ms / 1000:.3f}" for ms in RR),
    "Kubios, 20261124_083000.txt": "# SIGNAL/SERIES EXPORT - KUBIOS\n# Sampling rate: \tn/a\n"
    + "\n".join(f"{ms}.000" for ms in RR),
    "Polar Sensor Logger_RR.txt": "Phone timestamp;RR-interval [ms]\n" + "\n".join(rows_of()),
    "HRV Logger_RR.csv": "date,rr,since start\n"
    + "\n".join(f"{row},{t}" for row, t in zip(rows_of(","), ENDS, strict=True)),
    "movesense 2026-11-24T08-30-00.json": json.dumps(
        {"data": [{"heartRate": {"average": 72.0, "rrData": [ms]}} for ms in RR]}
    ),
    "suunto.json": json.dumps(
        {
            "Samples": [
                {
                    "TimeISO8601": "2026-11-24T08:30:00.000+01:00",
                    "Attributes": {"suunto/sml": {"R-R": {"Data": RR}}},
                }
            ]
        }
    ),
    "accesslink.json": json.dumps(
        {
            "start-time": "2026-11-24T08:30:00",
            "start-time-utc-offset": 60,
            "samples": {
                "sample": [
                    {"recording-rate": 5, "sample-type": "0", "data": "70,71"},
                    {"recording-rate": 0, "sample-type": "11", "data": ",".join(map(str, RR))},
                ]
            },
        }
    ),
}


@pytest.mark.parametrize("name", SIMPLE)
def test_intervals_and_beginning_of_an_app_are_read(tmp_path: Path, name: str) -> None:
    file = read(written(tmp_path, name, SIMPLE[name]))
    assert ms_of(file) == pytest.approx(RR, abs=0.5)
    assert abs(file.recordings[0].start_ns - START - RR[0] * 1_000_000) < 1.2 * SECOND
    assert file.problems == ()


@pytest.mark.parametrize(
    "heading",
    [
        "Phone Data RX timestamp;PP-interval [ms];error estimate [ms];blocker;contact;contact;hr",
        "Phone timestamp;PP-interval [ms];error estimate [ms];blocker;contact;contact supported;hr",
    ],
)
def test_pulse_intervals_of_polar_sensor_logger_are_kept_apart(
    tmp_path: Path, heading: str
) -> None:
    rows = [f"{row};5;{int(i == 40)};1;1;72" for i, row in enumerate(rows_of())]
    file = read(written(tmp_path, "ppi.txt", "\n".join([heading, *rows])))
    assert ms_of(file) == pytest.approx(RR[:40] + RR[41:])
    assert file.read_as is not None and file.read_as.quantity == "PPI"
    assert {recording.origin for recording in file.recordings} == {Origin.PULSE}


def test_pulses_of_a_polar_account_are_kept_apart(tmp_path: Path) -> None:
    samples = [
        {"sampleDateTime": row.partition(";")[0], "pulseLength": ms}
        for row, ms in zip(rows_of(), RR, strict=True)
    ]
    days = [
        {
            "date": "2026-11-24",
            "devicePpiSamplesList": [
                {"deviceId": "A", "ppiSamples": samples},
                {"deviceId": "B", "ppiSamples": samples[:50]},
            ],
        }
    ]
    file = read(written(tmp_path, "ppi_samples_1.json", json.dumps(days)))
    assert [len(recording.rr_ticks) for recording in file.recordings] == [90, 50]
    assert ms_of(file)[:90] == pytest.approx(RR)
    assert file.recordings[0].times_ns[0] == START + RR[0] * 1_000_000
    assert file.read_as is not None and file.read_as.quantity == "PPI"
    assert {recording.origin for recording in file.recordings} == {Origin.PULSE}


def test_pulses_that_share_a_second_keep_their_order(tmp_path: Path) -> None:
    samples = [
        {"sampleDateTime": row.partition(".")[0], "pulseLength": ms}
        for row, ms in zip(rows_of(), RR, strict=True)
    ]
    days = [{"devicePpiSamplesList": [{"ppiSamples": samples}]}]
    assert ms_of(read(written(tmp_path, "p.json", json.dumps(days)))) == pytest.approx(RR)


def test_strap_that_was_off_is_a_gap_of_its_length(tmp_path: Path) -> None:
    values = [{"duration": ms, "offline": False} for ms in RR]
    values[30] = {"duration": 5000, "offline": True}
    session = {"startTime": "2026-11-24T08:30:00.000", "exercises": [{"samples": {"rr": values}}]}
    file = read(written(tmp_path, "training-session-1.json", json.dumps(session)))
    assert ms_of(file) == pytest.approx(RR[:30] + RR[31:])
    times = file.recordings[0].times_ns
    assert times[30] - times[29] == (5000 + RR[31]) * 1_000_000
    assert len(file.recordings[0].gaps) == 1


def test_each_exercise_of_a_session_is_a_recording(tmp_path: Path) -> None:
    exercise = {"samples": {"rr": [{"duration": f"PT{ms / 1000:.3f}S"} for ms in RR]}}
    session = {
        "exportVersion": "1.6",
        "exercises": [
            {"startTime": "2026-11-24T08:30:00", "timezoneOffset": 60, **exercise},
            {"startTime": "2026-11-24T09:30:00", "timezoneOffset": 60, **exercise},
        ],
    }
    path = written(tmp_path, "training-session-1.json", json.dumps(session))
    file = open_recording(path, zone="Asia/Tokyo")  # the file's own offset counts
    first, second = file.recordings
    assert first.start_ns == START + RR[0] * 1_000_000
    assert second.start_ns - first.start_ns == 3600 * SECOND


def test_original_zip_of_garmin_connect_is_its_fit_file(tmp_path: Path) -> None:
    path = tmp_path / "20483512345.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(EXAMPLES / "fit.fit", "20483512345_ACTIVITY.fit")
    plain, packed = read(EXAMPLES / "fit.fit"), read(path)
    assert packed.recordings[0].times_ns == plain.recordings[0].times_ns
    assert packed.recordings[0].content == plain.recordings[0].content
    assert packed.recordings[0].source == "20483512345_ACTIVITY.fit (FIT)"


def test_lost_lines_of_an_hrm_file_are_gaps(tmp_path: Path) -> None:
    lines = [str(ms) for ms in RR]
    lines[20] = "0"
    text = "[Params]\nDate=20261124\nStartTime=08:30:00.5\nInterval=238\n\n[HRData]\n"
    file = read(written(tmp_path, "a.hrm", text + "\n".join(lines)))
    assert ms_of(file) == RR[:20] + RR[21:]
    assert file.recordings[0].start_ns == START + SECOND // 2 + RR[0] * 1_000_000
    assert file.problems == ("line 27: '0' is not an interval between two beats",)


def kubios(
    samples: list[tuple[float, list[int]]],
    *,
    date: str = "24/11/2026 08:30:00",
    separator: str = ",",
    unit: str = "s",
    lead: bool = True,
    corrected: str = "-",
) -> str:
    """A results file: samples of (beginning in s, intervals in ms), beside a spectrum."""
    cut = [""] if lead else []
    per = ["Time", "RR interval", "Frequency", "PSD"]
    heads = [
        ["RR INTERVAL DATA and SPECTRUM ESTIMATES"],
        [*cut, *(x for i in range(len(samples)) for x in (f"SAMPLE {i + 1}", "", "", ""))],
        [*cut, *(x for _ in samples for x in ("RR Data", "", "FFT spectrum", ""))],
        [*cut, *(x for _ in samples for x in per)],
        [*cut, *(x for _ in samples for x in ("(s)", f"({unit})", "(Hz)", "(ms^2/Hz)"))],
    ]
    rows = []
    for i in range(max(len(rr) for _, rr in samples) + 30):
        row = list(cut)
        for begin, rr in samples:
            time = begin + sum(rr[: i + 1]) / 1000
            scale = 1000 if unit == "s" else 1
            row += [f"{time:.3f}", f"{rr[i] / scale:.3f}"] if i < len(rr) else ["", ""]
            row += [f"{i / 300:.3f}", f"{1000 / (i + 1):.4f}"]
        rows.append(row)
    body = [separator.join(f"{cell:>12}" for cell in row) + separator for row in heads + rows]
    if separator == ";":
        body = [line.replace(".", ",") for line in body]
    head = [
        "HRV ANALYSIS RESULTS - 25-Nov-2026 13:15:19",
        "Kubios HRV Standard",
        "",
        f"Measurement date: {date}",
        "",
        "RR Interval Samples Selected for Analysis",
        f"  Artifacts corrected (%):    {separator}    {corrected}{separator}",
        "",
        "Time-Domain Results",
        f"  Mean RR  (ms):              {separator}    830.5437{separator}",
        "",
    ]
    return "\n".join(head + body) + "\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("lead", [True, False])
@pytest.mark.parametrize("unit", ["s", "ms"])
def test_results_of_kubios_are_their_rr_section(
    tmp_path: Path, separator: str, lead: bool, unit: str
) -> None:
    if unit == "ms":
        text = kubios([(2.0, RR)], separator=separator, lead=lead, unit="ms")
    else:
        text = kubios([(2.0, RR)], separator=separator, lead=lead)
    file = read(written(tmp_path, "a_hrv.txt", text))
    assert ms_of(file) == pytest.approx(RR)
    assert file.recordings[0].start_ns == START + 2 * SECOND + RR[0] * 1_000_000
    assert file.format == "Kubios HRV"
    assert file.problems == file.notes == ()


def test_samples_of_kubios_are_runs_and_share_no_beat(tmp_path: Path) -> None:
    half = RR[60:]
    samples = [(0.0, RR[:50]), (float(ENDS[39]) / 1000, RR[40:60]), (300.0, half)]
    file = read(written(tmp_path, "a_hrv.txt", kubios(samples)))
    assert ms_of(file) == pytest.approx(RR)
    assert len(file.recordings[0].gaps) == 1
    assert "10 intervals that two samples share" in file.notes[0]


def test_correction_by_kubios_is_said(tmp_path: Path) -> None:
    file = read(written(tmp_path, "a_hrv.txt", kubios([(0.0, RR)], corrected="2.41")))
    assert file.notes == ("Kubios had corrected 2.41% of the beats",)


@pytest.mark.parametrize(
    ("date", "why"),
    [
        ("03/04/2026 08:30:00", "may be 03 April 2026 or 04 March 2026"),
        ("xx/xx/xx xx:xx:xx", "when"),
    ],
)
def test_uncertain_date_of_kubios_is_asked(tmp_path: Path, date: str, why: str) -> None:
    path = written(tmp_path, "a_hrv.txt", kubios([(0.0, RR)], date=date))
    with pytest.raises(EbbtideError, match=why) as caught:
        read(path)
    assert "--start" in caught.value.remedy
    given = open_recording(path, zone=BERLIN, start_ns=START)
    assert given.recordings[0].start_ns == START + RR[0] * 1_000_000


def test_results_of_kubios_that_are_cut_off_say_so(tmp_path: Path) -> None:
    text = kubios([(0.0, RR)])
    cut = text.index(f"{ENDS[50] / 1000:.3f}") + 12
    file = read(written(tmp_path, "a_hrv.txt", text[:cut]))
    assert ms_of(file) == pytest.approx(RR[:50])
    assert "cut off" in file.problems[0]


def test_utf_16_with_a_line_end_of_one_byte_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rr.txt"
    path.write_bytes("\n".join(str(ms) for ms in RR).encode("utf-16") + b"\n")
    file = open_recording(path, zone=BERLIN, start_ns=START)
    assert ms_of(file) == pytest.approx(RR)
