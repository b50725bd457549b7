"""Read a strap's device information, battery, and the measurements that it offers."""

from __future__ import annotations

from dataclasses import dataclass

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from ingest.straps.bluetooth.adapter import ADAPTER_ERRORS
from ingest.straps.heart_rate import CHARACTERISTIC
from ingest.straps.polar import measurement

BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
_BODY_LOCATION = "00002a38-0000-1000-8000-00805f9b34fb"
_MODEL = "00002a24-0000-1000-8000-00805f9b34fb"
_SERIAL = "00002a25-0000-1000-8000-00805f9b34fb"
_FIRMWARE = "00002a26-0000-1000-8000-00805f9b34fb"
_MANUFACTURER = "00002a29-0000-1000-8000-00805f9b34fb"
# Heart Rate Service 1.0, section 3.2.
_LOCATIONS = ("other", "chest", "wrist", "finger", "hand", "ear lobe", "foot")


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """Read while connected. None where the strap does not have it.

    ``gives``: "heart rate", and of a Polar device "pulse intervals", "acceleration", "ECG". No
    characteristic announces RR intervals: only the notifications of a worn strap show them.
    """

    battery_percent: int | None = None
    body_location: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    gives: tuple[str, ...] = ()


async def read_device_info(client: BleakClient) -> DeviceInfo:
    """Read from a connected strap. What cannot be read stays None."""
    battery = await _read_bytes(client, BATTERY)
    location = await _read_bytes(client, _BODY_LOCATION)
    gives = []
    if client.services.get_characteristic(CHARACTERISTIC) is not None:
        gives.append("heart rate")
    polar = measurement.parse_features(await _read_bytes(client, measurement.CONTROL))
    for kind, words in (
        (measurement.Kind.PPI, "pulse intervals"),
        (measurement.Kind.ACCELERATION, "acceleration"),
        (measurement.Kind.ECG, "ECG"),
    ):
        if kind in polar:
            gives.append(words)
    return DeviceInfo(
        battery_percent=battery[0] if battery and battery[0] <= 100 else None,
        body_location=(
            _LOCATIONS[location[0]] if location and location[0] < len(_LOCATIONS) else None
        ),
        manufacturer=await _read_text(client, _MANUFACTURER),
        model=await _read_text(client, _MODEL),
        serial=await _read_text(client, _SERIAL),
        firmware=await _read_text(client, _FIRMWARE),
        gives=tuple(gives),
    )


async def _read_bytes(client: BleakClient, uuid: str) -> bytes:
    found: BleakGATTCharacteristic | None = client.services.get_characteristic(uuid)
    if found is None or "read" not in found.properties:
        return b""
    try:
        return bytes(await client.read_gatt_char(found))
    except ADAPTER_ERRORS:
        if not client.is_connected:
            raise
        return b""


async def _read_text(client: BleakClient, uuid: str) -> str | None:
    text = (await _read_bytes(client, uuid)).decode("utf-8", "replace").strip("\x00 ")
    return text[:100] or None
