"""``ebbtide scan``: which straps are near, and what each can give."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ingest.straps.bluetooth.scan import FoundStrap

NOTHING_HEARD = (
    "No heart-rate strap was heard. Wet its electrodes and wear it: most straps sleep until they "
    "touch skin. A strap that a phone or watch holds is not heard either. "
    "ebbtide doctor checks this machine's side."
)


def run_scan(seconds: float, ask_each: bool, as_json: bool) -> None:
    """List straps nearby, strongest signal first."""
    from ingest.straps.bluetooth.scan import probe, scan

    async def look() -> list[FoundStrap]:
        console = Console(stderr=True, highlight=False)
        with console.status(f"Listening for {seconds:.0f} s"):
            found = await scan(seconds)
        if not ask_each:
            return found
        asked = []
        for strap in found:
            with console.status(f"Asking {strap.name}"):
                asked.append(await probe(strap))
        return asked

    straps = asyncio.run(look())
    if as_json:
        typer.echo(json.dumps([asdict(strap) for strap in straps]))
        return
    if not straps:
        typer.echo(NOTHING_HEARD)
    for strap in straps:
        typer.echo(describe(strap))


def describe(strap: FoundStrap) -> str:
    """One strap in one line."""
    parts = [strap.address, strap.name]
    if strap.signal_dbm is not None:
        parts.append(f"{strap.signal_dbm} dBm ({signal_words(strap.signal_dbm)})")
    facts = strap.facts
    if facts is not None:
        if facts.battery_percent is not None:
            parts.append(f"battery {facts.battery_percent}%")
        model = " ".join(word for word in (facts.manufacturer, facts.model) if word)
        if model:
            parts.append(model)
        if facts.body_location:
            parts.append(f"worn on: {facts.body_location}")
        parts.append("gives " + ", ".join(facts.gives) if facts.gives else "gives no heart rate")
    if strap.trouble:
        parts.append(f"could not be asked: {strap.trouble}")
    return "  ".join(parts)


def signal_words(dbm: int) -> str:
    """What a signal strength means for a person."""
    if dbm >= -70:
        return "strong"
    return "fair" if dbm >= -85 else "weak: come closer"
