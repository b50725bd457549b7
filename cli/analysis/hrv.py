"""``ebbtide hrv`` and ``ebbtide clean``: metrics and labels of a file of RR intervals."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _, fill, say_finding
from cli.options import (
    ColumnOption,
    DecimalOption,
    Force,
    Json,
    RrFile,
    UnitOption,
    ZoneOption,
)
from cli.written_files import refuse_existing
from ebbtide.errors import EbbtideError
from ebbtide.i18n import N_

if TYPE_CHECKING:
    import pandas as pd

    from cli.analysis.interval_file import Intervals
_LABELS = {  # of a beat, as JSON has them
    "normal": N_("normal"),
    "ectopic": N_("ectopic"),
    "long": N_("long"),
    "short": N_("short"),
    "missed": N_("missed"),
    "extra": N_("extra"),
    "impossible": N_("impossible"),
    "unknown": N_("unknown"),
    "no_contact": N_("no skin contact"),
}


def hrv(
    file: RrFile,
    window: Annotated[
        float | None,
        typer.Option(help="Seconds of each window; the whole file if left out.", min=1),
    ] = None,
    step: Annotated[
        float | None, typer.Option(help="Seconds between windows; the window if left out.", min=0.1)
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Windows as CSV.")] = False,
    as_parquet: Annotated[bool, typer.Option("--parquet", help="Windows as Parquet.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write to this file; - is standard output, as if left out.")
    ] = None,
    column: ColumnOption = None,
    unit: UnitOption = None,
    decimal: DecimalOption = None,
    zone: ZoneOption = None,
    force: Force = False,
) -> None:
    """HRV figures of a file, or of windows over it; each only where it means something."""
    forms = [
        name
        for name, chosen in (("json", as_json), ("csv", as_csv), ("parquet", as_parquet))
        if chosen
    ]
    if len(forms) > 1:
        raise EbbtideError(f"--{forms[0]} and --{forms[1]} at once.", "Choose one.")
    form = forms[0] if forms else None
    if window is None and (form in ("csv", "parquet") or step is not None):
        raise EbbtideError("--csv, --parquet and --step are for windows.", "Add --window 300.")
    if output == Path("-"):
        output = None
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise EbbtideError("Parquet is not text.", "Name a file: --output windows.parquet")
    if output is not None:
        refuse_existing(output, force=force)
    read = _read(file, column, unit, decimal, zone)
    if window is not None:
        _write_windows(read, window, step or window, form, output)
    else:
        _write_summary(_name_of(file), read, form, output)


def _name_of(file: Path) -> str:
    from ingest.files.streams import is_stream, stream_name

    return stream_name(file) if is_stream(file) else file.name


def _read(
    file: Path, column: str | None, unit: str | None, decimal: str | None, zone: str | None
) -> Intervals:
    from cli.analysis.interval_file import read_intervals
    from ebbtide.timestamps import validate_zone

    return read_intervals(
        file,
        zone=None if zone is None else validate_zone(zone),
        column=column,
        unit=unit,
        decimal=decimal,
    )


def _write_summary(name: str, read: Intervals, form: str | None, output: Path | None) -> None:
    from analytics.hrv.summary import hrv_summary

    found = hrv_summary(read.rr_ms, read.time_s, read.run)
    if form == "json":
        _write(
            json.dumps(
                {
                    **found.values,
                    "quality": asdict(found.quality),
                    "missing": found.missing_reason,
                    "seconds": found.seconds,
                    "spectrum": found.spectrum_method,
                    "notes": [*read.notes, *found.notes],
                    "problems": list(read.problems),
                    "read_as": read.read_as,
                }
            )
            + "\n",
            output,
        )
        return
    _warn((*read.notes, *read.problems))
    quality = found.quality
    lines = [
        fill(
            _("{name}: {count} intervals, {minutes:.1f} minutes, {normal:.1f}% normal"),
            name=name,
            count=quality.intervals,
            minutes=found.seconds / 60,
            normal=100 * quality.normal_share,
        )
    ]
    for metric, value in found.values.items():
        missing = "" if value is not None else say_finding(str(found.missing_reason[metric]))
        text = f"-  ({missing})" if value is None else fill("{value:.4g}", value=value)
        lines.append(f"  {metric:<22} {text}")
    _write("\n".join([*lines, *(say_finding(note) for note in found.notes)]) + "\n", output)


def _write_windows(
    read: Intervals, window_s: float, step_s: float, form: str | None, output: Path | None
) -> None:
    """Write a row a window, as CSV where no format is chosen."""
    import numpy as np
    import pandas as pd

    from analytics.hrv.engine import window_metrics
    from cli.progress import window_progress

    # A last window that would reach past the end by more than a tenth is left out.
    last = float(read.time_s[-1]) - 0.9 * window_s
    starts = np.arange(0.0, max(last, 0.0) + 1e-9, step_s)
    with window_progress(len(starts)) as advance:
        found = window_metrics(
            read.rr_ms, read.time_s, starts, window_s, read.run, progress=advance
        )
    table = pd.DataFrame(
        {
            "start_s": found.start_s,
            "end_s": found.start_s + window_s,
            "intervals": found.intervals,
            "normal_share": found.normal_share,
            "filled_share": found.filled_share,
            "coverage": found.coverage,
            # Rounding of times in float64 leaves gaps of 1e-14 s, which are none.
            "longest_gap_s": np.where(found.longest_gap_s < 1e-6, 0.0, found.longest_gap_s),
            **found.values,
        }
    )
    if form == "json":
        rows = [_without_nan(row) for row in table.to_dict("records")]
        for number, row in enumerate(rows):
            reasons = {name: found.missing_reason(name, number) for name in found.values}
            row["missing"] = {name: why for name, why in reasons.items() if why is not None}
        answer = {
            "windows": rows,
            "notes": list(read.notes),
            "problems": list(read.problems),
            "read_as": read.read_as,
        }
        _write(json.dumps(answer) + "\n", output)
        return
    _warn((*read.notes, *read.problems))
    if form == "parquet":
        _write_parquet(table, output)
    else:
        _write(table.to_csv(index=False, lineterminator="\n"), output)


def _write_parquet(table: pd.DataFrame, output: Path | None) -> None:
    import io

    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    if output is None:
        sys.stdout.buffer.write(buffer.getvalue())
    else:
        _write_file(output, buffer.getvalue())


def clean(
    file: RrFile,
    as_json: Json = False,
    column: ColumnOption = None,
    unit: UnitOption = None,
    decimal: DecimalOption = None,
    zone: ZoneOption = None,
) -> None:
    """Which beats of a file are normal, missed, extra, long, short or ectopic."""
    from analytics.hrv.artefacts import METHOD, Beat, label_beats
    from analytics.hrv.correction import correct_beats

    read = _read(file, column, unit, decimal, zone)
    labelled = label_beats(read.rr_ms, read.run)
    names = [Beat(code).name.lower() for code in labelled.beat.tolist()]
    corrected = correct_beats(read.rr_ms, read.time_s, read.run, labelled)
    if as_json:
        beats: list[dict[str, Any]] = [
            {"index": index, "time_s": time, "rr_ms": rr, "label": name}
            for index, (time, rr, name) in enumerate(
                zip(read.time_s.tolist(), read.rr_ms.tolist(), names, strict=True)
            )
        ]
        nn = [
            {"time_s": time, "nn_ms": value, "filled": filled, "follows": follows}
            for time, value, filled, follows in zip(
                corrected.time_s.tolist(),
                corrected.nn_ms.tolist(),
                corrected.filled.tolist(),
                corrected.follows.tolist(),
                strict=True,
            )
        ]
        answer = {
            "method": METHOD,
            "beats": beats,
            "corrected": nn,
            "notes": list(read.notes),
            "problems": list(read.problems),
            "read_as": read.read_as,
        }
        typer.echo(json.dumps(answer))
        return
    _warn((*read.notes, *read.problems))
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    summary = ", ".join(f"{count} {_(_LABELS[name])}" for name, count in counts.items())
    words = _("{file}: {count} intervals: {summary}")
    typer.echo(words.format(file=_name_of(file), count=len(names), summary=summary))
    for index, name in enumerate(names):
        if name != "normal":
            at, rr = math.floor(read.time_s[index]), read.rr_ms[index]
            row = "  {at:>7} s  {rr:7.1f} ms  {label}"
            typer.echo(fill(row, at=at, rr=float(rr), label=_(_LABELS[name])))


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
    else:
        _write_file(output, text.encode())


def _write_file(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise EbbtideError(
            f"{output} cannot be written: {error.strerror or error}.", "Choose another file."
        ) from error


def _without_nan(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(name): None if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def _warn(problems: tuple[str, ...]) -> None:
    for problem in problems[:10]:
        typer.echo(say_finding(problem), err=True)
    if len(problems) > 10:
        words = _("... and {count} more lines left out.").format(count=len(problems) - 10)
        typer.echo(words, err=True)
