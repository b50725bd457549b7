"""Read R-R lists in the JSON of sports watches and sensors (Suunto, Movesense).

Suunto writes ``{"Samples": [{"Attributes": {"suunto/sml": {"R-R": {"Data": [...]}}}}]}``; Movesense
``{"heartrate": {"rrData": [...]}}``. All lists are one recording, in the order of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import ticks_of_interval
from ebbtide.timestamps import SECOND
from ingest.files.builder import RecordingBuilder
from ingest.files.column_recognition import UNIT_MS
from ingest.files.recording import PULSE_NOTE, FileFormat, ReadAs, ReadContext, RecordedFile
from ingest.files.start_time import iso_ns, require_start
from ingest.files.text_table import decode, read_json

_SCALE = 10_000
_RR_KEYS = {"rr", "rrs", "rri", "rrdata", "rrintervals", "rrinterval", "ibi", "ibis", "nn", "nni"}
_PULSE_KEYS = {"pp", "ppi", "ppis", "ppintervals", "ppinterval"}
_TIME_KEYS = ("timeiso8601", "datetime", "starttime", "timestamp", "time")
_BREAK_S = 3.0  # more time than this between two lists that no interval fills is a gap
_Found = tuple[str, int | None, list[Any]]


def _matches(head: bytes) -> bool:
    return decode(head)[0].lstrip()[:1] in ("{", "[")


def _plain(key: str) -> str:
    return "".join(letter for letter in key.lower() if letter.isalnum())


def _collect(node: Any, zone: ZoneInfo, time_ns: int | None, found: list[_Found]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, zone, time_ns, found)
        return
    if not isinstance(node, dict):
        return
    plain = {_plain(str(key)): value for key, value in node.items()}
    for key in _TIME_KEYS:
        moment = iso_ns(plain.get(key), zone)
        if moment is not None:
            time_ns = moment
            break
    for key, value in node.items():
        name = _plain(str(key))
        if name in _RR_KEYS or name in _PULSE_KEYS:
            data = value.get("Data", value.get("data")) if isinstance(value, dict) else value
            if isinstance(data, list) and all(not isinstance(item, dict | list) for item in data):
                found.append((str(key), time_ns, data))
                continue
        _collect(value, zone, time_ns, found)


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read all lists. Raises EbbtideError where there is none, or two kinds that differ."""
    whole, encoding = read_json(path)
    found: list[_Found] = []
    try:
        _collect(whole, ZoneInfo(context.zone), None, found)
    except RecursionError as error:
        raise EbbtideError(f"{path} is nested too deep.", "Export it again.") from error
    if not found and isinstance(whole, list) and all(isinstance(x, int | float) for x in whole):
        found = [("list", None, whole)]
    keys = list(dict.fromkeys(key for key, _, _ in found))
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
        raise EbbtideError(
            f"Both the lists '{keys[0]}' and '{keys[1]}' of {path} may be the intervals.",
            f"Say which: --column {keys[0]} or --column {keys[1]}.",
        )
    numbers = [_number(x) for _, _, data in found for x in data if isinstance(x, int | float)]
    unit = _unit(path, numbers, context.unit)
    is_pulse = _plain(keys[0]) in _PULSE_KEYS
    title = "Watch JSON"
    source = f"{path.name} ({title}, PPI)" if is_pulse else f"{path.name} ({title})"
    builder = RecordingBuilder(source, _SCALE, Origin.PULSE if is_pulse else Origin.FILE)
    problems: list[str] = []
    runs = _runs(found, unit, problems)
    start = next((time for _, time, _ in found if time is not None), None)
    if start is None:
        start = require_start(path, context)
    end = start
    for missing_s, run in runs:
        end = builder.add_run(run, end + int(missing_s * SECOND))
    if builder.is_empty:
        raise EbbtideError(f"{path} holds no RR interval.", "Check the file.")
    quantity = "PPI" if is_pulse else "RR"
    notes = (PULSE_NOTE,) if is_pulse else ()
    read_as = ReadAs(keys[0], unit, len(numbers), encoding, quantity=quantity)
    return RecordedFile(title, (builder.build(),), tuple(problems), read_as, notes)


def _number(value: Any) -> float:
    """A number that can be an interval in some unit, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        return 0.0
    return float(value)


def _unit(path: Path, numbers: list[float], given: str | None) -> str:
    if given is not None and given not in UNIT_MS:
        raise EbbtideError(f"'{given}' is no unit.", f"Give one of: {', '.join(UNIT_MS)}.")
    middle = float(np.median(numbers)) if numbers else 0.0
    units = (given,) if given else ("ms", "s")
    unit = next((u for u in units if 200 <= middle * UNIT_MS[u] <= 3000), None)
    if unit is None:
        raise EbbtideError(
            f"The R-R lists of {path} (median {middle:g}) are neither milliseconds nor seconds.",
            "Give their unit: --unit 1/1024, for instance.",
        )
    return unit


def _runs(found: list[_Found], unit: str, problems: list[str]) -> list[tuple[float, list[int]]]:
    """(seconds without beats before it, ticks) of each unbroken run."""
    runs: list[tuple[float, list[int]]] = []
    run: list[int] = []
    missing = 0.0
    before: int | None = None
    for key, time_ns, data in found:
        length = sum(_number(value) for value in data) * UNIT_MS[unit] / 1000
        if time_ns is not None and before is not None and run:
            free = (time_ns - before) / SECOND - length
            if free > _BREAK_S:
                runs.append((missing, run))
                run, missing = [], free
        before = time_ns if time_ns is not None else before
        for value in data:
            ms = _number(value) * UNIT_MS[unit]
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
