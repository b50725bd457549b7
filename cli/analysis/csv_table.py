"""Read an analyst's table: CSV with named columns; errors name column and row.

Encoding as of files of intervals: UTF-8, UTF-16, or Latin-1 as Windows writes it. Comma, semicolon
or tab between columns; the decimal mark by the numbers of each column.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.analysis.missing_codes import NO_VALUE_WORDS
from cli.analysis.table_times import DateOrder, Times, read_times
from ebbtide.errors import EbbtideError
from ingest.files.encoded_text import read_text
from ingest.files.streams import rereadable, stream_name

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_MAX_NUMBER = 1e100  # squares of larger ones overflow
_NO_VALUE_WORDS = NO_VALUE_WORDS | {"k.a.", "k. a.", "keine angabe", "fehlt", "manquant", "n.d."}
# Numbers of which the mark may group thousands.
_GROUPED = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(\{mark}\d{{3}})+") for mark in ",."}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as text. The line of a row in the file is its index + 2."""

    path: Path
    frame: pd.DataFrame
    decimal: str | None = None

    def text(self, column: str) -> pd.Series[str]:
        """Get a column as text. Raises EbbtideError when there is none."""
        if column not in self.frame.columns:
            columns = ", ".join(str(name) for name in self.frame.columns)
            raise EbbtideError(
                f"{self.path} has no column {column!r}.", f"It has: {columns}. Case counts."
            )
        found: pd.Series[str] = self.frame[column].str.strip()
        return found

    def subjects(self, column: str) -> tuple[NDArray[np.int64], list[str]]:
        """Number the subject of each row, and list their names, sorted: row order is no matter."""
        names = self._filled(column, "subject", "Every row needs one.")
        found = sorted({str(name) for name in names}, key=_natural_key)
        number = {name: k for k, name in enumerate(found)}
        return np.array([number[str(name)] for name in names], dtype=np.int64), found

    def _filled(self, column: str, what: str, remedy: str) -> pd.Series[str]:
        words = self.text(column)
        empty = words.str.lower().isin(_NO_VALUE_WORDS)
        if empty.any():
            raise EbbtideError(
                f"{self.path}, line {self._line(empty)}: no {what} in column {column!r}.", remedy
            )
        return words

    def numbers(self, column: str) -> tuple[NDArray[np.float64], dict[str, int]]:
        """Get a column of numbers, NaN where empty, and how many cells had each word for that.

        Raises EbbtideError at the first that is neither.
        """
        words = self.text(column).str.replace("\u2212", "-", regex=False)
        empty = words.str.lower().isin(_NO_VALUE_WORDS)
        plain = self._with_points(words.where(~empty), column)
        values = pd.to_numeric(plain, errors="coerce").astype(np.float64)
        wrong = (values.isna() & ~empty) | (values.abs() > _MAX_NUMBER)
        if wrong.any():
            at = int(np.argmax(wrong.to_numpy()))
            raise EbbtideError(
                f"{self.path}, line {at + 2}, column {column!r}: {words.iloc[at]!r} is no number.",
                "Correct it, or leave it empty if it was not measured.",
            )
        counts = words[empty].value_counts(sort=False)
        taken = {str(word): int(n) for word, n in counts.items()}
        return np.asarray(values, dtype=np.float64), taken

    def times(self, column: str, order: DateOrder | None = None) -> Times:
        """Read a column of times. Raises EbbtideError at the first that is none."""
        remedy = "Every row needs one; or leave out --time, and the order of rows counts."
        words = self._filled(column, "time", remedy)
        if words.str.fullmatch(r"\d+(,\d+)?").all():
            words = self._with_points(words, column)
        return read_times(words, self.path, column, order)

    def _with_points(self, words: pd.Series[str], column: str) -> pd.Series[str]:
        """Write numbers of a column with a decimal point and without marks of thousands.

        Raises EbbtideError where 1,234 may be 1.234 or 1234, or the column has both marks.
        """
        if not words.str.contains(",", regex=False).any() and self.decimal != ",":
            return words
        comma, point = self._is_decimal(words, ","), self._is_decimal(words, ".")
        decimal = self.decimal
        if decimal is None and comma and point:
            raise EbbtideError(
                f"{self.path}, column {column!r}: numbers with a decimal comma ({comma}) and with "
                f"a decimal point ({point}).",
                "Write them all one way.",
            )
        if decimal is None:
            elsewhere = any(self._is_decimal(self.frame[name], ",") for name in self.frame.columns)
            grouped = next(
                (str(word) for word in words if _GROUPED[","].fullmatch(str(word))), None
            )
            if grouped is not None and not comma and not point and not elsewhere:
                raise EbbtideError(
                    f"{self.path}, column {column!r}: {grouped!r} may be "
                    f"{grouped.replace(',', '.')} or {grouped.replace(',', '')}.",
                    "Say which mark the decimals have: --decimal , or --decimal . (or write the "
                    "numbers without marks of thousands).",
                )
            decimal = "," if comma or (elsewhere and not point) else "."
        thousands = "." if decimal == "," else ","
        whole = words.str.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(\{thousands}\d{{3}})+(\{decimal}\d+)?")
        plain = words.where(whole != True, words.str.replace(thousands, "", regex=False))  # noqa: E712 - NaN is no number
        if decimal == ",":
            # What has a point still is of another way of writing, and no number here.
            plain = plain.str.replace(".", "..", regex=False).str.replace(",", ".", regex=False)
        return plain

    def _is_decimal(self, words: pd.Series[str], mark: str) -> str | None:
        """The first number of which this mark can only be the decimal one."""
        decimals = re.compile(rf"[+-]?\d*\{mark}\d+")
        return next(
            (
                str(word)
                for word in words
                if decimals.fullmatch(str(word).strip())
                and not _GROUPED[mark].fullmatch(str(word).strip())
            ),
            None,
        )

    def values_at(
        self,
        moment: float,
        column: str,
        subjects: NDArray[np.int64],
        names: list[str],
        days: NDArray[np.float64],
        values: NDArray[np.float64],
        lines: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Find each subject's value at one time; NaN where there is none.

        ``subjects``, ``days``, ``values`` and ``lines`` (in the file) are columns; the result has
        the shape of ``names``.
        Raises EbbtideError where no row, or two rows of a subject, have that time.
        """
        rows = np.flatnonzero(days == moment)
        if not len(rows):
            raise EbbtideError(
                f"{self.path}: no row has {column} {moment:g}.", "Check --before, --after."
            )
        which, first, counts = np.unique(subjects[rows], return_index=True, return_counts=True)
        if np.any(counts > 1):
            twice = int(which[np.argmax(counts > 1)])
            at = int(lines[rows[first[np.argmax(counts > 1)]]])
            raise EbbtideError(
                f"{self.path}, line {at}: subject {names[twice]!r} has several rows at {column} "
                f"{moment:g}.",
                "Keep one row for each subject and time.",
            )
        found = np.full(len(names), np.nan)
        found[subjects[rows]] = values[rows]
        return found

    def _line(self, mask: pd.Series[bool]) -> int:
        return int(np.argmax(mask.to_numpy())) + 2


def own_ends(
    path: Path,
    subjects: NDArray[np.int64],
    days: NDArray[np.float64],
    values: NDArray[np.float64],
    names: list[str],
    lines: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find each subject's value at the own first and last time, NaN where there is no such two.

    Raises EbbtideError where a subject has several rows at one of them.
    """
    start, end = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for subject, name in enumerate(names):
        mine = np.flatnonzero(subjects == subject)
        for found, moment in ((start, np.min(days[mine])), (end, np.max(days[mine]))):
            at = mine[days[mine] == moment]
            if len(at) > 1:
                raise EbbtideError(
                    f"{path}, line {lines[at[0]]}: subject {name!r} has several rows at its first "
                    "or last time.",
                    "Keep one row for each subject and time.",
                )
            if found is start or np.ptp(days[mine]) > 0:
                found[subject] = values[at[0]]
    return start, end


def _natural_key(name: str) -> list[tuple[int, str]]:
    """Sort P2 before P10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ] + [(-2, name)]


def read_table(path: Path, decimal: str | None = None) -> Table:
    """Read a CSV (comma, semicolon or tab); ``-`` is standard input. Raises EbbtideError when it is
    none. ``decimal``: the decimal mark, where its numbers leave two readings.
    """
    if decimal not in (None, ".", ","):
        raise EbbtideError(f"'{decimal}' is no decimal mark.", "Give --decimal . or --decimal ,")
    with rereadable(path) as file:
        return _read_rows(file, Path(stream_name(path)), decimal)


def _read_rows(file: Path, path: Path, decimal: str | None) -> Table:
    """Read the table in ``file``; errors call it ``path``."""
    text, _, ending = read_text(file, "Save it as CSV.")
    if ending is not None:
        raise EbbtideError(f"{path}: {ending}.", "Export it again.")
    first = text.partition("\n")[0]
    if re.fullmatch(r"sep=[,;\t]\s*", first):  # of Excel, which knows no other way to say it
        text = text[len(first) + 1 :]
        first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    if not first.strip():
        raise EbbtideError(f"{path} is empty.", "The first line must name the columns.")
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    names = [name.strip() for name in next(reader)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise EbbtideError(f"{path} has two columns {twice!r}.", "Give each its own name.")
    rows: list[list[str]] = []
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != len(names):
                raise EbbtideError(
                    f"{path} is no table: line {reader.line_num} has {len(row)} fields, its header "
                    f"{len(names)}.",
                    "Give every line as many.",
                )
            rows.append(row)
    except csv.Error as error:
        raise EbbtideError(
            f"{path} is no table: line {reader.line_num}: {error}.", "Check that line."
        ) from error
    if not rows:
        raise EbbtideError(f"{path} has a header and no rows.", "Give it rows.")
    return Table(path, pd.DataFrame(rows, columns=pd.Index(names)), decimal)


def with_missing(result: DataclassInstance) -> dict[str, Any]:
    """Convert a result to JSON, where the reason for no number is the field ``missing``."""
    row = asdict(result)
    row["missing"] = row.pop("missing_reason")
    return row
