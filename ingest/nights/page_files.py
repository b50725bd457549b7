"""Nights in a file that a browser sent: read, and stored through the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ebbtide.timestamps import validate_zone
from ingest.nights.night_file import NightFile
from ingest.nights.registry import read_nights
from ingest.nights.upload import send_nights
from ingest.outbox.api_client import IngestClient


def open_nights(
    path: Path,
    choice: Mapping[str, str],
    request: Mapping[str, Any],
    on_progress: Callable[[float], None] | None = None,
) -> tuple[str, NightFile | None]:
    """The zone that was taken, and the nights; None where the file holds none. Raises EbbtideError.

    ``choice``: what a person said of the file; ``request``: of all, with the zone of the account.
    """
    zone = validate_zone(choice.get("zone") or request["zone"])
    found = read_nights(path, zone=zone, on_progress=on_progress)
    return zone, found if found is not None and found.nights else None


async def keep_nights(
    path: Path, choice: Mapping[str, str], request: Mapping[str, Any], client: IngestClient
) -> tuple[int, int, int, bool] | None:
    """Send the nights of a file: how many were new, grown and known, and whether to read the file
    for beats too. None where it holds none. Raises EbbtideError.
    """
    _, file = open_nights(path, choice, request)
    if file is None:
        return None
    done = await send_nights(client, file.nights)
    return done.new, done.grown, done.known, file.may_hold_beats
