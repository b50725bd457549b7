"""Every file that holds no beats is refused with what it is and what to export in its place."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ebbtide.errors import EbbtideError
from ingest.files.registry import open_recording

WATCH = Path(__file__).parents[3].parent / "shared" / "watch"
RR = "\n".join(str(800 + i % 7) for i in range(60))
NOISE = np.random.default_rng(1).normal(400, 100, 600)


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, RR)
    return packed.getvalue()


STRAP, BEATS, TEXT = "chest strap", "nk.ecg_peaks", "text or CSV"
CASES: list[tuple[str, bytes | str, str, str]] = [
    ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "picture", TEXT),
    ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(99), "picture", TEXT),
    ("a.gif", b"GIF89a" + bytes(99), "picture", TEXT),
    ("a.heic", b"\x00\x00\x00\x18ftypheic" + bytes(99), "picture", TEXT),
    ("a.pdf", b"%PDF-1.7\n%\xe2\xe3" + bytes(99), "PDF", TEXT),
    ("a.rtf", r"{\rtf1\ansi 812}", "RTF", "plain text"),
    ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "Excel", "CSV"),
    ("a.xlsx", zipped("[Content_Types].xml", "xl/workbook.xml"), "workbook", "CSV"),
    ("a.ods", zipped("mimetype", "content.xml"), "workbook", "CSV"),
    ("a.docx", zipped("[Content_Types].xml", "word/document.xml"), "Word", "plain text"),
    ("a.gz", b"\x1f\x8b\x08" + bytes(99), "gzip", "Unpack"),
    ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(99), "7z", "Unpack"),
    ("a.rar", b"Rar!\x1a\x07\x00" + bytes(99), "RAR", "Unpack"),
    ("a.mat", b"MATLAB 5.0 MAT-file" + bytes(99), "MATLAB", "writematrix"),
    ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5", "CSV"),
    ("a.npy", b"\x93NUMPY\x01\x00" + bytes(99), "NumPy", "savetxt"),
    ("a.parquet", b"PAR1" + bytes(99), "Parquet", "CSV"),
    ("a.bdf", b"\xffBIOSEMI" + bytes(300), "BDF", BEATS),
    ("a.db", b"SQLite format 3\x00" + bytes(99), "SQLite", STRAP),
    ("a.gpx", '<?xml version="1.0"?>\n<gpx version="1.1"></gpx>', "GPX", "original FIT"),
    ("a.tcx", '<?xml version="1.0"?><TrainingCenterDatabase/>', "TCX", "original FIT"),
    ("a.html", "<!DOCTYPE html><html><body>Sign in</body></html>", "web page", "Sign in"),
    ("a.xml", '<?xml version="1.0"?><ClinicalDocument/>', "XML", TEXT),
    ("ecg.csv", "t [ms],ecg [uV]\n" + "\n".join(f"{i},{x:.0f}" for i, x in enumerate(NOISE)),
     "ECG", BEATS),
    ("ecg.txt", "ECG\n" + "\n".join(f"{x:.0f}" for x in NOISE), "ECG", BEATS),
    ("apple_ecg.csv", "Name,A\nSample Rate,512 hertz\n\nLead,Lead I\nUnit,µV\n\n"
     + "\n".join(f"{x:.3f}" for x in NOISE), "ECG", BEATS),
    ("hr.csv", "time,hr\n" + "\n".join(f"{i},{70 + i % 3}" for i in range(60)), "heart rates",
     "beat-to-beat"),
    ("hrv4t.csv", "date,HR,AVNN,SDNN,rMSSD,HRV4T_Recovery_Points\n"
     + "\n".join(f"2024-10-{d:02d},55,1090,80,70,8" for d in range(1, 9)), "HRV4Training", STRAP),
    ("fitbit.csv", "timestamp,rmssd,nremhr,entropy\n2024-10-03T00:00:00,40,55,2.9\n", "Fitbit",
     STRAP),
    ("fitbit.json", '[{"dateTime":"10/03/24 00:00:05","value":{"bpm":60,"confidence":2}}]',
     "Fitbit", STRAP),
    ("some.json", '{"weight": [70, 71]}', "no list of R-R", "R-R"),
    ("garmin.zip", zipped("DI_CONNECT/DI-Connect-Uploaded-Files/a.zip", "DI_CONNECT/b.json"),
     "Garmin account", "DI-Connect-Uploaded-Files"),
    ("polar.zip", zipped("training-session-2024.json", "account-data.json"), "Polar account",
     "training-session-"),
    ("two.zip", zipped("a.txt", "b.txt"), "2 files", "folder"),
    ("none.zip", zipped(), "empty zip", "again"),
    ("empty.txt", b"", "is empty", "RR interval"),
    ("blank.txt", "\n \n", "is empty", "RR interval"),
    ("a.bin", bytes(range(256)) * 4, "not a text file", "RR interval"),
    ("a.hrm", "[Params]\nDate=20261124\nStartTime=08:30:00.0\nInterval=5\n[HRData]\n70\n71\n",
     "heart rate every 5 s", "R-R"),
    ("polar.json", '{"exportVersion":"1.6","exercises":[{"samples":{"heartRate":[]}}]}',
     "without RR", "R-R (CSV)"),
    ("kubios.txt", "HRV ANALYSIS RESULTS - 13-Sep-2018\nKubios HRV\nMeasurement date: x\n",
     "Kubios", "RR data"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "what", "remedy"), CASES, ids=[c[0] for c in CASES])
def test_file_without_beats_is_named_with_its_remedy(
    tmp_path: Path, name: str, content: bytes | str, what: str, remedy: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(EbbtideError) as caught:
        open_recording(path, zone="UTC", start_ns=1_790_000_000 * 10**9)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Health Connect.zip", "Health Connect"),
        ("oura_sleep.json", "Oura"),
        ("physiological_cycles.csv", "WHOOP"),
        ("samsunghealth.zip", "Samsung Health"),
        ("takeout.zip", "Fitbit"),
    ],
)
def test_export_of_a_watch_is_named(name: str, what: str) -> None:
    if not (WATCH / name).exists():
        pytest.skip("the specimens of watches are not here")
    with pytest.raises(EbbtideError, match=what) as caught:
        open_recording(WATCH / name, zone="UTC")
    assert STRAP in caught.value.remedy


@pytest.mark.parametrize(
    "heading",
    ["# ECG derived RR intervals\n", "ECG RR intervals\n", "rr_ms,rmssd,ecg_quality\n", ""],
)
def test_intervals_are_not_taken_for_an_ecg(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "a.txt"
    rows = (f"{800 + i % 7}{',40,1' if heading.count(',') == 2 else ''}" for i in range(60))
    path.write_text(heading + "\n".join(rows))
    assert open_recording(path, zone="UTC", start_ns=1_790_000_000 * 10**9).beats == 60


def test_a_named_column_is_read_whatever_the_heading_says(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ecg_mean,beats\n" + "\n".join(f"{i},{800 + i % 7}" for i in range(60)))
    found = open_recording(path, zone="UTC", start_ns=1_790_000_000 * 10**9, column="beats")
    assert found.beats == 60
