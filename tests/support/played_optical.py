"""An optical Polar of the played BlueZ: pulse intervals by its own service (PMD), and no RR."""

from __future__ import annotations

from ingest.straps.polar.measurement import CONTROL, DATA, SERVICE, Kind
from tests.support.played_bluez import (
    PlayedCharacteristic,
    PlayedConfiguration,
    PlayedService,
    PlayedStrap,
)

_START = bytes([0x02, Kind.PPI])
_UNKNOWN_COMMAND = 1


class PlayedOptical(PlayedStrap):
    """Sends pulse intervals once it is told to start them; it answers that with ``status``."""

    def __init__(self, name: str, *, status: int = 0) -> None:
        super().__init__(name, "C0:00:00:00:00:02", battery=55)
        self.status = status
        self._is_measuring = False
        service = f"{self.path}/service0020"
        control, data = f"{service}/char0021", f"{service}/char0024"
        features = bytes([0x0F, 1 << Kind.PPI]) + bytes(15)
        self._data = PlayedCharacteristic(service, DATA)
        self.gatt |= {
            service: PlayedService(self.path, SERVICE),
            control: PlayedCharacteristic(service, CONTROL, features, self._answer),
            f"{control}/desc0023": PlayedConfiguration(control),
            data: self._data,
            f"{data}/desc0026": PlayedConfiguration(data),
        }

    @property
    def measures(self) -> bool:
        """Whether it was told to start, and somebody has asked for the data."""
        return self._is_measuring and self._data.notifying

    @property
    def notifying(self) -> bool:
        """Whether it measures, and somebody listens, on a link that is up."""
        return self.device.connected and self.measures

    def _answer(self, command: bytes) -> bytes:
        is_start = command == _START
        self._is_measuring = is_start and not self.status
        return bytes([0xF0, *command[:2], self.status if is_start else _UNKNOWN_COMMAND, 0])

    def send(self, heart_rate_bpm: int, *samples: tuple[int, int]) -> None:
        """Send a frame of intervals, (ms, flags) each. Flags: 1 blocked by movement, 2 on the skin,
        4 it can tell whether it is.
        """
        body = b"".join(
            bytes([heart_rate_bpm, *interval.to_bytes(2, "little"), 5, 0, flags])
            for interval, flags in samples
        )
        assert self.bluez is not None

        async def on_loop() -> None:
            assert self.measures, "pulse intervals were not asked for"
            self._data.notify(bytes([Kind.PPI]) + bytes(8) + bytes([0]) + body)

        self.bluez.on_loop(on_loop())

    def drop(self) -> None:
        """End the link, and the measurement with it."""
        self._is_measuring = self._data.notifying = False
        super().drop()
