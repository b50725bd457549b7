"""Read an analyst's table: CSV with named columns; errors name column and row."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError

_NO_VALUE = {"", "na", "nan", "n/a", "null", "none", ".", "<undefined>"}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as text. The line of a row in the file is its index + 2."""

    path: Path
    frame: pd.DataFrame

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
        """Number the subject of each row, and list their names in order of appearance."""
        names = self.text(column)
        empty = names.str.lower().isin(_NO_VALUE)
        if empty.any():
            raise EbbtideError(
                f"{self.path}, line {self._line(empty)}: no subject in column {column!r}.",
                "Every row needs one.",
            )
        codes, found = pd.factorize(names)
        return codes.astype(np.int64), [str(name) for name in found]

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Get a column of numbers, NaN where empty. Raises EbbtideError at the first other."""
        words = self.text(column)
        empty = words.str.lower().isin(_NO_VALUE)
        values = pd.to_numeric(words.where(~empty), errors="coerce")
        wrong = (values.isna() & ~empty) | np.isinf(values.fillna(0.0))
        if wrong.any():
            at = int(np.argmax(wrong.to_numpy()))
            raise EbbtideError(
                f"{self.path}, line {at + 2}, column {column!r}: {words.iloc[at]!r} is no number.",
                "Correct it, or leave it empty if it was not measured.",
            )
        return np.asarray(values, dtype=np.float64)

    def times(self, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Get days, and hours of the day (None where the column holds numbers or bare dates)."""
        words = self.text(column)
        empty = words.str.lower().isin(_NO_VALUE)
        if empty.any():
            raise EbbtideError(
                f"{self.path}, line {self._line(empty)}: no time in column {column!r}.",
                "Every row needs one; or leave out --time, and the order of rows counts.",
            )
        numbers = pd.to_numeric(words, errors="coerce")
        if not numbers.isna().any():
            return numbers.to_numpy(dtype=np.float64), None
        moments = pd.to_datetime(words, errors="coerce", utc=True, format="ISO8601")
        wrong = moments.isna()
        if wrong.any():
            at = int(np.argmax(wrong.to_numpy()))
            raise EbbtideError(
                f"{self.path}, line {at + 2}, column {column!r}: {words.iloc[at]!r} is no time.",
                "Write 2026-11-24T08:30, or a number (days), in every row.",
            )
        # Circadian rhythm follows local time, so the UTC offset is dropped and not applied.
        local = pd.to_datetime(
            words.str.replace(r"(?<=:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)$", "", regex=True),
            format="ISO8601",
        )
        hours = (local.dt.hour + local.dt.minute / 60).to_numpy(dtype=np.float64)
        days = (moments - moments.min()).dt.total_seconds().to_numpy(dtype=np.float64) / 86_400
        return days, hours if np.ptp(hours) > 0 else None

    def values_at(
        self,
        moment: float,
        column: str,
        subjects: NDArray[np.int64],
        names: list[str],
        days: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Find each subject's value at one time; NaN where there is none.

        ``subjects``, ``days`` and ``values`` are columns; the result has the shape of ``names``.
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
            at = int(rows[first[np.argmax(counts > 1)]]) + 2
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


def read_table(path: Path) -> Table:
    """Read a CSV (comma, semicolon or tab). Raises EbbtideError when it is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error
    except UnicodeDecodeError as error:
        raise EbbtideError(f"{path} is not text in UTF-8.", "Save it as CSV, UTF-8.") from error
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
    return Table(path, pd.DataFrame(rows, columns=pd.Index(names)))
