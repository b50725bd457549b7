"""``ebbtide cohort``: HRV, links or practice by lot of everybody in a lake, on many cores."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.language import _, say_result
from cli.options import Json

if TYPE_CHECKING:
    from cli.analysis.cohort.run import CohortRun

_SAID = 10  # of what is left out; all is in the file


class What(StrEnum):
    """What is computed."""

    HRV = "hrv"
    LINK = "link"
    PRACTICE = "practice"


def cohort(
    what: Annotated[What, typer.Argument(help="What is computed: hrv, link or practice.")],
    lake: Annotated[str, typer.Argument(help="The folder or address that ebbtide lake wrote.")],
    scheduler: Annotated[
        str | None,
        typer.Option(help="Use the Dask cluster at this address, such as tcp://host:8786."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores if left out.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Where results go; beside the lake, LAKE-results, if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute HRV, links or practice by lot of everybody in a data lake, on all cores or a cluster.

    Results are Parquet, a row each window or person, and one of all people together; earlier ones
    of the same kind are replaced.
    """
    from cli.analysis.cohort.run import open_executor, run_cohort
    from cli.dask_cluster import has_dask
    from cli.progress import progress_bars

    target = out or _beside(lake)
    if scheduler is None and not has_dask():
        typer.echo(
            _('One core alone: Dask is not installed (pip install "ebbtide[cluster]").'), err=True
        )
    with progress_bars() as progress, open_executor(scheduler, workers) as (executor, max_tasks):
        run = run_cohort(
            what,
            lake,
            target,
            executor,
            max_tasks,
            lambda done, total: progress(_("people"), done, total),
        )
    if as_json:
        from dataclasses import asdict

        typer.echo(json.dumps({"what": what, "lake": lake, "out": target, **asdict(run)}))
        return
    _say(run, what, target)


def _say(run: CohortRun, what: str, target: str) -> None:
    words = _("{what}: {people} people, {rows} rows in {target}.")
    typer.echo(words.format(what=what, people=run.people, rows=run.rows, target=target))
    for one in run.left_out[:_SAID]:
        words = _("  Left out: {name}: {why}")
        typer.echo(words.format(name=one.person or one.partition, why=say_result(one.why)))
    if len(run.left_out) > _SAID:
        words, file = _("  and {count} more, in {file}"), f"_{what}.json"
        typer.echo(words.format(count=len(run.left_out) - _SAID, file=file))


def _beside(lake: str) -> str:
    """An address of an object store may end with options."""
    path, mark, options = lake.partition("?")
    return f"{path.rstrip('/')}-results{mark}{options}"
