"""One radio for many straps: who looks, shares one scan; who connects, waits for a turn.

An adapter that scans twice or connects to two straps at once answers with errors that help nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakError

from ingest.straps.heart_rate import SERVICE

# A strap that the system still holds (from a recorder that was killed) does not advertise.
_CHECK_CONNECTED_AFTER_S = 3.0
_NO_ADVERTISEMENT_S = 10.0  # a scan that heard nothing at all for this long is begun anew

# What a system's Bluetooth may throw when it goes away under one's hands: D-Bus closes its socket
# (EOFError, OSError), an object is gone (KeyError), an answer never comes (TimeoutError).
ADAPTER_ERRORS = (BleakError, OSError, EOFError, KeyError, TimeoutError, AssertionError)


class NotFoundError(BleakError):
    """The strap was not heard while it was looked for."""


class BleAdapter:
    """Finds straps and takes turns at connecting.

    ``scanner`` and ``client`` replace Bleak's own backends (tests have one without an adapter).
    """

    def __init__(
        self,
        scanner: type[BaseBleakScanner] | None = None,
        client: type[BaseBleakClient] | None = None,
    ) -> None:
        self._scanner_backend = scanner
        self._client_backend = client
        self._wanted: dict[str, set[asyncio.Future[BLEDevice]]] = {}
        self._scanning: BleakScanner | None = None
        self._seekers = 0
        self._alive_at = 0.0
        self._change = asyncio.Lock()
        self._turn = asyncio.Lock()

    async def find(self, address: str, seconds: float) -> BLEDevice:
        """The device with this address, when it is heard or found to be connected already.

        Raises NotHeardError, and BleakError when the radio cannot be used.
        """
        heard: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()
        self._wanted.setdefault(address.upper(), set()).add(heard)
        try:
            async with self._scan():
                done, _ = await asyncio.wait(
                    [heard], timeout=min(seconds, _CHECK_CONNECTED_AFTER_S)
                )
                if not done:
                    held = await self._held_by_the_system(address)
                    if held is not None:
                        return held
                    rest = max(0.0, seconds - _CHECK_CONNECTED_AFTER_S)
                    done, _ = await asyncio.wait([heard], timeout=rest)
                if done:
                    return heard.result()
        finally:
            self._wanted[address.upper()].discard(heard)
        raise NotFoundError(f"it was not heard for {seconds:.0f} seconds")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Connecting is for one strap at a time."""
        async with self._turn:
            yield

    def client(
        self, device: BLEDevice, gone: Callable[[], None], timeout: float, *, pair: bool = False
    ) -> BleakClient:
        """A client for the device; ``gone`` is called when the link ends."""
        return BleakClient(
            device,
            lambda _: gone(),
            timeout=timeout,
            pair=pair,
            backend=self._client_backend,
        )

    async def listen(self, seconds: float) -> list[tuple[BLEDevice, AdvertisementData]]:
        """All heart-rate straps heard within ``seconds``. Raises BleakError."""
        async with BleakScanner(backend=self._scanner_backend) as scanner:
            await asyncio.sleep(seconds)
            found = scanner.discovered_devices_and_advertisement_data
        return [
            (device, advert) for device, advert in found.values() if SERVICE in advert.service_uuids
        ]

    async def _held_by_the_system(self, address: str) -> BLEDevice | None:
        if self._scanner_backend is not None:
            return None
        try:
            adapter = await BleakAdapter.get()
            devices = await adapter.get_connected_devices([SERVICE])
        except (*ADAPTER_ERRORS, NotImplementedError):
            return None
        return next((d for d in devices if d.address.upper() == address.upper()), None)

    def _heard(self, device: BLEDevice, _: AdvertisementData) -> None:
        self._alive_at = time.monotonic()
        for future in self._wanted.get(device.address.upper(), ()):
            if not future.done():
                future.set_result(device)

    @asynccontextmanager
    async def _scan(self) -> AsyncIterator[None]:
        async with self._change:
            if (
                self._scanning is not None
                and time.monotonic() > self._alive_at + _NO_ADVERTISEMENT_S
            ):
                # The adapter may have vanished, or bluetoothd restarted, under a running scan.
                await self._stop_scanning()
            if self._scanning is None:
                scanner = BleakScanner(self._heard, backend=self._scanner_backend)
                await scanner.start()
                self._scanning = scanner
                self._alive_at = time.monotonic()
            self._seekers += 1
        try:
            yield
        finally:
            async with self._change:
                self._seekers -= 1
                if not self._seekers:
                    await self._stop_scanning()

    async def _stop_scanning(self) -> None:
        scanner, self._scanning = self._scanning, None
        if scanner is not None:
            # What was heard is worth more than a scan that would not stop.
            with suppress(*ADAPTER_ERRORS):
                await scanner.stop()
