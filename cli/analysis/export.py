"""``ebbtide export``: a table of one's own into a file."""

from __future__ import annotations

import io
import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from cli.analysis.api_account import refusal, sign_in
from cli.language import _
from cli.options import Force, Json
from cli.written_files import refuse_existing
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
    HEART_RATES = "heart_rates"
    SCORES = "scores"
    PROMPTS = "prompts"
    DECISION_POINTS = "decision_points"
    STRESS_BEFORE = "stress_before"
    GAPS = "gaps"
    NIGHTS = "nights"


def _find_table(name: str) -> str:
    """Choose by name. Their names as a type would make the help wider than 60 columns."""
    try:
        return ExportedTable(name)
    except ValueError as error:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(ExportedTable)}.") from error


def export(
    table: Annotated[
        str,
        typer.Argument(callback=_find_table, help=f"One of {', '.join(ExportedTable)}."),
    ],
    target: Annotated[
        Path, typer.Argument(help="A .csv or .parquet file; - is CSV on standard output.")
    ],
    email: Annotated[str, typer.Option(help="Address of the account.")],
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write one of your tables into a file, and what its columns mean into datapackage.json beside
    it. Asks for the password.
    """
    from ebbtide.settings import Settings

    settings = Settings()
    form = "csv" if target == _STANDARD_OUTPUT else target.suffix.removeprefix(".")
    if form not in _FORMATS:
        raise EbbtideError(f"{target.name} is neither .csv nor .parquet.", "Choose such a name.")
    if target != _STANDARD_OUTPUT:
        refuse_existing(target, force=force)
    elif as_json:
        raise EbbtideError("--json and the table would both be standard output.", "Name a file.")
    rows = _export_table(email, table, target, form, settings.api_url)
    if as_json:
        typer.echo(json.dumps({"table": table, "rows": rows, "file": str(target)}))
    elif target != _STANDARD_OUTPUT:
        typer.echo(
            _("{rows} rows of {table} in {file}.").format(rows=rows, table=table, file=target)
        )


def _export_table(email: str, table: str, target: Path, form: str, api_url: str) -> int:
    """Write a table and return the number of its rows. Raises EbbtideError."""
    from pyarrow import parquet

    from ebbtide.client import ApiError

    try:
        with sign_in(api_url, email) as api:
            content = api.export_bytes(table, "parquet")
            (resource,) = (item for item in api.datapackage()["resources"] if item["name"] == table)
    except ApiError as error:
        raise refusal(error) from error
    data = parquet.read_table(io.BytesIO(content))
    if table == ExportedTable.BEATS:
        data = data.append_column("rr_ms", _compute_rr_ms(data))
        resource["schema"]["fields"].append(
            {"name": "rr_ms", "type": "number", "unit": "ms", "description": "RR interval"}
        )
    if target == _STANDARD_OUTPUT:
        _write_csv(data, sys.stdout)
        return int(data.num_rows)
    _describe(target, form, resource)
    if form == "csv":
        _write_csv(data, target)
    else:
        parquet.write_table(data, target, compression="zstd")
    return int(data.num_rows)


def _describe(target: Path, form: str, resource: dict[str, Any]) -> None:
    """Add the file to the datapackage.json of its folder. Raises EbbtideError for one that is not
    such a description.
    """
    file = target.with_name("datapackage.json")
    package: Any = {"name": "ebbtide", "resources": []}
    if file.exists():
        try:
            package = json.loads(file.read_text(encoding="utf-8"))
            others = [item for item in package["resources"] if item["path"] != target.name]
        except (ValueError, KeyError, TypeError) as error:
            raise EbbtideError(
                f"{file} is there and is no Data Package.", "Choose another folder, or move it."
            ) from error
    else:
        others = []
    resource = {**resource, "name": re.sub("[^a-z0-9._-]", "-", target.name.lower())}
    resource["path"] = target.name
    if form == "parquet":
        resource |= {"format": "parquet", "mediatype": "application/vnd.apache.parquet"}
        del resource["dialect"]
    package["resources"] = [*others, resource]
    text = json.dumps(package, indent=2, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")


def _compute_rr_ms(data: Any) -> Any:
    import pyarrow.compute as pc

    seconds = pc.divide(pc.cast(data["rr_ticks"], "float64"), data["ticks_per_second"])
    return pc.multiply(seconds, 1000.0)


def _write_csv(data: Any, target: Path | TextIO) -> None:
    """Write what R reads rightly as well: TRUE and FALSE, ISO 8601 with all digits."""
    import numpy as np
    import pandas as pd

    frame = data.to_pandas(integer_object_nulls=True)
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            moments = column.dt.tz_localize(None).to_numpy("datetime64[ns]")
            frame[name] = [f"{word}Z" for word in np.datetime_as_string(moments, unit="ns")]
        elif data.schema.field(name).type == "bool":
            frame[name] = column.map({True: "TRUE", False: "FALSE"})
    frame.to_csv(target, index=False, lineterminator="\n")
