"""Record straps into the outbox, upload, and display both, until stopped."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli.counts import count_beats
from cli.language import _, say_result, say_words
from cli.local_erasure import local_eraser
from cli.straps.live_line import LiveLine, live_line
from ebbtide import timestamps
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from ebbtide.settings import Settings
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder
    from ingest.straps.paired import PairedStrap
    from ingest.straps.strap import Strap

_LAST_UPLOAD_S = 10.0


@dataclass(frozen=True, slots=True)
class ActiveRecording:
    """A strap that is being recorded, and the credentials of its patient."""

    strap: Strap
    owner: Credentials
    recorder: Recorder


async def record_straps(
    settings: Settings,
    selected: list[tuple[PairedStrap, Credentials]],
    *,
    ecg: bool,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Record Bluetooth straps until Ctrl-C, or for ``seconds``."""
    from ingest.outbox.acknowledged import Retention
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox
    from ingest.straps.bluetooth.adapter import BleAdapter
    from ingest.straps.bluetooth.moved import find_again
    from ingest.straps.bluetooth.strap import BleakStrap, StreamSelection
    from ingest.straps.paired import PairedStraps

    adapter = BleAdapter()
    paired_straps = PairedStraps(settings.straps_file).all()
    keep = Retention(settings.outbox_keep_days, settings.outbox_keep_mb)
    with Outbox(settings.outbox_file, keep) as outbox, BatchWriter(outbox) as writer:
        recorded = []
        with ExitStack() as files:
            for paired, owner in selected:
                selection = StreamSelection(pulse_intervals=paired.intervals == "ppi", ecg=ecg)
                strap = BleakStrap(
                    paired.address,
                    paired.name,
                    adapter,
                    selection=selection,
                    find_again=partial(find_again, paired, paired_straps, adapter),
                )
                recorder = _recorder(strap, writer, owner, settings if ecg else None, files)
                recorded.append(ActiveRecording(strap, owner, recorder))
            every_s = settings.upload_every_s
            await record_together(
                *(writer, recorded, seconds, _display(as_json), every_s),
                erase=local_eraser(settings),
            )


def _recorder(
    strap: Strap, writer: BatchWriter, owner: Credentials, ecg: Settings | None, files: ExitStack
) -> Recorder:
    from ingest.recorder import Recorder
    from ingest.straps.ecg_file import EcgFile

    ecg_file = None
    if ecg is not None:
        ecg_file = EcgFile(ecg.ecg_folder, strap.name)
        files.callback(ecg_file.close)
    return Recorder(strap, writer, owner.account, ecg=ecg_file)


async def record_together(
    writer: BatchWriter,
    recorded: list[ActiveRecording],
    seconds: float | None,
    show: Callable[[list[LiveLine], list[str]], None],
    every_s: float = 2.0,
    *,
    erase: Callable[[str], None] | None = None,
) -> None:
    """Record all straps and upload for all owners until stopped; then upload the rest.

    ``erase`` erases an account from this machine, once the API says that it was erased.
    """
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.uploader import Uploader

    async with AsyncExitStack() as clients:
        uploaders: list[Uploader] = []
        for owner in {item.owner.account: item.owner for item in recorded}.values():
            client = IngestClient(owner.api_url, owner.token)
            await clients.enter_async_context(client)
            on_erased = None if erase is None else partial(erase, owner.account)
            uploaders.append(Uploader(writer.outbox, client, owner.account, on_erased=on_erased))
        uploads = [asyncio.create_task(uploader.run(every_s)) for uploader in uploaders]
        showing = asyncio.create_task(_display_loop(writer, recorded, uploaders, show))
        try:
            with _stopping(recorded, seconds):
                async with asyncio.TaskGroup() as recording:
                    for item in recorded:
                        recording.create_task(item.recorder.run())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            for task in (*uploads, showing):
                task.cancel()
            await asyncio.gather(*uploads, showing, return_exceptions=True)
        # Without this the rest would wait in the outbox for the next recording.
        with suppress(EbbtideError, TimeoutError):
            async with asyncio.timeout(_LAST_UPLOAD_S):
                for uploader in uploaders:
                    await uploader.upload_waiting()
        show(_lines(writer, recorded), _problems(writer, uploaders))


@contextmanager
def _stopping(recorded: list[ActiveRecording], seconds: float | None) -> Iterator[None]:
    """While entered, SIGINT, SIGTERM or the end of ``seconds`` stop the straps."""

    def stop() -> None:
        for item in recorded:
            item.strap.stop()

    loop = asyncio.get_running_loop()
    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; there Ctrl-C cancels, and beats are stored all the same.
        with suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, stop)
            handled.append(number)
    timer = None if seconds is None else loop.call_later(seconds, stop)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        if timer is not None:
            timer.cancel()


async def _display_loop(
    writer: BatchWriter,
    recorded: list[ActiveRecording],
    uploaders: list[Uploader],
    show: Callable[[list[LiveLine], list[str]], None],
) -> None:
    while True:
        lines = await asyncio.to_thread(_lines, writer, recorded)
        show(lines, _problems(writer, uploaders))
        await asyncio.sleep(1)


def _lines(writer: BatchWriter, recorded: list[ActiveRecording]) -> list[LiveLine]:
    waiting: dict[tuple[str, str], int] = {}
    for state in writer.outbox.states():
        key = (state.account, state.stream.source)
        waiting[key] = waiting.get(key, 0) + state.beats_waiting
    now = timestamps.now_ns()
    return [
        live_line(
            item.strap.name,
            item.owner.email,
            item.recorder.recording,
            item.strap.ticks_per_second,
            waiting.get((item.owner.account, item.strap.name), 0),
            now,
        )
        for item in recorded
    ]


def _problems(writer: BatchWriter, uploaders: list[Uploader]) -> list[str]:
    problems = [writer.problem, *(uploader.last_problem for uploader in uploaders)]
    return list(dict.fromkeys(problem for problem in problems if problem))


def _display(as_json: bool) -> Callable[[list[LiveLine], list[str]], None]:
    from ingest.outbox.api_client import WAITS_FOR_CONSENT

    if as_json:

        def print_json(lines: list[LiveLine], problems: list[str]) -> None:
            moment = timestamps.to_datetime(timestamps.now_ns()).isoformat()
            report = {
                "time": moment,
                "straps": [asdict(x) for x in lines],
                "problems": problems,
                "waits_for_consent": any(words.startswith(WAITS_FOR_CONSENT) for words in problems),
            }
            typer.echo(json.dumps(report))

        return print_json
    console = Console(stderr=True)
    live = Live(console=console, transient=False, auto_refresh=False)

    def show(lines: list[LiveLine], problems: list[str]) -> None:
        if not live.is_started:
            live.start()
        live.update(_table(lines, problems), refresh=True)

    return show


def _table(lines: list[LiveLine], problems: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, caption="\n".join(map(say_words, problems)) or None)
    table.caption_justify = "left"
    for title in (
        *(_("Strap"), _("Heart rate"), _("RMSSD, last minute"), _("Signal")),
        *(_("Kept"), _("To upload")),
    ):
        table.add_column(title, overflow="fold")
    for line in lines:
        signal_words = say_result(line.quality)
        if line.heart_rate_bpm is None:
            detail = say_result(line.detail)
            signal_words = say_result(line.link) + (f": {detail}" if detail else "")
        table.add_row(
            line.strap,
            "-" if line.heart_rate_bpm is None else f"{line.heart_rate_bpm} bpm",
            "-" if line.rmssd_ms is None else f"{line.rmssd_ms:.0f} ms",
            signal_words,
            count_beats(line.beats_kept),
            f"{line.beats_waiting}",
        )
    return table
