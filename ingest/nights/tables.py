"""Rows of the tables in exports, each by the names of its columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ebbtide.errors import EbbtideError
from ingest.nights.members import Member, Members
from ingest.nights.night_file import Remarks, find_delimiter

# Not csv.field_size_limit: it is of the whole process, and scipy and frictionless lift it.
_MAX_CELL = 131_072


def read_rows(
    members: Members,
    member: Member,
    remarks: Remarks,
    *,
    skip: int = 0,
    exact: bool = False,
    max_rows: int | None = None,
) -> Iterator[dict[str, str]]:
    """Yield the cells of each row that is not empty, stripped, by the names of the columns in lower
    case. ``skip``: lines before the names. What stands before a broken row is kept. ``exact``:
    leave out rows with more cells than names, as decimal commas between commas make them.
    Raises EbbtideError at the first row after ``max_rows``.
    """
    text = members.read_text(member)
    first = next(iter(text.split("\n", skip + 1)[skip:]), "")
    delimiter = find_delimiter(first)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for _ in range(skip):
            next(reader, None)
        names = [name.strip().lower() for name in next(reader, [])]
        for number, row in enumerate(reader):
            if max_rows is not None and number >= max_rows:
                raise EbbtideError(
                    f"{member.base} has more than {max_rows:,} rows; a table of nights has one "
                    "a night.",
                    "Keep a row a night, or import it in parts.",
                )
            if any(len(cell) > _MAX_CELL for cell in row):
                raise csv.Error(f"field larger than {_MAX_CELL} letters")
            cells = [cell.strip() for cell in row]
            if delimiter == "|" and not "".join(cells).strip(":-"):
                continue  # the line under the names of a table in Markdown
            if exact and any(cells[len(names) :]):
                remarks.add(
                    "rows have more cells than the table has names; left out",
                    f"{member.base}, line {reader.line_num}",
                )
            elif any(cells):
                yield dict(zip(names, cells, strict=False))
    except csv.Error as error:
        remarks.add(
            "tables are broken; what stands before that was kept",
            f"{member.base}, line {reader.line_num} ({error})",
        )
