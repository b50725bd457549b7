"""``ebbtide store servers`` and ``rebalance``: people on several InfluxDB servers."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.counts import count_beats, count_people
from cli.language import _, say_result
from cli.options import Json
from cli.progress import progress_bars

if TYPE_CHECKING:
    from store.maintenance import RebalancePlan, RebalanceResult

_SHOWN = 20  # people of a plan by name; all with --json


def servers(as_json: Json = False) -> None:
    """List the InfluxDB servers: who answers, takes new people, and how many each has."""
    from ebbtide.settings import Settings
    from store import open_stores
    from store.maintenance import list_servers

    with closing(open_stores(Settings())) as stores:
        found = list_servers(stores.beats)
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found]))
    else:
        for item in found:
            state = _("answers") if item.problem is None else say_result(item.problem)
            if item.is_drained:
                state = _("{state}, takes no new people").format(state=state)
            typer.echo(
                _("{name}: {people} with {beats}; {state}").format(
                    name=item.name,
                    people=count_people(item.people),
                    beats=count_beats(item.beats),
                    state=state,
                )
            )
    if any(item.problem is not None and (item.people or item.is_set) for item in found):
        raise typer.Exit(1)


def rebalance(
    drain: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Move everybody off this server; it gets nobody new."),
    ] = None,
    undrain: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Let this server take people again."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: move.")] = False,
    as_json: Json = False,
) -> None:
    """Show who would move between InfluxDB servers, so that each has as many beats; move them
    once you agree. It goes on where it stopped.
    """
    from ebbtide.settings import Settings
    from store import open_stores
    from store.maintenance import move_people, plan_rebalance, set_drained

    with closing(open_stores(Settings())) as stores:
        for name in undrain or ():
            set_drained(stores.beats, name, is_drained=False)
        plan = plan_rebalance(stores.beats, drain or ())
        if not as_json:
            _write_plan(plan)
        is_empty = not plan.moves and not plan.deletions
        if as_json and not yes:
            typer.echo(json.dumps({**asdict(plan), "beats": plan.beats, "moved": None}))
            return
        if not yes and (not is_empty or drain):
            typer.confirm(_("Do it?"), abort=True, err=True)
        for name in drain or ():
            set_drained(stores.beats, name, is_drained=True)
        with progress_bars() as progress:
            found = move_people(stores.beats, plan, progress)
    _write_result(plan, found, as_json=as_json)
    if found.failed:
        raise typer.Exit(1)


def _write_plan(plan: RebalancePlan) -> None:
    for move in plan.moves[:_SHOWN]:
        typer.echo(
            _("{person}: {beats} from {source} to {target}").format(
                person=move.subject_id,
                beats=count_beats(move.beats),
                source=move.source,
                target=move.target,
            )
        )
    if len(plan.moves) > _SHOWN:
        typer.echo(
            _("and {people} more (--json lists all)").format(
                people=count_people(len(plan.moves) - _SHOWN)
            )
        )
    people = Counter((move.source, move.target) for move in plan.moves)
    beats: Counter[tuple[str, str]] = Counter()
    for move in plan.moves:
        beats[move.source, move.target] += move.beats
    for (source, target), count in sorted(people.items()):
        typer.echo(
            _("In total from {source} to {target}: {people}, {beats}.").format(
                source=source,
                target=target,
                people=count_people(count),
                beats=count_beats(beats[source, target]),
            )
        )
    if plan.deletions:
        typer.echo(
            _("To be deleted where they do not lie any more: what is left of {people}.").format(
                people=count_people(len(plan.deletions))
            )
        )
    if not plan.moves and not plan.deletions:
        typer.echo(_("Nobody needs to move."))


def _write_result(plan: RebalancePlan, found: RebalanceResult, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**asdict(plan), "beats": plan.beats, "moved": asdict(found)}))
        return
    if plan.moves:
        typer.echo(
            _("Moved: {people}, {beats}.").format(
                people=count_people(found.moved), beats=count_beats(found.beats)
            )
        )
    if found.deleted:
        typer.echo(
            _("Deleted: what was left of {people}.").format(people=count_people(found.deleted))
        )
    for subject, why in found.failed.items():
        typer.echo(
            _("Left as it was: {person}. {why}").format(person=subject, why=say_result(why)),
            err=True,
        )
