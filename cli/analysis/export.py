"""``ebbtide export``: a table of one's own into a file."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ebbtide.errors import EbbtideError

_FORMATS = ("csv", "parquet")
_STANDARD_OUTPUT = Path("-")


class ExportedTable(StrEnum):
    """The tables of the API."""

    BEATS = "beats"
    HRV = "hrv"
    RATINGS = "ratings"
    SESSIONS = "sessions"
    LINK = "link"


def export(
    table: ExportedTable,
    target: Annotated[
        Path, typer.Argument(help="A .csv or .parquet file; - is CSV on standard output.")
    ],
    email: Annotated[str, typer.Option(help="Address of the account.")],
) -> None:
    """Write one of your tables into a file. Asks for the password."""
    from ebbtide.settings import Settings

    password = typer.prompt("Password", hide_input=True, err=True)
    rows = _export_table(email, password, table, target, Settings().api_url)
    if target != _STANDARD_OUTPUT:
        typer.echo(f"{rows} rows of {table} in {target}.")


def _export_table(email: str, password: str, table: str, target: Path, api_url: str) -> int:
    """Write a table and return the number of its rows. Raises EbbtideError."""
    from ebbtide.client import ApiError, Client

    form = "csv" if target == _STANDARD_OUTPUT else target.suffix.removeprefix(".")
    if form not in _FORMATS:
        raise EbbtideError(f"{target.name} is neither .csv nor .parquet.", "Choose such a name.")
    try:
        with Client.sign_in(api_url, email, password) as api:
            frame = getattr(api, table)()
    except ApiError as error:
        raise EbbtideError(f"The API did not give it: {error}", "Is it running?") from error
    if target == _STANDARD_OUTPUT:
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    elif form == "csv":
        frame.to_csv(target, index=False)
    else:
        frame.to_parquet(target, index=False)
    return len(frame)
