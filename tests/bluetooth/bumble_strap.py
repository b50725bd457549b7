"""A strap made of Bumble: advertises, serves, sends beats, and logs what it sent."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bumble import core
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address, OwnAddressType
from bumble.host import Host
from bumble.pairing import PairingConfig, PairingDelegate

from ingest.straps.heart_rate import HeartRateMeasurement, encode
from ingest.straps.polar import measurement
from tests.bluetooth.virtual_link import VirtualLink

_READ = Characteristic.Properties.READ
_NOTIFY = Characteristic.Properties.NOTIFY
_READABLE = Characteristic.Permissions.READABLE


@dataclass(slots=True)
class Sent:
    """One interval that was sent. ``sure``: the connection stood long enough after it."""

    ticks: int
    at: float
    sure: bool = True


@dataclass(frozen=True, slots=True)
class StrapBehaviour:
    """How the strap behaves.

    Intervals count up within [``shortest``, ``shortest`` + ``spread``) ticks, so that a lost or
    doubled one shows. ``beats`` of them are in each notification, sent every ``pace_s``: on the
    mean they have to last as long, as a strap's do, and the heart rate is theirs.
    """

    name: str = "Strap H10"
    pace_s: float = 0.1
    beats: int = 1
    shortest: int = 61
    spread: int = 83
    duplicate_every: int = 0
    malformed_every: int = 0
    heart_rate_only: bool = False
    requires_pairing: bool = False
    battery: int = 87
    polar: tuple[measurement.Kind, ...] = ()


@dataclass(slots=True)
class BumbleStrap:
    """A virtual strap with an address."""

    link: VirtualLink
    address: str
    behaviour: StrapBehaviour = field(default_factory=StrapBehaviour)
    log: list[Sent] = field(default_factory=list)
    silent: bool = False
    off: bool = False
    in_flight_s: float = 0.10  # sent less than this before a cut: may or may not have been heard
    connections: int = 0
    started: set[int] = field(default_factory=set)
    extra: Callable[[int], bytes | None] | None = None

    device: Device = field(init=False)
    controller: Controller = field(init=False)
    _count: int = 0
    _doubted: bool = False
    _sending: asyncio.Task[None] | None = None
    _measurement: Characteristic[bytes] = field(init=False)
    _data: Characteristic[bytes] | None = None
    _control: Characteristic[bytes] | None = None

    async def switch_on(self) -> None:
        """Advertise, and send to each subscriber."""
        self.controller = Controller(self.address, link=self.link, public_address=self.address)
        host = Host()
        host.controller = self.controller
        address = Address(self.address, Address.PUBLIC_DEVICE_ADDRESS)
        self.device = Device(name=self.behaviour.name, address=address, host=host)
        self.device.add_services(self._services())
        self.device.pairing_config_factory = lambda _: PairingConfig(
            sc=False,
            mitm=False,
            bonding=True,
            delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT),
        )
        self.device.advertising_data = bytes(
            AdvertisingData(
                [
                    (AdvertisingData.FLAGS, b"\x06"),
                    (AdvertisingData.COMPLETE_LOCAL_NAME, self.behaviour.name.encode()),
                    (
                        AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
                        struct.pack("<H", 0x180D),
                    ),
                ]
            )
        )
        self.device.advertising_interval_min = self.device.advertising_interval_max = 100
        self.device.on("connection", self._connected)
        await self.device.power_on()
        # Bumble's restart of its own does not outlive a cut; see _connected.
        await self.device.start_advertising(
            auto_restart=False, own_address_type=OwnAddressType.PUBLIC
        )
        self._sending = asyncio.create_task(self._send_for_ever())

    async def switch_off(self) -> None:
        """Leave: as when the battery falls out."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self.off:
            return
        self.off = True
        self.cut()
        self.controller.le_legacy_advertiser.stop()
        for advertiser in self.controller.advertising_sets.values():
            advertiser.stop()
        self.link.remove_controller(self.controller)

    def cut(self) -> bool:
        """Drop the connection now; what was sent a moment ago may be lost with it."""
        self.doubt_since(time.monotonic() - self.in_flight_s)
        self._doubted = False
        return self.link.cut(self.controller)

    def doubt_since(self, moment: float) -> None:
        """What was sent from this moment on, until ``trust_again``, is not sure to be heard."""
        self._doubted = True
        for sent in reversed(self.log):
            if sent.at < moment:
                break
            sent.sure = False

    def trust_again(self) -> None:
        """The connection is intact from now on."""
        self._doubted = False

    def goes_on_after(self, other: BumbleStrap) -> None:
        """The same heart under a new strap."""
        self._count = other._count

    @property
    def subscribed(self) -> bool:
        """Whether there is a subscriber."""
        return any(
            cccds.get(self._measurement.handle)
            for cccds in self.device.gatt_server.subscribers.values()
        )

    def _connected(self, connection: Connection) -> None:
        self.connections += 1

        def gone(_: int) -> None:
            doubted = self._doubted
            self.doubt_since(time.monotonic() - self.in_flight_s)
            self._doubted = doubted
            asyncio.get_running_loop().create_task(self._advertise_again())

        connection.on("disconnection", gone)

    async def _advertise_again(self) -> None:
        if self.off:
            return
        with suppress(core.BaseBumbleError, asyncio.CancelledError):
            await self.device.start_advertising(
                auto_restart=False, own_address_type=OwnAddressType.PUBLIC
            )

    async def _send_for_ever(self) -> None:
        due, tick = time.monotonic(), 0
        while True:
            tick += 1
            due += self.behaviour.pace_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self.subscribed and not self.silent:
                with suppress(core.BaseBumbleError):
                    await self._send_one(tick)
            await self._send_polar(tick)

    async def _send_one(self, tick: int) -> None:
        behaviour = self.behaviour
        if behaviour.malformed_every and tick % behaviour.malformed_every == 0:
            await self._notify(b"\x11\x48")  # half a heart rate
            return
        ticks = []
        if not behaviour.heart_rate_only:
            for _ in range(behaviour.beats):
                ticks.append(behaviour.shortest + self._count % behaviour.spread)
                self._count += 1
        mean = behaviour.shortest + (behaviour.spread - 1) / 2
        rate = 72 if behaviour.heart_rate_only else round(60 * 1024 / mean)
        payload = encode(HeartRateMeasurement(rate, contact=True, rr_ticks=tuple(ticks)))
        if not self.subscribed:
            return
        # Into the log first: a cut while it is being sent must find it there, in flight.
        now = time.monotonic()
        self.log += [Sent(value, now, not self._doubted) for value in ticks]
        await self._notify(payload)
        if behaviour.duplicate_every and tick % behaviour.duplicate_every == 0:
            await self._notify(payload)

    async def _notify(self, payload: bytes) -> None:
        await self.device.notify_subscribers(self._measurement, payload)

    async def _send_polar(self, tick: int) -> None:
        if self._data is None:
            return
        for kind in sorted(self.started):
            payload = self.extra(kind) if self.extra is not None else None
            if payload is not None:
                with suppress(core.BaseBumbleError):
                    await self.device.notify_subscribers(self._data, payload)

    def _services(self) -> list[Service]:
        needs = _READABLE
        if self.behaviour.requires_pairing:
            needs |= Characteristic.Permissions.READ_REQUIRES_ENCRYPTION
        self._measurement = Characteristic("2A37", _NOTIFY, Characteristic.Permissions(0), b"")
        services = [
            Service(
                "180D",
                [self._measurement, Characteristic("2A38", _READ, _READABLE, bytes([1]))],
            ),
            Service(
                "180F", [Characteristic("2A19", _READ, needs, bytes([self.behaviour.battery]))]
            ),
            Service(
                "180A",
                [
                    Characteristic("2A29", _READ, _READABLE, b"Bumble Works"),
                    Characteristic("2A24", _READ, _READABLE, b"H10"),
                    Characteristic("2A26", _READ, _READABLE, b"5.0.0"),
                ],
            ),
        ]
        if self.behaviour.polar:
            services.append(self._polar_service())
        return services

    def _polar_service(self) -> Service:
        features = 0
        for kind in self.behaviour.polar:
            features |= 1 << kind

        def read(_: object) -> bytes:
            return bytes([0x0F, features]) + bytes(15)

        def write(_: object, value: bytes) -> None:
            command, kind = value[0], value[1]
            known = features >> kind & 1
            parameters = b""
            if command == 1 and kind == measurement.Kind.ACCELERATION:
                parameters = bytes.fromhex("00 02 19 00 32 00 01 01 10 00 02 02 02 00 08 00")
            if command == 1 and kind == measurement.Kind.ECG:
                parameters = bytes.fromhex("00 01 82 00 01 01 0e 00")
            if command == 2 and known:
                self.started.add(kind)
            if command == 3:
                self.started.discard(kind)
            status = 0 if known else 2
            answer = bytes([0xF0, command, kind, status, 0]) + parameters
            assert self._control is not None
            control = self._control
            asyncio.get_running_loop().create_task(
                self.device.indicate_subscribers(control, answer)
            )

        self._control = Characteristic(
            UUID(measurement.CONTROL),
            _READ | Characteristic.Properties.WRITE | Characteristic.Properties.INDICATE,
            _READABLE | Characteristic.Permissions.WRITEABLE,
            CharacteristicValue(read=read, write=write),
        )
        self._data = Characteristic(
            UUID(measurement.DATA), _NOTIFY, Characteristic.Permissions(0), b""
        )
        return Service(UUID(measurement.SERVICE), [self._control, self._data])
