"""``ebbtide lake``: the tables of a cohort as partitioned Parquet."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _
from cli.options import Json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.analysis.lake_files import Lake, LakeRun
    from ebbtide.client import Client, Research

# The column of ns by whose month a table is divided; a link is of all that is released.
TIMES = {
    "ratings": "about_ns",
    "sessions": "held_ns",
    "scores": "about_ns",
    "prompts": "planned_ns",
    "decision_points": "planned_ns",
    "stress_before": "about_ns",
    "nights": "end_ns",
    "heart_rates": "time_ns",
    "gaps": "start_ns",
    "link": "",
    "hrv": "start_ns",
    "beats": "time_ns",
}


def _find_tables(names: list[str] | None) -> list[str]:
    unknown = [name for name in names or () if name not in TIMES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(TIMES)}.")
    return list(dict.fromkeys(names or TIMES))


def lake(
    target: Annotated[str, typer.Argument(help="A folder, or s3://bucket/path, gs://bucket/path.")],
    email: Annotated[
        str | None,
        typer.Option(help="Address of an analyst's account; not needed with EBBTIDE_TOKEN."),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(callback=_find_tables, help="Which table, several times; all if left out."),
    ] = None,
    buckets: Annotated[
        int, typer.Option(min=1, max=1000, help="Into how many parts the people are divided.")
    ] = 16,
    as_json: Json = False,
) -> None:
    """Write the tables of everybody who agreed to research into a data lake of Parquet, or renew
    what is there: what was erased or taken back goes. Asks for the password, or takes the token in
    EBBTIDE_TOKEN.
    """
    from ebbtide.client import ApiError
    from ebbtide.settings import Settings

    tables = table or list(TIMES)
    try:
        api, signed_in = _client(Settings().api_url, email)
        try:
            done = _renew(api, target, tables, buckets)
        finally:
            if signed_in:
                api.sign_out()
    except ApiError as error:
        raise EbbtideError(f"The API did not give it: {error}", "Is it running?") from error
    if as_json:
        typer.echo(json.dumps({"lake": target, "tables": done}))
        return
    for name, run in done.items():
        words = _(
            "{table}: {rows} rows; {written} files written, {deleted} deleted, {unchanged} as "
            "they were."
        )
        typer.echo(words.format(table=name, **run))


def _client(url: str, email: str | None) -> tuple[Client, bool]:
    from ebbtide.client import Client

    token = os.environ.get("EBBTIDE_TOKEN", "")
    if token:
        return Client(url, token), False
    if email is None:
        raise EbbtideError(
            "Nobody is named whose account it is.",
            "Give --email, or a token of the page Research in EBBTIDE_TOKEN.",
        )
    password = typer.prompt(_("Password"), hide_input=True, err=True)
    return Client.sign_in(url, email, password), True


def _renew(api: Client, target: str, tables: list[str], buckets: int) -> dict[str, dict[str, Any]]:
    from dataclasses import asdict

    from cli.analysis.lake_files import Lake
    from ebbtide.client import ApiError

    lake = Lake(target, api.me()["id"], buckets)
    done: dict[str, dict[str, Any]] = {}
    try:
        described = api.research.datapackage()
        for name in tables:
            done[name] = asdict(_renew_table(lake, api.research, name))
    except ApiError as error:
        if error.kind != "few-people":
            raise
        gone = lake.clear(TIMES)
        raise EbbtideError(
            f"{error} {gone} files that the lake had were deleted.",
            "Run it again when more people agree.",
        ) from error
    lake.describe({item["name"]: item["schema"] for item in described["resources"]})
    return done


def _renew_table(lake: Lake, research: Research, name: str) -> LakeRun:
    with research.batches(name) as reader:
        return lake.replace_table(name, reader, TIMES[name])
