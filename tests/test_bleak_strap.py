"""The bleak strap behind bleak's own face: what it does with connections, drops and errors.

Bleak's scanner and client are replaced, nothing of ours is. Real Bluetooth is for the rig of a
later issue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from bleak.exc import BleakError

from ebbtide.errors import EbbtideError
from ebbtide.records import GapReason
from ingest import bleak_strap
from ingest.bleak_strap import BleakStrap, scan
from ingest.heart_rate_measurement import CHARACTERISTIC
from ingest.strap import Arrival, Interruption

PAYLOAD = bytes.fromhex("10 3c 00 04")


class Radio:
    """What the fake straps do at each connection."""

    def __init__(self) -> None:
        self.connections = 0
        self.unreachable: list[int] = []


@pytest.fixture
def radio(monkeypatch: pytest.MonkeyPatch) -> Radio:
    state = Radio()

    class Scanner:
        @staticmethod
        async def find_device_by_address(address: str, timeout: float) -> object | None:  # noqa: ASYNC109
            state.connections += 1
            return None if state.connections in state.unreachable else address

    class Client:
        def __init__(self, device: object, disconnected_callback: Callable[[Any], None]) -> None:
            self.gone = disconnected_callback

        async def __aenter__(self) -> Client:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def start_notify(self, uuid: str, heard: Callable[[Any, bytearray], None]) -> None:
            assert uuid == CHARACTERISTIC
            for _ in range(2):
                heard(None, bytearray(PAYLOAD))
            self.gone(self)

    monkeypatch.setattr(bleak_strap, "BleakScanner", Scanner)
    monkeypatch.setattr(bleak_strap, "BleakClient", Client)
    monkeypatch.setattr(bleak_strap, "_FIRST_WAIT_S", 0.001)
    return state


async def first(count: int) -> list[Arrival | Interruption]:
    events: list[Arrival | Interruption] = []
    stream = BleakStrap("00:11", "mine").events()
    async for event in stream:
        events.append(event)
        if len(events) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return events


def test_a_dropped_link_is_told_and_comes_back(radio: Radio) -> None:
    radio.unreachable = [2]
    events = asyncio.run(first(6))
    kinds = [event.payload if isinstance(event, Arrival) else event.reason for event in events]
    lost = GapReason.LINK_LOST
    assert kinds == [PAYLOAD, PAYLOAD, lost, lost, PAYLOAD, PAYLOAD]
    assert radio.connections == 3
    arrival = events[0]
    assert isinstance(arrival, Arrival)
    assert arrival.monotonic_ns is not None


def test_a_strap_that_is_not_there_is_named(radio: Radio) -> None:
    radio.unreachable = [1]
    with pytest.raises(EbbtideError, match="mine could not be reached") as caught:
        asyncio.run(first(1))
    assert "Wet its electrodes" in caught.value.remedy


def test_a_machine_without_bluetooth_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Scanner:
        @staticmethod
        async def discover(**_: object) -> object:
            raise BleakError("no adapter")

    monkeypatch.setattr(bleak_strap, "BleakScanner", Scanner)
    with pytest.raises(EbbtideError, match="no adapter"):
        asyncio.run(scan(1))
