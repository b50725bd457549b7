"""``ebbtide scan``: straps nearby, and the features of each."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli.language import _, say_result, say_words
from cli.options import Json, ListenSeconds
from ebbtide.i18n import N_

if TYPE_CHECKING:
    from rich.console import Console

    from ingest.straps.bluetooth.scan import FoundStrap

NOTHING_HEARD = N_(
    "No heart-rate strap was heard. Wet its electrodes and wear it: most straps sleep until they "
    "touch skin. A strap that a phone or watch holds is not heard either. "
    "ebbtide doctor checks this machine's side."
)

_Found = TypeVar("_Found")
_FAILS_WITHIN_S = 0.5  # where Bluetooth is off, or there is none

UNSURE = N_("Perhaps straps, by name or kind; they do not advertise a heart rate (not certain):")


def scan(
    seconds: ListenSeconds = 8.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not connect to ask for battery and features.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List heart-rate straps nearby: signal, battery, what each can give."""
    import asyncio

    straps = asyncio.run(_find_straps(seconds, connect=not quick))
    if as_json:
        typer.echo(json.dumps([asdict(strap) for strap in straps]))
        return
    if not straps:
        typer.echo(_(NOTHING_HEARD))
    for strap in straps:
        if strap.is_certain:
            typer.echo(describe(strap))
    unsure = [strap for strap in straps if not strap.is_certain]
    if unsure:
        typer.echo(_(UNSURE))
    for strap in unsure:
        typer.echo(describe(strap))


async def _find_straps(seconds: float, *, connect: bool) -> list[FoundStrap]:
    """Scan, and connect to each strap for its details; strongest signal first."""
    from rich.console import Console

    from ingest.straps.bluetooth.scan import probe, scan

    console = Console(stderr=True, highlight=False)
    listening = _("Listening for {seconds:.0f} s").format(seconds=seconds)
    found = await with_status(console, listening, scan(seconds))
    if not connect:
        return found
    # A device that only may be a strap is left alone: connecting could disturb it.
    detailed = []
    for strap in found:
        if not strap.is_certain:
            detailed.append(strap)
            continue
        with console.status(_("Asking {strap}").format(strap=strap.name)):
            detailed.append(await probe(strap))
    return detailed


async def with_status(console: Console, words: str, work: Coroutine[Any, Any, _Found]) -> _Found:
    """Await ``work``; say that it is under way once it has not failed at once."""
    import asyncio

    task = asyncio.ensure_future(work)
    try:
        done, _waiting = await asyncio.wait({task}, timeout=_FAILS_WITHIN_S)
        if done:
            return task.result()
        if not console.is_terminal:
            console.print(words, markup=False)
        with console.status(words):
            return await task
    finally:
        task.cancel()


def describe(strap: FoundStrap) -> str:
    """Describe a strap in one line."""
    parts = [strap.address, strap.name]
    if strap.signal_dbm is not None:
        parts.append(f"{strap.signal_dbm} dBm ({_(signal_words(strap.signal_dbm))})")
    facts = strap.facts
    if facts is not None:
        if facts.battery_percent is not None:
            parts.append(_("battery {percent}%").format(percent=facts.battery_percent))
        model = " ".join(word for word in (facts.manufacturer, facts.model) if word)
        if model:
            parts.append(model)
        if facts.body_location:
            parts.append(_("worn on: {place}").format(place=say_result(facts.body_location)))
        parts.append(
            _("gives {what}").format(what=", ".join(map(say_result, facts.gives)))
            if facts.gives
            else _("gives no heart rate")
        )
    if strap.trouble:
        parts.append(_("could not be asked: {why}").format(why=say_words(strap.trouble)))
    return "  ".join(parts)


def signal_words(dbm: int) -> str:
    """Name a signal strength."""
    if dbm >= -70:
        return N_("strong")
    return N_("fair") if dbm >= -85 else N_("weak: come closer")
