"""The project's own strap, recorder, outbox, uploader, API and store, against straps that Bumble
plays in this process. The same cases run on real BlueZ in ``test_straps_on_bluez.py``.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from cli.server.thread import ApiThread
from ebbtide import timestamps
from ebbtide.beats import GapReason, Origin
from ebbtide.timestamps import HOUR, SECOND
from ingest.outbox.connection_history import dropped_early
from ingest.outbox.outbox import Outbox
from ingest.recorder import Recording
from ingest.straps.bluetooth.device_info import DeviceInfo
from ingest.straps.bluetooth.scan import probe, scan
from ingest.straps.bluetooth.strap import StreamSelection
from ingest.straps.ecg_file import EcgFile
from ingest.straps.polar import measurement
from ingest.straps.strap import ConnectionState
from store import Stores
from tests.bluetooth.bumble_backend import Computer
from tests.bluetooth.bumble_strap import StrapBehaviour
from tests.bluetooth.expected_beats import Comparison, compare
from tests.bluetooth.rig import QUICK, Rig, until
from tests.bluetooth.virtual_link import VirtualLink

CUTS = int(os.environ.get("EBBTIDE_CUTS", "25"))


@pytest.fixture
def rig(
    stores: Stores, api: ApiThread, signed_in: Callable[..., httpx.Client], tmp_path: Path
) -> Callable[[Callable[[Rig], Awaitable[None]]], None]:
    """Runs a case in an event loop of its own."""
    client = signed_in()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    account = client.get("/v1/me").json()["id"]

    def run(case: Callable[[Rig], Awaitable[None]]) -> None:
        async def whole() -> None:
            link = VirtualLink()
            computer = Computer(link)
            await computer.switch_on()
            await case(
                Rig(link, computer, stores, api.url, token, account, tmp_path / "outbox.sqlite")
            )

        asyncio.run(asyncio.wait_for(whole(), 600))

    return run


def exact(found: Comparison) -> Comparison:
    print(found)
    assert found.exact, str(found)
    assert found.sent > 0
    return found


def test_scan_and_probe_list_what_each_strap_offers(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        polar = (measurement.Kind.ACCELERATION, measurement.Kind.ECG)
        first = await rig.strap(1, StrapBehaviour(polar=polar))
        second = await rig.strap(2, StrapBehaviour(name="Plain", heart_rate_only=True))
        adapter = rig.computer.adapter()
        found = {strap.name: strap for strap in await scan(0.5, adapter)}
        assert set(found) == {"Strap H10", "Plain"}
        assert found["Strap H10"].signal_dbm == -60
        probed = await probe(found["Strap H10"], adapter, QUICK, listen_s=1.0)
        assert probed.trouble is None and probed.facts is not None
        facts = probed.facts
        assert (facts.battery_percent, facts.body_location) == (87, "chest")
        assert (facts.manufacturer, facts.model, facts.firmware) == ("Bumble Works", "H10", "5.0.0")
        assert facts.gives == ("heart rate", "acceleration", "ECG")
        assert probed.sends_rr is True
        plain = await probe(found["Plain"], adapter, QUICK, listen_s=1.0)
        assert plain.sends_rr is False
        await asyncio.sleep(0.3)
        for strap in (first, second):
            await strap.switch_off()
        gone = await probe(found["Plain"], adapter, QUICK)
        assert gone.trouble is not None and "not heard" in gone.trouble

    rig(case)


def test_three_straps_at_once(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        straps = [await rig.strap(number) for number in (1, 2, 3)]
        async with rig.recording(*straps) as recorders:
            await until(lambda: all(len(strap.log) > 40 for strap in straps))
        for strap, recorder in zip(straps, recorders, strict=True):
            exact(compare(strap.log, rig.stored(strap)))
            assert recorder.recording.gaps == 0
        assert rig.gaps() == []

    rig(case)


def test_repeated_disconnects_lose_no_beat(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        chance = random.Random(7)
        strap = await rig.strap(1, StrapBehaviour(pace_s=0.05, shortest=30, spread=43))
        async with rig.recording(strap) as (recorder,):
            for cut in range(CUTS):
                await until(lambda: strap.subscribed)
                await asyncio.sleep(chance.uniform(0.0, 0.5))
                assert strap.cut()
                await until(lambda cut=cut: strap.connections > cut + 1)
            await until(lambda: recorder.recording.connection is ConnectionState.CONNECTED)
            await asyncio.sleep(0.5)
        assert strap.connections >= CUTS + 1
        exact(compare(strap.log, rig.stored(strap)))
        gaps = rig.gaps()
        assert 1 <= len(gaps) <= CUTS
        assert {reason for _, reason in gaps} == {GapReason.LINK_LOST}

    rig(case)


def test_silent_connection_is_restarted(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        states: list[ConnectionState] = []
        async with rig.recording(strap) as (recorder,):
            recorder._on_change = lambda recording: states.append(recording.connection)
            await until(lambda: len(strap.log) > 20)
            strap.silent = True
            await until(lambda: strap.connections > 1)
            strap.silent = False
            await until(lambda: recorder.recording.beats > 50)
        assert ConnectionState.SILENT in states
        exact(compare(strap.log, rig.stored(strap)))
        (gap,) = rig.gaps()
        assert gap[1] is GapReason.LINK_LOST
        assert gap[0] > SECOND

    rig(case)


def test_connection_without_callbacks_is_restarted(rig: Callable[..., None]) -> None:
    """The system says connected, the strap sends, no callback comes (bleak-retry-connector 228)."""

    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        async with rig.recording(strap) as (recorder,):
            await until(lambda: recorder.recording.beats > 20)
            rig.computer.muted_clients.add(strap.address)
            for sent in strap.log[-3:]:
                sent.sure = False
            stored_until = len(strap.log)
            await until(lambda: strap.connections > 1)
            muted_until = len(strap.log)
            rig.computer.muted_clients.clear()
            await until(lambda: recorder.recording.connections > 1)
            await until(lambda: len(strap.log) > muted_until + 30)
        for sent in strap.log[stored_until : muted_until + 20]:
            sent.sure = False  # the system dropped them: this connection was not intact
        exact(compare(strap.log, rig.stored(strap)))
        assert [reason for _, reason in rig.gaps()] == [GapReason.LINK_LOST]

    rig(case)


def test_a_strap_that_is_heard_and_takes_no_connection_is_told_from_one_out_of_range(
    rig: Callable[..., None],
) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        troubles: list[str] = []
        async with rig.recording(strap) as (recorder,):

            def note(recording: Recording) -> None:
                if recording.connection is ConnectionState.TROUBLE:
                    troubles.append(recording.detail)

            recorder._on_change = note
            await until(lambda: len(strap.log) > 20)
            rig.computer.held_elsewhere.add(strap.address)
            strap.cut()
            await until(lambda: rig.computer.refused >= 3)
            rig.computer.held_elsewhere.clear()
            beats = len(strap.log)
            await until(lambda: len(strap.log) > beats + 20)
        assert troubles and not any("not heard" in words for words in troubles)
        exact(compare(strap.log, rig.stored(strap)))
        assert [reason for _, reason in rig.gaps()] == [GapReason.CONNECTION_REFUSED]

    rig(case)


def test_a_strap_that_is_not_heard_in_between_is_no_refusal(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        details: list[str] = []
        async with rig.recording(strap) as (recorder,):
            recorder._on_change = lambda recording: details.append(recording.detail)
            await until(lambda: len(strap.log) > 20)
            await strap.switch_off()
            await until(lambda: any("not heard" in words for words in details))
            again = await rig.strap()
            again._count = 40
            await until(lambda: len(again.log) > 20)
            await asyncio.sleep(0.3)
            await again.switch_off()
        strap.log += again.log
        exact(compare(strap.log, rig.stored(strap)))
        assert {reason for _, reason in rig.gaps()} == {GapReason.LINK_LOST}

    rig(case)


def test_a_strap_that_was_nearly_empty_before_it_was_lost(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap(1, StrapBehaviour(battery=10))
        infos: list[DeviceInfo] = []
        async with rig.recording(strap, on_device_info=infos.append):
            await until(lambda: len(strap.log) > 20 and bool(infos))
            strap.cut()
            beats = len(strap.log)
            await until(lambda: strap.connections > 1 and len(strap.log) > beats + 20)
        assert infos[0].battery_percent == 10
        exact(compare(strap.log, rig.stored(strap)))
        assert [reason for _, reason in rig.gaps()] == [GapReason.BATTERY_LOW]

    rig(case)


def test_a_strap_that_is_switched_off_and_on(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        first = await rig.strap()
        async with rig.recording(first) as (recorder,):
            await until(lambda: len(first.log) > 30)
            await first.switch_off()
            await asyncio.sleep(1.5)
            again = await rig.strap()
            again._count = 40
            await until(lambda: len(again.log) > 30)
            await asyncio.sleep(0.3)
            await again.switch_off()
            first.log += again.log
            await until(lambda: recorder.recording.connection is not ConnectionState.CONNECTED)
            last = await rig.strap()
            last._count = 80
        first.log += last.log  # it may have been found before the end
        exact(compare(first.log, rig.stored(first)))
        lengths = [length for length, _ in rig.gaps()]
        assert 1 <= len(lengths) <= 2 and lengths[0] > SECOND

    rig(case)


def test_an_adapter_that_vanishes_and_comes_back(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        async with rig.recording(strap) as (recorder,):
            await until(lambda: recorder.recording.beats > 20)
            rig.computer.unplugged = True
            strap.cut()
            await until(lambda: recorder.recording.connection is ConnectionState.TROUBLE)
            assert "adapter" in recorder.recording.detail
            await asyncio.sleep(0.6)
            rig.computer.unplugged = False
            await until(lambda: recorder.recording.beats > 60)
        exact(compare(strap.log, rig.stored(strap)))

    rig(case)


def test_duplicate_and_malformed_notifications_are_quarantined(
    rig: Callable[..., None],
) -> None:
    async def case(rig: Rig) -> None:
        # As long as a heart's: the shorter they are, the more a machine that stumbles for a moment
        # looks like time enough for one beat more.
        behaviour = StrapBehaviour(
            pace_s=0.5, shortest=464, spread=97, duplicate_every=3, malformed_every=7
        )
        strap = await rig.strap(1, behaviour)
        async with rig.recording(strap) as (recorder,):
            await until(lambda: len(strap.log) > 40, 40)
        recording = recorder.recording
        exact(compare(strap.log, rig.stored(strap)))
        assert recording.repeated >= 8
        assert recording.malformed >= 4
        assert recording.last_malformed is not None
        with Outbox(rig.outbox_file) as outbox:
            quarantined = outbox.count_quarantined(rig.account, "Strap H10 01")
        assert quarantined == {"malformed": recording.malformed, "repeated": recording.repeated}
        assert {reason for _, reason in rig.gaps()} == {GapReason.NO_RR_SENT}

    rig(case)


def test_heart_rate_without_rr_is_recorded(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap(1, StrapBehaviour(heart_rate_only=True))
        async with rig.recording(strap) as (recorder,):
            await until(lambda: recorder.recording.without_rr > 20)
        assert recorder.recording.heart_rate_bpm == 72
        assert (recorder.recording.beats, recorder.recording.gaps) == (0, 0)
        assert rig.stored(strap) == []

    rig(case)


def test_strap_that_requires_pairing_is_paired(rig: Callable[..., None]) -> None:
    """Polar H10 of firmware 4 and up: an unpaired computer is dropped soon."""

    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        paired: list[bool] = []

        def dropped_unless_paired(connection: object) -> None:
            async def drop() -> None:
                await asyncio.sleep(0.3)
                if not connection.is_encrypted:  # type: ignore[attr-defined]
                    strap.cut()
                else:
                    paired.append(True)

            asyncio.get_running_loop().create_task(drop())

        strap.device.on("connection", dropped_unless_paired)
        async with rig.recording(strap) as (recorder,):
            await until(lambda: bool(paired), 30)
            before = recorder.recording.beats
            await until(lambda: recorder.recording.beats > before + 20)
        exact(compare(strap.log, rig.stored(strap)))
        with Outbox(rig.outbox_file) as outbox:
            records = outbox.connections.all()
        # Three short connections, which the doctor reports, then the one that was paired.
        assert dropped_early(records)["Strap H10 01"] >= 3
        assert len(records) >= 4

    rig(case)


def test_acceleration_becomes_activity_and_ecg_stays_local(
    rig: Callable[..., None], tmp_path: Path
) -> None:
    async def case(rig: Rig) -> None:
        kinds = (measurement.Kind.ACCELERATION, measurement.Kind.ECG)
        strap = await rig.strap(1, StrapBehaviour(polar=kinds))

        def extra(kind: int) -> bytes:
            head = bytes([kind]) + (0).to_bytes(8, "little")
            if kind == measurement.Kind.ECG:
                return head + b"\x00" + (-5).to_bytes(3, "little", signed=True)
            # 25 Hz in frames of 3 samples every 0.1 s: at rest, then a swing of 200 mg.
            samples = ((0, 0, 1000), (0, 0, 1200), (0, 0, 800))
            body = b"".join(v.to_bytes(2, "little", signed=True) for s in samples for v in s)
            return head + b"\x01" + body

        strap.extra = extra
        facts: list[DeviceInfo] = []
        ecg = EcgFile(tmp_path / "ecg", "Strap H10")
        async with rig.recording(
            strap, selection=StreamSelection(ecg=True), on_device_info=facts.append, ecg=ecg
        ):
            await until(lambda: len(strap.log) > 10)
            await asyncio.sleep(11)
        ecg.close()
        assert facts[0].gives == ("heart rate", "acceleration", "ECG")
        assert strap.started == set(kinds)
        person = rig.stores.records.person(rig.account)
        assert person is not None
        spans = rig.stores.beats.activity(person.subject_id, 0, 2**62)
        assert len(spans) >= 1
        assert all(span.start_ns % (5 * SECOND) == 0 for span in spans)
        # Lengths 1000, 1200 and 800: their mean distance from 1000 is 400/3.
        assert spans[0].mad_mg == pytest.approx(400 / 3, rel=0.02)
        lines = ecg.path.read_text().splitlines()
        assert lines[0] == "received_ns,rate_hz,microvolts"
        assert lines[1].endswith(",130,-5")

    rig(case)


def test_pulse_intervals_of_an_optical_device(rig: Callable[..., None]) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap(
            1, StrapBehaviour(heart_rate_only=True, polar=(measurement.Kind.PPI,))
        )
        sent: list[int] = []
        # It computes at first, for longer than a strap may be silent.
        begins = time.monotonic() + QUICK.silence + 1

        def extra(_: int) -> bytes | None:
            if time.monotonic() < begins:
                return None
            interval = 90 + len(sent) % 20
            sent.append(interval)
            sample = bytes([66]) + interval.to_bytes(2, "little") + bytes([5, 0, 0x06])
            return bytes([3]) + (0).to_bytes(8, "little") + b"\x00" + sample

        strap.extra = extra
        async with rig.recording(strap, selection=StreamSelection(pulse_intervals=True)) as (
            recorder,
        ):
            await until(lambda: recorder.recording.beats > 40)
        assert strap.connections == 1
        stored = rig.stored(strap)
        assert stored == sent[sent.index(stored[0]) :][: len(stored)]
        person = rig.stores.records.person(rig.account)
        assert person is not None
        beats = rig.stores.beats.read(person.subject_id, 0, 2**62)
        assert set(beats.ticks_per_second.tolist()) == {1000}
        assert beats.origins == {Origin.PULSE}
        assert (beats.contact == 1).all()

    rig(case)


def test_clock_set_back_an_hour_loses_no_beat(
    rig: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def case(rig: Rig) -> None:
        strap = await rig.strap()
        now = timestamps.now_ns
        async with rig.recording(strap) as (recorder,):
            await until(lambda: recorder.recording.beats > 20)
            monkeypatch.setattr(timestamps, "now_ns", lambda: now() - HOUR)
            before = recorder.recording.beats
            await until(lambda: recorder.recording.beats > before + 20)
            monkeypatch.setattr(timestamps, "now_ns", now)
            before = recorder.recording.beats
            await until(lambda: recorder.recording.beats > before + 20)
            streams = list(recorder.stream_ids)
        assert len(streams) == 2  # back: a new stream; forward again: a gap in it
        person = rig.stores.records.person(rig.account)
        assert person is not None
        by_stream: dict[str, list[int]] = {}
        beats = rig.stores.beats.read(person.subject_id, 0, 2**62)
        for ticks, index in zip(beats.rr_ticks.tolist(), beats.stream.tolist(), strict=True):
            by_stream.setdefault(beats.streams[index].id, []).append(ticks)
        exact(compare(strap.log, by_stream[streams[0]] + by_stream[streams[1]]))
        assert GapReason.CLOCK_STEPPED in {reason for _, reason in rig.gaps()}

    rig(case)
