"""Read files, and bring them in, as a process of its own: ``python -m ingest.files.import_worker``.

The pages start it for files that a browser sent. It reads one request as JSON from standard input
(so that no token is in the list of processes), and writes lines of JSON: progress, then the answer.
A file of a stranger can at most end this process: its memory and its computing time are bounded,
and the pages of others go on.

Nothing of a person stays here: the outbox of an import is in the folder of the request, which the
pages delete.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ebbtide.errors import EbbtideError

_MAX_MEMORY_BYTES = 3 << 30  # of addresses; what numpy maps and does not use counts too
_MAX_CPU_S = 600
_MAX_PROBLEMS = 10
_PROGRESS_S = 0.2
_TOO_LARGE = (
    "Reading it needs more memory than a page may take.",
    "Split it, or bring it in on your own computer with: ebbtide import",
)
# Of the work of bringing in one file; the rest is the upload.
_READ_SHARE, _WRITE_SHARE = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class ImportItem:
    """A file of the request. ``choice``: what a person said of it, by name of the choice;
    ``again``: also if its intervals are there already, at another time.
    """

    path: str
    name: str
    choice: dict[str, str] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What was read of a file, or why nothing was. Times are ISO 8601 in UTC.

    ``new_beats``, ``new_nights``: that the store does not have yet, or less of. ``same``: an
    import that has its intervals at another time. ``asks``: what a person has to say, with the
    readings that there are; ``shows_remedy``: no answer is sure to help, and ``remedy`` says what
    else does.
    """

    item: ImportItem
    format: str | None = None
    beats: int = 0
    new_beats: int = 0
    begin: str | None = None
    end: str | None = None
    devices: int = 0
    zone: str = ""
    read_as: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    problem_count: int = 0
    same: str | None = None
    what: str | None = None
    remedy: str | None = None
    asks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shows_remedy: bool = False
    nights: int = 0
    new_nights: int = 0
    unworn_nights: int = 0
    may_hold_beats: bool = False
    rates: int = 0


class _Progress:
    """Writes how far the work is, five times a second at most."""

    def __init__(self, items: list[ImportItem], emit: Callable[[dict[str, Any]], None]) -> None:
        self._sizes = [max(1, Path(item.path).stat().st_size) for item in items]
        self._names = [item.name for item in items]
        self._emit = emit
        self._next_s = 0.0

    def show(self, place: int, fraction: float, *, step: str) -> None:
        """Show that the work is at this fraction of the file at ``place``."""
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _PROGRESS_S
        done = sum(self._sizes[:place]) + min(1.0, max(0.0, fraction)) * self._sizes[place]
        self._emit({"fraction": done / sum(self._sizes), "step": step, "name": self._names[place]})

    def reader(self, place: int, share: float = 1.0) -> Callable[[int], None]:
        """What ``open_recording`` calls with the bytes read."""
        size = self._sizes[place]
        return lambda at: self.show(place, share * at / size, step="read")


def main() -> None:
    """Answer the request on standard input."""
    _bound()
    request = json.load(sys.stdin)
    try:
        answer = answer_request(request, _emit)
    except EbbtideError as error:
        answer = {"error": error.what}  # the remedies of an upload are those of a recorder
    except MemoryError:
        answer = {"error": " ".join(_TOO_LARGE)}
    _emit({"answer": answer})


def answer_request(request: dict[str, Any], emit: Callable[[dict[str, Any]], None]) -> Any:
    """Read the files of a request, or bring them in. Raises EbbtideError."""
    folder = Path(request["folder"])
    items = [ImportItem(**item) for item in request["items"]]
    if request["action"] == "read":
        return {"files": asyncio.run(_read_all(request, items, folder, emit))}
    return asyncio.run(_keep_all(request, items, folder, emit))


async def _read_all(
    request: dict[str, Any],
    items: list[ImportItem],
    folder: Path,
    emit: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    from ingest.outbox.api_client import IngestClient, StoredStream

    expanded: list[ImportItem | ReadResult] = []
    for item in items:
        expanded += _expand(item, folder)
    progress = _Progress([item for item in expanded if isinstance(item, ImportItem)], emit)
    stored: dict[str, StoredStream] = {}
    nights: dict[tuple[str, str], tuple[int, int]] = {}
    async with IngestClient(request["api_url"], request["token"]) as client:
        with suppress(EbbtideError):  # then all of it is new, as far as is seen
            stored = await client.stored_streams()
            nights = await client.stored_nights()
    found: list[ReadResult] = []
    place = 0
    for entry in expanded:
        if isinstance(entry, ReadResult):
            found.append(entry)
            continue
        on_progress = progress.reader(place)
        of_nights = _read_nights(entry, request, nights, on_progress)
        if of_nights is None or of_nights.may_hold_beats:
            result = _read_one(entry, request, stored, on_progress)
            found.append(result if of_nights is None else _joined(of_nights, result))
        else:
            found.append(of_nights)
        progress.show(place, 1.0, step="read")
        place += 1
    return [asdict(result) for result in found]


def _expand(item: ImportItem, folder: Path) -> list[ImportItem | ReadResult]:
    """The files of a zip of several recordings, unpacked; of any other file, itself."""
    from ingest.files.archive import recordings_in, unpack
    from ingest.nights import holds_nights

    path = Path(item.path)
    try:
        if holds_nights(path):
            return [item]
        names = recordings_in(path)
        if not names:
            return [item]
        into = Path(tempfile.mkdtemp(dir=folder))
        return [
            ImportItem(str(one), f"{one.name} ({item.name})") for one in unpack(path, names, into)
        ]
    except EbbtideError as error:
        return [_refused(item, error)]


def _read_nights(
    item: ImportItem,
    request: dict[str, Any],
    stored: dict[tuple[str, str], tuple[int, int]],
    on_progress: Callable[[int], None],
) -> ReadResult | None:
    """The nights in an export of a watch or a ring; None where it is to be read for beats."""
    from ebbtide.timestamps import to_datetime
    from ingest.nights.page_files import open_nights

    size = max(1, Path(item.path).stat().st_size)
    try:
        zone, file = open_nights(
            Path(item.path), item.choice, request, lambda share: on_progress(int(share * size))
        )
    except EbbtideError as error:
        return _refused(item, error)
    except MemoryError:
        return _refused(item, EbbtideError(*_TOO_LARGE))
    if file is None or not file.nights:
        return None
    new = sum(
        (night.windows, night.steps) > stored.get((night.source, night.day), (-1, 0))
        for night in file.nights
    )
    return ReadResult(
        item,
        file.format,
        nights=len(file.nights),
        new_nights=new,
        unworn_nights=file.unworn,
        begin=to_datetime(min(night.start_ns for night in file.nights)).isoformat(),
        end=to_datetime(max(night.end_ns for night in file.nights)).isoformat(),
        devices=len({night.source for night in file.nights}),
        zone=zone,
        notes=file.notes,
        problems=file.problems[:_MAX_PROBLEMS],
        problem_count=len(file.problems),
        may_hold_beats=file.may_hold_beats,
    )


def _joined(nights: ReadResult, beats: ReadResult) -> ReadResult:
    """Nights and beats of one export; the nights alone where it holds no beats."""
    if beats.what is not None:
        return nights
    return replace(
        beats,
        nights=nights.nights,
        new_nights=nights.new_nights,
        unworn_nights=nights.unworn_nights,
        notes=(*nights.notes, *beats.notes),
    )


def _read_one(
    item: ImportItem,
    request: dict[str, Any],
    stored: dict[str, Any],
    on_progress: Callable[[int], None],
) -> ReadResult:
    from ebbtide.timestamps import to_datetime
    from ingest.files.import_steps import describe_same
    from ingest.files.importer import find_stored, find_stored_intervals

    account = request["account"]
    try:
        zone, file = _open(item, request, on_progress)
    except EbbtideError as error:
        return _refused(item, error)
    except MemoryError:
        return _refused(item, EbbtideError(*_TOO_LARGE))
    new = 0
    for recording in file.recordings:
        there = find_stored(recording, account, stored)
        known = 0 if there is None else there.beats
        if recording.rates is not None and there is not None:
            known = there.acknowledged
        new += max(0, recording.count - known)
    same = find_stored_intervals(file, stored.values()) if new else None
    return ReadResult(
        item,
        file.format,
        file.beats,
        new,
        to_datetime(min(one.start_ns for one in file.recordings)).isoformat(),
        to_datetime(max(one.end_ns for one in file.recordings)).isoformat(),
        len(file.recordings),
        zone,
        None if file.read_as is None else asdict(file.read_as),
        file.notes,
        file.problems[:_MAX_PROBLEMS],
        len(file.problems),
        None if same is None else describe_same(item.name, same),
        rates=file.rates,
    )


def _open(
    item: ImportItem, request: dict[str, Any], on_progress: Callable[[int], None]
) -> tuple[str, Any]:
    """The zone that was taken, and the recordings. Raises EbbtideError."""
    from ebbtide.timestamps import validate_zone
    from ingest.files.import_steps import parse_start, read_file

    zone = validate_zone(item.choice.get("zone") or request["zone"])
    start = item.choice.get("start")
    return zone, read_file(
        Path(item.path),
        zone=zone,
        start_ns=None if start is None else parse_start(start, zone),
        choice=item.choice,
        on_progress=on_progress,
    )


def _refused(item: ImportItem, error: EbbtideError) -> ReadResult:
    """Why it is not read, without the name of our copy: it stands beside that of the file."""
    from ingest.files.choices import ChoiceError, asks_of_options, without_options

    what = error.what.replace(f" of {item.path}", "").replace(f" in {item.path}", "")
    what = what.replace(item.path, "the file")
    return ReadResult(
        item,
        what=what[:1].upper() + what[1:],
        remedy=without_options(error.remedy),
        asks=error.asks if isinstance(error, ChoiceError) else asks_of_options(error.remedy),
        shows_remedy=not isinstance(error, ChoiceError),
    )


async def _keep_all(
    request: dict[str, Any],
    items: list[ImportItem],
    folder: Path,
    emit: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Bring the files in, one after the other. What the store had of them is compared first."""
    from ingest.files.importer import import_recordings
    from ingest.nights.page_files import keep_nights
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.outbox import Outbox
    from ingest.outbox.uploader import Uploader

    account = request["account"]
    progress = _Progress(items, emit)
    ids: set[str] = set()
    nights = new_nights = new_rates = 0
    with Outbox(Path(tempfile.mkdtemp(dir=folder)) / "outbox.sqlite") as outbox:
        async with IngestClient(request["api_url"], request["token"], timeout=60.0) as client:
            before = await client.stored_streams()
            for place, item in enumerate(items):
                sent_nights = await keep_nights(Path(item.path), item.choice, request, client)
                if sent_nights is not None:
                    nights += sum(sent_nights[:3])
                    new_nights += sent_nights[0] + sent_nights[1]
                    if not sent_nights[3]:
                        progress.show(place, 1.0, step="keep")
                        continue
                try:
                    _, file = _open(item, request, progress.reader(place, _READ_SHARE))
                except EbbtideError:
                    if sent_nights is None:
                        raise
                    continue  # an export with nights and without beats
                written = sent = 0

                def show_written(
                    beats: int, place: int = place, all_: int = file.beats + file.rates
                ) -> None:
                    nonlocal written
                    written += beats
                    share = _READ_SHARE + (_WRITE_SHARE - _READ_SHARE) * written / all_
                    progress.show(place, share, step="keep")

                done = import_recordings(
                    file, outbox, account, show_written, name=item.name, stored=before
                )
                del file
                ids.update(done.stream_ids)
                new_rates += done.new_rates
                waiting = max(1, sum(state.waiting for state in outbox.states()))

                def show_sent(count: int, place: int = place, all_: int = waiting) -> None:
                    nonlocal sent
                    sent += count
                    share = _WRITE_SHARE + (1 - _WRITE_SHARE) * sent / all_
                    progress.show(place, share, step="keep")

                await Uploader(outbox, client, account, show_sent).upload_all()
            after = await client.stored_streams()
    return {
        "beats": sum(after[one].beats for one in ids if one in after),
        "new_beats": sum(
            after[one].beats - (before[one].beats if one in before else 0)
            for one in ids
            if one in after
        ),
        "files": len(items),
        **({"new_rates": new_rates} if new_rates else {}),
        **({"nights": nights, "new_nights": new_nights} if nights else {}),
    }


def _bound() -> None:
    """Bound memory and computing time where the system can, and let the pages go first."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_S, _MAX_CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if hasattr(os, "nice"):
        os.nice(5)


def _emit(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
