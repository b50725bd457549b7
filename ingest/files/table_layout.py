"""Put a table into one interval a row, oldest first, as the rest of the package reads it.

Apps write a list on one line, all intervals of a notification in one cell ("[824, 853]"), or in
columns of their own (rr1, rr2, rr3), and some write the newest row first.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ingest.files.choices import ChoiceError
from ingest.files.column_names import RR, TIME, epoch_unit, is_interval_name
from ingest.files.local_times import parse_clock
from ingest.files.number_text import is_number
from ingest.files.text_table import TextTable

_MIN_LIST = 5  # numbers on one line that are a list and not a row
_SAMPLE = 400
_LIST = re.compile(r"\[.*\]|\(.*\)|\{.*\}|[\d.]+(?:(?:\s*[;,|/]\s*|\s+)[\d.]+)+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NUMBERED = re.compile(r"(.*?)[ _-]?([1-9]\d?)$")
_MIN_ROWS = 3

Row = tuple[str, ...]


class Reversed(Sequence[Row]):
    """Rows from the last to the first, of which none is held."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, place: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(place, slice):
            return tuple(self[index] for index in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._rows[len(self) - 1 - place % len(self)]


def arrange(table: TextTable, path: str, column: str | None) -> tuple[TextTable, list[str]]:
    """One interval a row, oldest first; with what was done. Raises EbbtideError where numbered
    columns may be of one notification or of several devices.
    """
    notes: list[str] = []
    table = _one_line(table)
    if column is None:
        table = _numbered_columns(table, path, notes)
    table = _lists(table, notes)
    return _oldest_first(table, notes), notes


def _one_line(table: TextTable) -> TextTable:
    """A list of numbers on one line, which is a row of as many columns otherwise."""
    if len(table.rows) != 1:
        return table
    cells = [cell for cell in table.rows[0] if cell]
    if len(cells) < _MIN_LIST or not all(is_number(cell) for cell in cells):
        return table
    names = [name for name in table.names if name]
    if len(names) > 1:
        return table
    lines = array("I", [table.lines[0]] * len(cells))
    rows = tuple((cell,) for cell in cells)
    return replace(table, names=(names[0] if names else "",), lines=lines, rows=rows, _numbers={})


def _lists(table: TextTable, notes: list[str]) -> TextTable:
    """Intervals that share a cell: a row each, with the other cells repeated."""
    for column, name in enumerate(table.names):
        if not (is_interval_name(name) or name == ""):
            continue
        sample = [row[column] for row in table.rows[:_SAMPLE] if column < len(row)]
        filled = [cell for cell in sample if cell]
        lists = [cell for cell in filled if _values_of(cell) is not None]
        several = [cell for cell in lists if len(_values_of(cell) or ()) > 1]
        bare = [cell for cell in filled if is_number(cell)]
        if not several or len(lists) + len(bare) < 0.9 * len(filled):
            continue
        lines, rows = array("I"), []
        for number, row in zip(table.lines, table.rows, strict=True):
            cell = row[column] if column < len(row) else ""
            values = _values_of(cell)
            for value in (cell,) if values is None else values:
                lines.append(number)
                rows.append((*row[:column], value, *row[column + 1 :]))
        notes.append(f"{table.name_of(column)} holds several intervals a row: each is read")
        return replace(table, lines=lines, rows=tuple(rows), _numbers={})
    return table


def _values_of(cell: str) -> tuple[str, ...] | None:
    """The numbers of a list in a cell; None where it is none. '1 012' is one number."""
    if _LIST.fullmatch(cell) is None or is_number(cell):
        return None
    inner = cell.strip("[](){} ")
    values = tuple(_NUMBER.findall(inner))
    if re.sub(r"[\d.,;|/\s]", "", inner):
        return None
    if cell[0] in "[({":
        return values
    numbers = [float(value) for value in values]
    in_ms = all(200 <= number <= 3000 for number in numbers)
    return values if in_ms or all(0.2 <= number <= 3 for number in numbers) else None


def _numbered_columns(table: TextTable, path: str, notes: list[str]) -> TextTable:
    """Columns rr1, rr2, ... of one notification: a row each. Filled from the left, not all full."""
    stems: dict[str, list[int]] = {}
    for column, name in enumerate(table.names):
        found = _NUMBERED.fullmatch(name.lower().strip())
        if found and RR.search(name.lower()) and not re.search(r"1\s*/\s*\d+", name):
            stems.setdefault(found[1], []).append(column)
    columns = max(stems.values(), key=len, default=[])
    if len(columns) < 2:
        return table
    names = [table.name_of(column) for column in columns]

    def cells_of(row: Row) -> list[str]:
        return [row[c] if c < len(row) else "" for c in columns]

    ragged = False
    for row in table.rows:
        filled = [bool(cell) and cell not in ("0", "-") for cell in cells_of(row)]
        if any(after and not before for before, after in pairwise(filled)):
            ragged = False
            break
        ragged = ragged or not all(filled)
    if not ragged and not _share_their_time(table, columns):
        raise ChoiceError(
            f"{' and '.join(names[:3])} of {path} may be the intervals of one notification, or of "
            "several devices.",
            f"Say which column: --column '{names[0]}'; or write the intervals one a row.",
            {"column": tuple(names)},
        )
    lines, rows = array("I"), []
    first = columns[0]
    dropped = set(columns[1:])
    for number, row in zip(table.lines, table.rows, strict=True):
        for value in cells_of(row):
            if value and value not in ("0", "-"):
                lines.append(number)
                filled_row = [*row, *[""] * (first + 1 - len(row))]
                filled_row[first] = value
                rows.append(tuple(c for at, c in enumerate(filled_row) if at not in dropped))
    notes.append(f"{', '.join(names)} are read as the intervals of one row, in this order")
    kept = tuple(name for at, name in enumerate(table.names) if at not in dropped)
    return replace(table, names=kept, lines=lines, rows=tuple(rows), _numbers={})


def _share_their_time(table: TextTable, columns: list[int]) -> bool:
    """Whether the columns together fill the steps of a column of time."""
    rr = np.nansum([table.numbers(column) for column in columns], axis=0)
    for column, name in enumerate(table.names):
        if column in columns:
            continue
        seconds = _seconds(table, column, name)
        if seconds is None or len(seconds) < _MIN_ROWS:
            continue
        steps, sums = np.diff(seconds), rr[1:]
        good = steps > 0
        if good.sum() >= _MIN_ROWS:
            ratio = float(np.median(sums[good] / steps[good]))
            if any(abs(ratio / scale - 1) < 0.1 for scale in (1, 1000, 1e-3, 1e6)):
                return True
    return False


def _seconds(table: TextTable, column: int, name: str) -> NDArray[np.float64] | None:
    """Times of a column, in some unit, for comparison; None where it holds none."""
    if table.is_clock(column):
        found = [parse_clock(cell) for cell in table.cells(column)]
        of_day = [np.nan if one is None else one[1] / 1e9 for one in found]
        days = [
            0.0 if one is None or one[0] is None else one[0].replace(tzinfo=None).toordinal()
            for one in found
        ]
        return np.array(of_day, np.float64) + np.array(days, np.float64) * 86_400
    values = table.numbers(column)
    finite = values[np.isfinite(values)]
    if len(finite) and (TIME.search(name.lower()) or epoch_unit(float(finite[0])) is not None):
        return values
    return None


def _oldest_first(table: TextTable, notes: list[str]) -> TextTable:
    """Turn a table round of which the time only goes back."""
    if len(table.rows) < _MIN_ROWS or len(table.names) < 2:
        return table
    for column, name in enumerate(table.names):
        if not (table.is_clock(column) or TIME.search(name.lower())):
            continue
        if _first_steps(table, column) >= 0:  # most files: without reading all of their times
            continue
        seconds = _seconds(table, column, name)
        if seconds is None:
            continue
        steps = np.diff(seconds[np.isfinite(seconds)])
        if len(steps) < _MIN_ROWS - 1 or (steps <= 0).mean() < 0.98 or (steps < 0).mean() < 0.3:
            continue
        notes.append(f"the newest row stands first in {table.name_of(column)}: read from the end")
        lines = array("I", reversed(list(table.lines)))
        return replace(table, lines=lines, rows=Reversed(table.rows), _numbers={})
    return table


def _first_steps(table: TextTable, column: int) -> float:
    """The sign of the way that a column of time goes at the beginning."""
    cells = [row[column] for row in table.rows[:20] if column < len(row)]
    head = replace(
        table, rows=tuple((cell,) for cell in cells), lines=range(len(cells)), names=("time",),
        _numbers={},
    )  # fmt: skip
    seconds = _seconds(head, 0, "time")
    if seconds is None:
        return 0.0
    steps = np.diff(seconds[np.isfinite(seconds)])
    return float(np.sign(steps).sum())
