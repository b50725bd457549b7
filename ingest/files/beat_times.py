"""Read beat times where a table has no intervals: times, or sample numbers at a sampling rate.

Whole numbers that only count up, without a unit or a name of time, may be milliseconds or the
places of R peaks in an ECG of some sampling rate: the person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ingest.files.choices import ChoiceError, column_choices
from ingest.files.column_names import (
    RATE,
    RR,
    SAMPLES,
    TIME,
    epoch_unit,
    sampling_rate,
    unit_named,
    unit_seconds,
)
from ingest.files.text_table import TextTable

Floats = NDArray[np.float64]
ASSUMED = "assumed"
_MANY = 20
_USUAL_HZ = (250, 360, 500, 512, 1000)


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """``rr``: column of intervals, None where there are only beat times. ``unit`` of it.

    ``unit_from``: what says it (name, time, heart rate), or ASSUMED by its size alone.
    ``time``: column of elapsed seconds or epoch times; ``time_s`` its values in seconds, relative
    to its first. ``clock``: column of dates, which holds the beats where there is no other.
    """

    rr: int | None
    rr_ms: Floats | None
    unit: str
    time: int | None
    time_s: Floats | None
    clock: int | None
    is_pulse: bool
    unit_from: str = ASSUMED


class RatesAloneError(EbbtideError):
    """A table has heart rates and no intervals."""


def choose_beat_times(
    table: TextTable,
    numbers: dict[int, Floats],
    times: list[int],
    rates: set[int],
    path: str,
    given: str | None,
    clock: int | None,
    reasons: list[EbbtideError],
) -> ColumnChoice:
    """Read beat times where there are no intervals, or say what is missing."""
    names = [name.lower() for name in table.names]
    peaks = [c for c in numbers if c not in times and SAMPLES.search(names[c])]
    for c in [*times, *peaks]:
        finite = numbers[c][np.isfinite(numbers[c])]
        steps = np.diff(finite)
        if len(finite) < 2 or rates or not (steps > 0).any():
            continue
        middle = float(np.median(steps[steps > 0]))
        size = epoch_unit(float(finite[0]))
        unit = given or size or unit_named(names[c])
        source = "name" if unit else ASSUMED
        is_time = TIME.search(names[c]) is not None
        if unit is None and _is_sampled(names[c], finite):
            rate = sampling_rate(" ".join([*table.words, names[c]]))
            if rate is not None:
                unit, source = {1000.0: "ms"}.get(rate, f"1/{rate:g}"), "sampling rate"
            elif 20 <= middle <= 10_000:
                _refuse_even(table, c, path, steps, middle)
                raise _ask_rate(table, c, path, middle)
        if unit is None:
            in_ms = not 0.2 <= middle <= 3 and 200 <= middle <= 3000 and (is_time or not names[c])
            unit = "ms" if in_ms else "s"
        if not 0.2 <= middle * unit_seconds(unit) <= 3:
            continue
        _refuse_even(table, c, path, steps, middle)
        time_s = (numbers[c] - finite[0]) * unit_seconds(unit)
        return ColumnChoice(None, None, unit, c, time_s, clock, False, source)
    if clock is not None and not rates and (len(names) == 1 or _names_beats(names[clock])):
        return ColumnChoice(None, None, "s", None, None, clock, False, "name")
    _refuse(table, names, path, rates, reasons)


def _is_sampled(name: str, finite: Floats) -> bool:
    """Whether these may be sample numbers: whole numbers, without a name of time."""
    whole = bool((finite == np.round(finite)).all())
    return whole and (not TIME.search(name) or SAMPLES.search(name) is not None)


def _names_beats(name: str) -> bool:
    return RR.search(name) is not None or any(
        word in name for word in ("beat", "peak", "qrs", "schlag")
    )


def _ask_rate(table: TextTable, c: int, path: str, middle: float) -> EbbtideError:
    likely = min(_USUAL_HZ, key=lambda rate: abs(middle / rate - 0.83))
    in_ms = f" (a heart rate of {60_000 / middle:.0f})" if 200 <= middle <= 3000 else ""
    return ChoiceError(
        f"{table.name_of(c)} of {path} counts up by about {middle:g}: sample numbers of R peaks, "
        "of an ECG whose sampling rate is not given"
        + (f", or milliseconds{in_ms}." if in_ms else "."),
        f"Give the sampling rate, as --unit samples@{likely} for {likely} Hz"
        + ("; for milliseconds --unit ms." if in_ms else "."),
        {"unit": (f"samples@{likely}", *(("ms",) if in_ms else ()))},
    )


def _refuse_even(table: TextTable, c: int, path: str, steps: Floats, middle: float) -> None:
    many = _MANY if TIME.search(table.names[c].lower()) else 4
    if len(steps) >= many and float(np.mean(np.abs(steps - middle) <= 1e-6 * middle)) > 0.9:
        raise ChoiceError(
            f"{table.name_of(c)} of {path} counts up by {middle:g}: rows of a fixed rate or an "
            "index, not beats.",
            "Give RR intervals, or name their column: --column.",
            {"column": column_choices(table.names)},
        )


def _refuse(
    table: TextTable, names: list[str], path: str, rates: set[int], reasons: list[EbbtideError]
) -> NoReturn:
    if rates or any(RATE.search(name) for name in names):
        raise RatesAloneError(
            f"{path} holds heart rates and no RR interval; beats cannot be had from rates.",
            "Export the RR (beat-to-beat) intervals of the recording. Rates with the date and time "
            "of each are taken as they are, for the stress index.",
        )
    if reasons:
        raise reasons[0]
    if any(names) and len(names) > 1:
        raise ChoiceError(
            f"{path} has the columns {', '.join(table.names).lower()}, none of them known.",
            "Name the column of intervals: --column, or call it rr_ms, or that of beat times "
            "time_s.",
            {"column": column_choices(table.names)},
        )
    first = (
        f": line {table.lines[0]}: {table.rows[0][0][:40]!r} is not a number" if table.rows else ""
    )
    raise EbbtideError(
        f"{path} holds no RR interval{first}.",
        "Give one RR interval a line, in milliseconds or seconds, or name a column: --column.",
    )
