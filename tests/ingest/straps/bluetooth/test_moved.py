"""A paired strap under another address is found again, and never silently another person's."""

from __future__ import annotations

import asyncio

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ingest.straps.bluetooth.adapter import BleAdapter, NotFoundError
from ingest.straps.bluetooth.moved import MovedStrapError, find_again
from ingest.straps.bluetooth.scan import scan
from ingest.straps.bluetooth.strap import BleakStrap, Timeouts
from ingest.straps.heart_rate import SERVICE
from ingest.straps.paired import PairedStrap
from ingest.straps.strap import ConnectionChange, ConnectionState

POLAR, GARMIN = 0x006B, 0x0087
OLD, NEW, THIRD = "E0:00:00:00:00:01", "E0:00:00:00:00:02", "E0:00:00:00:00:03"
NAME = "Polar H10 8C4CAD25"
CHEST = PairedStrap(OLD, "chest", "ada@example.org", advertised_name=NAME, manufacturers=(POLAR,))

Advert = tuple[str, str, int, bool]  # address, name, manufacturer, whether the service is there


class FakeAdapter(BleAdapter):
    """Hears ``adverts``, and finds no other address."""

    def __init__(self, *adverts: Advert) -> None:
        super().__init__()
        self.heard = [
            (
                BLEDevice(address, name, {}),
                AdvertisementData(name, {maker: b""}, {}, [SERVICE] * service, None, -60, ()),
            )
            for address, name, maker, service in adverts
        ]
        self.asked: list[str] = []

    async def find(self, address: str, seconds: float) -> BLEDevice:
        self.asked.append(address)
        for device, _ in self.heard:
            if device.address == address:
                return device
        raise NotFoundError(f"it was not heard for {seconds:.0f} seconds")

    async def listen(self, seconds: float) -> list[tuple[BLEDevice, AdvertisementData]]:
        return self.heard


def found_again(*adverts: Advert, paired: PairedStrap = CHEST) -> str:
    eve = PairedStrap(THIRD, "eve's", "eve@example.org", advertised_name=NAME)
    return asyncio.run(find_again(paired, [paired, eve], FakeAdapter(*adverts), 0))


def test_the_one_strap_with_name_service_and_maker_is_followed() -> None:
    others = (THIRD, "Polar H10 11111111", POLAR, True)
    assert found_again((NEW, NAME, POLAR, True), others) == NEW


@pytest.mark.parametrize(
    "adverts",
    [
        [(NEW, NAME, POLAR, True), ("E0:00:00:00:00:09", NAME, POLAR, True)],
        [(NEW, NAME, POLAR, False)],  # it advertises no heart rate
    ],
)
def test_a_person_is_asked_where_it_is_not_certain(adverts: list[Advert]) -> None:
    with pytest.raises(MovedStrapError, match="ebbtide pair 'chest'"):
        found_again(*adverts)


def test_a_name_that_a_whole_model_shares_is_not_followed() -> None:
    shared = PairedStrap(OLD, "belt", "a@b.example", advertised_name="HRM", manufacturers=(POLAR,))
    with pytest.raises(MovedStrapError, match=NEW):
        found_again((NEW, "HRM", POLAR, True), paired=shared)


@pytest.mark.parametrize(
    "advert",
    [
        (NEW, NAME, GARMIN, True),  # another maker
        (NEW, "Polar H10 11111111", POLAR, True),
        (THIRD, NAME, POLAR, True),  # paired with another person
    ],
)
def test_another_strap_is_never_taken(advert: Advert) -> None:
    with pytest.raises(NotFoundError):
        found_again(advert)


def details(adapter: FakeAdapter) -> list[ConnectionChange]:
    """What the strap says until its second change."""

    async def run() -> list[ConnectionChange]:
        strap = BleakStrap(
            OLD,
            "chest",
            adapter,
            timeouts=Timeouts(find=0.01, min_backoff=0.01),
            find_again=lambda: find_again(CHEST, [CHEST], adapter, 0),
        )
        seen: list[ConnectionChange] = []
        async for event in strap.events():
            if isinstance(event, ConnectionChange):
                seen.append(event)
            if len(seen) == 2:
                break
        return seen

    return asyncio.run(run())


def test_the_recorder_connects_to_the_new_address() -> None:
    adapter = FakeAdapter((NEW, NAME, POLAR, True))
    seen = details(adapter)
    assert adapter.asked == [OLD, NEW]
    assert [one.state for one in seen] == [ConnectionState.SEARCHING, ConnectionState.CONNECTING]


def test_the_recorder_says_what_to_do_when_two_fit() -> None:
    adapter = FakeAdapter((NEW, NAME, POLAR, True), (THIRD, NAME, POLAR, True))
    seen = details(adapter)
    assert adapter.asked == [OLD]
    assert seen[1].state is ConnectionState.TROUBLE
    assert NEW in seen[1].detail and THIRD in seen[1].detail
    assert "ebbtide pair 'chest'" in seen[1].detail


def test_a_strap_that_is_off_is_said_to_be_so() -> None:
    assert "Wet its electrodes" in details(FakeAdapter())[1].detail


def test_straps_without_the_service_come_second() -> None:
    adapter = FakeAdapter(
        (NEW, "HRM-Pro 421337", GARMIN, False),
        (OLD, NAME, POLAR, True),
        (THIRD, "Living room TV", 0x004C, False),
    )
    found = asyncio.run(scan(0, adapter))
    assert [(one.address, one.is_certain) for one in found] == [(OLD, True), (NEW, False)]
