"""``ebbtide pair`` and ``ebbtide unpair``: tie a strap to a patient, and remember it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from cli.credentials import CredentialFile
from cli.straps.scan import NOTHING_HEARD, describe
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

if TYPE_CHECKING:
    from ingest.straps.bluetooth.scan import FoundStrap

_LISTEN_FOR_RR_S = 12.0
# Bluetooth's own, or the identifier that macOS gives instead.
_ADDRESS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4,12}){4}")


def run_pair(
    address: str | None, name: str | None, patient: str | None, seconds: float, as_json: bool
) -> None:
    """Choose a strap, ask what it gives, and remember it."""
    from ingest.straps.paired import PairedStrap, PairedStraps

    settings = Settings()
    owner = CredentialFile(settings.sign_ins_file).of(patient)
    console = Console(stderr=True, highlight=False)
    if address is not None and _ADDRESS.fullmatch(address):
        from ingest.straps.bluetooth.scan import FoundStrap

        chosen = FoundStrap(address, address, None)
    else:
        with console.status(f"Listening for {seconds:.0f} s"):
            straps = asyncio.run(_heard(seconds))
        chosen = _chosen(straps, address)
    with console.status(f"Asking {chosen.name}"):
        asked, intervals = asyncio.run(_asked(chosen))
    facts = asked.facts
    assert facts is not None
    paired = PairedStrap(
        address=asked.address,
        name=name or asked.name,
        patient=owner.email,
        intervals="ppi" if intervals == "pulse intervals" else "rr",
        model=facts.model,
        firmware=facts.firmware,
    )
    PairedStraps(settings.straps_file).put(paired)
    if as_json:
        typer.echo(json.dumps({**asdict(paired), "heard": intervals, "facts": asdict(facts)}))
        return
    typer.echo(f"{paired.name} is paired with {paired.patient}.")
    if intervals is None:
        typer.echo(
            "It sent heart rate but no RR intervals: with heart rate alone there is no heart-rate "
            "variability. Wear it with wet electrodes; if that changes nothing, it is a strap "
            "that sends none."
        )
    elif intervals == "not worn":
        typer.echo("It sent nothing yet, as a strap that is not worn: that is checked later.")
    typer.echo("Record with: ebbtide record")


def run_unpair(wanted: str, as_json: bool) -> None:
    """Forget a strap. What it recorded stays."""
    from ingest.straps.paired import PairedStraps

    straps = PairedStraps(Settings().straps_file)
    strap = straps.find(wanted)
    if strap is None:
        raise EbbtideError(f"No paired strap is called '{wanted}'.", "See: ebbtide status")
    straps.remove(strap)
    typer.echo(json.dumps(asdict(strap)) if as_json else f"{strap.name} is no longer paired.")


async def _heard(seconds: float) -> list[FoundStrap]:
    from ingest.straps.bluetooth.scan import scan

    return await scan(seconds)


async def _asked(strap: FoundStrap) -> tuple[FoundStrap, str | None]:
    """The strap with its facts, and which intervals it sent (None: heart rate alone)."""
    from ingest.straps.bluetooth.scan import probe

    asked = await probe(strap, listen_s=_LISTEN_FOR_RR_S)
    if asked.facts is None:
        raise EbbtideError(
            f"{strap.name} was heard but did not answer: {asked.trouble}.",
            "Take it off other phones and watches, wet it, wear it, and try again. If it was "
            "paired before, remove it in the system's Bluetooth settings.",
        )
    if "heart rate" not in asked.facts.gives:
        raise EbbtideError(f"{strap.name} has no heart rate.", "Choose another device.")
    if asked.sends_rr:
        return asked, "RR"
    if "pulse intervals" in asked.facts.gives:
        return asked, "pulse intervals"
    return asked, None if asked.sends_rr is False else "not worn"


def _chosen(straps: list[FoundStrap], address: str | None) -> FoundStrap:
    if address is not None:
        for strap in straps:
            if address.upper() == strap.address.upper() or address == strap.name:
                return strap
        raise EbbtideError(f"{address} was not heard.", NOTHING_HEARD)
    if not straps:
        raise EbbtideError("Nothing to pair.", NOTHING_HEARD)
    if len(straps) == 1:
        return straps[0]
    for number, strap in enumerate(straps, 1):
        typer.echo(f"{number}  {describe(strap)}", err=True)
    if not sys.stdin.isatty():
        raise EbbtideError(
            f"{len(straps)} straps were heard.", "Say which: ebbtide pair ADDRESS-OR-NAME"
        )
    wanted: int = typer.prompt("Which one", type=int, err=True)
    if not 1 <= wanted <= len(straps):
        raise EbbtideError(f"There is no strap {wanted}.", f"Choose 1 to {len(straps)}.")
    return straps[wanted - 1]
