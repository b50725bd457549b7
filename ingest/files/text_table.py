"""Split a text file into a table: encoding, comments, preamble, header, separator, decimal mark.

Nothing here knows what a column means: that is decided in ``column_recognition``.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ebbtide.errors import EbbtideError

_MAX_BYTES = 200_000_000  # some years of beats
_SAMPLE = 400  # rows that decide the separator and the kind of a column
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)*|[.,]\d+)([eE][+-]?\d+)?")
CLOCK = re.compile(
    r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[T ]|(?P<d2>\d\d?)\.(?P<m2>\d\d?)\.(?P<y2>\d{4}),? "
    r"|(?P<slash>\d\d?/\d\d?/\d{2,4},? ))?"
    r"(?P<H>\d\d?):(?P<M>\d\d)(?::(?P<S>\d\d)(?:[.,:](?P<f>\d{1,9}))?)?"
    r" ?(?P<z>Z|[+-]\d\d:?\d\d)?"
)
_LETTER = re.compile(r"[^\W\d_]")
_NO_VALUE = {"", "nan", "na", "n/a", "null", "none", "-", ".", "inf", "-inf"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows of cells, all text. ``names``: one a column, empty where there is none.

    ``lines``: the line number of each row. ``words``: comments and lines before the header.
    """

    names: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]
    separator: str | None
    decimal: str
    encoding: str

    def name_of(self, column: int) -> str:
        """How a person calls the column: its name, or its place from 1."""
        return self.names[column] or f"column {column + 1}"

    def numbers(self, column: int) -> list[float]:
        """Its cells as numbers; NaN where a cell is none."""
        cells = [row[column] if column < len(row) else "" for row in self.rows]
        marks = _marks(cells, self.decimal)
        return [_parse_number(cell, *marks) for cell in cells]

    def is_clock(self, column: int) -> bool:
        """Whether most of its cells are times of day or dates with times."""
        cells = [row[column] for row in self.rows[:_SAMPLE] if column < len(row) and row[column]]
        found = sum(CLOCK.fullmatch(cell) is not None for cell in cells)
        return found * 2 > len(cells)


def read_text(path: Path) -> tuple[str, str]:
    """Read ``path``: (text, encoding). Raises EbbtideError where it is no text."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EbbtideError(f"{path} is larger than 200 MB.", "Split it.")
        raw = path.read_bytes()
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error
    text, encoding = decode(raw)
    if _CONTROL.search(text[:100_000]) is not None or "\ufffd" in text[:100_000]:
        raise EbbtideError(
            f"{path} is not a text file (it holds control characters).",
            "Give a text file with one RR interval a line.",
        )
    return text, encoding


def decode(raw: bytes) -> tuple[str, str]:
    """Decode by the mark at the beginning; else UTF-16 where every second byte is 0, UTF-8, or
    Latin-1 as Windows writes it.
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return raw.decode("utf-8-sig" if name == "utf-8" else name, "replace"), name
    head = raw[:2000]
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if len(head) >= 4 and zeros.count(0) > 0.9 * len(zeros):
            return raw.decode(name, "replace"), name
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 3 and error.reason == "unexpected end of data":
            return raw[: error.start].decode("utf-8"), "utf-8"
        return raw.decode("cp1252", "replace"), "latin-1"


def split_table(text: str, encoding: str = "utf-8", decimal: str | None = None) -> TextTable:
    """Split ``text``. ``decimal``: the decimal mark, where the caller knows it.

    Raises EbbtideError where a comma could be a decimal mark or separate two columns.
    """
    comments: list[tuple[int, str]] = []
    rest: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith(("#", "%", "//")):
            comments.append((number, bare.lstrip("#%/ ").strip()))
        elif bare:
            rest.append((number, bare if "\t" not in line else line.strip(" \r\n")))
    sample = [line for _, line in rest[-_SAMPLE:]]
    separator = _separator(sample)
    if separator == "," and _comma_is_decimal(rest, sample, decimal):
        separator, decimal = None, ","
    split = [_split(line, separator) for _, line in rest]
    width = Counter(len(row) for row in split[-_SAMPLE:]).most_common(1)[0][0] if split else 0
    kinds = [_is_valued(split[-_SAMPLE:], column) for column in range(width)]
    first = 0
    while first < len(split) and _is_heading(split[first], kinds):
        first += 1
    names, words = _header(split[:first], rest[:first], comments, separator, width)
    if first == len(split) and len(split) == 1 and width > 1:
        return TextTable(tuple(split[0]), (), (), words, separator, decimal or ".", encoding)
    if first == len(split):  # words alone: let every line be a row that cannot be read
        first = 0
    rows = tuple(tuple(row) for row in split[first:])
    if decimal is None:
        decimal = _decimal(rows[:_SAMPLE])
    lines = tuple(number for number, _ in rest[first:])
    return TextTable(names, lines, rows, words, separator, decimal, encoding)


def _separator(sample: list[str]) -> str | None:
    for mark in (";", "\t", "|", ","):
        if sum(mark in line for line in sample) * 2 > len(sample):
            return mark
    columns = sum(
        len(parts) > 1
        and (_is_number(parts[0]) or CLOCK.fullmatch(" ".join(parts[:2])) is not None)
        for parts in (line.split() for line in sample)
    )
    single = sum(CLOCK.fullmatch(line) is not None for line in sample)
    return " " if columns * 2 > len(sample) and single * 2 < len(sample) else None


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return [line.strip().strip('"')]
    if separator == " ":
        parts = line.split()
        if len(parts) > 1 and CLOCK.fullmatch(" ".join(parts[:2])) and not _is_number(parts[1]):
            parts[:2] = [" ".join(parts[:2])]
        return parts
    if '"' in line:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    else:
        cells = line.split(separator)
    cells = [cell.strip() for cell in cells]
    while len(cells) > 1 and separator == ";" and not cells[-1]:
        cells.pop()  # a separator at the end of each line
    return cells


def _comma_is_decimal(rest: list[tuple[int, str]], sample: list[str], decimal: str | None) -> bool:
    """Whether the one comma of each line is a decimal mark. Raises where it may be either."""
    if decimal is not None:
        return decimal == ","
    data = [line for line in sample if re.fullmatch(r"\d+(,\d+)?", line)]
    pairs = [tuple(line.split(",")) for line in data if "," in line]
    if len(data) < 0.8 * sum(not _LETTER.search(line) for line in sample) or not pairs:
        return False
    for _, line in rest[:50]:
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
    raise EbbtideError(
        f"The comma in lines like {data[0]!r} may be a decimal mark ({data[0].replace(',', '.')}) "
        f"or separate two columns ({left[0]} and {right[0]}).",
        "Say which: --decimal , or --decimal . (then also --column 1 or --column 2).",
    )


def _is_valued(rows: list[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and row[column]]
    valued = sum(_is_number(c) or CLOCK.fullmatch(c) is not None for c in cells)
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
        and not _is_number(cell)
        and CLOCK.fullmatch(cell) is None
        and cell.lower() not in _NO_VALUE
        for cell, is_valued in zip(row, valued, strict=True)
    )


def _header(
    split: list[list[str]],
    before: list[tuple[int, str]],
    comments: list[tuple[int, str]],
    separator: str | None,
    width: int,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names, and all words that stand before the data."""
    words = [text for _, text in comments] + [line for _, line in before]
    names = next((row for row in reversed(split) if len(row) == width), None)
    if names is None and width:
        for _, text in reversed(comments):
            row = _split(text, separator)
            if separator == " " and len(row) != width:
                row = [part.strip() for part in re.split(r"\s{2,}|,|;|\t", text)]
            if len(row) == width and (width > 1 or len(text) <= 30) and _LETTER.search(text):
                names = row
                break
    if names is None:
        return ("",) * width, tuple(words)
    named = tuple("" if _is_number(name) else name.strip().strip('"') for name in names)
    if len(words) and width and " ".join(names) in words:
        words.remove(" ".join(names))
    return named, tuple(words)


def _decimal(rows: tuple[tuple[str, ...], ...]) -> str:
    cells = [cell for row in rows for cell in row if CLOCK.fullmatch(cell) is None]
    commas = [cell for cell in cells if re.search(r"\d,\d|^,\d", cell) and _is_number(cell)]
    if not commas:
        return "."
    both = [cell for cell in commas if "." in cell]
    if both:
        return "," if both[0].rfind(",") > both[0].rfind(".") else "."
    dots = any(re.search(r"\d\.\d", cell) and _is_number(cell) for cell in cells)
    return "." if dots and all(re.fullmatch(r"\d{1,3}(,\d{3})+", c) for c in commas) else ","


def _marks(cells: list[str], decimal: str) -> tuple[str, str]:
    """(decimal mark, mark of thousands) of one column: '1.012' among '985' is 1012."""
    other = "." if decimal == "," else ","
    marked = [cell for cell in cells if decimal in cell]
    if marked and len(marked) < len(cells):
        grouped = re.compile(r"[1-9]\d{0,2}(" + re.escape(decimal) + r"\d{3})+")
        plain = [cell for cell in cells if cell.isdigit()]
        if (
            plain
            and min(len(cell) for cell in plain) >= 3
            and all(grouped.fullmatch(cell) for cell in marked)
        ):
            return other, decimal
    return decimal, other


def _parse_number(cell: str, decimal: str, thousands: str) -> float:
    if thousands in cell:
        cell = cell.replace(thousands, "")
    if decimal != ".":
        cell = cell.replace(decimal, ".")
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None
