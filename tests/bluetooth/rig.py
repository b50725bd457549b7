"""A computer, virtual straps and the whole path from them to the store, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ebbtide.beats import GapReason
from ingest.outbox.api_client import IngestClient
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.outbox.uploader import Uploader
from ingest.recorder import Recorder
from ingest.straps.bluetooth.device_info import DeviceInfo
from ingest.straps.bluetooth.strap import BleakStrap, StreamSelection, Timeouts
from ingest.straps.ecg_file import EcgFile
from store import Stores
from tests.bluetooth.bumble_backend import Computer
from tests.bluetooth.bumble_strap import BumbleStrap, StrapBehaviour
from tests.bluetooth.virtual_link import VirtualLink

# A busy machine may let no process of ours run for a second: shorter, and that is a silent strap.
QUICK = Timeouts(silence=2.0, find=2.0, connect=5.0, min_backoff=0.05, max_backoff=0.2)


@dataclass
class Rig:
    """A computer, virtual straps, and the whole path from there to the store."""

    link: VirtualLink
    computer: Computer
    stores: Stores
    url: str
    token: str
    account: str
    outbox_file: Path

    async def strap(self, number: int = 1, behaviour: StrapBehaviour | None = None) -> BumbleStrap:
        made = BumbleStrap(self.link, f"E0:E1:E2:E3:E4:{number:02X}", behaviour or StrapBehaviour())
        await made.switch_on()
        return made

    @asynccontextmanager
    async def recording(
        self,
        *straps: BumbleStrap,
        selection: StreamSelection | None = None,
        on_device_info: Callable[[DeviceInfo], None] | None = None,
        ecg: EcgFile | None = None,
    ) -> AsyncIterator[list[Recorder]]:
        """Record these straps; at the end all is uploaded."""
        adapter = self.computer.adapter()
        with Outbox(self.outbox_file) as outbox, BatchWriter(outbox) as writer:
            async with IngestClient(self.url, self.token) as client:
                uploader = Uploader(outbox, client, self.account)
                ours = [
                    BleakStrap(
                        strap.address,
                        f"{strap.behaviour.name} {strap.address[-2:]}",
                        adapter,
                        timeouts=QUICK,
                        selection=selection,
                        on_device_info=on_device_info,
                    )
                    for strap in straps
                ]
                recorders = [Recorder(strap, writer, self.account, ecg=ecg) for strap in ours]
                upload = asyncio.create_task(uploader.run(every_s=0.2))
                tasks = [asyncio.create_task(recorder.run()) for recorder in recorders]
                try:
                    yield recorders
                    await _until_arrived()
                finally:
                    for strap in ours:
                        strap.stop()
                    await asyncio.wait_for(asyncio.gather(*tasks), 20)
                    upload.cancel()
                    await asyncio.gather(upload, return_exceptions=True)
                    await uploader.upload_waiting()
                    for strap in straps:
                        await strap.switch_off()

    def stored(self, strap: BumbleStrap) -> list[int]:
        """The intervals of this strap in the store, in the order of time."""
        person = self.stores.records.person(self.account)
        assert person is not None
        beats = self.stores.beats.read(person.subject_id, 0, 2**62)
        suffix = strap.address[-2:]
        own = [i for i, s in enumerate(beats.streams) if s.source.endswith(suffix)]
        inside = np.isin(beats.stream, own)
        assert (np.diff(beats.time_ns[inside]) > 0).all()
        found: list[int] = beats.rr_ticks[inside].tolist()
        return found

    def gaps(self) -> list[tuple[int, GapReason]]:
        """Length and reason of each gap."""
        person = self.stores.records.person(self.account)
        assert person is not None
        found = self.stores.beats.gaps(person.subject_id, 0, 2**62)
        return [(item.gap.end_ns - item.gap.start_ns, item.gap.reason) for item in found]


async def _until_arrived() -> None:
    """Let what was sent arrive before the strap is stopped."""
    await asyncio.sleep(0.3)
    loop = asyncio.get_running_loop()
    # A busy loop sleeps too long: once it is on time, nothing waits in it.
    for _ in range(100):
        began = loop.time()
        await asyncio.sleep(0.05)
        if loop.time() - began < 0.1:
            return


async def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
