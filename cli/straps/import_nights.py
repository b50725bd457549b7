"""Nights of ``ebbtide import``: read from exports of watches and rings, and sent to the API."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.language import _, ngettext, say_error
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from cli.progress_display import LateProgress
    from ingest.nights import NightFile
    from ingest.nights.upload import NightsSent

_LOOK_S = 5.0  # between two looks into a watched folder


@dataclass(frozen=True, slots=True)
class NightsResult:
    """What came of the nights of one export."""

    file: str
    format: str | None
    nights: int = 0
    new: int = 0
    grown: int = 0
    known: int = 0
    unworn: int = 0
    first: str | None = None
    last: str | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None

    def counts(self) -> dict[str, object]:
        """The numbers, by name."""
        return {
            name: getattr(self, name)
            for name in ("nights", "new", "grown", "known", "unworn", "first", "last")
        }

    def describe(self) -> str:
        """Say it in one line."""
        parts = [
            ngettext("{count} new night", "{count} new nights", self.new).format(count=self.new)
        ]
        if self.grown:
            parts.append(_("{count} fuller than before").format(count=self.grown))
        if self.known:
            known = ngettext("{count} was there already", "{count} were there already", self.known)
            parts.append(known.format(count=self.known))
        parts.append(_("{first} to {last}").format(first=self.first, last=self.last))
        unworn = ""
        if self.unworn:
            words = _("{count} of them not worn or not measured").format(count=self.unworn)
            unworn = f"; {words}"
        return f"{self.file} ({self.format}): {', '.join(parts)}{unworn}."


def import_nights(
    paths: Sequence[Path], owner: Credentials, zone: str
) -> tuple[list[NightsResult], list[Path]]:
    """Import the nights of files, folders and zips.

    Returns what came of them, and the files that are to be read for beats.
    """
    from rich.console import Console

    from cli.progress_display import LateProgress
    from ingest.files.streams import is_stream

    results: list[NightsResult] = []
    others: list[Path] = []
    with LateProgress(console=Console(stderr=True, highlight=False)) as progress:
        for path in paths:
            if is_stream(path) or not path.exists():
                others.append(path)
                continue
            result, rest = _import_path(path, owner, zone, progress)
            results += [] if result is None else [result]
            others += rest
    return results, others


def _import_path(
    path: Path, owner: Credentials, zone: str, progress: LateProgress
) -> tuple[NightsResult | None, list[Path]]:
    from ingest.nights import read_nights

    task = progress.add_task(_("Reading {file}").format(file=path.name), total=1.0)
    try:
        found = read_nights(
            path, zone=zone, on_progress=lambda share: progress.update(task, completed=share)
        )
        if found is None:
            progress.update(task, visible=False)
            return None, [path]
        progress.update(
            task,
            description=_("Sending {file}").format(file=path.name),
            total=len(found.nights) or 1,
            completed=0,
        )
        sent = asyncio.run(_send(found, owner, lambda count: progress.advance(task, count)))
    except EbbtideError as error:
        progress.update(task, visible=False)
        return NightsResult(str(path), None, error=say_error(error)), []
    days = sorted(night.day for night in found.nights)
    result = NightsResult(
        str(path),
        found.format,
        len(found.nights),
        sent.new,
        sent.grown,
        sent.known,
        found.unworn,
        days[0] if days else None,
        days[-1] if days else None,
        found.problems,
        found.notes,
    )
    return result, _rest(path, found)


def _rest(path: Path, found: NightFile) -> list[Path]:
    """What may hold beats beside the nights: of a folder, the files that nobody has read."""
    from cli.straps.import_sources import find_files

    if found.may_hold_beats:
        return [path]
    if not path.is_dir():
        return []
    read = {path / name for name in found.files}
    return [item for item in find_files([path]) if item not in read]


async def _send(
    found: NightFile, owner: Credentials, on_progress: Callable[[int], None]
) -> NightsSent:
    from ingest.nights.upload import send_nights
    from ingest.outbox.api_client import IngestClient, UnavailableError

    async with IngestClient(owner.api_url, owner.token, timeout=120.0) as client:
        try:
            return await send_nights(client, found.nights, on_progress)
        except UnavailableError as error:
            raise EbbtideError(
                error.what, "Nights do not wait here: import the file again, which doubles nothing."
            ) from error


def watch_folder(
    folders: Sequence[Path],
    owner: Credentials,
    zone: str,
    choices: Mapping[str, str | None],
    *,
    as_json: bool,
) -> None:
    """Import what is in the folders, and then whatever is put there, until it is ended.

    A file is read when its size and time have not changed from one look to the next. Each is
    imported by a process of its own, so that a damaged one ends nothing; begun again, all of it is
    there already.
    """
    for folder in folders:
        if not folder.is_dir():
            raise EbbtideError(f"{folder} is no folder.", "Name the folder that is to be watched.")
    given = [name for name, value in choices.items() if value is not None]
    if given:
        raise EbbtideError(
            f"{given[0]} is of one file, and --watch of all that come.", "Leave one of them out."
        )
    seen: dict[Path, tuple[float, int]] = {}
    done: dict[Path, tuple[float, int]] = {}
    typer.echo(
        _("Watching {folders}; Ctrl+C ends it.").format(folders=", ".join(map(str, folders))),
        err=True,
    )
    try:
        while True:
            for item in sorted(item for folder in folders for item in folder.iterdir()):
                if item.name.startswith((".", "~")) or item.suffix in (".part", ".crdownload"):
                    continue
                state = _state(item)
                if state is None or done.get(item) == state:
                    continue
                if seen.get(item) == state:
                    _import_apart(item, owner, zone, as_json=as_json)
                    done[item] = state
                seen[item] = state
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        return


def _state(item: Path) -> tuple[float, int] | None:
    """Newest time and size of a file, or of all in a folder; None where it went meanwhile."""
    try:
        parts = [part.stat() for part in (item.rglob("*") if item.is_dir() else [item])]
    except OSError:
        return None
    return max((part.st_mtime for part in parts), default=0.0), sum(p.st_size for p in parts)


def _import_apart(item: Path, owner: Credentials, zone: str, *, as_json: bool) -> None:
    command = [sys.executable, "-m", "ebbtide", "import", str(item), "--patient", owner.email]
    command += ["--zone", zone, *(["--json"] if as_json else [])]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
