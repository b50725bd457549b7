"""``ebbtide import``: recordings of other devices and apps, into the outbox and on to the API."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.error_texts import NOT_UPLOADED
from cli.language import _, ngettext, say_error, say_finding, say_words
from cli.options import ColumnOption, DecimalOption, Json, PatientEmail, UnitOption
from ebbtide.errors import EbbtideError
from ebbtide.i18n import N_

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from cli.progress_display import LateProgress
    from cli.straps.import_nights import NightsResult
    from cli.straps.import_sources import ImportSource
    from ingest.files.recording import ReadAs, RecordedFile
    from ingest.outbox.api_client import StoredStream
    from ingest.outbox.imports import SameIntervals
    from ingest.outbox.outbox import Outbox

_MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class FileResult:
    """The outcome of importing one file."""

    file: str
    format: str | None
    beats: int
    new_beats: int
    known_beats: int
    recordings: int
    problems: tuple[str, ...]
    error: str | None = None
    read_as: ReadAs | None = None
    notes: tuple[str, ...] = ()
    stream_ids: tuple[str, ...] = ()
    stored_beats: int | None = None
    nights: NightsResult | None = None
    rates: int = 0
    new_rates: int = 0


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What the store had before the import, by stream; None where it was not asked."""

    stored: dict[str, StoredStream] | None

    @property
    def streams(self) -> list[StoredStream]:
        return [] if self.stored is None else list(self.stored.values())


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="FIT, text, CSV, EDF, Kubios, Polar or Health export, nights of a watch or ring, "
            "a folder or zip of these; - is input."
        ),
    ],
    patient: PatientEmail = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times that name none; the patient's if left out.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="When it began, for a file that does not say.")
    ] = None,
    as_json: Json = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and import what is put into the folder.")
    ] = False,
    column: ColumnOption = None,
    unit: UnitOption = None,
    decimal: DecimalOption = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Also intervals that are there already, at another time."),
    ] = False,
) -> None:
    """Import recordings and nights of other devices and apps. Importing twice adds nothing."""
    import asyncio

    from rich.console import Console

    from cli.credentials import CredentialFile
    from cli.progress_display import LateProgress
    from cli.straps.import_nights import import_nights, watch_folder
    from cli.straps.import_sources import count_recordings, find_files, open_sources
    from ebbtide.settings import Settings
    from ebbtide.timestamps import validate_zone
    from ingest.files.import_steps import describe_same, parse_start
    from ingest.outbox.acknowledged import Retention
    from ingest.outbox.outbox import Outbox

    settings = Settings()
    owner = CredentialFile(settings.sign_ins_file).of(patient)
    zone = validate_zone(zone or owner.zone)
    start_ns = None if start is None else parse_start(start, zone)
    if watch:
        choices = {"--start": start, "--column": column, "--unit": unit, "--decimal": decimal}
        watch_folder(files, owner, zone, choices, as_json=as_json)
        return
    nights, files = import_nights(files, owner, zone)
    files = find_files(files) if files else []
    if start_ns is not None and count_recordings(files) > 1:
        raise EbbtideError("--start is for one file.", "Import the files one by one.")
    choice = {"column": column, "unit": unit, "decimal": decimal}
    console = Console(stderr=True, highlight=False)
    with (
        Outbox(
            settings.outbox_file, Retention(settings.outbox_keep_days, settings.outbox_keep_mb)
        ) as outbox,
        LateProgress(console=console) as progress,
    ):
        # Before: what a store that was set back lacks is new again, whatever the outbox remembers.
        before = asyncio.run(_compare(outbox, owner))

        def may_add(name: str, found: RecordedFile) -> bool:
            if again or (same := _find_same(found, outbox, owner, before)) is None:
                return True
            if as_json or not sys.stdin.isatty():
                raise _refuse_same(name, same)
            progress.stop()
            return typer.confirm(
                f"{say_words(describe_same(name, same))} {_('Add it again?')}", err=True
            )

        results = [
            _import_one(source, outbox, owner, zone, start_ns, progress, choice, may_add)
            for source in open_sources(files)
        ]
        problem = asyncio.run(_upload(outbox, owner, progress))
        results = _with_stored(results, asyncio.run(_stored(owner)))
    results = _with_nights(results, nights)
    if as_json:
        from ingest.outbox.api_client import WAITS_FOR_CONSENT

        report = {
            "files": [_format_result(r) for r in results],
            "upload": problem,
            "waits_for_consent": (problem or "").startswith(WAITS_FOR_CONSENT),
        }
        typer.echo(json.dumps(report))
    else:
        for result in results:
            _print_result(result, was_asked=before.stored is not None)
        if problem or any(result.beats or result.rates or result.nights for result in results):
            typer.echo(problem or _("Uploaded."))
    if any(result.error for result in results):
        raise typer.Exit(1)


def _import_one(
    source: ImportSource,
    outbox: Outbox,
    owner: Credentials,
    zone: str,
    start_ns: int | None,
    progress: LateProgress,
    choice: dict[str, str | None],
    may_add: Callable[[str, RecordedFile], bool],
) -> FileResult:
    from ingest.files.import_steps import read_file
    from ingest.files.importer import import_recordings
    from ingest.files.streams import is_stream, stream_name

    path, name = source.path, source.name
    if source.error is not None:
        return FileResult(name, None, 0, 0, 0, 0, (), source.error)
    task = progress.add_task(_("Reading {file}").format(file=path.name), total=None)
    try:
        size = path.stat().st_size if path.exists() else 0
        progress.update(task, total=size or None)
        found = read_file(
            path,
            zone=zone,
            start_ns=start_ns,
            choice=choice,
            on_progress=lambda at: progress.update(task, completed=at),
        )
        if not may_add(name, found):
            progress.update(task, visible=False)
            return FileResult(name, found.format, found.beats, 0, 0, 0, (N_("left out"),))
        progress.update(
            task,
            description=_("Keeping {file}").format(file=path.name),
            total=found.beats + found.rates or 1,
            completed=0,
        )
        done = import_recordings(
            found,
            outbox,
            owner.account,
            lambda beats: progress.advance(task, beats),
            name=stream_name(path) if is_stream(path) else path.name,
        )
        progress.update(task, completed=found.beats + found.rates)
    except EbbtideError as error:
        progress.update(task, visible=False)
        words = say_error(error).replace(str(path), name)
        return FileResult(name, None, 0, 0, 0, 0, (), words)
    return FileResult(
        name,
        found.format,
        found.beats,
        done.new_beats,
        done.known_beats,
        len(found.recordings),
        found.problems,
        read_as=found.read_as,
        notes=found.notes,
        stream_ids=done.stream_ids,
        new_rates=done.new_rates,
        rates=found.rates,
    )


async def _compare(outbox: Outbox, owner: Credentials) -> _Comparison:
    """Compare the outbox with the store, as far as that answers; what it has."""
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.uploader import Uploader

    async with IngestClient(owner.api_url, owner.token) as client:
        with suppress(EbbtideError):
            if await Uploader(outbox, client, owner.account).compare():
                return _Comparison(await client.stored_streams())
    return _Comparison(None)


async def _stored(owner: Credentials) -> dict[str, StoredStream] | None:
    from ingest.outbox.api_client import IngestClient

    async with IngestClient(owner.api_url, owner.token) as client:
        with suppress(EbbtideError):
            return await client.stored_streams()
    return None


def _with_stored(
    results: list[FileResult], stored: dict[str, StoredStream] | None
) -> list[FileResult]:
    """Add how many beats of each file the store has now."""
    if stored is None:
        return results
    return [
        replace(
            result,
            stored_beats=sum(stored[one].beats for one in result.stream_ids if one in stored),
        )
        for result in results
    ]


def _with_nights(results: list[FileResult], nights: list[NightsResult]) -> list[FileResult]:
    """Put what came of nights first; a file of nights without beats has no error for that."""
    named = {result.file: result for result in nights}
    left = [
        result
        for result in results
        if not (result.error is not None and _has_nights(named.get(result.file)))
    ]
    return [
        *(
            FileResult(
                *(one.file, one.format, 0, 0, 0, 0, one.problems, one.error),
                notes=one.notes,
                nights=one if one.error is None else None,
            )
            for one in nights
        ),
        *left,
    ]


def _has_nights(result: NightsResult | None) -> bool:
    return result is not None and result.error is None


def _find_same(
    file: RecordedFile, outbox: Outbox, owner: Credentials, before: _Comparison
) -> SameIntervals | None:
    from ingest.files.importer import find_same_intervals

    found = find_same_intervals(file, outbox, owner.account, before.streams)
    if found is None or before.stored is None or found.stream_id in before.stored:
        return found
    # Of a recording that is no more in the store, and neither waits for it.
    waiting = any(s.stream.id == found.stream_id and s.beats_waiting for s in outbox.states())
    return found if waiting else None


def _refuse_same(name: str, same: SameIntervals) -> EbbtideError:
    from ingest.files.import_steps import describe_same

    return EbbtideError(
        describe_same(name, same),
        "If it really is another recording, give --again. If its time was wrong before: "
        f"ebbtide recordings remove {same.stream_id}",
    )


async def _upload(outbox: Outbox, owner: Credentials, progress: LateProgress) -> str | None:
    """Upload everything that waits; the problem where that fails."""
    from ingest.outbox.api_client import ConsentMissingError, IngestClient
    from ingest.outbox.uploader import Uploader

    waiting = sum(s.waiting for s in outbox.states() if s.account == owner.account)
    task = progress.add_task(_("Upload"), total=waiting)
    async with IngestClient(owner.api_url, owner.token) as client:
        uploader = Uploader(
            outbox,
            client,
            owner.account,
            lambda count: progress.update(task, advance=count, description=_("Upload")),
        )

        def show_wait(seconds: float) -> None:
            words = _("Upload (the server asks to wait {seconds:.0f} s)")
            progress.update(task, description=words.format(seconds=seconds))

        try:
            await uploader.upload_all(show_wait)
        except ConsentMissingError as error:
            return say_error(error)
        except EbbtideError as error:
            return say_words(NOT_UPLOADED.format(error=say_error(error)))
    return None


def _format_result(result: FileResult) -> dict[str, Any]:
    return {
        "file": result.file,
        "format": result.format,
        "recordings": result.recordings,
        "beats": result.beats,
        "new_beats": result.new_beats,
        "known_beats": result.known_beats,
        "rates": result.rates,
        "new_rates": result.new_rates,
        "stored_beats": result.stored_beats,
        "stream_ids": list(result.stream_ids),
        "problems": list(result.problems),
        "error": result.error,
        "notes": list(result.notes),
        "nights": None if result.nights is None else result.nights.counts(),
        "read_as": None if result.read_as is None else asdict(result.read_as),
    }


def _print_result(result: FileResult, *, was_asked: bool) -> None:
    if result.error is not None:
        typer.echo(result.error, err=True)  # it names the file
        return
    if result.nights is not None:
        typer.echo(result.nights.describe())
        _print_remarks(result)
        return
    parts = [
        ngettext("{count} new beat", "{count} new beats", result.new_beats).format(
            count=result.new_beats
        )
    ]
    if result.known_beats:
        known = (
            ngettext("{count} was there already", "{count} were there already", result.known_beats)
            if was_asked
            else ngettext(
                "{count} was sent before (the server was not asked)",
                "{count} were sent before (the server was not asked)",
                result.known_beats,
            )
        )
        parts.append(known.format(count=result.known_beats))
    if result.rates and not result.beats:
        of = _("{new} new heart rates of {all}")
        parts = [of.format(new=result.new_rates, all=result.rates)]
    typer.echo(f"{result.file} ({result.format}): {', '.join(parts)}.")
    if result.read_as is not None:
        how = result.read_as
        words = _("  Read: {column} in {unit}, {rows} rows, {encoding}.")
        typer.echo(words.format(**asdict(how)))
    _print_remarks(result)


def _print_remarks(result: FileResult) -> None:
    for note in result.notes:
        typer.echo(f"  {say_finding(note)}")
    for problem in result.problems[:_MAX_PROBLEMS]:
        typer.echo(f"  {say_finding(problem)}")
    if len(result.problems) > _MAX_PROBLEMS:
        more = len(result.problems) - _MAX_PROBLEMS
        typer.echo(_("  ... and {count} more.").format(count=more))
