"""Numbers as text: which mark is the decimal one, and which groups thousands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)*|[.,]\d+)([eE][+-]?\d+)?")


def find_decimal(rows: tuple[tuple[str, ...], ...]) -> str:
    cells = [cell for row in rows for cell in row if ":" not in cell]
    commas = [cell for cell in cells if re.search(r"\d,\d|^,\d", cell) and is_number(cell)]
    if not commas:
        return "."
    both = [cell for cell in commas if "." in cell]
    if both:
        return "," if both[0].rfind(",") > both[0].rfind(".") else "."
    dots = any(re.search(r"\d\.\d", cell) and is_number(cell) for cell in cells)
    return "." if dots and all(re.fullmatch(r"\d{1,3}(,\d{3})+", c) for c in commas) else ","


def find_marks(cells: Iterable[str], decimal: str) -> tuple[str, str]:
    """(decimal mark, mark of thousands) of one column: '1.012' among '985' is 1012."""
    other = "." if decimal == "," else ","
    grouped = re.compile(r"[1-9]\d{0,2}(" + re.escape(decimal) + r"\d{3})+")
    some_marked = some_plain = False
    for cell in cells:
        if decimal in cell:
            some_marked = True
            if grouped.fullmatch(cell) is None:
                return decimal, other
        elif cell.isdigit():
            some_plain = True
            if len(cell) < 3:
                return decimal, other
    return (other, decimal) if some_marked and some_plain else (decimal, other)


def parse_number(cell: str, decimal: str, thousands: str) -> float:
    if thousands in cell:
        cell = cell.replace(thousands, "")
    if decimal != ".":
        cell = cell.replace(decimal, ".")
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None
