"""Find the beats in a signal of an EDF file that repeats the latest RR interval."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS
from ingest.files.choices import ChoiceError
from ingest.files.column_names import parse_unit, unit_ms, unit_named
from ingest.files.edf_layout import EdfAnnotations, EdfLayout, record_values
from ingest.files.fixed_rate import fills_time, find_beats

if TYPE_CHECKING:
    from edfio import EdfSignal

_Floats = NDArray[np.float64]
_Piece = tuple[_Floats, _Floats, float]  # times and values of changes, and the end
_SCALE = 10_000
_MIN_RR_S, _MAX_RR_S = 0.2, 3.0
_NO_VALUE_S = 0.05  # 0 is seldom stored as exactly 0


def read_signal_beats(
    path: Path,
    layout: EdfLayout,
    found: EdfAnnotations,
    place: int,
    signal: EdfSignal,
    given: str | None,
) -> tuple[list[tuple[float, float]], str]:
    """((interval, time) in s of each beat, unit). Raises EbbtideError without intervals."""
    given = None if given is None else parse_unit(given)
    span = float(signal.digital_max - signal.digital_min)
    width = signal.physical_max - signal.physical_min
    if span <= 0 or width == 0 or layout.samples[place] == 0:
        raise EbbtideError(
            f"The signal '{signal.label}' of {path} has no range in the header, so that its values "
            "are not milliseconds or seconds.",
            "Export it again, or as text.",
        )
    gain = width / span
    offset = signal.physical_max / gain - signal.digital_max
    every_s = layout.record_s / layout.samples[place]
    pieces, typical = _changes(path, layout, found, place, gain, offset, every_s)
    unit = _unit_of(path, signal, typical, given)
    beats: list[tuple[float, float]] = []
    for at, rr, end in _without_codes(pieces, unit_ms(unit) / 1000, every_s):
        if len(at) < 2:
            continue  # one value that stands still: no beat is seen
        one = find_beats(at, rr, end, every_s)
        # Of intervals shorter than the time between samples some leave no sample.
        if every_s >= float(np.percentile(rr, 1)) or not fills_time(one, rr):
            raise EbbtideError(
                f"The signal '{signal.label}' of {path} has a value every {every_s:g} s that does "
                "not repeat the latest interval: its values are between beats (interpolated), or "
                "beats between them are missing.",
                "Export the RR intervals as text, one a beat, or the beats as annotations.",
            )
        # After a break the interval of the first beat began before it.
        first = 1 if beats else 0
        beats += [(float(rr[change]), time) for change, time in one[first:]]
    return beats, unit


def _without_codes(pieces: list[_Piece], of_unit: float, every_s: float) -> Iterator[_Piece]:
    """The pieces in seconds, broken where a value is no interval."""
    for at, values, end in pieces:
        rr = values * of_unit
        bad = np.flatnonzero((rr * _SCALE > MAX_TICKS) | (rr < _NO_VALUE_S))
        first = 0
        for stop in [*bad.tolist(), len(at)]:
            if stop > first:
                yield (
                    at[first:stop],
                    rr[first:stop],
                    float(at[stop]) - every_s if stop < len(at) else end,
                )
            first = stop + 1


def _changes(
    path: Path,
    layout: EdfLayout,
    found: EdfAnnotations,
    place: int,
    gain: float,
    offset: float,
    every_s: float,
) -> tuple[list[_Piece], float]:
    """Where the value changes, a piece an unbroken stretch with values: (times, values, end).

    Only changes are held: a night at 256 Hz has 7 million samples. Also the median of the changes.
    """
    times, values, breaks = array("d"), array("d"), [0]
    ends = array("d")
    before, last_s = np.nan, -np.inf
    for at, block in _blocks(path, layout, found, place, gain, offset):
        row = np.where(block > 0, block, np.nan)  # 0: no value
        if at[0] > last_s + 1.5 * every_s and before == before:
            ends.append(last_s)
            breaks.append(len(times))
            before = np.nan
        previous = np.concatenate([[before], row[:-1]])
        for spot in np.flatnonzero((row != previous) & ~(np.isnan(row) & np.isnan(previous))):
            if np.isnan(row[spot]):
                ends.append(float(at[spot]) - every_s)
                breaks.append(len(times))
                continue
            times.append(float(at[spot]))
            values.append(float(row[spot]))
        before, last_s = float(row[-1]), float(at[-1])
    if before == before:
        ends.append(last_s)
        breaks.append(len(times))
    all_at, all_values = np.array(times), np.array(values)
    pieces = [
        (all_at[a:b], all_values[a:b], end)
        for a, b, end in zip(breaks[:-1], breaks[1:], ends, strict=True)
        if b > a
    ]
    return pieces, float(np.median(all_values)) if len(all_values) else 0.0


def _blocks(
    path: Path, layout: EdfLayout, found: EdfAnnotations, place: int, gain: float, offset: float
) -> Iterator[tuple[_Floats, _Floats]]:
    """(times, values) of samples that follow each other."""
    starts = found.record_starts
    every_s = layout.record_s / layout.samples[place]
    begin = starts[0] if starts and starts[0] == starts[0] else 0.0
    for first, rows in record_values(path, layout, place, gain, offset):
        if not layout.is_discontinuous:
            at = begin + first * layout.record_s + np.arange(rows.size, dtype=np.float64) * every_s
            yield at, rows.ravel()
            continue
        for record, row in enumerate(rows, first):
            if starts[record] == starts[record]:
                at = starts[record] + np.arange(len(row), dtype=np.float64) * every_s
                yield at, row


def _unit_of(path: Path, signal: EdfSignal, typical: float, given: str | None) -> str:
    named = given or unit_named(signal.physical_dimension)
    candidates = [named] if named else ["ms", "s"]
    unit = next(
        (u for u in candidates if _MIN_RR_S <= typical * unit_ms(u) / 1000 <= _MAX_RR_S), None
    )
    if unit is None:
        raise ChoiceError(
            f"The signal '{signal.label}' of {path} (median {typical:g} "
            f"{signal.physical_dimension or 'without a unit'}) cannot be RR intervals"
            + (f" in {named}." if named else "."),
            "Give its unit (--unit ms or --unit s), or another --column.",
            {"unit": ("ms", "s"), "column": ()},
        )
    return unit
