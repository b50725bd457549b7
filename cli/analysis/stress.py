"""``ebbtide stress``: the stress index of each day, hour or five minutes of a person's files."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _, fill, say_result
from cli.options import ColumnOption, DecimalOption, Json, UnitOption
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analytics.hrv.relative_stress import StressIndex, StressIndexInput, StressPeriods
    from analytics.hrv.windows import BeatArrays

_MAX_WINDOWS = 400_000  # nearly four years without a break; about ten minutes of work


class Each(StrEnum):
    """What an index is given of."""

    DAY = "day"
    HOUR = "hour"
    WINDOW = "window"


def stress(
    files: Annotated[
        list[Path], typer.Argument(help="Files of one person's RR intervals, with times.")
    ],
    each: Annotated[Each, typer.Option(help="Index of each day, hour or five minutes.")] = Each.DAY,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    column: ColumnOption = None,
    unit: UnitOption = None,
    decimal: DecimalOption = None,
    zone: Annotated[
        str | None, typer.Option("--zone", help="Zone the person lives in, as Europe/Berlin.")
    ] = None,
) -> None:
    """Stress index: heart rate against the person's own usual of the hour, from the third day."""
    if as_json and as_csv:
        raise EbbtideError("--json and --csv at once.", "Choose one.")
    from analytics.hrv.relative_stress import METHOD, stress_index, stress_index_of_periods
    from ebbtide.timestamps import SECOND, to_datetime, validate_zone

    if zone is None:
        raise EbbtideError(
            "The index compares hours of the day, and files name moments.",
            "Say where the person lives: --zone Europe/Berlin",
        )
    place = validate_zone(zone)
    beats, problems = _read(files, place, column, unit, decimal)
    windows = _windows(beats, place)
    if each is Each.WINDOW:
        index = stress_index(windows, windows)
        begins = windows.time_s - 150.0
    else:
        periods = _periods(windows, each, place)
        index = stress_index_of_periods(windows, windows, periods)
        begins = periods.start_s
    rows = [
        {"start": to_datetime(round(begin * SECOND), place).isoformat(), **row}
        for begin, row in zip(begins.tolist(), _rows(index), strict=True)
    ]
    if as_json:
        answer = {"method": METHOD, "zone": place, "each": each, "rows": rows, "problems": problems}
        typer.echo(json.dumps(answer))
        return
    for problem in problems[:10]:
        typer.echo(say_result(problem), err=True)
    if as_csv:
        import pandas as pd

        typer.echo(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"), nl=False)
        return
    typer.echo(_("{method}; 50 is usual; times of {zone}").format(method=METHOD, zone=place))
    for row in rows:
        typer.echo(f"  {row['start'][:16]}  {_words(row)}")


def _read(
    files: list[Path], zone: str, column: str | None, unit: str | None, decimal: str | None
) -> tuple[BeatArrays, list[str]]:
    """Read all recordings, by time. Raises EbbtideError where one has no times."""
    import numpy as np

    from analytics.hrv.windows import BeatArrays
    from cli.analysis.interval_file import recording_arrays
    from ingest.files.registry import open_recording

    parts: list[tuple[NDArray[Any], ...]] = []
    problems: list[str] = []
    for file in files:
        try:
            read = open_recording(file, zone=zone, column=column, unit=unit, decimal=decimal)
        except EbbtideError as error:
            if "--start" not in str(error):
                raise
            raise EbbtideError(
                f"{file} does not say when it was recorded, and the index compares hours of days.",
                "Give files with times, or import it with --start (ebbtide import).",
            ) from error
        problems += [f"{file}: {problem}" for problem in read.problems]
        for recording in read.recordings:
            rr_ms, time_ns, run = recording_arrays(recording)
            follows = np.append(False, np.diff(run) == 0)[: len(run)]
            parts.append((time_ns, rr_ms, follows, np.full(len(run), len(parts), np.int32)))
    if not parts:
        raise EbbtideError("The files hold no RR interval.", "Check them.")
    time_ns, rr_ms, follows, stream = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.argsort(time_ns, kind="stable")
    contact = np.full(len(order), -1, np.int8)
    return (
        BeatArrays(time_ns[order], rr_ms[order], follows[order], contact, stream[order]),
        problems,
    )


def _windows(beats: BeatArrays, zone: str) -> StressIndexInput:
    """Compute the windows of five minutes that have beats."""
    import numpy as np

    from analytics.hrv.windows import WINDOW_NS, hrv_windows
    from api.services.inputs import windows_to_stress_index_input

    starts = np.unique(beats.time_ns // WINDOW_NS) * WINDOW_NS
    if len(starts) > _MAX_WINDOWS:
        raise EbbtideError(
            f"The files have beats in {len(starts):,} windows of five minutes; at most "
            f"{_MAX_WINDOWS:,} are judged at once.",
            "Give fewer files.",
        )
    return windows_to_stress_index_input(hrv_windows(beats, starts, WINDOW_NS), zone)


def _periods(windows: StressIndexInput, each: Each, zone: str) -> StressPeriods:
    """Find the days, from 7 to 23, or hours that were worn; a day worn at night alone is whole."""
    import numpy as np

    from analytics.hrv.relative_stress import WAKING_FROM_H, WAKING_TO_H, StressPeriods
    from api.services.stress_baseline import midnight_ns
    from ebbtide.timestamps import SECOND

    day: NDArray[np.int64]
    if each is Each.HOUR:
        start = np.unique(windows.time_s // 3600) * 3600
        first = np.searchsorted(np.sort(windows.time_s), start)
        day = windows.day[np.argsort(windows.time_s, kind="stable")][first]
        return StressPeriods(day, start, start + 3600, np.arange(len(day)))
    day = np.unique(windows.day)
    spans = []
    for number in day.tolist():
        midnight, following = (midnight_ns(one, zone) / SECOND for one in (number, number + 1))
        begin, end = midnight + WAKING_FROM_H * 3600, midnight + WAKING_TO_H * 3600
        times = windows.time_s[(windows.day == number) & np.isfinite(windows.window_bpm)]
        is_waking = bool(np.any((times >= begin) & (times < end)))
        spans.append((begin, end) if is_waking else (midnight, following))
    starts, ends = np.array(spans).T
    return StressPeriods(day, starts, ends, np.arange(len(day)))


def _rows(index: StressIndex) -> list[dict[str, Any]]:
    def number(value: float) -> float | None:
        return round(value, 1) if math.isfinite(value) else None

    names = ("value", "low", "high", "own_low", "own_high", "usual_low", "usual_high")
    columns = [[number(one) for one in getattr(index, name).tolist()] for name in names]
    return [
        {
            **dict(zip(("stress_index", *names[1:]), values, strict=True)),
            "known_minutes": minutes,
            "baseline_days": days,
            "missing": None if missing is None else str(missing),
        }
        for *values, minutes, days, missing in zip(
            *columns,
            index.known_minutes.tolist(),
            index.baseline_days.tolist(),
            index.missing_reason,
            strict=True,
        )
    ]


def _words(row: dict[str, Any]) -> str:
    if row["missing"] is not None:
        return f"-  ({say_result(row['missing'])})"
    return fill(
        _(
            "{stress_index:5.1f} ({low:.1f} to {high:.1f}), {known_minutes} minutes judged, "
            "compared with {baseline_days} days"
        ),
        **row,
    )
