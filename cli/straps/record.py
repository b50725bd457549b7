"""``ebbtide record``: straps to outbox to API, for days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from ebbtide.settings import Settings
    from ingest.straps.paired import PairedStrap


def record(
    straps: Annotated[
        list[str] | None, typer.Argument(help="Addresses or names; all paired straps if left out.")
    ] = None,
    patient: Annotated[str | None, typer.Option(help="Only the straps of this patient.")] = None,
    ecg: Annotated[
        bool, typer.Option("--ecg", help="Keep the ECG of Polar straps, on this machine only.")
    ] = False,
    seconds: Annotated[float | None, typer.Option(help="End by itself.", min=1)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a second.")
    ] = False,
) -> None:
    """Record until Ctrl-C, for days. Beats are kept on disk first, then uploaded."""
    import asyncio

    from filelock import FileLock, Timeout

    from cli.straps.recording import record_straps
    from ebbtide._files import make_private_folder
    from ebbtide.settings import Settings

    settings = Settings()
    selected = _select_straps(settings, straps or [], patient)
    make_private_folder(settings.data_dir)
    try:
        with FileLock(settings.recording_lock, timeout=0):
            asyncio.run(
                record_straps(settings, selected, ecg=ecg, seconds=seconds, as_json=as_json)
            )
    except Timeout as error:
        raise EbbtideError(
            "Another ebbtide record is running with this data folder.",
            "Two would keep each beat twice. End the other one, or see: ebbtide status",
        ) from error


def _select_straps(
    settings: Settings, wanted: Sequence[str], patient: str | None
) -> list[tuple[PairedStrap, Credentials]]:
    """Find the straps to record and the credentials of their patients."""
    from cli.credentials import CredentialFile
    from ingest.straps.paired import PairedStrap, PairedStraps

    straps, credentials = PairedStraps(settings.straps_file), CredentialFile(settings.sign_ins_file)
    if not wanted:
        chosen = [
            strap
            for strap in straps.all()
            if patient is None or strap.patient.lower() == patient.lower()
        ]
        if not chosen:
            raise EbbtideError("No strap is paired yet.", "Use: ebbtide pair")
        return [(strap, credentials.of(strap.patient)) for strap in chosen]
    selected = []
    for name in wanted:
        paired = straps.find(name)
        owner = credentials.of(patient or (paired.patient if paired else None))
        selected.append((paired or PairedStrap(name, name, owner.email), owner))
    return selected
