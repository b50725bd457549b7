"""Read R-R lists in the JSON of sports watches and sensors (Suunto, Movesense).

Suunto writes ``{"Samples": [{"Attributes": {"suunto/sml": {"R-R": {"Data": [...]}}}}]}``; Movesense
``{"heartrate": {"rrData": [...]}}``. All lists are one recording, in the order of the file. Objects
of plain values, in a list or one a line, are rows of a table and are read as one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import ticks_of_interval
from ebbtide.timestamps import SECOND
from ingest.files.beat_times import ASSUMED
from ingest.files.builder import RecordingBuilder
from ingest.files.choices import ChoiceError
from ingest.files.column_names import is_interval_name, parse_unit, unit_ms, unit_named
from ingest.files.encoded_text import FileText, decode, read_json, read_text
from ingest.files.fixed_rate import refuse_no_beats
from ingest.files.recording import PULSE_NOTE, FileFormat, ReadAs, ReadContext, RecordedFile
from ingest.files.rr_text import read_text_recording
from ingest.files.start_time import iso_ns, require_start

_SCALE = 10_000
_RR_KEYS = {"rr", "rrs", "rri", "rrdata", "rrintervals", "rrinterval", "ibi", "ibis", "nn", "nni"}
_PULSE_KEYS = {"pp", "ppi", "ppis", "ppintervals", "ppinterval"}
_UNIT_KEYS = ("unit", "units", "rrunit", "rrunits", "intervalunit", "resolution", "timeunit")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MIN_ROWS = 2
_TIME_KEYS = ("timeiso8601", "datetime", "starttime", "timestamp", "time")
_BREAK_S = 3.0  # more time than this between two lists that no interval fills is a gap
_Found = tuple[str, int | None, list[Any], str | None]  # key, time, values, unit


def _matches(head: bytes) -> bool:
    return decode(head)[0].lstrip()[:1] in ("{", "[")


def _plain(key: str) -> str:
    return "".join(letter for letter in key.lower() if letter.isalnum())


def _is_list_key(key: str, value: Any) -> bool:
    """Whether a list of numbers under this key may be intervals: rr, rrData, rr_filtered."""
    if _plain(key) in _RR_KEYS or _plain(key) in _PULSE_KEYS:
        return True
    numbers = isinstance(value, list) and value and all(isinstance(x, int | float) for x in value)
    words = _CAMEL.sub("_", key).lower()
    return bool(numbers) and is_interval_name(words) and words not in ("duration", "interval")


def _collect(
    node: Any, zone: ZoneInfo, time_ns: int | None, unit: str | None, found: list[_Found]
) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, zone, time_ns, unit, found)
        return
    if not isinstance(node, dict):
        return
    plain = {_plain(str(key)): value for key, value in node.items()}
    for key in _TIME_KEYS:
        moment = iso_ns(plain.get(key), zone)
        if moment is not None:
            time_ns = moment
            break
    words = next((plain[key] for key in _UNIT_KEYS if isinstance(plain.get(key), str)), None)
    unit = unit if words is None else unit_named(words) or unit
    for key, value in node.items():
        if _is_list_key(str(key), value):
            data = value.get("Data", value.get("data")) if isinstance(value, dict) else value
            if isinstance(data, list) and all(not isinstance(item, dict | list) for item in data):
                found.append((str(key), time_ns, data, unit_named(_CAMEL.sub("_", key)) or unit))
                continue
        _collect(value, zone, time_ns, unit, found)


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read all lists. Raises EbbtideError where there is none, or two kinds that differ."""
    rows = _rows_of_lines(path)
    whole, encoding = (rows, "utf-8") if rows is not None else read_json(path)
    table = _table(whole)
    if table is not None:
        return read_text_recording(path, context, FileText(table, encoding, None))
    found: list[_Found] = []
    try:
        _collect(whole, ZoneInfo(context.zone), None, None, found)
    except RecursionError as error:
        raise EbbtideError(f"{path} is nested too deep.", "Export it again.") from error
    if not found and isinstance(whole, list) and all(isinstance(x, int | float) for x in whole):
        found = [("list", None, whole, None)]
    keys = list(dict.fromkeys(key for key, *_ in found))
    if context.column is not None:
        found = [item for item in found if item[0].lower() == context.column.lower()]
        keys = keys if not found else [found[0][0]]
    if not found:
        raise EbbtideError(
            f"{path} holds no list of R-R intervals"
            + (f" '{context.column}'" if keys else "")
            + ".",
            f"It has: {', '.join(keys)}." if keys else "Export the activity with its R-R data.",
        )
    if len(keys) > 1:
        raise ChoiceError(
            f"Both the lists '{keys[0]}' and '{keys[1]}' of {path} may be the intervals.",
            f"Say which: --column {keys[0]} or --column {keys[1]}.",
            {"column": tuple(keys)},
        )
    numbers = [_number(x) for _, _, data, _ in found for x in data if isinstance(x, int | float)]
    named = next((unit for *_, unit in found if unit is not None), None)
    unit = _unit(path, numbers, context.unit, named)
    refuse_no_beats(
        str(path), keys[0], np.array(numbers, np.float64) * unit_ms(unit), has_times=False
    )
    is_pulse = _plain(keys[0]) in _PULSE_KEYS
    title = "Watch JSON"
    source = f"{path.name} ({title}, PPI)" if is_pulse else f"{path.name} ({title})"
    builder = RecordingBuilder(source, _SCALE, Origin.PULSE if is_pulse else Origin.FILE)
    problems: list[str] = []
    runs = _runs(found, unit, problems)
    start = next((time for _, time, *_ in found if time is not None), None)
    if start is None:
        start = require_start(path, context)
    end = start
    for missing_s, run in runs:
        end = builder.add_run(run, end + int(missing_s * SECOND))
    if builder.is_empty:
        raise EbbtideError(f"{path} holds no RR interval.", "Check the file.")
    quantity = "PPI" if is_pulse else "RR"
    notes = (PULSE_NOTE,) if is_pulse else ()
    source_of_unit = "name" if context.unit or named else ASSUMED
    read_as = ReadAs(
        keys[0], unit, len(numbers), encoding, quantity=quantity, unit_from=source_of_unit
    )
    return RecordedFile(title, (builder.build(),), tuple(problems), read_as, notes)


def _number(value: Any) -> float:
    """A number that can be an interval in some unit, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        return 0.0
    return float(value)


def _unit(path: Path, numbers: list[float], given: str | None, named: str | None) -> str:
    given = named if given is None else parse_unit(given)
    middle = float(np.median(numbers)) if numbers else 0.0
    units = (given,) if given else ("ms", "s")
    unit = next((u for u in units if 200 <= middle * unit_ms(u) <= 3000), None)
    if unit is None:
        raise ChoiceError(
            f"The R-R lists of {path} (median {middle:g}) are "
            + (f"not in {given}." if given else "neither milliseconds nor seconds."),
            "Give their unit: --unit 1/1024, for instance.",
            {"unit": ()},
        )
    return unit


def _rows_of_lines(path: Path) -> list[Any] | None:
    """The objects of a file with one a line (JSON lines); None where it is another."""
    lines = [line for line in read_text(path).text.splitlines() if line.strip()]
    if len(lines) < _MIN_ROWS or not (lines[0][:1] == "{" and lines[0].rstrip()[-1:] == "}"):
        return None
    rows = []
    for number, line in enumerate(lines):
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError):
            if number < len(lines) - 1:  # the last may be cut off
                return None
    return rows


def _table(whole: Any) -> str | None:
    """Objects of plain values as CSV; None where there are others."""
    if not isinstance(whole, list) or len(whole) < _MIN_ROWS:
        return None
    if not all(isinstance(row, dict) and row for row in whole):
        return None
    names = list(dict.fromkeys(str(key) for row in whole for key in row))
    if any(_is_nested(value) for row in whole for value in row.values()):
        return None
    if not any(is_interval_name(_CAMEL.sub("_", name)) for name in names):
        return None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name if is_interval_name(name) else _CAMEL.sub("_", name) for name in names])
    for row in whole:
        cells = [row.get(name) for name in names]
        writer.writerow(["" if cell is None else _cell(cell) for cell in cells])
    return text.getvalue()


def _is_nested(value: Any) -> bool:
    """Whether a value is more than a plain one or a list of numbers."""
    if isinstance(value, list):
        return not all(isinstance(item, int | float) for item in value)
    return isinstance(value, dict)


def _cell(value: Any) -> str:
    text = " ".join(str(value).split())
    return text.replace('"', "'")


def _runs(found: list[_Found], unit: str, problems: list[str]) -> list[tuple[float, list[int]]]:
    """(seconds without beats before it, ticks) of each unbroken run."""
    runs: list[tuple[float, list[int]]] = []
    run: list[int] = []
    missing = 0.0
    before: int | None = None
    for key, time_ns, data, _ in found:
        length = sum(_number(value) for value in data) * unit_ms(unit) / 1000
        if time_ns is not None and before is not None and run:
            free = (time_ns - before) / SECOND - length
            if free > _BREAK_S:
                runs.append((missing, run))
                run, missing = [], free
        before = time_ns if time_ns is not None else before
        for value in data:
            ms = _number(value) * unit_ms(unit)
            ticks = ticks_of_interval(ms, _SCALE)
            if ticks is not None:
                run.append(ticks)
                continue
            problems.append(f"{key}: {value!r} is not an interval between two beats")
            if run:
                runs.append((missing, run))
                run, missing = [], 0.0
    if run:
        runs.append((missing, run))
    return runs


FORMAT = FileFormat("Watch JSON", timed=True, matches=_matches, read=_read)
