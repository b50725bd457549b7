"""An ingester as a process of its own, to be killed: ``python -m tests.support.ingester_process``.

The strap is the one of ``tests/system/test_killed_ingester.py``: it has a numbered log of
notifications,
and after a restart begins again with the first that the outbox does not have, as after a lost
connection. Recorder, outbox and uploader are the real ones.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from cli.demo.run import run_until_one_fails
from ebbtide.beats import Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ingest.files.rr_text import read_rr_file
from ingest.outbox.api_client import IngestClient
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.outbox.uploader import Uploader
from ingest.recorder import Recorder
from ingest.straps.heart_rate import HeartRateMeasurement, decode
from ingest.straps.simulated import notifications
from ingest.straps.strap import RawNotification, SignalBreak

NAME = "strap with a log"
PACE_S = 0.004


class LoggedStrap:
    """Sends its log from ``skip`` on, one notification after another."""

    origin = Origin.SIMULATED
    name = NAME
    ticks_per_second = STRAP_TICKS_PER_SECOND

    def __init__(self, log: list[tuple[int, bytes]], skip: int) -> None:
        self._log = log[skip:]

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """Decode as for a real strap."""
        return decode(payload)

    def stop(self) -> None:
        """Do nothing: the process is killed."""

    async def events(self) -> AsyncIterator[RawNotification | SignalBreak]:
        """Yield notifications with a monotonic time, so that each is written by itself."""
        for number, (arrival, payload) in enumerate(self._log):
            if number == 1:  # the first is on the disk
                print("recording", flush=True)
            await asyncio.sleep(PACE_S)
            yield RawNotification(payload, arrival, arrival)


def strap_log(path: Path, start_ns: int, rounds: int) -> list[tuple[int, bytes]]:
    """Make what the strap sends, with arrival times: the recording, ``rounds`` times."""
    (run,) = read_rr_file(path).runs
    runs = [run * rounds]
    return [event for event in notifications(runs, start_ns) if not isinstance(event, SignalBreak)]


class AllUploaded(Exception):  # noqa: N818
    """Ends the process: the API has acknowledged everything."""


async def ingest(
    url: str, token: str, account: str, outbox_file: Path, log: list[tuple[int, bytes]]
) -> None:
    """Record and upload until the log is stored and acknowledged."""
    with Outbox(outbox_file) as outbox, BatchWriter(outbox) as writer:
        previous = outbox.find_stream(account, Origin.SIMULATED, NAME)
        strap = LoggedStrap(log, previous.last_sequence if previous else 0)
        async with IngestClient(url, token) as client:
            uploader = Uploader(outbox, client, account)
            recorder = Recorder(strap, writer, account)

            async def until_uploaded() -> None:
                await recorder.run()
                while any(state.waiting for state in outbox.states()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                raise AllUploaded

            try:
                await run_until_one_fails(until_uploaded(), uploader.run(every_s=0.01))
            except AllUploaded:
                return


if __name__ == "__main__":
    _, api_url, sign_in_token, person, outbox_path, recording, start, times = sys.argv
    the_log = strap_log(Path(recording), int(start), int(times))
    asyncio.run(ingest(api_url, sign_in_token, person, Path(outbox_path), the_log))
