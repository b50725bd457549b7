"""``ebbtide store check``, ``backup``, ``restore`` and ``erase``: for the embedded store."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer

from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings


def _embedded() -> Settings:
    """The settings, where both stores are files."""
    settings = Settings()
    if settings.records_url is not None:
        raise EbbtideError(
            "The records are on a server: this is for the embedded store.",
            "Use the server's own tools (pg_dump), and copy beats.sqlite beside it.",
        )
    return settings


def run_check(as_json: bool) -> None:
    """Look through everything; ends with 1 when something is wrong."""
    from rich.console import Console
    from rich.progress import Progress

    from store.embedded_check import check_embedded

    settings = _embedded()
    with Progress(console=Console(stderr=True), transient=True, disable=not _terminal()) as bar:
        task = bar.add_task("blocks", total=None)
        found = check_embedded(
            settings.beats_file,
            settings.records_file,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        typer.echo(
            f"{found.people} people, {found.ratings} ratings; {found.streams} streams, "
            f"{found.notifications} notifications, {found.beats} beats, {found.gaps} gaps."
        )
        for line in found.waiting:
            typer.echo(f"Waiting for an upload: {line}")
        for line in found.problems:
            typer.echo(f"Wrong: {line}")
        if not found.problems:
            typer.echo("Everything is whole, once, and somebody's.")
    if found.problems:
        raise typer.Exit(1)


def run_backup(folder: Path | None, as_json: bool) -> None:
    """Copy the store, while it is in use."""
    from store.embedded_backup import back_up

    settings = _embedded()
    now = datetime.now(UTC)
    target = folder or Path(f"ebbtide-backup-{now:%Y-%m-%dT%H-%M-%S}")
    made = back_up(
        [settings.beats_file, settings.records_file], target, now.isoformat(timespec="seconds")
    )
    if as_json:
        typer.echo(json.dumps({"folder": str(made.folder), "bytes": made.sizes}))
        return
    size = sum(made.sizes.values()) / 1e6
    typer.echo(f"{made.folder}: {size:.1f} MB. It holds health data: keep it as safe as the store.")


def run_restore(folder: Path, replace: bool) -> None:
    """Put a backup in the place of the store."""
    from store.embedded_backup import restore

    settings = _embedded()
    aside = f"before-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    kept = restore(folder, [settings.beats_file, settings.records_file], aside, replace)
    typer.echo(f"Restored to {settings.data_dir}.")
    for file in kept:
        typer.echo(f"What was there: {file}")


def run_erase(email: str, sure: bool) -> None:
    """Erase a person in both stores."""
    from api.erasure import erase_person
    from api.stores import open_house

    if not sure:
        typer.confirm(f"Erase every beat, rating and session of {email}, for good?", abort=True)
    house = open_house(Settings())
    try:
        found = erase_person(house, email)
    finally:
        house.beats.close()
        house.records.close()
    typer.echo(
        f"Erased and read again: {found.beats} beats, {found.ratings} ratings, {found.sessions} "
        "sessions; nothing is left. Backups made before still hold them, and so does an outbox on "
        "the machine that recorded."
    )
    # What restore and an upgrade put aside.
    for file in sorted(Settings().data_dir.glob("*.sqlite.*")):
        typer.echo(f"An older copy that may still hold them: {file}")


def _terminal() -> bool:
    return sys.stderr.isatty()
