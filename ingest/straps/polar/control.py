"""Starting Polar's measurements on a connected device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from ingest.straps.polar import measurement
from ingest.straps.polar.measurement import Kind, PolarRefusedError, Setting

_ANSWER_S = 5.0
_DEFAULT_RATE_HZ = {Kind.ACCELERATION: 25, Kind.ECG: 130, Kind.PPI: 1}


class PolarStream:
    """The measurement service of one connection."""

    def __init__(self, client: BleakClient) -> None:
        self._client = client
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._rates: dict[Kind, int] = {}

    @property
    def present(self) -> bool:
        """Whether the device has the service."""
        return self._client.services.get_characteristic(measurement.CONTROL) is not None

    def rate_hz(self, kind: Kind) -> int:
        """Samples a second of a running measurement."""
        return self._rates.get(kind, _DEFAULT_RATE_HZ[kind])

    async def open(self, on_data: Callable[[BleakGATTCharacteristic, bytearray], None]) -> None:
        """Subscribe to the control point, and to the data, which go to ``on_data``."""

        def on_response(_: BleakGATTCharacteristic, payload: bytearray) -> None:
            self._answers.put_nowait(bytes(payload))

        await self._client.start_notify(measurement.CONTROL, on_response)
        await self._client.start_notify(measurement.DATA, on_data)

    async def start(self, kind: Kind) -> None:
        """Start a measurement if the device has it. Raises PolarRefusedError."""
        read = await self._client.read_gatt_char(measurement.CONTROL)
        if kind not in measurement.parse_features(bytes(read)):
            return
        settings: dict[Setting, int] = {}
        if kind is not Kind.PPI:
            offer = await self._request(measurement.get_settings_command(kind))
            settings = measurement.choose_settings(measurement.parse_settings(offer))
        self._rates[kind] = settings.get(Setting.SAMPLE_RATE, _DEFAULT_RATE_HZ[kind])
        await self._request(measurement.start_command(kind, settings))

    async def _request(self, command: bytes) -> bytes:
        await self._client.write_gatt_char(measurement.CONTROL, command, response=True)
        try:
            answered = await asyncio.wait_for(self._answers.get(), _ANSWER_S)
        except TimeoutError as error:
            raise PolarRefusedError("it did not answer") from error
        return measurement.parse_response(answered)
