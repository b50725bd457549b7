"""Read the intervals of a text table, each with its line and, where the file says it, its time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, to_datetime
from ingest.files.beat_times import ASSUMED, ColumnChoice
from ingest.files.column_names import epoch_unit
from ingest.files.column_recognition import choose_columns
from ingest.files.encoded_text import FileText, read_text
from ingest.files.fixed_rate import refuse_no_beats, refuse_resampled
from ingest.files.local_times import to_utc
from ingest.files.recording import PULSE_NOTE, ReadAs, ReadContext
from ingest.files.row_columns import read_row_columns
from ingest.files.table_layout import arrange
from ingest.files.text_table import TextTable, split_table
from ingest.files.time_checks import check_fill, check_steps, find_fixed_rate_beats, is_exact

_EPOCH_NS = {"s": SECOND, "ms": 1_000_000, "us": 1000, "ns": 1}
_MANY = 20
# Of the work on 300,000 lines: to split them, and with their numbers.
_SPLIT_SHARE, _NUMBERS_SHARE = 0.25, 0.8


@dataclass(slots=True)
class IntervalTable:
    """Of one length: ``lines``, ``rr_ms`` (NaN: no interval), ``time_ns`` (-1: none), ``absent``
    (the file says that no beat was seen), ``breaks`` (a session begins). ``dated``: times are UTC;
    else from an unknown beginning.
    ``exact``: the steps of the times are the intervals; else they are times of arrival.
    """

    lines: NDArray[np.int64]
    rr_ms: NDArray[np.float64]
    absent: NDArray[np.bool_]
    breaks: NDArray[np.bool_]
    time_ns: NDArray[np.int64] | None
    dated: bool
    exact: bool
    problems: list[tuple[int, str]]
    notes: list[str]
    read_as: ReadAs
    names: tuple[str, ...]
    is_pulse: bool


def read_interval_table(
    path: Path, context: ReadContext, text: FileText | None = None
) -> IntervalTable:
    """Read ``path``, or the ``text`` of it. Raises EbbtideError without an interval, or with two
    possible readings.
    """
    text = text or read_text(path)
    table = split_table(text.text, text.encoding, context.decimal)
    ending, line_count = text.problem, text.text.count("\n") + 1
    del text  # the table has it, until its numbers are read
    if not table.rows and table.names:
        raise EbbtideError(
            f"{path} holds no RR interval: it ends after its header.", "Check the file."
        )
    if not table.rows:
        raise EbbtideError(f"{path} is empty.", "Give a file with one RR interval a line.")
    context.show_progress(path, _SPLIT_SHARE)
    table, notes = arrange(table, str(path), context.column)
    chosen = choose_columns(table, str(path), context.column, context.unit)
    context.show_progress(path, _NUMBERS_SHARE)
    of_rows = read_row_columns(table, str(path), (chosen.rr, chosen.time, chosen.clock))
    notes += of_rows.notes
    problems: list[tuple[int, str]] = []
    if ending is not None:
        problems.append((line_count, ending))
    lines = np.array(table.lines, dtype=np.int64)
    time_ns, dated = _times(path, table, chosen, context, problems, notes)
    if dated and time_ns is not None and int(time_ns.min()) < -1:
        raise EbbtideError(
            f"{path} holds times before 1970 ({to_datetime(int(time_ns.min())):%Y-%m-%d}).",
            "Correct the dates in the file: the clock of the device was not set.",
        )
    absent, breaks = of_rows.absent, of_rows.breaks
    if time_ns is not None and not dated and breaks.any():
        time_ns = _join_sessions(time_ns, chosen.rr_ms, breaks)
    if chosen.rr_ms is None:
        count = len(table.rows)
        time_s = chosen.time_s if chosen.time_s is not None else _seconds(path, table, time_ns)
        rr_ms, lines, time_ns = _between(time_s, table, chosen, lines, time_ns, problems)
        # An interval is out where either of its beats is.
        absent, breaks = absent[1:] | absent[:-1], breaks[1:]
        rr_ms[breaks] = np.nan
        exact = True
    else:
        rr_ms = chosen.rr_ms.copy()
        for row in np.flatnonzero(np.isnan(rr_ms) & ~absent).tolist():
            line = (table.separator or "").join(table.rows[row])
            quoted = repr(line if len(line) <= 40 else line[:37] + "...")
            what = "a number" if time_ns is None or not dated else "a time and an interval"
            if not any(number == table.lines[row] for number, _ in problems[-50:]):
                problems.append((table.lines[row], f"{quoted} is not {what}"))
        exact = False
        # The text of the rows is no longer needed: 60 MB of a week of beats.
        count, table = len(table.rows), replace(table, rows=(), lines=(), _numbers={})
        if time_ns is None:
            refuse_resampled(str(path), table.name_of(chosen.rr or 0), " ".join(table.words))
        # Steps of a time column that are the intervals show beats, whatever their values.
        if time_ns is None or not is_exact(rr_ms, time_ns):
            refuse_no_beats(
                str(path),
                table.name_of(chosen.rr or 0),
                rr_ms[~absent],
                has_times=time_ns is not None,
            )
        if time_ns is not None:
            if context.unit is None:
                check_steps(path, table, chosen, rr_ms, time_ns)
            beats = find_fixed_rate_beats(path, table, chosen, rr_ms, time_ns)
            if beats is not None:
                rows, beat_ns = beats
                notes.append(
                    f"{len(rr_ms)} rows at a fixed rate repeat the latest interval: "
                    f"{len(rows)} beats"
                )
                lines, rr_ms = lines[rows], rr_ms[rows]
                absent, breaks = absent[rows], breaks[rows]
                time_ns, exact = beat_ns, True
            else:
                exact = is_exact(rr_ms, time_ns)
                check_fill(path, table, chosen, rr_ms, time_ns)
            if exact and chosen.unit_from == ASSUMED:
                chosen = replace(chosen, unit_from="time")
    if chosen.unit_from == ASSUMED and len(rr_ms) >= _MANY:
        notes.append(f"the unit is assumed to be {chosen.unit}, by the size of the numbers alone")
    if chosen.is_pulse:
        notes.append(PULSE_NOTE)
    named = next((c for c in (chosen.rr, chosen.time, chosen.clock) if c is not None), 0)
    of_time = chosen.clock if chosen.clock is not None else chosen.time
    read_as = ReadAs(
        column=table.name_of(named),
        unit=chosen.unit,
        rows=count,
        encoding=table.encoding,
        decimal=table.decimal,
        time=None if of_time is None or time_ns is None else table.name_of(of_time),
        quantity="PPI" if chosen.is_pulse else "RR" if chosen.rr is not None else "beat times",
        unit_from=chosen.unit_from,
    )
    return IntervalTable(
        lines,
        rr_ms,
        absent,
        breaks,
        time_ns,
        dated,
        exact,
        problems,
        notes,
        read_as,
        table.names,
        chosen.is_pulse,
    )


def _times(
    path: Path,
    table: TextTable,
    chosen: ColumnChoice,
    context: ReadContext,
    problems: list[tuple[int, str]],
    notes: list[str],
) -> tuple[NDArray[np.int64] | None, bool]:
    elapsed = chosen.time_s
    if chosen.clock is not None:
        if elapsed is not None:
            going_on = np.diff(elapsed, prepend=elapsed[0])
        elif chosen.rr_ms is not None:
            going_on = chosen.rr_ms / 1000
        else:
            going_on = np.zeros(len(table.rows))
        found, dated, time_notes, bad = to_utc(
            str(path),
            table.lines,
            table.cells(chosen.clock),
            going_on,
            has_elapsed=elapsed is not None,
            zone=context.zone if context.zone_given else None,
        )
        notes += time_notes
        for number, what in bad:
            row = table.lines.index(number)
            if what.endswith("is not a time"):
                line = (table.separator or "").join(table.rows[row])
                what = f"{line[:60]!r} is not a time and an interval"
            problems.append((number, what))
            if chosen.rr_ms is not None:
                chosen.rr_ms[row] = math.nan
        return found, dated
    if elapsed is None or chosen.time is None:
        return None, False
    values = table.numbers(chosen.time)
    first = float(values[np.isfinite(values)][0])
    unit = epoch_unit(first)
    begin = 0 if unit is None else round(first * _EPOCH_NS[unit])
    if unit is None:
        since = _epoch_in_words(table)
        if since is not None:  # a wristband writes the moment in the first line
            begin, unit = round((since + first) * SECOND), "s"
    ns = np.where(np.isfinite(elapsed), np.nan_to_num(elapsed) * SECOND, 0).round().astype(np.int64)
    return np.where(np.isfinite(elapsed), ns + begin, -1), unit is not None


def _epoch_in_words(table: TextTable) -> float | None:
    for line in table.words:
        for part in line.replace(",", " ").split():
            try:
                value = float(part)
            except ValueError:
                continue
            if epoch_unit(value) == "s":
                return value
    return None


def _join_sessions(
    time_ns: NDArray[np.int64], rr_ms: NDArray[np.float64] | None, breaks: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Let sessions that begin at 0 again follow each other, a second apart."""
    joined = time_ns.copy()
    for row in np.flatnonzero(breaks).tolist():
        if joined[row] < 0 or joined[row - 1] < 0 or joined[row] > joined[row - 1]:
            continue
        first_ms = 0.0 if rr_ms is None else float(np.nan_to_num(rr_ms[row]))
        shift = joined[row - 1] - joined[row] + round(first_ms * 1e6) + SECOND
        later = joined[row:]
        joined[row:] = np.where(later >= 0, later + shift, later)
    return joined


def _seconds(
    path: Path, table: TextTable, time_ns: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Seconds of beats of which only the clock says when they were."""
    if time_ns is None or (time_ns >= 0).sum() < 3:
        raise EbbtideError(f"{path} holds no RR interval.", "Give RR intervals, or beat times.")
    time_s = np.where(time_ns >= 0, (time_ns - time_ns[time_ns >= 0][0]) / SECOND, np.nan)
    steps = np.diff(time_s[np.isfinite(time_s)])
    middle = float(np.median(steps))
    if not 0.2 <= middle <= 3 or bool((np.abs(steps - np.round(steps)) < 1e-6).all()):
        raise EbbtideError(
            f"{path} holds times (every {middle:g} s) and no RR interval: they are no beat times, "
            "or of whole seconds.",
            "Export the RR (beat-to-beat) intervals of the recording.",
        )
    return time_s


def _between(
    time_s: NDArray[np.float64],
    table: TextTable,
    chosen: ColumnChoice,
    lines: NDArray[np.int64],
    time_ns: NDArray[np.int64] | None,
    problems: list[tuple[int, str]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64] | None]:
    """Intervals between beat times. An interval over a bad line is unknown."""
    rr_ms = np.diff(time_s) * 1000
    column = chosen.time
    read_times = time_s if column is None else table.numbers(column)
    if column is not None:
        for row in np.flatnonzero(np.isnan(time_s)).tolist():
            line = (table.separator or "").join(table.rows[row])
            problems.append((int(lines[row]), f"{line[:40]!r} is not a number"))
    for row in np.flatnonzero(rr_ms <= 0).tolist():
        problems.append(
            (
                int(lines[row + 1]),
                f"time {float(read_times[row + 1])} is not after {float(read_times[row])}",
            )
        )
    rr_ms[rr_ms <= 0] = np.nan
    return rr_ms, lines[1:], None if time_ns is None else time_ns[1:]
