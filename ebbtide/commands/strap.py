"""``ebbtide scan`` and ``ebbtide record``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from ebbtide.commands.accounts import kept_credentials
from ebbtide.commands.together import until_one_fails
from ebbtide.settings import Settings


def run_scan(seconds: float, as_json: bool) -> None:
    """List straps nearby."""
    from ingest.bleak_strap import scan

    straps = asyncio.run(scan(seconds))
    if as_json:
        typer.echo(json.dumps([asdict(strap) for strap in straps]))
        return
    if not straps:
        typer.echo(
            "No heart-rate strap was heard. Wet its electrodes and wear it: most straps sleep "
            "until they touch skin. A strap that a phone or watch holds is not heard either."
        )
    for strap in straps:
        signal = "" if strap.signal_dbm is None else f"  {strap.signal_dbm} dBm"
        typer.echo(f"{strap.address}  {strap.name}{signal}")


def run_record(address: str, name: str | None) -> None:
    """Record until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_record(address, name))


async def _record(address: str, name: str | None) -> None:
    from ingest.api_client import IngestClient
    from ingest.bleak_strap import BleakStrap
    from ingest.outbox import Outbox
    from ingest.recorder import Recorder, Recording
    from ingest.uploader import Uploader

    settings = Settings()
    credentials = kept_credentials(settings.credentials_file)
    console = Console(stderr=True)
    with Outbox(settings.outbox_file) as outbox, Live(console=console, transient=False) as live:
        async with IngestClient(credentials.api_url, credentials.token) as client:
            uploader = Uploader(outbox, client, credentials.account)

            def show(recording: Recording) -> None:
                waiting = sum(state.waiting for state in outbox.states())
                problem = f"  {uploader.last_problem}" if uploader.last_problem else ""
                live.update(
                    Text(
                        f"{recording.heart_rate_bpm} bpm  {recording.beats} beats kept  "
                        f"{waiting} notifications wait for upload{problem}"
                    )
                )

            recorder = Recorder(
                BleakStrap(address, name), outbox, credentials.account, on_kept=show
            )
            await until_one_fails(recorder.run(), uploader.run())
