"""Finding straps, and asking each what it can give."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS, BleAdapter
from ingest.straps.bluetooth.device_info import DeviceInfo, read_device_info
from ingest.straps.bluetooth.strap import Timeouts, adapter_error, describe_error
from ingest.straps.heart_rate import CHARACTERISTIC, MalformedMeasurementError, decode


@dataclass(frozen=True, slots=True)
class FoundStrap:
    """A strap that was heard. ``signal_dbm`` is None where the system does not tell; ``facts`` is
    None until it was asked, and ``trouble`` says why it did not answer. ``sends_rr`` is None until
    it was listened to, and when not even heart rate came, as from a strap that is not worn.
    """

    name: str
    address: str
    signal_dbm: int | None
    facts: DeviceInfo | None = None
    sends_rr: bool | None = None
    trouble: str | None = None


async def scan(seconds: float, radio: BleAdapter | None = None) -> list[FoundStrap]:
    """Straps with the Heart Rate Service nearby, strongest signal first.

    Raises EbbtideError when the machine has no Bluetooth or it is switched off.
    """
    try:
        heard = await (radio or BleAdapter()).listen(seconds)
    except ADAPTER_ERRORS as error:
        raise adapter_error(error) from error
    straps = [
        FoundStrap(advert.local_name or device.name or "unnamed strap", device.address, advert.rssi)
        for device, advert in heard
    ]
    return sorted(straps, key=lambda strap: -(strap.signal_dbm or -999))


async def ask(
    strap: FoundStrap,
    radio: BleAdapter | None = None,
    patience: Timeouts | None = None,
    listen_s: float = 0.0,
) -> FoundStrap:
    """Connect shortly, read what the strap says of itself, and with ``listen_s`` listen for RR
    that long. Never raises for a strap that does not answer: that is told in ``trouble``.
    """
    radio, patience = radio or BleAdapter(), patience or Timeouts()
    heard: asyncio.Queue[bool] = asyncio.Queue()

    def take(_: object, payload: bytearray) -> None:
        with suppress(MalformedMeasurementError):
            heard.put_nowait(bool(decode(bytes(payload)).rr_ticks))

    try:
        device = await radio.find(strap.address, patience.look)
        client = radio.client(device, lambda: None, patience.connect)
        async with radio.turn():
            await client.connect()
        try:
            listens = listen_s > 0 and client.services.get_characteristic(CHARACTERISTIC)
            if listens:
                await client.start_notify(CHARACTERISTIC, take)
            facts = await read_device_info(client)
            sends_rr = await _rr_within(heard, listen_s) if listens else None
            name = device.name or strap.name
            return replace(strap, name=name, facts=facts, sends_rr=sends_rr)
        finally:
            with suppress(*ADAPTER_ERRORS):
                await asyncio.wait_for(client.disconnect(), patience.disconnect)
    except ADAPTER_ERRORS as error:
        return replace(strap, trouble=describe_error(error))


async def _rr_within(heard: asyncio.Queue[bool], seconds: float) -> bool | None:
    """True with the first notification that has RR; False when others came; None for silence."""
    answer: bool | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not answer:
                answer = await heard.get()
    return answer
