"""``ebbtide hrv`` and ``ebbtide clean``: figures and labels of a file of RR intervals."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SCALE = 10_000  # ticks a second: tenths of a millisecond


def run_hrv(
    path: Path, window_s: float | None, step_s: float | None, as_json: bool, as_csv: bool
) -> None:
    """Figures of the whole file, or of windows over it."""
    from analytics.figures import figures

    if as_json and as_csv:
        raise EbbtideError("--json and --csv at once.", "Choose one.")
    if window_s is None and (as_csv or step_s is not None):
        raise EbbtideError("--csv and --step are for windows.", "Add --window 300.")
    rr_ms, time_s, run, problems = _intervals(path)
    if window_s is not None:
        _windows(rr_ms, time_s, run, window_s, step_s or window_s, as_json, problems)
        return
    found = figures(rr_ms, time_s, run)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    **found.values,
                    "quality": asdict(found.quality),
                    "missing": found.missing,
                    "seconds": found.seconds,
                    "spectrum": found.spectrum_method,
                    "problems": list(problems),
                }
            )
        )
        return
    _warn(problems)
    quality = found.quality
    typer.echo(
        f"{path.name}: {quality.intervals} intervals, {found.seconds / 60:.1f} minutes, "
        f"{quality.normal_share:.1%} normal"
    )
    for name, value in found.values.items():
        shown = f"{value:.4g}" if value is not None else f"-  ({found.missing[name]})"
        typer.echo(f"  {name:<22} {shown}")


def _windows(
    rr_ms: NDArray[np.float64],
    time_s: NDArray[np.float64],
    run: NDArray[np.int64],
    window_s: float,
    step_s: float,
    as_json: bool,
    problems: tuple[str, ...],
) -> None:
    """A row a window. CSV is what a terminal, a spreadsheet and a data frame all read."""
    import csv
    import sys

    import numpy as np

    from analytics.sliding import windows

    # A last window that would reach past the end by more than a tenth is left out.
    last = float(time_s[-1]) - 0.9 * window_s
    starts = np.arange(0.0, max(last, 0.0) + 1e-9, step_s)
    found = windows(rr_ms, time_s, starts, window_s, run)
    columns = {
        "start_s": found.start_s,
        "end_s": found.start_s + window_s,
        "intervals": found.intervals,
        "normal_share": found.normal_share,
        **found.values,
    }
    rows = [
        {
            name: None if math.isnan(value) else value
            for name, value in zip(columns, row, strict=True)
        }
        for row in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]
    if as_json:
        typer.echo(json.dumps({"windows": rows, "problems": list(problems)}))
        return
    _warn(problems)
    writer = csv.DictWriter(sys.stdout, columns)
    writer.writeheader()
    writer.writerows(rows)


def run_clean(path: Path, as_json: bool) -> None:
    """Each beat with its label."""
    from analytics.artefacts import METHOD, Beat, label

    rr_ms, time_s, run, problems = _intervals(path)
    labelled = label(rr_ms, run)
    names = [Beat(code).name.lower() for code in labelled.beat.tolist()]
    if as_json:
        beats: list[dict[str, Any]] = [
            {"index": index, "time_s": time, "rr_ms": rr, "label": name}
            for index, (time, rr, name) in enumerate(
                zip(time_s.tolist(), rr_ms.tolist(), names, strict=True)
            )
        ]
        typer.echo(json.dumps({"method": METHOD, "beats": beats, "problems": list(problems)}))
        return
    _warn(problems)
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    typer.echo(f"{path.name}: {len(names)} intervals: {told}")
    for index, name in enumerate(names):
        if name != "normal":
            typer.echo(f"  {math.floor(time_s[index]):>7} s  {rr_ms[index]:7.1f} ms  {name}")


def _intervals(
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    """Intervals in ms, end times in s from the first beat, and the run of each."""
    import numpy as np

    from ingest.files.rr_text import read_rr_file

    read = read_rr_file(path, _SCALE)
    rr_ms = np.concatenate([np.array(run, dtype=np.float64) for run in read.runs]) * 1000 / _SCALE
    lengths = [len(run) for run in read.runs]
    run = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    off = np.repeat(np.cumsum(read.missing_s), lengths)
    return rr_ms, np.cumsum(rr_ms) / 1000 + off, run, read.problems


def _warn(problems: tuple[str, ...]) -> None:
    for problem in problems[:10]:
        typer.echo(problem, err=True)
    if len(problems) > 10:
        typer.echo(f"... and {len(problems) - 10} more lines left out.", err=True)
