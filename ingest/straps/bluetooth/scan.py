"""Find straps nearby, and read what each offers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS, BleAdapter
from ingest.straps.bluetooth.device_info import DeviceInfo, read_device_info
from ingest.straps.bluetooth.strap import Timeouts, adapter_error, describe_error
from ingest.straps.heart_rate import CHARACTERISTIC, SERVICE, MalformedMeasurementError, decode


@dataclass(frozen=True, slots=True)
class FoundStrap:
    """A strap that advertised. ``signal_dbm`` is None where the system does not report it;
    ``facts`` is None before ``probe``, and ``trouble`` says why that failed. ``sends_rr`` is None
    until notifications came: a strap that is not worn sends none.
    """

    name: str
    address: str
    signal_dbm: int | None
    facts: DeviceInfo | None = None
    sends_rr: bool | None = None
    trouble: str | None = None
    is_certain: bool = True
    manufacturers: tuple[int, ...] = ()


# Bluetooth Assigned Numbers, 2.6.2: category 0x00D, "Heart Rate Sensor", and its subcategories.
_APPEARANCES = range(0x0340, 0x0380)
_NAMES = re.compile(
    r"\bHRM?\b|HRM|heart|strap|\bbelt\b|pulse|\bpolar\b|tickr|coospo|magene|movesense|\bsuunto\b"
    r"|moofit|cycplus|xoss|igpsport|scosche|bioharness|\bcardio|\bH(6|7|9|10)\b|\b(OH1|verity)\b",
    re.IGNORECASE,
)


def is_heart_rate_service(advert: AdvertisementData) -> bool:
    """Whether the Heart Rate Service is advertised."""
    return SERVICE in advert.service_uuids


def may_be_strap(name: str | None, appearance: int | None) -> bool:
    """Whether a device without the service in its advertisement may be a strap all the same."""
    return appearance in _APPEARANCES or (name is not None and _NAMES.search(name) is not None)


def find_moved(
    name: str, manufacturers: Sequence[int], found: Sequence[FoundStrap]
) -> list[FoundStrap]:
    """The straps that may be the one that advertised ``name`` under another address."""
    same = [strap for strap in found if strap.name == name]
    return [
        strap
        for strap in same
        if not manufacturers
        or not strap.manufacturers
        or set(manufacturers) & set(strap.manufacturers)
    ]


def _appearance(device: BLEDevice, advert: AdvertisementData) -> int | None:
    """As BlueZ reports it; other systems do not."""
    for part in (*advert.platform_data, device.details):
        for level in (part, part.get("props") if isinstance(part, dict) else None):
            if isinstance(level, dict) and isinstance(level.get("Appearance"), int):
                return int(level["Appearance"])
    return None


async def scan(seconds: float, adapter: BleAdapter | None = None) -> list[FoundStrap]:
    """Find straps nearby: those with the Heart Rate Service, then those that may be straps by
    name or appearance (``is_certain`` False); each strongest signal first.

    Raises EbbtideError when the machine has no Bluetooth or it is switched off.
    """
    try:
        found = await (adapter or BleAdapter()).listen(seconds)
    except ADAPTER_ERRORS as error:
        raise adapter_error(error) from error
    heard = [read_advertisement(device, advert) for device, advert in found]
    straps = [strap for strap in heard if strap is not None]
    return sorted(straps, key=lambda strap: (not strap.is_certain, -(strap.signal_dbm or -999)))


def read_advertisement(device: BLEDevice, advert: AdvertisementData) -> FoundStrap | None:
    """Return the strap that advertised; None for a device that is none."""
    name = advert.local_name or device.name
    is_certain = is_heart_rate_service(advert)
    if not is_certain and not may_be_strap(name, _appearance(device, advert)):
        return None
    return FoundStrap(
        name or "unnamed strap",
        device.address,
        advert.rssi,
        is_certain=is_certain,
        manufacturers=tuple(sorted(advert.manufacturer_data)),
    )


async def probe(
    strap: FoundStrap,
    adapter: BleAdapter | None = None,
    timeouts: Timeouts | None = None,
    listen_s: float = 0.0,
) -> FoundStrap:
    """Connect shortly, read the device information, and with ``listen_s`` listen for RR that long.

    Does not raise for a strap that fails to answer: ``trouble`` says why.
    """
    adapter, timeouts = adapter or BleAdapter(), timeouts or Timeouts()
    has_rr: asyncio.Queue[bool] = asyncio.Queue()

    def on_notification(_: object, payload: bytearray) -> None:
        with suppress(MalformedMeasurementError):
            has_rr.put_nowait(bool(decode(bytes(payload)).rr_ticks))

    try:
        device = await adapter.find(strap.address, timeouts.find)
        client = adapter.client(device, lambda: None, timeouts.connect)
        async with adapter.connecting():
            await client.connect()
        try:
            listens = listen_s > 0 and client.services.get_characteristic(CHARACTERISTIC)
            if listens:
                await client.start_notify(CHARACTERISTIC, on_notification)
            facts = await read_device_info(client)
            sends_rr = await _wait_for_rr(has_rr, listen_s) if listens else None
            name = device.name or strap.name
            return replace(strap, name=name, facts=facts, sends_rr=sends_rr)
        finally:
            with suppress(*ADAPTER_ERRORS):
                await asyncio.wait_for(client.disconnect(), timeouts.disconnect)
    except ADAPTER_ERRORS as error:
        return replace(strap, trouble=describe_error(error))


async def _wait_for_rr(has_rr: asyncio.Queue[bool], seconds: float) -> bool | None:
    """True with the first notification that has RR; False when others came; None for silence."""
    answer: bool | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not answer:
                answer = await has_rr.get()
    return answer
