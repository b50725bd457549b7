"""The process that records for ``ebbtide start``: ``python -m cli.server.recorder_process``.

It reads a line of JSON for each command, and writes one for each answer, and its state when that
changed. It ends by itself when its parent does, however that ended: the pipe to it is closed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict, replace
from typing import IO, TYPE_CHECKING, Any

from cli.server.home_recorder import HomeRecorder
from ebbtide.settings import Settings
from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS
from ingest.straps.bluetooth.scan import FoundStrap, probe, read_advertisement
from ingest.straps.bluetooth.strap import Timeouts, describe_error
from ingest.straps.bluetooth.troubles import name_trouble

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

STATE_EVERY_S = 5.0  # also where nothing changed: it lives
_TICK_S = 1.0
_SCAN_TICK_S = 0.5
_CLOSE_S = 15.0
_LISTEN_S = 6.0
_PROBE_S = 30.0
_PROBE_TIMEOUTS = Timeouts(find=8.0, connect=10.0, disconnect=2.0)
_MAX_FOUND = 40  # in a full hall


class RecorderProcess:
    """Answers commands, one scan and one probe at a time, beside the recording."""

    def __init__(self, recorder: HomeRecorder, out: IO[str]) -> None:
        self._recorder = recorder
        self._out = out
        self._ended = asyncio.Event()
        self._scan: dict[str, Any] | None = None
        self._found: dict[str, FoundStrap] = {}
        self._scan_until_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._written = ""
        self._written_at_s = 0.0

    async def run(self) -> None:
        """Record until the parent ends, or says so."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Ctrl-C in a terminal is for the parent, which then ends this process.
            with suppress(NotImplementedError):
                loop.add_signal_handler(
                    number, self._ended.set if number == signal.SIGTERM else _ignore
                )
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        while not self._ended.is_set():
            await self._recorder.tick()
            self._report()
            with suppress(TimeoutError):
                pause = _TICK_S if self._scan is None else _SCAN_TICK_S
                await asyncio.wait_for(self._ended.wait(), pause)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._recorder.close()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read commands, in a thread: a pipe has no other way on Windows."""
        for line in sys.stdin:
            loop.call_soon_threadsafe(self._take, json.loads(line))
        loop.call_soon_threadsafe(self._ended.set)
        time.sleep(_CLOSE_S)
        os._exit(1)  # the loop hangs, and nobody is left who would end this process

    def _take(self, command: dict[str, Any]) -> None:
        match command["do"]:
            case "stop":
                self._ended.set()
            case "reload":
                self._recorder.reload()
            case "scan":
                self._begin(command, self._run_scan)
            case "probe":
                self._begin(command, self._run_probe)

    def _begin(
        self, command: dict[str, Any], work: Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
    ) -> None:
        task = asyncio.create_task(work(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_scan(self, command: dict[str, Any]) -> None:
        self._found, self._scan = {}, {"is_running": True, "trouble": None}
        self._scan_until_s = time.monotonic() + command["seconds"]
        self._report()
        self._write({"answer": command["id"]})
        try:
            async with self._recorder.adapter.hearing(self._on_heard):
                await asyncio.sleep(command["seconds"])
        except ADAPTER_ERRORS as error:
            self._scan["trouble"] = name_trouble(describe_error(error))
        finally:
            self._scan["is_running"] = False
            self._report()

    def _on_heard(self, device: BLEDevice, advert: AdvertisementData) -> None:
        strap = read_advertisement(device, advert)
        if strap is None or (len(self._found) >= _MAX_FOUND and device.address not in self._found):
            return
        earlier = self._found.get(strap.address)
        if earlier is not None and earlier.is_certain:  # not every advertisement has the service
            strap = replace(strap, is_certain=True)
        self._found[strap.address] = strap

    async def _run_probe(self, command: dict[str, Any]) -> None:
        strap = self._found.get(command["address"]) or FoundStrap(
            command["address"], command["address"], None
        )
        answer: dict[str, Any] = {"trouble": None}
        try:
            async with asyncio.timeout(_PROBE_S):
                found = await probe(
                    strap, self._recorder.adapter, _PROBE_TIMEOUTS, listen_s=_LISTEN_S
                )
        except TimeoutError as error:
            found = replace(strap, trouble=describe_error(error))
        if found.trouble is not None:
            answer["trouble"] = name_trouble(found.trouble)
        answer["strap"] = {**asdict(found), "advertised": strap.name != strap.address}
        self._write({"answer": command["id"], **answer})

    def _report(self) -> None:
        state = self._recorder.describe()
        if self._scan is not None:
            left = max(0.0, self._scan_until_s - time.monotonic())
            found = sorted(
                self._found.values(), key=lambda s: (not s.is_certain, -(s.signal_dbm or -999))
            )
            state["scan"] = {
                **self._scan,
                "seconds_left": round(left) if self._scan["is_running"] else 0,
                "found": [
                    {
                        "address": strap.address,
                        "name": strap.name,
                        "signal_dbm": strap.signal_dbm,
                        "is_certain": strap.is_certain,
                    }
                    for strap in found
                ],
            }
        text = json.dumps({"state": state})
        now = time.monotonic()
        if text != self._written or now > self._written_at_s + STATE_EVERY_S:
            self._written, self._written_at_s = text, now
            self._write_line(text)

    def _write(self, message: dict[str, Any]) -> None:
        self._write_line(json.dumps(message))

    def _write_line(self, text: str) -> None:
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except OSError:  # the parent is gone
            self._ended.set()


def _ignore() -> None:
    pass


def main() -> None:
    """Run the recorder of the data folder that the environment names."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("bleak").setLevel(logging.ERROR)
    # What a library prints must not come between the messages.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = Settings()

    async def run() -> None:
        await RecorderProcess(HomeRecorder(settings), out).run()

    asyncio.run(run())
    os._exit(0)  # the thread that reads commands waits in a read


if __name__ == "__main__":
    main()
