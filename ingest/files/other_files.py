"""Say what a file is that holds no beats, and what to export in its place.

By its first bytes, the names in a zip, or the heading of a table. Without this a picture is "no
text", and an ECG with plausible numbers may pass for intervals.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePosixPath

from ebbtide.errors import EbbtideError
from ingest.files.column_names import is_interval_name
from ingest.files.encoded_text import decode
from ingest.files.text_table import CLOCK

_EXPORT_RR = (
    "Export the RR (beat-to-beat) intervals as text or CSV from the app that recorded the strap."
)
_FIND_BEATS = (
    "Find the beats with NeuroKit2 (nk.ecg_peaks) or Kubios HRV, and import their RR intervals."
)
_UNPACK = "Unpack it, and import what is in it."
_AS_CSV = "Save the sheet with the RR intervals as CSV (UTF-8)."
_NIGHTLY = (
    "Record with a chest strap, in ebbtide or an app that saves RR intervals (Polar Sensor Logger, "
    "HRV Logger, Elite HRV), and import that."
)
_NIGHT_TABLE = (
    "Of nights, name the columns: night (the date on which it ended), and rmssd_ms or sdnn_ms. For "
    "beats, record with a chest strap in an app that saves RR intervals."
)
_NIGHT_EXPORT = (
    "Of nights, import the whole export, with its files of heart rate variability. For beats, "
    "record with a chest strap in an app that saves RR intervals."
)
_NO_BEATS = "nightly values and heart rates, no RR intervals"
_MAGIC = (
    (b"\x89PNG", "a picture (PNG)", _EXPORT_RR),
    (b"\xff\xd8\xff", "a picture (JPEG)", _EXPORT_RR),
    (b"GIF8", "a picture (GIF)", _EXPORT_RR),
    (b"%PDF", "a PDF", _EXPORT_RR),
    (b"{\\rtf", "formatted text (RTF)", "Save it as plain text."),
    (b"\xd0\xcf\x11\xe0", "an older Excel or Word file", _AS_CSV),
    (b"\x1f\x8b", "compressed (gzip)", _UNPACK),
    (b"7z\xbc\xaf", "an archive (7z)", _UNPACK),
    (b"Rar!", "an archive (RAR)", _UNPACK),
    (b"BZh", "compressed (bzip2)", _UNPACK),
    (b"\xfd7zXZ", "compressed (xz)", _UNPACK),
    (b"MATLAB 5.0", "a MATLAB file", "In MATLAB: writematrix(rr, 'rr.csv')."),
    (b"\x89HDF", "an HDF5 file", "Save the RR intervals as CSV."),
    (b"\x93NUMPY", "a NumPy array", "numpy.savetxt('rr.csv', rr)"),
    (b"PAR1", "a Parquet file", "Save the RR intervals as CSV."),
    (b"\xffBIOSEMI", "a BDF file of raw signals", _FIND_BEATS),
    (b"SQLite format 3", "a database (SQLite)", _NIGHTLY),
)
_SUMMARY = re.compile(r"rmssd|sdnn|avnn|pnn\d|^hrv|_hrv|heart rate variability|nremhr|^entropy")
_VOLTAGE = re.compile(r"(^|[\W_])(ecg|ekg|ppg|bvp|eda)([\W_\d]|$)|[\W_][uµμm]v([\W_]|$)")
_PEAKS = re.compile(r"peaks?([\W_]|$)|(^|[\W_])(qrs|locs?)([\W_]|$)")  # places of beats in an ECG
_VOLTAGE_LINE = re.compile(r"^\W*(unit\W+[uµμm]v|lead\W+lead|sample rate\W+\d+(\.\d+)? ?h)")
_JSON = (
    ('"average_hrv"', "an export of Oura"),
    ('"com.samsung.health', "an export of Samsung Health"),
    ('"confidence"', "heart rates of Fitbit"),
    ('"dateOfSleep"', "sleep of Fitbit"),
    ('"contributors"', "scores of Oura"),
    ('"heart_rate_variability"', "an export of Health Auto Export"),
    ('"rmssd', "nightly values of an app"),
    ('"sdnn', "nightly values of an app"),
)


class SeveralFilesError(EbbtideError):
    """A zip of several files, each of which may be a recording."""


def refuse_other(path: Path, head: bytes) -> None:
    """Raise EbbtideError where the file is one that holds no beats; else return."""
    for magic, what, remedy in _MAGIC:
        if head.startswith(magic):
            raise EbbtideError(f"{path} is {what}, which is not read.", remedy)
    if head[:4] == b"RIFF" or head[4:8] == b"ftyp":
        raise EbbtideError(f"{path} is a picture, sound or film.", _EXPORT_RR)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        _refuse_zip(path)
        return
    text = decode(head)[0].lstrip("\ufeff \r\n\t")
    if text.startswith("<"):
        _refuse_markup(path, text)
    elif text[:1] in ("{", "["):
        for mark, what in _JSON:
            if mark in text and '"rr' not in text.lower():
                raise EbbtideError(f"{path} is {what}: {_NO_BEATS}.", _NIGHT_EXPORT)


def refuse_other_table(path: Path, head: bytes) -> None:
    """The same for text tables: nightly values of an app, or samples of an ECG."""
    lines = [line.strip() for line in decode(head)[0].splitlines()[:40] if line.strip()]
    lines = [line for line in lines if not line.startswith(("#", "%", "//"))]
    first = next((i for i, line in enumerate(lines) if _is_data(line)), None)
    if first is None:  # as in tables of apps whose first column says whose they are
        first = next((i for i, line in enumerate(lines[:3]) if _has_data(line)), None)
    if not first:  # no heading
        return
    before = [line.lower() for line in lines[:first]]
    names = [name.strip(' "') for name in re.split(r"[,;\t]", before[-1])]
    intervals = {
        name for line in before for name in re.split(r"[,;\t]", line) if is_interval_name(name)
    }
    summaries = sum(_SUMMARY.search(name) is not None for name in names)
    # A duration beside RMSSD and SDNN is that of the reading.
    if intervals and not (summaries > 1 and {name.strip() for name in intervals} == {"duration"}):
        return
    voltages = [name for name in names if _VOLTAGE.search(name) and not _PEAKS.search(name)]
    if voltages or any(_VOLTAGE_LINE.search(line) for line in before):
        raise EbbtideError(
            f"{path} is an ECG or another signal, not intervals between beats.", _FIND_BEATS
        )
    if len(names) < 2:
        return
    whose = ""
    if any("cycle start time" in name for name in names):
        whose = " of WHOOP"
    elif any("hrv4t" in name for name in names):
        whose = " of HRV4Training"
    elif {"coverage", "nremhr"} & set(names):
        whose = " of Fitbit"
    if whose or any(_SUMMARY.search(name) for name in names):
        raise EbbtideError(
            f"{path} is a table of nightly or daily values{whose} ({', '.join(names[:6])} ...), "
            "without RR intervals.",
            _NIGHT_TABLE,
        )


def _has_data(line: str) -> bool:
    return any(_is_value(cell.strip(' "')) for cell in re.split(r"[,;\t]", line))


def _is_value(cell: str) -> bool:
    return bool(
        re.match(r"[+-]?[\d.]+([.,]\d+)?([eE][+-]?\d+)?$", cell)
        or CLOCK.fullmatch(cell)
        or re.match(r"\d{4}-\d\d-\d\d", cell)
    )


def _is_data(line: str) -> bool:
    cells = [cell.strip(' "') for cell in re.split(r"[,;\t]", line)]
    return _is_value(cells[0]) or (len(cells) == 1 and re.match(r"[+-]?\d", line) is not None)


def _refuse_markup(path: Path, text: str) -> None:
    low = text.lower()
    if "<healthdata" in low:
        return
    for mark, what in (
        ("<gpx", "a GPX track"),
        ("<trainingcenterdatabase", "a TCX activity"),
    ):
        if mark in low:
            raise EbbtideError(
                f"{path} is {what}: it holds places and heart rates, no RR intervals.",
                "Export the original FIT file (Garmin Connect: Export Original), or the R-R data "
                "(Polar Flow: R-R CSV).",
            )
    if "<html" in low or "<!doctype html" in low:
        raise EbbtideError(
            f"{path} is a web page, not an export.", "Sign in there and download the file itself."
        )
    if "<!doctype healthdata" not in low:
        raise EbbtideError(
            f"{path} is an XML file, and not the export of the Health app.", _EXPORT_RR
        )


def _refuse_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, OSError):
        return  # read as far as it goes, and refused there
    names = [
        name
        for name in names
        if not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith(".")
    ]
    joined = "\n".join(names)
    if "word/document.xml" in names:
        raise EbbtideError(f"{path} is a Word document.", "Save the intervals as plain text.")
    if "xl/workbook.xml" in names or {"mimetype", "content.xml"} <= set(names):
        raise EbbtideError(f"{path} is a workbook (Excel or OpenDocument).", _AS_CSV)
    for mark, what, remedy in (
        ("Takeout/", f"an export of Fitbit (Google Takeout): {_NO_BEATS}", _NIGHTLY),
        ("com.samsung.", f"an export of Samsung Health: {_NO_BEATS}", _NIGHTLY),
        ("health_connect_export.db", f"an export of Health Connect: {_NO_BEATS}", _NIGHTLY),
        ("physiological_cycles.csv", f"an export of WHOOP: {_NO_BEATS}", _NIGHTLY),
        (
            "DI_CONNECT/",
            "the export of a Garmin account",
            "Unpack it, and the zips in DI_CONNECT/DI-Connect-Uploaded-Files; then import that "
            "folder, which holds the FIT files.",
        ),
    ):
        if mark in joined:
            raise EbbtideError(f"{path} is {what}.", remedy)
    if "training-session-" in joined:
        raise SeveralFilesError(
            f"{path} is the export of a Polar account.",
            "Unpack it, and import the files training-session-*.json and ppi_samples_*.json.",
        )
    if not names:
        raise EbbtideError(f"{path} is an empty zip.", "Export or copy it again.")
    if len(names) > 1 and not any(name.lower().endswith(".xml") for name in names):
        raise SeveralFilesError(
            f"{path} is a zip of {len(names)} files and no Health export.",
            "Unpack it, and import the folder.",
        )
