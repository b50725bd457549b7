"""``ebbtide store check``, ``backup``, ``restore``, ``move`` and ``erase``."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.progress import progress_bars
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

if TYPE_CHECKING:
    from store.maintenance import CopyResult


def _embedded(settings: Settings) -> bool:
    """Whether both stores are files."""
    return settings.records_url is None and settings.influxdb_url is None


def run_check(as_json: bool) -> None:
    """Look through everything; ends with 1 when something is wrong."""
    settings = Settings()
    with progress_bars() as told:
        if _embedded(settings):
            from store.maintenance import check_sqlite

            found = check_sqlite(
                settings.beats_file,
                settings.records_file,
                lambda done, total: told("blocks", done, total),
            )
        else:
            from store import open_stores
            from store.maintenance import check_stores

            with closing(open_stores(settings)) as stores:
                found = check_stores(
                    stores.beats, stores.records, lambda done, total: told("streams", done, total)
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
    from store.maintenance import create_backup

    settings = Settings()
    now = datetime.now(UTC)
    target = folder or Path(f"ebbtide-backup-{now:%Y-%m-%dT%H-%M-%S}")
    files, when = [settings.beats_file, settings.records_file], now.isoformat(timespec="seconds")
    if _embedded(settings):
        made = create_backup(files, target, when)
    else:
        from store import open_stores
        from store.maintenance import create_server_backup

        names = (settings.beats_file.name, settings.records_file.name)
        with closing(open_stores(settings)) as stores, progress_bars() as told:
            made = create_server_backup(stores.beats, stores.engine, names, target, when, told)
    if as_json:
        typer.echo(json.dumps({"folder": str(made.folder), "bytes": made.sizes}))
        return
    size = sum(made.sizes.values()) / 1e6
    typer.echo(f"{made.folder}: {size:.1f} MB. It holds health data: keep it as safe as the store.")


def run_restore(folder: Path, replace: bool) -> None:
    """Put a backup in the place of the store."""
    from store.maintenance import restore

    settings = Settings()
    files = [settings.beats_file, settings.records_file]
    if not _embedded(settings):
        from store import open_stores
        from store.maintenance import restore_server_backup

        names = (settings.beats_file.name, settings.records_file.name)
        with closing(open_stores(settings)) as stores, progress_bars() as told:
            found = restore_server_backup(folder, names, stores.beats, stores.engine, told)
        typer.echo(f"Restored to the servers, read again and compared: {_counted(found)}.")
        return
    aside = f"before-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    kept = restore(folder, files, aside, replace)
    typer.echo(f"Restored to {settings.data_dir}.")
    for file in kept:
        typer.echo(f"What was there: {file}")


def run_move(as_json: bool) -> None:
    """The embedded store to the servers that the settings name."""
    from store import open_stores
    from store.maintenance import move

    settings = Settings()
    if settings.records_url is None or settings.influxdb_url is None:
        raise EbbtideError(
            "The settings do not name the servers to move to.",
            "Set EBBTIDE_RECORDS_URL and EBBTIDE_INFLUXDB_URL.",
        )
    with closing(open_stores(settings)) as stores, progress_bars() as told:
        found = move(settings.beats_file, settings.records_file, stores.beats, stores.engine, told)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"Moved, read again and compared: {_counted(found)}.")
    typer.echo(f"{settings.data_dir} is as it was. Keep it until you have a backup of the servers.")


def _counted(found: CopyResult) -> str:
    rows = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.rows.items())
    return (
        f"{rows}; {found.streams} streams, {found.notifications} notifications, {found.beats} "
        f"beats, {found.gaps} gaps, {found.movement} spans of movement"
    )


def run_erase(email: str, sure: bool) -> None:
    """Erase a person in both stores."""
    from api.services.erasure import erase_person
    from store import open_stores

    if not sure:
        typer.confirm(f"Erase every beat, rating and session of {email}, for good?", abort=True)
    with closing(open_stores(Settings())) as stores:
        found = erase_person(stores, email)
    typer.echo(
        f"Erased and read again: {found.beats} beats, {found.ratings} ratings, {found.sessions} "
        "sessions; nothing is left. Backups made before still hold them, and so does an outbox on "
        "the machine that recorded."
    )
    # What restore and an upgrade put aside.
    for file in sorted(Settings().data_dir.glob("*.sqlite.*")):
        typer.echo(f"An older copy that may still hold them: {file}")


def run_retention(apply: bool, as_json: bool) -> None:
    """Whose data may not be kept any longer; with ``apply`` they are erased."""
    from api.services.erasure import erase_person
    from api.services.retention import expired_people
    from ebbtide.timestamps import to_datetime
    from store import open_stores

    settings = Settings()
    with closing(open_stores(settings)) as stores:
        found = expired_people(stores, settings.keep_days)
        if apply:
            for item in found:
                erase_person(stores, item.person.email)
    if as_json:
        lines = [
            {
                "subject": item.person.subject_id,
                "reason": item.reason,
                "since": to_datetime(item.since_ns).isoformat(),
                "erased": apply,
            }
            for item in found
        ]
        typer.echo(json.dumps(lines))
        return
    for item in found:
        since = f"{to_datetime(item.since_ns):%Y-%m-%d}"
        typer.echo(f"{item.person.email}: {item.reason} (since {since})")
    if not found:
        typer.echo("Everybody's data may be kept.")
    elif apply:
        typer.echo(f"{len(found)} people were erased, and read again: nothing is left.")
    else:
        typer.echo("Nothing was done. With --apply, they are erased.")
