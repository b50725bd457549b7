"""A bleak backend over Bumble: the project's own strap code runs on it without an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bumble import core
from bumble.att import ATT_Error
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.hci import Address, OwnAddressType
from bumble.host import Host
from bumble.pairing import PairingConfig, PairingDelegate

from ingest.straps.bluetooth.adapter import BleAdapter
from tests.bluetooth.virtual_link import VirtualLink

_ADDRESS = "F0:F1:F2:F3:F4:F5"


class Computer:
    """The computer's end of the link. ``unplugged``: its adapter is gone."""

    def __init__(self, link: VirtualLink) -> None:
        self.link = link
        self.unplugged = False
        self.muted_clients: set[str] = set()
        self.held_elsewhere: set[str] = set()  # they advertise, and take no connection
        self.refused = 0

    async def switch_on(self) -> None:
        """Power the adapter."""
        self.controller = Controller("computer", link=self.link, public_address=_ADDRESS)
        host = Host()
        host.controller = self.controller
        self.device = Device(
            name="computer", address=Address(_ADDRESS, Address.PUBLIC_DEVICE_ADDRESS), host=host
        )
        self.device.pairing_config_factory = lambda _: PairingConfig(
            sc=False, mitm=False, delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT)
        )
        await self.device.power_on()

    def adapter(self) -> BleAdapter:
        """The product's BleAdapter over this computer."""
        computer = self

        class Scanner(_Scanner):
            host = computer

        class Client(_Client):
            host = computer

        return BleAdapter(Scanner, Client)

    def check(self) -> None:
        """Raise as a system does whose adapter is gone."""
        if self.unplugged:
            raise BleakError("No powered Bluetooth adapters found.")


class _Scanner(BaseBleakScanner):
    host: Computer

    def __init__(
        self,
        detection_callback: Any = None,
        service_uuids: list[str] | None = None,
        scanning_mode: str = "active",
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.host.check()
        self.seen_devices = {}
        self.host.device.on("advertisement", self._advertisement)
        if not self.host.device.is_scanning:
            await self.host.device.start_scanning(
                active=False, own_address_type=OwnAddressType.PUBLIC
            )

    async def stop(self) -> None:
        self.host.device.remove_listener("advertisement", self._advertisement)
        self.host.check()
        if self.host.device.is_scanning:
            await self.host.device.stop_scanning()

    def _advertisement(self, advertisement: Advertisement) -> None:
        if self.host.unplugged:
            return
        name = advertisement.data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME)
        uuids = advertisement.data.get(
            AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS
        )
        services = [
            f"0000{u.to_hex_str().lower()}-0000-1000-8000-00805f9b34fb" for u in uuids or []
        ]
        address = str(advertisement.address).split("/")[0]
        advert = AdvertisementData(str(name), {}, {}, services, None, -60, ())
        device = self.create_or_update_device(
            address, address, str(name), advertisement.address, advert
        )
        self.call_detection_callbacks(device, advert)


class _Client(BaseBleakClient):
    host: Computer

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        services: set[str] | None = None,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: Any,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        assert isinstance(address_or_ble_device, BLEDevice)
        self._peer_address: Address = address_or_ble_device.details
        self._connection: Connection | None = None
        self._peer: Peer | None = None

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_: Any) -> None:
        self.host.check()
        if self.address in self.host.held_elsewhere:  # as BlueZ says it
            self.host.refused += 1
            raise BleakError("Connection Failed to be Established")
        try:
            async with asyncio.timeout(self._timeout + 1):
                connection = await self.host.device.connect(
                    self._peer_address,
                    own_address_type=OwnAddressType.PUBLIC,
                    timeout=self._timeout,
                )
                self._connection = connection
                connection.on("disconnection", self._gone)
                if pair:
                    await connection.pair()
                self._peer = Peer(connection)
                await self._peer.request_mtu(247)  # as BlueZ does by itself
                await self._peer.discover_all()
        except (core.BaseBumbleError, ATT_Error) as error:
            with suppress(BleakError):
                await self.disconnect()
            raise BleakError(f"could not connect: {error}") from error
        self.services = self._discovered()

    def _gone(self, _: int) -> None:
        was, self._connection = self._connection, None
        if was is not None and self._disconnected_callback is not None:
            self._disconnected_callback()

    def _discovered(self) -> BleakGATTServiceCollection:
        assert self._peer is not None
        found = BleakGATTServiceCollection()
        for service in self._peer.services:
            ours = BleakGATTService(service, service.handle, _uuid(service.uuid))
            found.add_service(ours)
            for proxy in service.characteristics:
                characteristic = BleakGATTCharacteristic(
                    proxy,
                    proxy.handle,
                    _uuid(proxy.uuid),
                    list(gatt_char_props_to_strs(int(proxy.properties))),
                    lambda: 20,
                    ours,
                )
                found.add_characteristic(characteristic)
        return found

    async def disconnect(self) -> None:
        if self._connection is not None:
            try:
                await self._connection.disconnect()
            except core.BaseBumbleError as error:
                raise BleakError(str(error)) from error

    async def pair(self, *_: Any, **__: Any) -> None:
        assert self._connection is not None
        try:
            await self._connection.pair()
        except core.BaseBumbleError as error:
            raise BleakError(f"pairing failed: {error}") from error

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_: Any) -> bytearray:
        return bytearray(await self._att(characteristic.obj.read_value()))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: Any, response: bool
    ) -> None:
        await self._att(characteristic.obj.write_value(bytes(data), with_response=response))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        def take(value: bytes) -> None:
            if self.address not in self.host.muted_clients:
                callback(bytearray(value))

        await self._att(characteristic.obj.subscribe(take))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._att(characteristic.obj.unsubscribe())

    async def read_gatt_descriptor(self, *_: Any, **__: Any) -> bytearray:
        raise NotImplementedError

    async def write_gatt_descriptor(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError

    async def _att(self, operation: Any) -> Any:
        try:
            return await asyncio.wait_for(operation, 5)
        except (core.BaseBumbleError, ATT_Error) as error:
            raise BleakError(str(error)) from error


def _uuid(uuid: core.UUID) -> str:
    text = uuid.to_hex_str("-").lower()
    return f"0000{text}-0000-1000-8000-00805f9b34fb" if len(text) == 4 else text
