"""``ebbtide pair`` and ``ebbtide unpair``: which patient a strap belongs to."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.language import _
from cli.options import Json, ListenSeconds, PatientEmail
from cli.straps.scan import NOTHING_HEARD, describe, with_status
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from ingest.straps.bluetooth.scan import FoundStrap
    from ingest.straps.paired import PairedStrap

_LISTEN_FOR_RR_S = 12.0
# A Bluetooth device address, or the UUID that macOS gives instead.
_ADDRESS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4,12}){4}")


def pair(
    address: Annotated[
        str | None, typer.Argument(help="The strap's address or name; asked for if left out.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the strap.")] = None,
    patient: PatientEmail = None,
    seconds: ListenSeconds = 8.0,
    as_json: Json = False,
) -> None:
    """Choose a strap, tie it to a patient, and remember it."""
    import asyncio

    from rich.console import Console

    from cli.credentials import CredentialFile
    from ebbtide.settings import Settings
    from ingest.straps.bluetooth.scan import scan
    from ingest.straps.paired import PairedStrap, PairedStraps

    settings = Settings()
    owner = CredentialFile(settings.sign_ins_file).of(patient)
    console = Console(stderr=True, highlight=False)
    moved_from: PairedStrap | None = None
    if address is not None and _ADDRESS.fullmatch(address):
        from ingest.straps.bluetooth.scan import FoundStrap

        chosen = FoundStrap(address, address, None)
    else:
        listening = _("Listening for {seconds:.0f} s").format(seconds=seconds)
        straps = asyncio.run(with_status(console, listening, scan(seconds)))
        earlier = None if address is None else PairedStraps(settings.straps_file).find(address)
        chosen = _choose(straps, address, earlier)
        if earlier is not None and earlier.address.upper() != chosen.address.upper():
            moved_from, name = earlier, name or earlier.name
    words = _("Asking {strap}").format(strap=chosen.name)
    asking = with_status(console, words, _connect(chosen))
    detailed, intervals = asyncio.run(asking)
    facts = detailed.facts
    assert facts is not None
    paired = PairedStrap(
        address=detailed.address,
        name=name or detailed.name,
        patient=owner.email,
        intervals="ppi" if intervals == "pulse intervals" else "rr",
        model=facts.model,
        firmware=facts.firmware,
        advertised_name=None if chosen.name == chosen.address else chosen.name,
        manufacturers=chosen.manufacturers,
    )
    listed = PairedStraps(settings.straps_file)
    if moved_from is not None:
        listed.remove(moved_from)
    listed.put(paired)
    if as_json:
        typer.echo(json.dumps({**asdict(paired), "heard": intervals, "facts": asdict(facts)}))
        return
    typer.echo(
        _("{strap} is paired with {patient}.").format(strap=paired.name, patient=paired.patient)
    )
    if intervals is None:
        typer.echo(
            _(
                "It sent heart rate but no RR intervals: with heart rate alone there is no "
                "heart-rate variability. Wear it with wet electrodes; if that changes nothing, it "
                "is a strap that sends none."
            )
        )
    elif intervals == "not worn":
        typer.echo(_("It sent nothing yet, as a strap that is not worn: that is checked later."))
    typer.echo(_("Record with: ebbtide record"))


def unpair(
    strap: Annotated[str, typer.Argument(help="The strap's address or name.")],
    as_json: Json = False,
) -> None:
    """Forget a strap. What it recorded stays."""
    from ebbtide.settings import Settings
    from ingest.straps.paired import PairedStraps

    straps = PairedStraps(Settings().straps_file)
    paired = straps.find(strap)
    if paired is None:
        raise EbbtideError(f"No paired strap is called '{strap}'.", "See: ebbtide status")
    straps.remove(paired)
    typer.echo(
        json.dumps(asdict(paired))
        if as_json
        else _("{strap} is no longer paired.").format(strap=paired.name)
    )


async def _connect(strap: FoundStrap) -> tuple[FoundStrap, str | None]:
    """Get a strap's details, and which intervals it sends (None: heart rate alone)."""
    from ingest.straps.bluetooth.scan import probe

    detailed = await probe(strap, listen_s=_LISTEN_FOR_RR_S)
    if detailed.facts is None:
        raise EbbtideError(
            f"{strap.name} was heard but did not answer: {detailed.trouble}.",
            "Take it off other phones and watches, wet it, wear it, and try again. If it was "
            "paired before, remove it in the system's Bluetooth settings.",
        )
    if "heart rate" not in detailed.facts.gives:
        raise EbbtideError(f"{strap.name} has no heart rate.", "Choose another device.")
    if detailed.sends_rr:
        return detailed, "RR"
    if "pulse intervals" in detailed.facts.gives:
        return detailed, "pulse intervals"
    return detailed, None if detailed.sends_rr is False else "not worn"


def _choose(
    straps: list[FoundStrap], address: str | None, earlier: PairedStrap | None = None
) -> FoundStrap:
    if address is not None:
        from ingest.straps.bluetooth.scan import find_moved

        wanted_address = address if earlier is None else earlier.address
        same = [s for s in straps if wanted_address.upper() == s.address.upper()]
        if not same and earlier is not None:
            same = find_moved(
                earlier.advertised_name or earlier.name, earlier.manufacturers, straps
            )
        if not same:
            same = [s for s in straps if s.name == address]
        if len(same) == 1:
            return same[0]
        if same:
            return _choose_one(same)
        raise EbbtideError(f"{address} was not heard.", NOTHING_HEARD)
    if not straps:
        raise EbbtideError("Nothing to pair.", NOTHING_HEARD)
    certain = [strap for strap in straps if strap.is_certain]
    return certain[0] if len(certain) == 1 else _choose_one(straps)


def _choose_one(straps: list[FoundStrap]) -> FoundStrap:
    for number, strap in enumerate(straps, 1):
        typer.echo(f"{number}  {describe(strap)}{_unsure(strap)}", err=True)
    if not sys.stdin.isatty():
        raise EbbtideError(
            f"{len(straps)} straps were heard.", "Say which: ebbtide pair ADDRESS-OR-NAME"
        )
    wanted: int = typer.prompt(_("Which one"), type=int, err=True)
    if not 1 <= wanted <= len(straps):
        raise EbbtideError(f"There is no strap {wanted}.", f"Choose 1 to {len(straps)}.")
    return straps[wanted - 1]


def _unsure(strap: FoundStrap) -> str:
    return "" if strap.is_certain else _("  (not certain: it does not advertise a heart rate)")
