"""BlueZ played over a private D-Bus: one adapter, and heart-rate straps.

Bleak on Linux reaches Bluetooth only through ``org.bluez`` on the system bus, and takes that bus
from DBUS_SYSTEM_BUS_ADDRESS. So no adapter, kernel module or bluetoothd is needed, and what runs
is the production path: discovery, Connect, GATT, StartNotify, and notifications as
PropertiesChanged of Value. Where a client is gone from the bus, its notifications end and the
links stay, as with BlueZ.
"""

import asyncio
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from dbus_fast import DBusError, Message, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusBytes,
    DBusDict,
    DBusInt16,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.service import ServiceInterface, dbus_property, method

# The names are those of the BlueZ API.
# ruff: noqa: N802

_T = TypeVar("_T")
_Names = Annotated[list[str], DBusSignature("as")]

BATTERY = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
HEART_RATE = "0000180d-0000-1000-8000-00805f9b34fb"
CLIENT_CONFIGURATION = "00002902-0000-1000-8000-00805f9b34fb"
HEART_RATE_MEASUREMENT = "00002a37-0000-1000-8000-00805f9b34fb"

ROOT = "/org/bluez"
ADAPTER = f"{ROOT}/hci0"
READ = PropertyAccess.READ

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def has_dbus() -> bool:
    """Whether this machine has a D-Bus daemon to play on."""
    return shutil.which("dbus-daemon") is not None


class _Agents(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.bluez.AgentManager1")

    @method()
    def RegisterAgent(self, agent: DBusObjectPath, capability: DBusStr) -> None:
        pass

    @method()
    def UnregisterAgent(self, agent: DBusObjectPath) -> None:
        pass

    @method()
    def RequestDefaultAgent(self, agent: DBusObjectPath) -> None:
        pass


class _Adapter(ServiceInterface):
    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__("org.bluez.Adapter1")
        self._heard = heard
        self.discovering = False
        self.powered = True

    def switch(self, on: bool) -> None:
        self.powered = on
        self.emit_properties_changed({"Powered": on})

    @method()
    def SetDiscoveryFilter(self, filter: DBusDict) -> None:
        pass

    @method()
    def StartDiscovery(self) -> None:
        self.discovering = True
        self.emit_properties_changed({"Discovering": True})
        self._heard()

    @method()
    def StopDiscovery(self) -> None:
        self.discovering = False
        self.emit_properties_changed({"Discovering": False})

    @method()
    def RemoveDevice(self, device: DBusObjectPath) -> None:
        pass

    @dbus_property(access=READ)
    def Address(self) -> DBusStr:
        return "00:11:22:33:44:55"

    @dbus_property(access=READ)
    def AddressType(self) -> DBusStr:
        return "public"

    @dbus_property(access=READ)
    def Name(self) -> DBusStr:
        return "played adapter"

    @dbus_property(access=READ)
    def Alias(self) -> DBusStr:
        return "played adapter"

    @dbus_property(access=READ)
    def Powered(self) -> DBusBool:
        return self.powered

    @dbus_property(access=READ)
    def Discovering(self) -> DBusBool:
        return self.discovering

    @dbus_property(access=READ)
    def UUIDs(self) -> _Names:
        return []

    @dbus_property(access=READ)
    def Roles(self) -> _Names:
        return ["central"]


class _Device(ServiceInterface):
    def __init__(
        self,
        name: str,
        address: str,
        connect: Callable[[], Coroutine[Any, Any, None]],
        drop: Callable[[], None],
        signal_dbm: int,
    ) -> None:
        super().__init__("org.bluez.Device1")
        self._name = name
        self._address = address
        self._connect = connect
        self._drop = drop
        self.connected = False
        self.resolved = False
        self._rssi = signal_dbm

    def hear(self) -> None:
        """Advertise once more: a scanner hears a device again only when its RSSI changes."""
        self._rssi += 1 if self._rssi % 2 else -1
        self.emit_properties_changed({"RSSI": self._rssi})

    def change(self, **properties: bool) -> None:
        for name, value in properties.items():
            setattr(self, {"Connected": "connected", "ServicesResolved": "resolved"}[name], value)
        self.emit_properties_changed(properties)

    @method()
    async def Connect(self) -> None:
        await self._connect()

    @method()
    def Disconnect(self) -> None:
        self._drop()

    @method()
    def Pair(self) -> None:
        pass

    @method()
    def CancelPairing(self) -> None:
        pass

    @dbus_property(access=READ)
    def Address(self) -> DBusStr:
        return self._address

    @dbus_property(access=READ)
    def AddressType(self) -> DBusStr:
        return "random"

    @dbus_property(access=READ)
    def Name(self) -> DBusStr:
        return self._name

    @dbus_property(access=READ)
    def Alias(self) -> DBusStr:
        return self._name

    @dbus_property(access=READ)
    def Paired(self) -> DBusBool:
        return False

    @dbus_property(access=READ)
    def Trusted(self) -> DBusBool:
        return False

    @dbus_property(access=READ)
    def Blocked(self) -> DBusBool:
        return False

    @dbus_property(access=READ)
    def LegacyPairing(self) -> DBusBool:
        return False

    @dbus_property(access=READ)
    def Connected(self) -> DBusBool:
        return self.connected

    @dbus_property(access=READ)
    def ServicesResolved(self) -> DBusBool:
        return self.resolved

    @dbus_property(access=READ)
    def UUIDs(self) -> _Names:
        return [HEART_RATE]

    @dbus_property(access=READ)
    def Adapter(self) -> DBusObjectPath:
        return ADAPTER

    @dbus_property(access=READ)
    def RSSI(self) -> DBusInt16:
        return self._rssi


class PlayedService(ServiceInterface):
    def __init__(self, device: str, uuid: str) -> None:
        super().__init__("org.bluez.GattService1")
        self._device = device
        self._uuid = uuid

    @dbus_property(access=READ)
    def UUID(self) -> DBusStr:
        return self._uuid

    @dbus_property(access=READ)
    def Device(self) -> DBusObjectPath:
        return self._device

    @dbus_property(access=READ)
    def Primary(self) -> DBusBool:
        return True


class PlayedCharacteristic(ServiceInterface):
    """Notifies, and cannot be read, as Heart Rate Measurement; or can be read alone; or, with
    ``answer``, can be read and written, and indicates what that gives.
    """

    def __init__(
        self,
        service: str,
        uuid: str,
        value: bytes | None = None,
        answer: Callable[[bytes], bytes] | None = None,
    ) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._service = service
        self._uuid = uuid
        self._readable = value is not None
        self._read = value or b""
        self._answer = answer
        self.subscriptions = 0
        self._value = self._read
        self.notifying = False

    def notify(self, value: bytes) -> None:
        self._value = value
        self.emit_properties_changed({"Value": value})

    @method()
    def ReadValue(self, options: DBusDict) -> DBusBytes:
        if not self._readable:
            raise DBusError("org.bluez.Error.NotPermitted", "Read not permitted")
        # As BlueZ does: Chromium takes the first change after a read for that of the read.
        self.notify(self._read)
        return self._read

    @method()
    def WriteValue(self, value: DBusBytes, options: DBusDict) -> None:
        if self._answer is None:
            raise DBusError("org.bluez.Error.NotPermitted", "Write not permitted")
        self.notify(self._answer(bytes(value)))

    @method()
    def StartNotify(self) -> None:
        self.subscriptions += 1
        self.notifying = True
        self.emit_properties_changed({"Notifying": True})

    @method()
    def StopNotify(self) -> None:
        self.notifying = False
        self.emit_properties_changed({"Notifying": False})

    @dbus_property(access=READ)
    def UUID(self) -> DBusStr:
        return self._uuid

    @dbus_property(access=READ)
    def Service(self) -> DBusObjectPath:
        return self._service

    @dbus_property(access=READ)
    def Value(self) -> DBusBytes:
        return self._value

    @dbus_property(access=READ)
    def Notifying(self) -> DBusBool:
        return self.notifying

    @dbus_property(access=READ)
    def Flags(self) -> _Names:
        if self._answer is not None:
            return ["read", "write", "indicate"]
        return ["read"] if self._readable else ["notify"]


class PlayedConfiguration(ServiceInterface):
    """Without this descriptor Chromium refuses startNotifications."""

    def __init__(self, characteristic: str) -> None:
        super().__init__("org.bluez.GattDescriptor1")
        self._characteristic = characteristic

    @dbus_property(access=READ)
    def UUID(self) -> DBusStr:
        return CLIENT_CONFIGURATION

    @dbus_property(access=READ)
    def Characteristic(self) -> DBusObjectPath:
        return self._characteristic

    @dbus_property(access=READ)
    def Value(self) -> DBusBytes:
        return b""


class PlayedStrap:
    """A strap of the played BlueZ. ``heard``: it advertises; a strap that is held by a phone, or
    not worn, does not.
    """

    def __init__(
        self,
        name: str = "Played strap",
        address: str = "C0:00:00:00:00:01",
        *,
        signal_dbm: int = -50,
        battery: int = 80,
    ) -> None:
        self.name, self.address, self.heard = name, address, True
        self.connections = 0
        self.refused = 0
        self._to_refuse = 0
        self.path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        service, battery_service = f"{self.path}/service000a", f"{self.path}/service0010"
        self.notifies_at = f"{service}/char000b"
        self.measurement = PlayedCharacteristic(service, HEART_RATE_MEASUREMENT)
        self.device = _Device(name, address, self._connect, self.drop, signal_dbm)
        self.gatt: dict[str, ServiceInterface] = {
            service: PlayedService(self.path, HEART_RATE),
            self.notifies_at: self.measurement,
            f"{self.notifies_at}/desc000d": PlayedConfiguration(self.notifies_at),
            battery_service: PlayedService(self.path, BATTERY),
            f"{battery_service}/char0011": PlayedCharacteristic(
                battery_service, BATTERY_LEVEL, bytes([battery])
            ),
        }
        self.bluez: PlayedBluez | None = None

    @property
    def notifying(self) -> bool:
        """Whether somebody has asked for notifications on a link that is up."""
        return self.device.connected and self.measurement.notifying

    def beat(self, heart_rate_bpm: int, rr_ticks: Sequence[int], contact: bool = True) -> bool:
        """Send a notification: 8-bit heart rate, RR intervals in 1/1024 s; whether somebody had
        asked for it.
        """
        flags = (0x10 if rr_ticks else 0) | (0x06 if contact else 0x04)
        rr = b"".join(ticks.to_bytes(2, "little") for ticks in rr_ticks)
        return self.notify(bytes([flags, heart_rate_bpm]) + rr)

    def notify(self, payload: bytes) -> bool:
        """Send these bytes, well-formed or not; whether somebody had asked for them."""
        assert self.bluez is not None

        async def on_loop() -> bool:
            if not self.notifying:
                return False
            self.measurement.notify(payload)
            return True

        return self.bluez.on_loop(on_loop())

    def lose_link(self, refuse: int = 0) -> None:
        """End the link, as when the wearer walks away; the next ``refuse`` connects fail."""
        assert self.bluez is not None

        async def on_loop() -> None:
            self._to_refuse = refuse
            self.drop()

        self.bluez.on_loop(on_loop())

    async def _connect(self) -> None:
        bluez = self.bluez
        assert bluez is not None
        if not bluez.adapter.powered:
            raise DBusError("org.bluez.Error.NotReady", "Resource Not Ready")
        if self._to_refuse:
            self._to_refuse -= 1
            self.refused += 1
            raise DBusError("org.bluez.Error.Failed", "le-connection-abort-by-local")
        self.connections += 1
        self.device.change(Connected=True)
        for path, interface in self.gatt.items():
            bluez.show(path, interface)
        self.device.change(ServicesResolved=True)

    def drop(self) -> None:
        """End the link; on the loop of the bus."""
        self.measurement.notifying = False
        assert self.bluez is not None
        for path, interface in reversed(self.gatt.items()):
            self.bluez.hide(path, interface)
        self.device.change(ServicesResolved=False, Connected=False)


class PlayedBluez:
    """A private bus with BlueZ on it, in a thread of its own. A context manager.

    ``bus_address`` is what a client needs as DBUS_SYSTEM_BUS_ADDRESS.
    """

    def __init__(self, *straps: PlayedStrap) -> None:
        self.straps = straps or (PlayedStrap(),)
        self.adapter = _Adapter(self._advertise)
        self._shown: set[str] = set()
        self._clients: dict[str, str] = {}  # by the path at which it asked for something
        for strap in self.straps:
            strap.bluez = self

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="played-bluez-")
        config = Path(self._folder.name, "bus.conf")
        config.write_text(_BUS.format(folder=self._folder.name))
        daemon = shutil.which("dbus-daemon")
        assert daemon is not None
        self._daemon = subprocess.Popen(
            [daemon, f"--config-file={config}", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._daemon.stdout is not None
        self.bus_address = self._daemon.stdout.readline().strip()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.on_loop(self._serve())
        return self

    def __exit__(self, *_: object) -> None:
        self.on_loop(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._daemon.terminate()
        self._daemon.wait()
        assert self._daemon.stdout is not None
        self._daemon.stdout.close()
        self._folder.cleanup()

    def power(self, on: bool) -> None:
        """Switch the adapter off, which breaks all links, or on."""

        async def on_loop() -> None:
            if not on:
                for strap in self.straps:
                    strap.drop()
            self.adapter.switch(on)

        self.on_loop(on_loop())

    def on_loop(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run on the loop of the bus, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self) -> None:
        self._bus = await MessageBus(bus_address=self.bus_address).connect()
        self._bus.export(ROOT, _Agents())
        self._bus.export(ADAPTER, self.adapter)
        await self._bus.request_name("org.bluez")
        self._bus.add_message_handler(self._on_message)
        rule = "type='signal',member='NameOwnerChanged'"
        await self._bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )
        self._advertising = asyncio.ensure_future(self._advertise_on())

    def _on_message(self, message: Message) -> None:
        if message.member in ("StartNotify", "StartDiscovery"):
            self._clients[message.path] = message.sender
        if message.member != "NameOwnerChanged":
            return
        name, _, owner = message.body
        if owner:
            return
        # A client is gone, with what it had asked for; each Bleak client is one.
        if self._clients.get(ADAPTER) == name:
            self.adapter.discovering = False
        for strap in self.straps:
            if self._clients.get(strap.notifies_at) == name:
                strap.measurement.notifying = False

    async def _advertise_on(self) -> None:
        while True:
            await asyncio.sleep(0.3)
            if self.adapter.discovering:
                self._advertise()

    def _advertise(self) -> None:
        for strap in self.straps:
            if not strap.heard or strap.device.connected:
                continue
            if strap.path in self._shown:
                strap.device.hear()
            else:
                self.show(strap.path, strap.device)

    async def _leave(self) -> None:
        self._advertising.cancel()
        self._bus.disconnect()
        await asyncio.sleep(0)

    def show(self, path: str, interface: ServiceInterface) -> None:
        """Export an object and announce it."""
        if path in self._shown:
            return
        self._shown.add(path)
        self._bus.export(path, interface)
        # dbus-fast announces from the object's own path; clients listen to the root's only.
        properties = {
            found.name: Variant(found.signature, getattr(interface, found.name))
            for found in ServiceInterface._get_properties(interface)
        }
        self._announce("InterfacesAdded", "oa{sa{sv}}", [path, {interface.name: properties}])

    def hide(self, path: str, interface: ServiceInterface) -> None:
        """Take an object away and announce that."""
        if path not in self._shown:
            return
        self._shown.remove(path)
        self._bus.unexport(path, interface)
        self._announce("InterfacesRemoved", "oas", [path, [interface.name]])

    def _announce(self, member: str, signature: str, body: list[Any]) -> None:
        interface = "org.freedesktop.DBus.ObjectManager"
        self._bus.send(Message.new_signal("/", interface, member, signature, body))
