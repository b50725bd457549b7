"""One Bluetooth adapter for many straps: searches share one scan, connects take turns.

An adapter that scans twice or connects to two straps at once answers with errors that do not say so
(BlueZ: "Operation already in progress").
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
_CHECK_CONNECTED_AFTER_S = 0.5
_NO_ADVERTISEMENT_S = 10.0  # a scan without any advertisement for this long is restarted

# What a system's Bluetooth may raise when it goes away meanwhile: D-Bus closes its socket
# (EOFError, OSError), an object is gone (KeyError), an answer never comes (TimeoutError).
ADAPTER_ERRORS = (BleakError, OSError, EOFError, KeyError, TimeoutError, AssertionError)


class NotFoundError(BleakError):
    """The strap did not advertise during the search."""


class BleAdapter:
    """Finds straps, and lets one at a time connect.

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
        self._hearing: set[Callable[[BLEDevice, AdvertisementData], None]] = set()
        self._scanning: BleakScanner | None = None
        self._searches = 0
        self._last_advertisement_s = 0.0
        self._scan_lock = asyncio.Lock()
        self._connect_lock = asyncio.Lock()

    async def find(self, address: str, seconds: float) -> BLEDevice:
        """Find the device with this address, advertising or connected to the system already.

        Raises NotFoundError, and BleakError when the adapter cannot be used.
        """
        found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()
        self._wanted.setdefault(address.upper(), set()).add(found)
        try:
            async with self._scan():
                done, _ = await asyncio.wait(
                    [found], timeout=min(seconds, _CHECK_CONNECTED_AFTER_S)
                )
                if not done:
                    connected = await self._find_connected(address)
                    if connected is not None:
                        return connected
                    rest = max(0.0, seconds - _CHECK_CONNECTED_AFTER_S)
                    done, _ = await asyncio.wait([found], timeout=rest)
                if done:
                    return found.result()
        finally:
            self._wanted[address.upper()].discard(found)
        raise NotFoundError(f"it was not heard for {seconds:.0f} seconds")

    @asynccontextmanager
    async def connecting(self) -> AsyncIterator[None]:
        """Hold the right to connect, which one strap has at a time."""
        async with self._connect_lock:
            yield

    def client(
        self,
        device: BLEDevice,
        on_disconnect: Callable[[], None],
        timeout: float,
        *,
        pair: bool = False,
    ) -> BleakClient:
        """Make a client; ``on_disconnect`` is called when its connection ends."""
        return BleakClient(
            device,
            lambda _: on_disconnect(),
            timeout=timeout,
            pair=pair,
            backend=self._client_backend,
        )

    async def listen(self, seconds: float) -> list[tuple[BLEDevice, AdvertisementData]]:
        """Find all devices that advertise within ``seconds``. Raises BleakError."""
        async with BleakScanner(backend=self._scanner_backend) as scanner:
            await asyncio.sleep(seconds)
            found = scanner.discovered_devices_and_advertisement_data
        return list(found.values())

    @asynccontextmanager
    async def hearing(
        self, on_heard: Callable[[BLEDevice, AdvertisementData], None]
    ) -> AsyncIterator[None]:
        """Call ``on_heard`` with each advertisement meanwhile, in the scan that searches share.
        Raises BleakError.
        """
        self._hearing.add(on_heard)
        try:
            async with self._scan():
                yield
        finally:
            self._hearing.discard(on_heard)

    async def _find_connected(self, address: str) -> BLEDevice | None:
        if self._scanner_backend is not None:
            return None
        try:
            adapter = await BleakAdapter.get()
            devices = await adapter.get_connected_devices([SERVICE])
        except (*ADAPTER_ERRORS, NotImplementedError):
            return None
        return next((d for d in devices if d.address.upper() == address.upper()), None)

    def _on_advertisement(self, device: BLEDevice, advert: AdvertisementData) -> None:
        self._last_advertisement_s = time.monotonic()
        for on_heard in tuple(self._hearing):
            on_heard(device, advert)
        for future in self._wanted.get(device.address.upper(), ()):
            if not future.done():
                future.set_result(device)

    @asynccontextmanager
    async def _scan(self) -> AsyncIterator[None]:
        async with self._scan_lock:
            if (
                self._scanning is not None
                and time.monotonic() > self._last_advertisement_s + _NO_ADVERTISEMENT_S
            ):
                # The adapter may have vanished, or bluetoothd restarted, under a running scan.
                await self._stop_scanning()
            if self._scanning is None:
                scanner = BleakScanner(self._on_advertisement, backend=self._scanner_backend)
                await scanner.start()
                self._scanning = scanner
                self._last_advertisement_s = time.monotonic()
            self._searches += 1
        try:
            yield
        finally:
            async with self._scan_lock:
                self._searches -= 1
                if not self._searches:
                    await self._stop_scanning()

    async def _stop_scanning(self) -> None:
        scanner, self._scanning = self._scanning, None
        if scanner is not None:
            # The device is found all the same when the scan cannot be stopped.
            with suppress(*ADAPTER_ERRORS):
                await scanner.stop()
