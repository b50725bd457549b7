"""``ebbtide lake``: the tables of a cohort as partitioned Parquet."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.analysis.api_account import refusal, research_token, sign_in
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


def _find_tables(names: list[str] | None) -> list[str] | None:
    unknown = [name for name in names or () if name not in TIMES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(TIMES)}.")
    return list(dict.fromkeys(names)) if names else None


def lake(
    target: Annotated[str, typer.Argument(help="A folder, or s3://bucket/path, gs://bucket/path.")],
    email: Annotated[
        str | None,
        typer.Option(help="Address of an analyst's account; not needed with EBBTIDE_TOKEN."),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(
            callback=_find_tables,
            help="Which table, several times; all if left out. Those that the lake has are always "
            "renewed.",
        ),
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

    token = research_token()
    try:
        api = _client(Settings().api_url, token, email)
        try:
            done = _renew(api, target, table, buckets)
        finally:
            if not token:
                with suppress(ApiError):  # what went wrong before is to be said
                    api.sign_out()
    except ApiError as error:
        raise refusal(error, by_token=bool(token)) from error
    if as_json:
        typer.echo(json.dumps({"lake": target, "tables": done}))
        return
    for name, run in done.items():
        words = _(
            "{table}: {rows} rows; {written} files written, {deleted} deleted, {unchanged} as "
            "they were."
        )
        typer.echo(words.format(table=name, **run))


def _client(url: str, token: str, email: str | None) -> Client:
    from ebbtide.client import Client

    if token:
        return Client(url, token)
    if email is None:
        raise EbbtideError(
            "Nobody is named whose account it is.",
            "Give --email, or a token of the page Research in EBBTIDE_TOKEN.",
        )
    return sign_in(url, email)


def _renew(
    api: Client, target: str, asked: list[str] | None, buckets: int
) -> dict[str, dict[str, Any]]:
    from dataclasses import asdict

    from cli.analysis.lake_files import open_lake
    from ebbtide.client import ApiError

    done: dict[str, dict[str, Any]] = {}
    with open_lake(target, api.me()["id"], buckets) as lake:
        # Those that the lake has come first: who was erased is to be gone from every file, also of
        # a table that is not asked for, and also where the run is stopped.
        written = lake.written_tables(TIMES)
        tables = [*written, *(name for name in asked or TIMES if name not in written)]
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
