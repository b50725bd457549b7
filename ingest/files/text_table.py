"""Split text into a table: comments, preamble, header, separator, decimal mark.

Nothing here knows what a column means: that is decided in ``column_recognition``.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ingest.files.choices import ChoiceError
from ingest.files.number_text import find_decimal, find_marks, is_number, parse_number

_SAMPLE = 400  # rows that decide the separator and the kind of a column
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")
CLOCK = re.compile(
    r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[T ]|(?P<d2>\d\d?)\.(?P<m2>\d\d?)\.(?P<y2>\d{4}),? "
    r"|(?P<slash>\d\d?/\d\d?/\d{2,4},? ))?"
    r"(?P<H>\d\d?):(?P<M>\d\d)(?::(?P<S>\d\d)(?:[.,:](?P<f>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r" ?(?P<z>Z|[+-]\d\d:?\d\d)?"
)
_LETTER = re.compile(r"[^\W\d_]")
_NO_VALUE = {"", "nan", "na", "n/a", "null", "none", "-", ".", "inf", "-inf"}
_WORDS_AND_VALUE = re.compile(r"[^\d:=]*[:=]\s*\S.*")  # "Beats: 320", which names no column


class Lines:
    """Lines of a text without blank ones and comments: their numbers, and the text on demand.

    A week of beats has 700,000 lines: as strings in lists they would take 300 MB.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.numbers = array("I")
        self._begins = array("I")
        self._ends = array("I")

    def add(self, number: int, begin: int, end: int) -> None:
        """Add the line that stands there in the text."""
        self.numbers.append(number)
        self._begins.append(begin)
        self._ends.append(end)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> str:
        return self._text[self._begins[place] : self._ends[place]]

    def between(self, first: int, end: int) -> list[str]:
        """The lines at the places from ``first`` to before ``end``."""
        return [self[place] for place in range(max(first, 0), min(end, len(self)))]

    def numbered(self, first: int, end: int) -> list[tuple[int, str]]:
        """The same with their numbers."""
        return [
            (self.numbers[place], self[place])
            for place in range(max(first, 0), min(end, len(self)))
        ]


class Rows(Sequence[tuple[str, ...]]):
    """Lines split into cells as they are read."""

    def __init__(self, lines: Lines, first: int, separator: str | None) -> None:
        self._lines = lines
        self._first = first
        self._separator = separator

    def __len__(self) -> int:
        return len(self._lines) - self._first

    @overload
    def __getitem__(self, place: int) -> tuple[str, ...]: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[tuple[str, ...], ...]: ...

    def __getitem__(self, place: int | slice) -> tuple[str, ...] | tuple[tuple[str, ...], ...]:
        if isinstance(place, slice):
            return tuple(self[index] for index in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return tuple(_split(self._lines[self._first + place % len(self)], self._separator))

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        # A fraction of the time of Sequence's own, which asks for the length at each place.
        for place in range(self._first, len(self._lines)):
            yield tuple(_split(self._lines[place], self._separator))


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows of cells, all text. ``names``: one a column, empty where there is none.

    ``lines``: the line number of each row. ``words``: comments and lines before the header.
    """

    names: tuple[str, ...]
    lines: Sequence[int]
    rows: Sequence[tuple[str, ...]]
    words: tuple[str, ...]
    separator: str | None
    decimal: str
    encoding: str
    _numbers: dict[int, NDArray[np.float64]] = field(default_factory=dict, compare=False)

    def name_of(self, column: int) -> str:
        """How a person calls the column: its name, or its place from 1."""
        return self.names[column] or f"column {column + 1}"

    def cells(self, column: int) -> Iterator[str]:
        """Its cells; empty where a row is too short."""
        return (row[column] if column < len(row) else "" for row in self.rows)

    def numbers(self, column: int) -> NDArray[np.float64]:
        """Its cells as numbers; NaN where a cell is none."""
        if column not in self._numbers:
            marks = find_marks(self.cells(column), self.decimal)
            self._numbers[column] = np.fromiter(
                (parse_number(cell, *marks) for cell in self.cells(column)),
                np.float64,
                len(self.rows),
            )
        return self._numbers[column].copy()

    def is_clock(self, column: int) -> bool:
        """Whether most of its cells are times of day or dates with times."""
        cells = [row[column] for row in self.rows[:_SAMPLE] if column < len(row) and row[column]]
        found = sum(CLOCK.fullmatch(cell) is not None for cell in cells)
        return found * 2 > len(cells)


def split_table(text: str, encoding: str = "utf-8", decimal: str | None = None) -> TextTable:
    """Split ``text``. ``decimal``: the decimal mark, where the caller knows it.

    Raises EbbtideError where a comma could be a decimal mark or separate two columns.
    """
    comments: list[str] = []
    rest = Lines(text)
    for number, found in enumerate(_LINE.finditer(text), 1):
        line = found.group()
        bare = line.strip()
        if bare.startswith(("#", "%", "//")):
            comments.append(bare.lstrip("#%/ ").strip())
        elif bare:
            if "\t" in line:
                bare = line.strip(" ")
            begin = found.start() + line.index(bare)
            rest.add(number, begin, begin + len(bare))
    sample = rest.between(len(rest) - _SAMPLE, len(rest))
    separator = _separator(sample)
    if separator == "," and _comma_is_decimal(rest.between(0, 50), sample, decimal):
        separator, decimal = None, ","
    last = [_split(line, separator) for line in sample]
    width = Counter(len(row) for row in last).most_common(1)[0][0] if last else 0
    kinds = [_is_valued(last, column) for column in range(width)]
    first = 0
    while first < len(rest) and _is_heading(_split(rest[first], separator), kinds):
        first += 1
    head = rest.between(0, first)
    names, words = _header(head, comments, separator, width)
    if first == len(rest) == 1 and width > 1:
        only = tuple(_split(head[0], separator))
        return TextTable(only, (), (), words, separator, decimal or ".", encoding)
    if first == len(rest):  # words alone: let every line be a row that cannot be read
        first = 0
    rows = Rows(rest, first, separator)
    if decimal is None:
        decimal = find_decimal(rows[:_SAMPLE])
    return TextTable(names, rest.numbers[first:], rows, words, separator, decimal, encoding)


def _separator(sample: list[str]) -> str | None:
    for mark in (";", "\t", "|", ","):
        if sum(mark in line for line in sample) * 2 > len(sample):
            return mark
    columns = sum(
        len(parts) > 1 and (is_number(parts[0]) or _words_of_time(parts) > 1)
        for parts in (line.split() for line in sample)
    )
    single = sum(CLOCK.fullmatch(line) is not None for line in sample)
    return " " if columns * 2 > len(sample) and single * 2 < len(sample) else None


def _words_of_time(parts: list[str]) -> int:
    """How many words at the beginning of a line are one time: date, clock, AM or PM."""
    for count in (3, 2):
        if len(parts) >= count and CLOCK.fullmatch(" ".join(parts[:count])):
            return count if not is_number(parts[count - 1]) else 0
    return 0


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return [line.strip().strip('"')]
    if separator == " ":
        parts = line.split()
        count = _words_of_time(parts)
        return [" ".join(parts[:count]), *parts[count:]] if count else parts
    if '"' in line:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    else:
        cells = line.split(separator)
    cells = [cell.strip() for cell in cells]
    while len(cells) > 1 and separator == ";" and not cells[-1]:
        cells.pop()  # a separator at the end of each line
    return cells


def _comma_is_decimal(first: list[str], sample: list[str], decimal: str | None) -> bool:
    """Whether the one comma of each line is a decimal mark. Raises where it may be either."""
    if decimal is not None:
        return decimal == ","
    data = [line for line in sample if re.fullmatch(r"\d+(,\d+)?", line)]
    pairs = [tuple(line.split(",")) for line in data if "," in line]
    if len(data) < 0.8 * sum(not _LETTER.search(line) for line in sample) or not pairs:
        return False
    for line in first:
        if _LETTER.search(line):
            return "," not in line  # names: one a column
        break
    left = [int(a) for a, _ in pairs]
    right = [b for _, b in pairs]
    values = [int(b) for b in right]
    many = len(pairs) >= 20
    if many and all(after == before + 1 for before, after in pairwise(left)):
        return False
    if max(left) <= 3:
        return True  # seconds
    if many and all(after >= before for before, after in pairwise(left)) and left[0] < left[-1]:
        return False  # the first only counts up
    usual = sum(200 <= a <= 3000 for a in left) > 0.8 * len(left)
    if not usual:
        return False
    if not any(values):
        return True
    rate = sorted(a * b for a, b in zip(left, values, strict=True))[len(left) // 2]
    if max(len(b) for b in right) > 4 or (many and 58_000 < rate < 62_000):
        return False
    if many and (set(values) <= {0, 1} or min(values) >= 200):
        return False
    digits = {len(b) for b in right}
    if set(values) > {0, 1} and (max(digits) < 3 or (many and min(values) < 100)):
        return True
    raise ChoiceError(
        f"The comma in lines like {data[0]!r} may be a decimal mark ({data[0].replace(',', '.')}) "
        f"or separate two columns ({left[0]} and {right[0]}).",
        "Say which: --decimal , or --decimal . (then also --column 1 or --column 2).",
        {"decimal": (",", ".")},
    )


def _is_valued(rows: list[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and row[column]]
    valued = sum(is_number(c) or CLOCK.fullmatch(c) is not None for c in cells)
    return valued * 2 >= len(cells) and valued > 0


def _is_heading(row: list[str], valued: list[bool]) -> bool:
    """Whether a line before the data is a header or preamble: words where values stand below."""
    if not any(valued):
        return True
    if len(row) != len(valued):
        return bool(_LETTER.search("".join(row))) or len(valued) - len(row) > 1
    return any(
        is_valued
        and _LETTER.search(cell) is not None
        and not is_number(cell)
        and CLOCK.fullmatch(cell) is None
        and cell.lower() not in _NO_VALUE
        for cell, is_valued in zip(row, valued, strict=True)
    )


def _header(
    before: list[str], comments: list[str], separator: str | None, width: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names, and all words that stand before the data."""
    words = comments + before
    split = [_split(line, separator) for line in before]
    names = next(
        (
            row
            for row in reversed(split)
            if len(row) == width and not (width == 1 and _WORDS_AND_VALUE.fullmatch(row[0]))
        ),
        None,
    )
    if names is None and width:
        for text in reversed(comments):
            row = _split(text, separator)
            if separator == " " and len(row) != width:
                row = [part.strip() for part in re.split(r"\s{2,}|,|;|\t", text)]
            if len(row) == width and (width > 1 or len(text) <= 30) and _LETTER.search(text):
                names = row
                break
    if names is None:
        return ("",) * width, tuple(words)
    named = tuple("" if is_number(name) else name.strip().strip('"') for name in names)
    for line in before:
        if _split(line, separator) == names:
            words.remove(line)
            break
    return named, tuple(words)
