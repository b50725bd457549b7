"""A real Bluetooth strap, through bleak."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError

from ebbtide import instants
from ebbtide.errors import EbbtideError
from ebbtide.records import GapReason, Origin
from ingest.heart_rate_measurement import CHARACTERISTIC, SERVICE
from ingest.strap import Arrival, FoundStrap, Interruption

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0


async def scan(seconds: float = 8.0) -> list[FoundStrap]:
    """Straps with the Heart Rate Service nearby, strongest signal first.

    Raises EbbtideError when the machine has no Bluetooth or it is switched off.
    """
    try:
        heard = await BleakScanner.discover(
            timeout=seconds, return_adv=True, service_uuids=[SERVICE]
        )
    except (BleakError, OSError) as error:
        raise _unusable(error) from error
    straps = [
        FoundStrap(advert.local_name or device.name or "unnamed strap", address, advert.rssi)
        for address, (device, advert) in heard.items()
        if SERVICE in advert.service_uuids
    ]
    return sorted(straps, key=lambda strap: -(strap.signal_dbm or -999))


class BleakStrap:
    """The strap with this Bluetooth address (on macOS: this identifier).

    After the first connection it comes back by itself when the link drops, with waits that grow
    from 1 to 30 s; each drop is told as an Interruption.
    """

    origin = Origin.STRAP

    def __init__(self, address: str, name: str | None = None) -> None:
        self._address = address
        self._name = name or address

    @property
    def name(self) -> str:
        """The given name, or the address."""
        return self._name

    async def events(self) -> AsyncIterator[Arrival | Interruption]:
        """Connect, subscribe, yield notifications; reconnect until the caller stops."""
        connected_once = False
        wait = _FIRST_WAIT_S
        while True:
            try:
                async for event in self._one_connection():
                    connected_once, wait = True, _FIRST_WAIT_S
                    yield event
            except (BleakError, TimeoutError, OSError) as error:
                if not connected_once:
                    raise _unreachable(self._name, error) from error
            yield Interruption(GapReason.LINK_LOST)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)

    async def _one_connection(self) -> AsyncIterator[Arrival]:
        device = await BleakScanner.find_device_by_address(self._address, timeout=15.0)
        if device is None:
            raise BleakError("it was not heard for 15 seconds")
        arrivals: asyncio.Queue[Arrival | None] = asyncio.Queue()

        def heard(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            arrivals.put_nowait(Arrival(bytes(payload), instants.now(), time.monotonic_ns()))

        def gone(_: BleakClient) -> None:
            arrivals.put_nowait(None)

        async with BleakClient(device, disconnected_callback=gone) as client:
            await client.start_notify(CHARACTERISTIC, heard)
            while (arrival := await arrivals.get()) is not None:
                yield arrival


def _unusable(error: Exception) -> EbbtideError:
    return EbbtideError(
        f"Bluetooth cannot be used here: {error}.",
        "Check that the machine has an adapter, that Bluetooth is switched on, and that you may "
        "use it (on Linux: systemctl status bluetooth). To try Ebbtide without it: ebbtide demo.",
    )


def _unreachable(name: str, error: Exception) -> EbbtideError:
    return EbbtideError(
        f"The strap {name} could not be reached: {error}.",
        "Wet its electrodes, wear it, and make sure that no phone or watch is connected to it.",
    )
