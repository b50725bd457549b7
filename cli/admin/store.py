"""``ebbtide store check``, ``backup``, ``restore`` and ``move``."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.counts import count_beats, count_people, count_ratings
from cli.language import _, fill, ngettext, say_result
from cli.options import Json
from cli.progress import progress_bars
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from ebbtide.settings import Settings
    from store import ErasureLedger
    from store.maintenance import CopyResult, IntegrityReport


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
                lambda done, total: progress(_("blocks"), done, total),
            )
        else:
            from store import open_stores
            from store.maintenance import check_stores

            with closing(open_stores(settings)) as stores:
                found = check_stores(
                    stores.beats,
                    stores.records,
                    lambda done, total: progress(_("streams"), done, total),
                )
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        write_report(
            found,
            _(
                "The store is intact: all can be read, nothing is stored twice, and each row has "
                "its person."
            ),
        )
    if found.problems:
        raise typer.Exit(1)


def write_report(found: IntegrityReport, if_whole: str) -> None:
    """Write what a check read and what is wrong; where nothing is, the sentence ``if_whole``."""
    typer.echo(
        _("{people}, {ratings}; {streams}, {notifications}, {beats}, {gaps}.").format(
            people=count_people(found.people),
            ratings=count_ratings(found.ratings),
            **_count_streams(found),
        )
    )
    for line in found.waiting:
        typer.echo(_("Waiting for an upload: {what}").format(what=say_result(line)))
    for line in found.problems:
        typer.echo(_("Wrong: {what}").format(what=say_result(line)))
    if not found.problems:
        typer.echo(if_whole)


def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="A new folder; named by the time if left out.")
    ] = None,
    parent: Annotated[
        Path | None, typer.Option("--in", help="Where the folder named by the time is made.")
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Delete older backups there, so that so many are left."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy everything, while it is in use."""
    from ebbtide.settings import Settings
    from store.maintenance import BACKUP_PREFIX, create_backup, remove_old_backups

    if folder is not None and (parent is not None or keep is not None):
        raise EbbtideError(
            "--in and --keep are for backups that are named by the time.",
            "Leave out the name of the folder.",
        )

    settings = Settings()
    now = datetime.now(UTC)
    place = parent or Path()
    target = folder or place / f"{BACKUP_PREFIX}{now:%Y-%m-%dT%H-%M-%S}"
    files, when = [settings.beats_file, settings.records_file], now.isoformat(timespec="seconds")
    if settings.is_embedded:
        made = create_backup(files, target, when)
    else:
        from store import open_stores
        from store.maintenance import create_server_backup

        names = (settings.beats_file.name, settings.records_file.name)
        with closing(open_stores(settings)) as stores, progress_bars() as progress:
            made = create_server_backup(stores.beats, stores.engine, names, target, when, progress)
    _note_backup(settings, made.folder, now)
    removed = [] if keep is None else remove_old_backups(place, keep)
    if as_json:
        deleted = [str(path) for path in removed]
        typer.echo(
            json.dumps({"folder": str(made.folder), "bytes": made.sizes, "removed": deleted})
        )
        return
    size = sum(made.sizes.values()) / 1e6
    typer.echo(
        fill(
            _("{folder}: {size:.1f} MB. It holds health data: keep it as safe as the store."),
            folder=made.folder,
            size=size,
        )
    )
    for path in removed:
        typer.echo(_("Deleted: {path}").format(path=path))


def _note_backup(settings: Settings, folder: Path, made: datetime) -> None:
    """Note the backup in the ledger of erasures, a copy of which then lies beside it."""
    from store import ErasureLedger

    ledger = ErasureLedger.from_settings(settings)
    if ledger.read().since_ns is None:
        from api.services.erasure import begin_ledger
        from store import open_stores

        with closing(open_stores(settings)) as stores:
            begin_ledger(stores)
    ledger.add_backup(folder, int(made.timestamp()) * 10**9)


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put aside the store that is there.")
    ] = False,
    without_ledger: Annotated[
        bool,
        typer.Option(
            "--without-ledger", help="Do not ask where it is not known who was erased since."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the store, or into empty servers. Who was erased since it was
    made is erased from it again.
    """
    from api.services.erasure_again import carry_out_erasures
    from cli.local_erasure import local_eraser
    from ebbtide.settings import Settings
    from store import open_stores
    from store.maintenance import restore as restore_files
    from store.maintenance import restore_server_backup

    settings = Settings()
    files = [settings.beats_file, settings.records_file]
    ledger = _complete_ledger(settings, folder, without_ledger)
    content = ledger.read()
    put_aside: list[Path] = []

    def say(words: str) -> None:
        typer.echo(words, err=as_json)

    if settings.is_embedded:
        aside = f"before-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
        with ledger.locked():
            restored = restore_files(folder, files, aside, replace, content)
        erased, put_aside = restored.erased_again, restored.put_aside
        say(_("Restored to {folder}.").format(folder=settings.data_dir))
        for file in put_aside:
            say(_("What was there: {path}").format(path=file))
    else:
        names = (files[0].name, files[1].name)
        with closing(open_stores(settings)) as stores, progress_bars() as progress:
            found, erased = restore_server_backup(
                *(folder, names, stores.beats, stores.engine, progress, content),
                settings.data_dir,
            )
        say(
            _("Restored to the servers, read again and compared: {counted}.").format(
                counted=_counted(found)
            )
        )
        _print_cleaned(found, err=as_json)
    with closing(open_stores(settings)) as stores:
        erased += carry_out_erasures(stores, settings.snapshots_dir, local_eraser(settings)).people
    if as_json:
        where = str(settings.data_dir) if settings.is_embedded else None
        aside_names = [str(file) for file in put_aside]
        typer.echo(
            json.dumps({"data_dir": where, "put_aside": aside_names, "erased_again": erased})
        )
        return
    if erased:
        typer.echo(
            _("Erased since that backup, and erased from it again: {people}.").format(
                people=count_people(erased)
            )
        )
    if settings.is_embedded:
        typer.echo(_("Recorders send again what the backup lacks, as far as they still have it."))


def _complete_ledger(settings: Settings, folder: Path, without_ledger: bool) -> ErasureLedger:
    """The ledger of erasures, with what its copy beside the backup has; asks where there may be
    erasures since the backup that it does not have.
    """
    from store import ErasureLedger
    from store.ledger import NAME_BESIDE_BACKUPS
    from store.maintenance import made_ns

    ledger = ErasureLedger.from_settings(settings)
    # Backups name whole seconds.
    made = (made_ns(folder) or -(10**9)) + 10**9
    copy = folder.absolute().parent / NAME_BESIDE_BACKUPS
    beside = ErasureLedger(copy).read()
    is_of_backup = any(backup.made_ns + 10**9 == made for backup in beside.backups.values())
    since_ns = ledger.read().since_ns
    if (since_ns is None or since_ns > made) and not (is_of_backup and beside.covers(made)):
        why = (
            _("There is no ledger of erasures ({ledger}), and none beside the backup ({copy}).")
            if since_ns is None
            else _("The ledger of erasures {ledger} began after this backup was made.")
        ).format(ledger=ledger.place, copy=copy)
        then = _("Whoever was erased since the backup would be in the store again.")
        typer.echo(f"{why} {then}", err=True)
        if not without_ledger:
            typer.confirm(_("Restore it all the same?"), abort=True, err=True)
    ledger.add_missing(copy)
    # Erasures from before this ledger began are known to be complete only from the copy.
    ledger.begin(made if is_of_backup and beside.covers(made) else time.time_ns())
    return ledger


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
    typer.echo(_("Moved, read again and compared: {counted}.").format(counted=_counted(found)))
    _print_cleaned(found)
    typer.echo(
        _("{folder} is as it was. Keep it until you have a backup of the servers.").format(
            folder=settings.data_dir
        )
    )


def _print_cleaned(found: CopyResult, *, err: bool = False) -> None:
    for name, count in found.cleaned.items():
        typer.echo(
            ngettext(
                "{count} text of {table} held a NUL character or half of a surrogate pair, which "
                "servers do not take: copied without it.",
                "{count} texts of {table} held a NUL character or half of a surrogate pair, which "
                "servers do not take: copied without it.",
                count,
            ).format(count=count, table=name),
            err=err,
        )


def _counted(found: CopyResult) -> str:
    # Tables by their names in the database, which are the same in every language.
    rows = ", ".join(f"{name} {count}" for name, count in found.rows.items())
    return _(
        "{rows}; {streams}, {notifications}, {beats}, {gaps}, spans of movement {movement}"
    ).format(rows=rows, movement=found.movement, **_count_streams(found))


def _count_streams(found: IntegrityReport | CopyResult) -> dict[str, str]:
    return {
        "streams": ngettext("{count} stream", "{count} streams", found.streams).format(
            count=found.streams
        ),
        "notifications": ngettext(
            "{count} notification", "{count} notifications", found.notifications
        ).format(count=found.notifications),
        "beats": count_beats(found.beats),
        "gaps": ngettext("{count} gap", "{count} gaps", found.gaps).format(count=found.gaps),
    }
