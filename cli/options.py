"""Typer options and arguments that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
PatientEmail = Annotated[str | None, typer.Option(help="Address of the account it belongs to.")]
ListenSeconds = Annotated[float, typer.Option(help="How long to listen.", min=1, max=120)]
RrFile = Annotated[
    Path, typer.Argument(help="File of RR intervals, of any app; - is standard input.")
]
CsvFile = Annotated[
    Path, typer.Argument(help="CSV with a line of column names; - is standard input.")
]
SubjectColumn = Annotated[str, typer.Option(help="Column of who each row is of.")]


class DateOrder(StrEnum):
    """Which part of a date such as 01/09/2026 comes first."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


Dates = Annotated[DateOrder | None, typer.Option(help="How dates such as 01/09/2026 are written.")]
Missing = Annotated[
    str | None,
    typer.Option(help="Codes for a missing value: -99,99 or COLUMN=99; none if all are values."),
]
ColumnOption = Annotated[
    str | None, typer.Option("--column", help="Column of the intervals: its name, or place from 1.")
]
UnitOption = Annotated[
    str | None,
    typer.Option(
        "--unit",
        help="Unit of the intervals: ms, s, us, 1/1024, 1/256; samples@500 of beats at 500 Hz.",
    ),
]
DecimalOption = Annotated[
    str | None, typer.Option("--decimal", help="Decimal mark of a text file: . or ,")
]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", help="Zone of times that name none, as Europe/Berlin.")
]
