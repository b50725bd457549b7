"""Every notification that a callback has brought is yielded, whatever becomes of the connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from ingest.straps.bluetooth.adapter import BleAdapter
from ingest.straps.bluetooth.strap import BleakStrap, Timeouts
from ingest.straps.heart_rate import HeartRateMeasurement, encode
from ingest.straps.strap import ConnectionChange, ConnectionState, RawNotification, SignalBreak

Send = Callable[[int], None]
QUICK = Timeouts(silence=0.2, find=0.1, connect=1, min_backoff=0.01, max_backoff=0.02)


class _NoServices:
    def get_characteristic(self, _: object) -> None:
        return None


class ScriptedClient:
    """A connection that does what a test says: ``subscribing`` and ``disconnecting`` may send."""

    services = _NoServices()
    is_connected = True

    def __init__(self, on_disconnect: Callable[[], None]) -> None:
        self.on_disconnect = on_disconnect
        self.send: Send = lambda ticks: None
        self.subscribing: Callable[[ScriptedClient], Awaitable[None]] = _nothing
        self.disconnecting: Callable[[ScriptedClient], Awaitable[None]] = _nothing

    async def connect(self) -> None:
        """It is there at once."""

    async def start_notify(self, _: object, callback: Callable[[Any, bytearray], None]) -> None:
        def send(ticks: int) -> None:
            callback(None, bytearray(encode(HeartRateMeasurement(70, rr_ticks=(ticks,)))))

        self.send = send
        await self.subscribing(self)

    async def disconnect(self) -> None:
        await self.disconnecting(self)


async def _nothing(_: ScriptedClient) -> None:
    """Send nothing."""


class ScriptedAdapter(BleAdapter):
    """Gives a ScriptedClient for each connection; ``prepare`` gets its number and the client."""

    def __init__(self, prepare: Callable[[int, ScriptedClient], None]) -> None:
        super().__init__()
        self.clients: list[ScriptedClient] = []
        self._prepare = prepare

    async def find(self, address: str, seconds: float) -> BLEDevice:
        return BLEDevice(address, "strap", {})

    def client(
        self, device: BLEDevice, on_disconnect: Callable[[], None], *_: Any, **__: Any
    ) -> Any:
        made = ScriptedClient(on_disconnect)
        self.clients.append(made)
        self._prepare(len(self.clients), made)
        return made


def run(
    prepare: Callable[[int, ScriptedClient], None], connections: int, timeouts: Timeouts = QUICK
) -> tuple[list[int], list[object]]:
    """Intervals, and what else was said, until so many connections stood or failed."""

    async def whole() -> tuple[list[int], list[object]]:
        adapter = ScriptedAdapter(prepare)
        strap = BleakStrap("E0:00:00:00:00:01", "strap", adapter, timeouts=timeouts)
        beats: list[int] = []
        said: list[object] = []
        async for event in strap.events():
            if isinstance(event, RawNotification):
                beats += strap.decode(event.payload).rr_ticks
            elif isinstance(event, ConnectionChange):
                said.append(event.state)
            elif isinstance(event, SignalBreak):
                said.append(event.reason)
                if len(adapter.clients) >= connections:
                    strap.stop()
        return beats, said

    return asyncio.run(asyncio.wait_for(whole(), 20))


def test_beats_that_came_before_subscribing_failed() -> None:
    """The link may drop between the first beat and the answer that the subscription stands."""

    async def fails(client: ScriptedClient) -> None:
        client.send(801)
        client.send(802)
        raise BleakError("disconnected")

    def prepare(_: int, client: ScriptedClient) -> None:
        client.subscribing = fails

    beats, said = run(prepare, 1)
    assert beats == [801, 802]
    assert ConnectionState.TROUBLE in said


def test_beats_that_come_while_a_silent_connection_is_ended() -> None:
    async def sends(client: ScriptedClient) -> None:
        client.send(811)
        await asyncio.sleep(0.02)
        client.send(812)

    def prepare(_: int, client: ScriptedClient) -> None:
        client.disconnecting = sends

    beats, said = run(prepare, 1)
    assert beats == [811, 812]
    assert ConnectionState.SILENT in said


def test_beats_that_arrive_after_the_word_that_the_link_ended() -> None:
    async def subscribes(client: ScriptedClient) -> None:
        client.send(821)
        client.on_disconnect()
        client.send(822)

    def prepare(_: int, client: ScriptedClient) -> None:
        client.subscribing = subscribes

    assert run(prepare, 1)[0] == [821, 822]


def test_beats_of_a_connection_that_could_not_be_ended() -> None:
    """The system still holds it while the next one is made; its late end does not end that one."""
    clients: list[ScriptedClient] = []

    async def cannot(_: ScriptedClient) -> None:
        raise BleakError("no answer")

    async def second(client: ScriptedClient) -> None:
        clients[0].send(831)
        clients[0].on_disconnect()
        client.send(832)
        asyncio.get_running_loop().call_later(0.05, client.send, 833)

    def prepare(number: int, client: ScriptedClient) -> None:
        clients.append(client)
        client.disconnecting = cannot
        if number == 2:
            client.subscribing = second

    beats, said = run(prepare, 2)
    assert beats == [831, 832, 833]
    assert said.count(ConnectionState.SILENT) == 2  # neither was ended by the other's end


def test_a_process_that_did_not_run_takes_no_strap_for_silent() -> None:
    """When it runs again, the end of the wait and the beats that came meanwhile are due at once."""
    # A stall of this machine shorter than that is none of the test's.
    slow = replace(QUICK, silence=1)

    def stalls(client: ScriptedClient) -> None:
        time.sleep(2 * slow.silence)
        client.send(841)

    async def subscribes(client: ScriptedClient) -> None:
        asyncio.get_running_loop().call_later(slow.silence / 2, stalls, client)
        asyncio.get_running_loop().call_later(slow.silence * 2.9, client.send, 842)

    def prepare(_: int, client: ScriptedClient) -> None:
        client.subscribing = subscribes

    beats, said = run(prepare, 1, slow)
    assert beats == [841, 842]
    assert said.count(ConnectionState.CONNECTED) == 1
