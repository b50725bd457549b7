"""``ebbtide store check``, ``backup``, ``restore``, ``move``, ``erase`` and ``retention``."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json
from cli.progress import progress_bars
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from store.maintenance import CopyResult


def check(as_json: Json = False) -> None:
    """Check that all can be read, that no beat is stored twice, and that each has its person."""
    from ebbtide.settings import Settings

    settings = Settings()
    with progress_bars() as progress:
        if settings.is_embedded:
            from store.maintenance import check_sqlite

            found = check_sqlite(
                settings.beats_file,
                settings.records_file,
                lambda done, total: progress("blocks", done, total),
            )
        else:
            from store import open_stores
            from store.maintenance import check_stores

            with closing(open_stores(settings)) as stores:
                found = check_stores(
                    stores.beats,
                    stores.records,
                    lambda done, total: progress("streams", done, total),
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
            typer.echo(
                "The store is intact: all can be read, nothing is stored twice, and each row has "
                "its person."
            )
    if found.problems:
        raise typer.Exit(1)


def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="A new folder; named by the time if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy everything, while it is in use."""
    from ebbtide.settings import Settings
    from store.maintenance import create_backup

    settings = Settings()
    now = datetime.now(UTC)
    target = folder or Path(f"ebbtide-backup-{now:%Y-%m-%dT%H-%M-%S}")
    files, when = [settings.beats_file, settings.records_file], now.isoformat(timespec="seconds")
    if settings.is_embedded:
        made = create_backup(files, target, when)
    else:
        from store import open_stores
        from store.maintenance import create_server_backup

        names = (settings.beats_file.name, settings.records_file.name)
        with closing(open_stores(settings)) as stores, progress_bars() as progress:
            made = create_server_backup(stores.beats, stores.engine, names, target, when, progress)
    if as_json:
        typer.echo(json.dumps({"folder": str(made.folder), "bytes": made.sizes}))
        return
    size = sum(made.sizes.values()) / 1e6
    typer.echo(f"{made.folder}: {size:.1f} MB. It holds health data: keep it as safe as the store.")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put aside the store that is there.")
    ] = False,
) -> None:
    """Put a backup in the place of the store, or into empty servers."""
    from ebbtide.settings import Settings
    from store.maintenance import erased_since
    from store.maintenance import restore as restore_files

    settings = Settings()
    files = [settings.beats_file, settings.records_file]
    if not settings.is_embedded:
        from store import open_stores
        from store.maintenance import restore_server_backup

        names = (settings.beats_file.name, settings.records_file.name)
        with closing(open_stores(settings)) as stores, progress_bars() as progress:
            found = restore_server_backup(folder, names, stores.beats, stores.engine, progress)
        typer.echo(f"Restored to the servers, read again and compared: {_counted(found)}.")
        _print_cleaned(found)
        return
    erased = erased_since(folder, settings.beats_file, settings.records_file.name)
    aside = f"before-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    replaced = restore_files(folder, files, aside, replace)
    typer.echo(f"Restored to {settings.data_dir}.")
    for file in replaced:
        typer.echo(f"What was there: {file}")
    for email in erased:
        typer.echo(f"Erased since that backup, and back with it: ebbtide erase {email}")
    typer.echo("Recorders send again what the backup lacks, as far as they still have it.")


def move(as_json: Json = False) -> None:
    """Move the embedded store to InfluxDB and PostgreSQL; goes on where it stopped."""
    from ebbtide.settings import Settings
    from store import open_stores
    from store.maintenance import move as move_stores

    settings = Settings()
    if settings.records_url is None or settings.influxdb_url is None:
        raise EbbtideError(
            "The settings do not name the servers to move to.",
            "Set EBBTIDE_RECORDS_URL and EBBTIDE_INFLUXDB_URL.",
        )
    with closing(open_stores(settings)) as stores, progress_bars() as progress:
        found = move_stores(
            settings.beats_file, settings.records_file, stores.beats, stores.engine, progress
        )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"Moved, read again and compared: {_counted(found)}.")
    _print_cleaned(found)
    typer.echo(f"{settings.data_dir} is as it was. Keep it until you have a backup of the servers.")


def _print_cleaned(found: CopyResult) -> None:
    for name, count in found.cleaned.items():
        typer.echo(
            f"{count} texts of {name.replace('_', ' ')} held a NUL character or half of a "
            "surrogate pair, which servers do not take: copied without it."
        )


def _counted(found: CopyResult) -> str:
    rows = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.rows.items())
    return (
        f"{rows}; {found.streams} streams, {found.notifications} notifications, {found.beats} "
        f"beats, {found.gaps} gaps, {found.movement} spans of movement"
    )


def erase(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything of a person from the store, and prove it."""
    from api.services.erasure import erase_person
    from ebbtide.settings import Settings
    from store import open_stores

    if not sure:
        typer.confirm(f"Erase every beat, rating and session of {email}, for good?", abort=True)
    with closing(open_stores(Settings())) as stores:
        found = erase_person(stores, email, Settings().snapshots_dir)
    typer.echo(
        f"Erased and read again: {found.beats} beats, {found.ratings} ratings, {found.sessions} "
        "sessions; nothing is left. Backups made before still hold them. A machine that recorded "
        "deletes its part when it reaches the server next."
    )
    # The files that restore and an upgrade renamed.
    for file in sorted(Settings().data_dir.glob("*.sqlite.*")):
        typer.echo(f"An older copy that may still hold them: {file}")


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Erase them.")] = False,
    as_json: Json = False,
) -> None:
    """List whose data may not be kept any longer: consent taken back or over, or long silent."""
    from api.services.erasure import erase_person, expired_people
    from ebbtide.settings import Settings
    from ebbtide.timestamps import to_datetime
    from store import open_stores

    settings = Settings()
    with closing(open_stores(settings)) as stores:
        found = expired_people(stores, settings.keep_days)
        if apply:
            for item in found:
                erase_person(stores, item.person.email, settings.snapshots_dir)
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
