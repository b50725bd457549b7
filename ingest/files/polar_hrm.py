"""Read Polar's ``.hrm`` files that were recorded in R-R mode.

Sections in brackets; ``[Params]`` holds ``Date``, ``StartTime`` and ``Interval``, which is 238
where ``[HRData]`` holds one R-R interval in milliseconds a line, and else the seconds between two
heart rates (Polar, "Polar HRM-files and format").
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import ticks_of_interval
from ebbtide.timestamps import SECOND
from ingest.files.builder import RecordingBuilder
from ingest.files.encoded_text import decode, read_text
from ingest.files.recording import FileFormat, ReadAs, ReadContext, RecordedFile
from ingest.files.start_time import moment_ns, require_start

_SCALE = 10_000
_RR_MODE = 238
_TIME = re.compile(r"(\d\d?):(\d\d):(\d\d(?:\.\d+)?)")


def _matches(head: bytes) -> bool:
    return decode(head)[0].lstrip("\ufeff \r\n\t").lower().startswith("[params]")


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read the intervals. Raises EbbtideError where the file holds heart rates."""
    text, encoding, ending = read_text(path)
    sections: dict[str, list[tuple[int, str]]] = {}
    section: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("[") and bare.endswith("]"):
            section = sections.setdefault(bare.lower(), [])
        elif bare:
            section.append((number, bare))
    params = dict(
        (key.strip().lower(), value.strip())
        for key, _, value in (line.partition("=") for _, line in sections.get("[params]", []))
    )
    interval = params.get("interval", "")
    if interval != str(_RR_MODE):
        raise EbbtideError(
            f"{path} is a Polar HRM file with a heart rate every {interval or '?'} s, not in R-R "
            "mode: it holds no RR intervals.",
            "Record with the R-R data of the watch switched on, and export that recording.",
        )
    problems: list[str] = [] if ending is None else [ending]
    builder = RecordingBuilder(f"{path.name} (Polar HRM)", _SCALE)
    end = _start(path, params, context)
    run: list[int] = []
    rows = sections.get("[hrdata]", [])
    for number, line in [*rows, (0, "")]:
        value = line.split()[0] if line else ""
        ms = float(value) if value.isdecimal() else 0.0
        ticks = ticks_of_interval(ms, _SCALE)
        if ticks is not None:
            run.append(ticks)
            continue
        if run:
            end = builder.add_run(run, end)
            run = []
        if number:
            problems.append(f"line {number}: {line[:40]!r} is not an interval between two beats")
            end += round(min(ms, 1e6) * SECOND / 1000)  # the time that passed
    if builder.is_empty:
        raise EbbtideError(f"{path} holds no RR interval in [HRData].", "Export it again.")
    read_as = ReadAs("[HRData]", "ms", len(rows), encoding)
    return RecordedFile("Polar HRM", (builder.build(),), tuple(problems), read_as)


def _start(path: Path, params: dict[str, str], context: ReadContext) -> int:
    found = _TIME.fullmatch(params.get("starttime", ""))
    try:
        day = datetime.strptime(params.get("date", ""), "%Y%m%d")  # noqa: DTZ007 - zone below
    except ValueError:
        day = None
    if day is not None and found is not None:
        hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3])
        moment = day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
        start = moment_ns(moment, ZoneInfo(context.zone))
        if start is not None:
            return start
    return require_start(path, context)


FORMAT = FileFormat("Polar HRM", timed=True, matches=_matches, read=_read)
