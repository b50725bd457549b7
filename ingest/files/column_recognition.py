"""Decide which column of a table holds the intervals, which the time, and in which units.

Names, units in brackets, comments and the numbers themselves are held against each other: a column
that only counts up is a time or an index; the steps of the time are the intervals; heart rate times
RR is 60,000. Where two readings stay possible the file is refused, naming both and the option.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ingest.files.beat_times import ASSUMED, ColumnChoice, choose_beat_times
from ingest.files.choices import ChoiceError, column_choices
from ingest.files.column_names import (
    INDEX,
    OTHER,
    PULSE,
    RATE,
    RR,
    TIME,
    TIME_SECONDS,
    UNIT_MS,
    epoch_unit,
    parse_unit,
    unit_in_words,
    unit_ms,
    unit_named,
)
from ingest.files.text_table import TextTable

Floats = NDArray[np.float64]
_Time = tuple[int, str, Floats]  # column, unit, seconds since the first
_Fit = tuple[int, str, str, Floats, _Time | None]  # column, unit, what says so, ms, time

_MANY = 20  # rows from which the numbers themselves are evidence


def choose_columns(
    table: TextTable, path: str, column: str | None = None, unit: str | None = None
) -> ColumnChoice:
    """Decide what each column is. Raises EbbtideError where that cannot be done or is ambiguous."""
    unit = None if unit is None else parse_unit(unit)
    width = len(table.names)
    names = [name.lower() for name in table.names]
    clocks = [c for c in range(width) if table.is_clock(c)]
    numbers = {c: table.numbers(c) for c in range(width) if c not in clocks}
    numbers = {c: v for c, v in numbers.items() if np.isfinite(v).any()}
    for c in range(width):
        if c in clocks or c in numbers or RR.search(names[c]) or not TIME.search(names[c]):
            continue
        cell = next((cell for cell in table.cells(c) if cell), None)
        if cell is not None:
            raise EbbtideError(
                f"{path} holds times that cannot be read (line {table.lines[0]}: {cell[:40]!r}).",
                "Write them like 2026-11-24T08:30:00.",
            )
    wanted = None if column is None else _wanted(table, column, path)
    counting = {c for c, v in numbers.items() if _counts_up(v)}
    rates = {c for c in numbers if RATE.search(names[c]) and not RR.search(names[c])}
    times = [
        c
        for c in numbers
        if c != wanted
        and c not in rates
        and (
            (c in counting and not INDEX.search(names[c]) and not RR.search(names[c]))
            or (TIME.search(names[c]) and not RR.search(names[c]) and not OTHER.search(names[c]))
        )
    ]
    if wanted is not None:
        if wanted not in numbers:
            raise ChoiceError(
                f"{table.name_of(wanted)} of {path} holds no numbers.",
                "Give --column.",
                {"column": column_choices(table.names)},
            )
        candidates = [] if wanted in counting else [wanted]
        times = [wanted] if wanted in counting else times
    else:
        candidates = [
            c
            for c, v in numbers.items()
            if c not in times
            and c not in rates
            and not OTHER.search(names[c])
            and not INDEX.search(names[c])
            and (c not in counting or RR.search(names[c]))
        ]
        named = [c for c in candidates if RR.search(names[c])]
        strong = [c for c in named if not re.fullmatch(r"duration|interval", names[c])]
        candidates = strong or named or candidates
    clock = clocks[0] if clocks else None
    words = " ".join(table.words)
    # A count of the rows is neither a time nor a rate, whatever its numbers would agree with.
    indexes = {c for c in counting if not TIME.search(names[c]) and _is_index(numbers[c])}
    evidence = {c: v for c, v in numbers.items() if c not in indexes}
    proofs = [c for c in times if c not in indexes]
    fits: list[_Fit] = []
    reasons: list[EbbtideError] = []
    for c in candidates:
        try:
            of_unit, source, proved = _unit_of(
                table, c, {**evidence, c: numbers[c]}, proofs, rates, words, path, unit
            )
        except EbbtideError as error:
            reasons.append(error)
            continue
        is_named = bool(RR.search(names[c])) or not any(names) or width == 1 or c == wanted
        has_unit = unit_named(names[c]) is not None
        if not is_named and not has_unit and not proved:
            continue
        fits.append((c, of_unit, source, numbers[c] * unit_ms(of_unit), proved))
    fits = _preferred(fits, table, path)
    if fits:
        c, of_unit, unit_from, rr_ms, proved = fits[0]
        if wanted is None and c in counting and np.isfinite(rr_ms).sum() >= _MANY:
            raise ChoiceError(
                f"{table.name_of(c)} of {path} only counts up: a time or an index, not intervals.",
                "Name the column of intervals: --column.",
                {"column": column_choices(table.names)},
            )
        time = proved or _time_of(table, times, numbers, rr_ms, path)
        return ColumnChoice(
            c,
            rr_ms,
            of_unit,
            None if time is None else time[0],
            None if time is None else time[2],
            clock,
            bool(PULSE.search(names[c]) or PULSE.search(words.lower())),
            unit_from,
        )
    if reasons and (wanted is not None or (len(candidates) == 1 and not times)):
        raise reasons[0]
    return choose_beat_times(table, numbers, times, rates, path, unit, clock, reasons)


def _wanted(table: TextTable, column: str, path: str) -> int:
    names = [name.lower() for name in table.names]
    if column.strip().lower() in names:
        return names.index(column.strip().lower())
    if column.isdigit() and 1 <= int(column) <= len(names):
        return int(column) - 1
    columns = ", ".join(table.name_of(c) for c in range(len(names)))
    raise EbbtideError(f"{path} has no column '{column}'.", f"It has: {columns}.")


def _counts_up(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    if len(finite) < 3:
        return False
    steps = np.diff(finite)
    if len(finite) < _MANY:
        return bool((steps > 0).all()) and (
            len(finite) >= 8 or (len(finite) >= 5 and bool(np.ptp(steps) == 0))
        )
    return bool((steps >= 0).mean() > 0.98) and bool(
        finite[-1] - finite[0] > 0.9 * np.abs(steps).sum() and (steps > 0).mean() > 0.3
    )


def _is_index(values: Floats) -> bool:
    steps = np.diff(values[np.isfinite(values)])
    return bool((steps == 1).all())


def _unit_of(
    table: TextTable,
    c: int,
    numbers: dict[int, Floats],
    times: list[int],
    rates: set[int],
    words: str,
    path: str,
    given: str | None,
) -> tuple[str, str, _Time | None]:
    """The unit of column ``c``, what says so, and the time that proves it. Raises EbbtideError."""
    values = numbers[c]
    middle = float(np.nanmedian(values))
    name = table.name_of(c)
    named_unit = given or unit_named(table.names[c]) or unit_in_words(words)
    plausible = [u for u in UNIT_MS if 200 <= middle * UNIT_MS[u] <= 3000]
    if named_unit is not None:
        if not 200 <= middle * unit_ms(named_unit) <= 3000:
            raise ChoiceError(
                f"{name} of {path} (median {middle:g}) cannot be RR intervals in {named_unit}"
                + (f"; they could be in {' or '.join(plausible)}." if plausible else "."),
                "Give their unit, such as --unit ms or --unit s, or another --column.",
                {"unit": tuple(plausible), "column": column_choices(table.names)},
            )
        return named_unit, "name", _proof(values * unit_ms(named_unit), times, numbers)
    if not plausible:
        raise EbbtideError(
            f"The numbers of {path} ({name}, median {middle:g}) are RR intervals neither in "
            "milliseconds (200 to 3000) nor in seconds (0.2 to 3)."
            + (" They look like heart rates, which hold no RR." if 30 <= middle <= 199 else ""),
            "Give RR intervals, or beat times in a column named time_s.",
        )
    for unit in plausible:
        proof = _proof(values * UNIT_MS[unit], times, numbers)
        if proof is not None:
            return unit, "time", proof
    for rate in sorted(set(numbers) - {c}):
        per_minute = numbers[rate]
        usual = float(np.nanmedian(per_minute))
        if (rate in rates or not table.names[rate]) and 25 <= usual <= 230:
            product = float(np.nanmedian(per_minute * values))
            for unit in plausible:
                if abs(product * UNIT_MS[unit] / 60_000 - 1) < 0.012:
                    return unit, "heart rate", None
    if not {"ms", "s", "us"} & set(plausible):
        raise ChoiceError(
            f"{name} of {path} (median {middle:g}) holds what look like heart rates, which hold no "
            f"RR; RR intervals in 1/256 s would be a heart rate of {60 * 256 / middle:.0f}"
            + (f", in 1/100 s of {6000 / middle:.0f}." if 30 <= middle <= 199 else "."),
            "Export the RR (beat-to-beat) intervals; or, if these are, say their unit: --unit 1/256"
            " or --unit 1/100.",
            {"unit": ("1/256", "1/100")},
        )
    if "ms" in plausible and "1/256" in plausible and middle < 300:
        raise ChoiceError(
            f"{name} of {path} (median {middle:g}) may be milliseconds (a heart rate of "
            f"{60_000 / middle:.0f}) or 1/256 s (a heart rate of {60 * 256 / middle:.0f}).",
            "Say which: --unit ms or --unit 1/256.",
            {"unit": ("ms", "1/256")},
        )
    return next(u for u in ("ms", "s", "us") if u in plausible), ASSUMED, None


def _proof(rr_ms: Floats, times: list[int], numbers: dict[int, Floats]) -> _Time | None:
    """The time column whose steps these intervals are, with its unit and seconds.

    A tick of 1/1024 s is 2.4% from a millisecond: the median must agree within 1%.
    """
    if np.isfinite(rr_ms).sum() < 5:
        return None
    for c in times:
        first = numbers[c][np.isfinite(numbers[c])][0]
        size = epoch_unit(float(first))
        for unit in (size,) if size else TIME_SECONDS:
            time_s = (numbers[c] - first) * TIME_SECONDS[unit]
            steps, spans = np.diff(time_s), rr_ms[1:] / 1000
            good = np.isfinite(steps) & np.isfinite(spans) & (steps > 0)
            if good.sum() < 5 or good.mean() < 0.3:
                continue
            # Several intervals may share the time of their arrival: compare what they add up to.
            finite = np.isfinite(spans)
            total, span = float(spans[finite].sum()), float(np.nansum(steps[steps > 0]))
            ratio = float(np.nanmedian(spans[good] / steps[good]))
            if abs(ratio - 1) < 0.01 or (good.mean() < 0.9 and abs(total / span - 1) < 0.012):
                return c, unit, time_s
    return None


def _time_of(
    table: TextTable, times: list[int], numbers: dict[int, Floats], rr_ms: Floats, path: str
) -> _Time | None:
    """A time column that the intervals do not step through: one with gaps, or of a fixed rate."""
    median_s = float(np.nanmedian(rr_ms)) / 1000
    for c in times:
        values = numbers[c]
        finite = values[np.isfinite(values)]
        if len(finite) < _MANY or not _counts_up(values):
            continue
        steps = np.diff(finite)
        is_count = bool((steps == 1).all())
        if is_count and not TIME.search(table.names[c].lower()):
            continue  # an index
        unit = epoch_unit(float(finite[0])) or unit_named(table.names[c])
        if unit is None:
            span = float(finite[-1] - finite[0])
            total = float(np.nansum(rr_ms)) / 1000
            unit = min(("s", "ms", "us"), key=lambda u: abs(np.log(span * TIME_SECONDS[u] / total)))
        time_s = (values - finite[0]) * TIME_SECONDS[unit]
        if np.nanmax(time_s) < 3 * median_s:
            continue
        return c, unit, time_s
    return None


def _preferred(
    fits: list[_Fit],
    table: TextTable,
    path: str,
) -> list[_Fit]:
    """The one candidate. Raises EbbtideError where two differ and nothing settles which."""
    proved = [fit for fit in fits if fit[4] is not None]
    if (
        len(proved) == 1
        and len(fits) > 1
        and not all(RR.search(table.names[f[0]].lower()) for f in fits)
    ):
        return proved
    different = [f for f in fits[1:] if not np.allclose(f[3], fits[0][3], atol=1.0, equal_nan=True)]
    if different:
        a, b = table.name_of(fits[0][0]), table.name_of(different[0][0])
        places = column_choices(table.names)
        raise ChoiceError(
            f"Both {a} and {b} of {path} may be the RR intervals.",
            f"Say which: --column '{a}' or --column '{b}' (or its place, --column "
            f"{fits[0][0] + 1} or {different[0][0] + 1}).",
            {"column": tuple(places[fit[0]] for fit in (fits[0], different[0]))},
        )
    return fits
