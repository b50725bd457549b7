"""Record the paired straps of this computer, as they come and go, and upload for each person.

What ``ebbtide record`` does with the straps of its command line, for as long as the process lives:
a strap that is paired is recorded from the next second on, and one that is forgotten no more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from cli.credentials import CredentialFile, Credentials
from cli.local_erasure import local_eraser
from ebbtide import timestamps
from ebbtide._files import make_private_folder
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from ingest.outbox.acknowledged import Retention
from ingest.outbox.api_client import WAITS_FOR_CONSENT, IngestClient
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.database import ErasedAccountError
from ingest.outbox.outbox import Outbox
from ingest.outbox.uploader import Uploader
from ingest.recorder import Recorder, Recording
from ingest.straps.bluetooth.adapter import BleAdapter
from ingest.straps.bluetooth.moved import find_again
from ingest.straps.bluetooth.strap import BleakStrap, StreamSelection
from ingest.straps.bluetooth.troubles import OF_COMPUTER, Trouble, name_trouble
from ingest.straps.paired import PairedStrap, PairedStraps
from ingest.straps.strap import ConnectionState

if TYPE_CHECKING:
    from pathlib import Path

    from ebbtide.settings import Settings
    from ingest.straps.bluetooth.device_info import DeviceInfo

_LOG = logging.getLogger("ebbtide.recorder")
_RETRY_S = 3.0
_MAX_RETRY_S = 60.0
_COUNT_EVERY_S = 5.0  # rows that wait, read from the disk
_STOP_S = 8.0
_FRESH_NS = 5 * SECOND
_ANOTHER = "another recorder"
_NAMES = {state: state.name.lower() for state in ConnectionState}


@dataclass(slots=True)
class RecordedStrap:
    """A paired strap that is being recorded. ``ended``: on purpose, it is not begun again."""

    paired: PairedStrap
    owner: Credentials
    strap: BleakStrap | None = None
    recording: Recording | None = None
    battery_percent: int | None = None
    trouble: Trouble | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """End it after what has already arrived."""
        self.ended.set()
        if self.strap is not None:
            self.strap.stop()

    def note_info(self, info: DeviceInfo) -> None:
        """Take what the strap says of itself, at each connection."""
        self.battery_percent = info.battery_percent

    def note_change(self, recording: Recording) -> None:
        """Keep the trouble until the strap is connected: searching again does not end it."""
        if recording.connection is ConnectionState.CONNECTED:
            self.trouble = None
        elif recording.connection is ConnectionState.TROUBLE:
            self.trouble = name_trouble(recording.detail)

    def describe(self, last_beat_ns: int | None) -> dict[str, Any]:
        """Return its state as JSON has it."""
        recording = self.recording or Recording()
        now = timestamps.now_ns()
        last = max(recording.last_arrival_ns or 0, last_beat_ns or 0) or None
        is_connected = recording.connection is ConnectionState.CONNECTED
        fresh = is_connected and last is not None and 0 <= now - last < _FRESH_NS
        has_rr = bool(recording.recent) and now - recording.recent[-1].time_ns < 2 * _FRESH_NS
        return {
            "connection": _NAMES[recording.connection],
            "trouble": self.trouble,
            "heart_rate_bpm": (recording.heart_rate_bpm or None) if fresh else None,
            "contact": recording.contact if fresh else None,
            "has_intervals": has_rr if fresh else None,
            "battery_percent": self.battery_percent,
            "last_heard_ns": last,
            "beats": recording.beats,
        }


class HomeRecorder:
    """Records, for every person who is signed in on this computer, the straps paired with them.

    ``tick`` is called once a second. It holds the lock of ``ebbtide record`` while there is
    anything to record or to upload: two recorders would store each beat twice.
    """

    def __init__(self, settings: Settings, adapter: BleAdapter | None = None) -> None:
        self._settings = settings
        self.adapter = adapter or BleAdapter()
        self._opened: ExitStack | None = None
        self._writer: BatchWriter | None = None
        self._straps: dict[tuple[str, str, str, str], RecordedStrap] = {}
        self._uploads: dict[Credentials, tuple[Uploader, asyncio.Task[None]]] = {}
        self._seen: tuple[int, ...] | None = None
        self._retry_at_s = self._count_at_s = 0.0
        self._waiting: dict[str, int] = {}
        self._last_beats: dict[tuple[str, str], int] = {}
        self._most_links = 0
        self._problem: str | None = None
        self._detail = ""

    async def tick(self) -> None:
        """Follow the list of straps, and try again what could not be opened."""
        changed = _changed_ns(self._settings.straps_file, self._settings.sign_ins_file)
        try:
            if self._writer is None:
                if time.monotonic() < self._retry_at_s or not self._has_work():
                    return
                self._open()
                self._seen = None
            if changed != self._seen:
                await self._follow_lists()
                self._seen = changed
            if time.monotonic() >= self._count_at_s:
                await self._count()
                self._count_at_s = time.monotonic() + _COUNT_EVERY_S
        except Timeout:
            self._fail(_ANOTHER, "ebbtide record runs in a terminal")
        except (EbbtideError, OSError) as error:
            self._fail("disk", str(error))

    def reload(self) -> None:
        """Read the lists of straps and people at the next tick, whatever their times of change."""
        self._seen = None

    async def close(self) -> None:
        """End all straps, upload what is left if the API answers, and close the outbox."""
        for item in self._straps.values():
            item.stop()
        await self._end([item.task for item in self._straps.values() if item.task is not None])
        uploads, self._uploads = self._uploads, {}
        for _, task in uploads.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in uploads.values()), return_exceptions=True)
        if self._opened is not None:
            self._opened.close()
            self._opened = self._writer = None

    def describe(self) -> dict[str, Any]:
        """Return the state as JSON has it."""
        straps = {}
        for item in self._straps.values():
            key = (item.owner.account, item.paired.name)
            straps[item.paired.address] = item.describe(self._last_beats.get(key))
        connected = [strap for strap in straps.values() if strap["connection"] == "connected"]
        self._most_links = max(self._most_links, len(connected))
        troubles = {strap["trouble"] for strap in straps.values()} & OF_COMPUTER
        problem, detail = self._problem, self._detail
        if problem is None and self._writer is not None and self._writer.problem:
            problem, detail = "disk", self._writer.problem
        return {
            "straps": straps,
            "waiting": self._waiting,
            "uploads": {
                owner.account: _name_upload_problem(uploader.last_problem)
                for owner, (uploader, _) in self._uploads.items()
            },
            "bluetooth": min(troubles) if troubles and not connected else None,
            "problem": problem,
            "detail": detail,
            "most_links": self._most_links,
            "is_idle": not straps and not any(self._waiting.values()),
        }

    def _has_work(self) -> bool:
        return self._settings.outbox_file.exists() or bool(
            PairedStraps(self._settings.straps_file).all()
        )

    def _open(self) -> None:
        make_private_folder(self._settings.data_dir)
        settings, opened = self._settings, ExitStack()
        try:
            opened.enter_context(FileLock(settings.recording_lock, timeout=0))
            keep = Retention(settings.outbox_keep_days, settings.outbox_keep_mb)
            outbox = opened.enter_context(Outbox(settings.outbox_file, keep))
            self._writer = opened.enter_context(BatchWriter(outbox))
        except BaseException:
            opened.close()
            raise
        self._opened = opened
        self._problem, self._detail = None, ""

    def _fail(self, problem: str, detail: str) -> None:
        if problem != self._problem:
            _LOG.warning("it does not record now: %s (%s)", problem, detail)
        self._problem, self._detail = problem, detail
        self._retry_at_s = time.monotonic() + _RETRY_S

    async def _follow_lists(self) -> None:
        people = {item.email.lower(): item for item in self._credentials()}
        all_paired = PairedStraps(self._settings.straps_file).all()
        wanted = {}
        for paired in all_paired:
            owner = people.get(paired.patient.lower())
            if owner is not None:
                key = (paired.address.upper(), paired.name, paired.intervals, owner.account)
                wanted[key] = (paired, owner)
        gone = [self._straps.pop(key) for key in self._straps.keys() - wanted.keys()]
        for item in gone:
            item.stop()
        await self._end([item.task for item in gone if item.task is not None])
        for key in wanted.keys() - self._straps.keys():
            item = RecordedStrap(*wanted[key])
            item.task = asyncio.create_task(self._record(item, all_paired))
            self._straps[key] = item
        await self._follow_people(set(people.values()))
        self._problem, self._detail = None, ""
        self._count_at_s = 0.0

    def _credentials(self) -> list[Credentials]:
        return CredentialFile(self._settings.sign_ins_file).all()

    async def _follow_people(self, people: set[Credentials]) -> None:
        assert self._writer is not None
        for owner in self._uploads.keys() - people:
            _, task = self._uploads.pop(owner)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        erase = local_eraser(self._settings)
        for owner in people - self._uploads.keys():
            client = IngestClient(owner.api_url, owner.token)
            uploader = Uploader(
                *(self._writer.outbox, client, owner.account),
                on_erased=partial(erase, owner.account),
            )
            task = asyncio.create_task(self._upload(client, uploader))
            self._uploads[owner] = (uploader, task)

    async def _upload(self, client: IngestClient, uploader: Uploader) -> None:
        async with client:
            while True:
                try:
                    await uploader.run(self._settings.upload_every_s)
                except Exception as error:  # a damaged row, say: the others are recorded on
                    _LOG.warning("an upload failed: %s", type(error).__name__)
                    await asyncio.sleep(_MAX_RETRY_S)

    async def _record(self, item: RecordedStrap, all_paired: list[PairedStrap]) -> None:
        """Record one strap until it is ended; what fails is begun again, after growing waits."""
        wait_s = 1.0
        while not item.ended.is_set():
            assert self._writer is not None
            paired = item.paired
            item.strap = BleakStrap(
                paired.address,
                paired.name,
                self.adapter,
                selection=StreamSelection(pulse_intervals=paired.intervals == "ppi"),
                on_device_info=item.note_info,
                find_again=partial(find_again, paired, all_paired, self.adapter),
            )
            try:
                recorder = Recorder(
                    item.strap, self._writer, item.owner.account, on_change=item.note_change
                )
                item.recording = recorder.recording
                await recorder.run()
            except ErasedAccountError:
                return
            except Exception as error:  # of one strap: the others are recorded on
                _LOG.warning("recording %s failed: %s", paired.name, type(error).__name__)
                item.trouble = Trouble.OTHER
                with suppress(TimeoutError):
                    await asyncio.wait_for(item.ended.wait(), wait_s)
                wait_s = min(wait_s * 2, _MAX_RETRY_S)

    async def _count(self) -> None:
        assert self._writer is not None
        waiting: dict[str, int] = {}
        last: dict[tuple[str, str], int] = {}
        for state in await asyncio.to_thread(self._writer.outbox.states):
            waiting[state.account] = waiting.get(state.account, 0) + state.waiting
            key = (state.account, state.stream.source)
            last[key] = max(last.get(key, 0), state.last_beat_ns or 0)
        self._waiting, self._last_beats = waiting, last

    @staticmethod
    async def _end(tasks: list[asyncio.Task[None]]) -> None:
        if not tasks:
            return
        _, running = await asyncio.wait(tasks, timeout=_STOP_S)
        for task in running:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _changed_ns(*files: Path) -> tuple[int, ...]:
    found = []
    for file in files:
        try:
            found.append(file.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def _name_upload_problem(words: str | None) -> str | None:
    if words is None:
        return None
    if words.startswith(WAITS_FOR_CONSENT):
        return "consent"
    return "refused" if "refused" in words else "no answer"
