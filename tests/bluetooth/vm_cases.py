"""Runs inside the guest: virtual straps, real BlueZ, and the project's own commands.

One boot, all cases, one after another; Python starts slowly under emulation. What happened goes to
/run/results for the host: the straps' own logs, the outbox, and what the commands said.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bumble.controller import Controller
from bumble.hci import (
    Address,
    HCI_LE_Connection_Complete_Event,
    HCI_LE_Enhanced_Connection_Complete_Event,
)
from bumble.transport import open_transport

from ingest.straps.paired import PairedStrap, PairedStraps
from tests.bluetooth.bumble_strap import BumbleStrap, StrapBehaviour
from tests.bluetooth.virtual_link import VirtualLink

RESULTS = Path("/run/results")
DATA = Path("/run/ebbtide")
# Under emulation a notification may take this long from the strap to the recorder.
IN_FLIGHT_S = 1.5
PACE = StrapBehaviour(pace_s=0.3, shortest=259, spread=97)


class NoisyController(Controller):
    """Bumble's controller, with what Linux expects of one that has these features.

    Bumble reports every strap at -50 dBm; BlueZ reports a device again only when something changes,
    as the signal strength of real ones does all the time. And Bumble reports a connection with the
    plain event, where Linux waits for the enhanced one: the adapter then stays busy for 20 s, and
    Linux cancels a connection when it should disconnect.
    """

    def send_hci_packet(self, packet: Any) -> None:
        for report in getattr(packet, "reports", None) or []:
            report.rssi = random.randint(-75, -45)
        if isinstance(packet, HCI_LE_Connection_Complete_Event):
            packet = HCI_LE_Enhanced_Connection_Complete_Event(
                status=packet.status,
                connection_handle=packet.connection_handle,
                role=packet.role,
                peer_address_type=packet.peer_address_type,
                peer_address=packet.peer_address,
                local_resolvable_private_address=Address.ANY,
                peer_resolvable_private_address=Address.ANY,
                connection_interval=packet.connection_interval,
                peripheral_latency=packet.peripheral_latency,
                supervision_timeout=packet.supervision_timeout,
                central_clock_accuracy=packet.central_clock_accuracy,
            )
        super().send_hci_packet(packet)


class Guest:
    """The virtual link, three straps, the daemon, and a recorder."""

    def __init__(self) -> None:
        self.link = VirtualLink()
        self.straps: list[BumbleStrap] = []
        self.cases: dict[str, Any] = {}
        self.lines: list[dict[str, Any]] = []
        self.recorder: asyncio.subprocess.Process | None = None
        self.reading: asyncio.Task[None] | None = None
        self.daemon: asyncio.subprocess.Process | None = None

    async def begin(self) -> None:
        transport = await open_transport("vhci")
        self.computer = NoisyController(
            "computer",
            host_source=transport.source,
            host_sink=transport.sink,
            link=self.link,
            public_address="F0:F1:F2:F3:F4:F5",
        )
        for number in (1, 2, 3):
            await self.add_strap(number)
        await self.start_daemon()
        await self.power_on()

    async def add_strap(self, number: int) -> BumbleStrap:
        name = f"Strap {number}"
        strap = BumbleStrap(
            self.link,
            f"E0:E1:E2:E3:E4:0{number}",
            replace(PACE, name=name),
            in_flight_s=IN_FLIGHT_S,
        )
        await strap.switch_on()
        self.straps.append(strap)
        return strap

    async def start_daemon(self) -> None:
        with (RESULTS / "bluetoothd.log").open("ab") as log:
            self.daemon = await asyncio.create_subprocess_exec(
                "/usr/libexec/bluetooth/bluetoothd", "-n", stdout=log, stderr=log
            )

    async def power_on(self) -> None:
        for _ in range(60):
            output = await self.run("bluetoothctl", "power", "on")
            if "succeeded" in output:
                return
            await asyncio.sleep(0.5)
        raise AssertionError(f"no power: {output}")

    async def run(self, *command: str, seconds: float = 120) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "EBBTIDE_DATA_DIR": str(DATA)},
        )
        out, err = await asyncio.wait_for(process.communicate(), seconds)
        if process.returncode and command[0] == sys.executable:
            raise AssertionError(f"{command}: {out.decode()} {err.decode()}")
        return out.decode()

    async def ebbtide(self, *arguments: str) -> Any:
        output = await self.run(sys.executable, "-m", "ebbtide", *arguments, "--json")
        return json.loads(output)

    async def start_recorder(self) -> None:
        errors = (RESULTS / "record.log").open("ab")
        self.recorder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ebbtide", "record", "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "EBBTIDE_DATA_DIR": str(DATA), "PYTHONFAULTHANDLER": "1"},
        )
        self.reading = asyncio.create_task(self._read())
        # Under emulation beside other tests, Python alone may take a minute to start.
        await self.until(lambda: self.lines, 300)

    async def _read(self) -> None:
        assert self.recorder is not None and self.recorder.stdout is not None
        with (RESULTS / "record.jsonl").open("w") as copy:
            async for line in self.recorder.stdout:
                copy.write(line.decode())
                copy.flush()
                self.lines.append(json.loads(line))

    def line(self, number: int) -> dict[str, Any]:
        """The newest line of this strap."""
        if not self.lines:
            return {"beats_kept": 0, "link": "", "malformed": 0, "repeated": 0, "connections": 0}
        found: dict[str, Any] = next(
            line for line in self.lines[-1]["straps"] if line["strap"] == f"Strap {number}"
        )
        return found

    async def until(self, true: Callable[[], object], seconds: float = 180) -> float:
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while not true():
                if self.reading is not None and self.reading.done():
                    self.reading.result()  # raises what ended it
                await asyncio.sleep(0.1)
        return round(time.monotonic() - began, 1)

    async def more_beats(self, number: int, beats: int = 8) -> float:
        before = self.line(number)["beats_kept"]
        return await self.until(lambda: self.line(number)["beats_kept"] >= before + beats)

    async def case(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        began = time.monotonic()
        print(f"case {name}", flush=True)
        try:
            self.cases[name] = {"result": await work(), "error": None}
        except (AssertionError, TimeoutError, OSError, ValueError, KeyError) as error:
            self.cases[name] = {"result": None, "error": f"{type(error).__name__}: {error}"}
            if name == "three_at_once" and self.recorder is not None:
                with suppress(ProcessLookupError):  # record.log says what it was doing
                    self.recorder.send_signal(signal.SIGABRT)
        self.cases[name]["seconds"] = round(time.monotonic() - began, 1)
        print(f"  {self.cases[name]}", flush=True)
        (RESULTS / "cases.json").write_text(json.dumps(self.cases))

    # The cases.

    async def scan(self) -> Any:
        return await self.ebbtide("scan", "--seconds", "4")

    async def pair(self) -> Any:
        first, *others = self.straps
        output = await self.ebbtide("pair", first.address)
        straps = PairedStraps(DATA / "straps.json")
        for strap in others:  # as the command writes them; once is enough under emulation
            straps.put(PairedStrap(strap.address, strap.behaviour.name, output["patient"]))
        return output

    async def three_at_once(self) -> Any:
        for strap in self.straps:
            strap.log.clear()  # what was sent to the commands before was not recorded
        await self.start_recorder()
        return [await self.more_beats(number, 15) for number in (1, 2, 3)]

    async def cuts(self) -> Any:
        chance = random.Random(11)
        waits = []
        for _ in range(int((RESULTS / "cuts").read_text())):
            strap = chance.choice(self.straps)
            before = strap.connections
            await self.until(lambda strap=strap: strap.subscribed)
            await asyncio.sleep(chance.uniform(0, 2))
            assert strap.cut()
            waits.append(
                await self.until(
                    lambda strap=strap, before=before: (
                        strap.connections > before and strap.subscribed
                    )
                )
            )
        return waits

    async def silent(self) -> Any:
        strap = self.straps[0]
        before = strap.connections
        strap.silent = True
        waited = await self.until(lambda: strap.connections > before)
        strap.silent = False
        return [waited, await self.more_beats(1)]

    async def twice_and_malformed(self) -> Any:
        strap = self.straps[1]
        # At the pace of a slow heart, 40 a minute: on a busy machine the copy comes late, and what
        # tells it from a new beat is that less than half of an interval has passed.
        calm = replace(strap.behaviour, pace_s=1.5, shortest=1488)
        strap.behaviour = replace(calm, duplicate_every=3, malformed_every=7)
        await self.more_beats(2, 25)
        strap.behaviour = replace(PACE, name=strap.behaviour.name)
        await self.more_beats(2)
        return {key: self.line(2)[key] for key in ("malformed", "repeated")}

    async def heart_rate_only(self) -> Any:
        strap = self.straps[2]
        strap.behaviour = replace(strap.behaviour, heart_rate_only=True)
        # A busy machine takes longer than the seconds after which the recorder says so.
        await self.until(lambda: self.line(3)["quality"] != "good")
        quality = self.line(3)["quality"]
        strap.behaviour = replace(strap.behaviour, heart_rate_only=False)
        await self.more_beats(3)
        return quality

    async def daemon_killed(self) -> Any:
        assert self.daemon is not None
        before = [strap.connections for strap in self.straps]
        since = time.monotonic() - IN_FLIGHT_S
        self.daemon.kill()
        await self.daemon.wait()
        for strap in self.straps:
            strap.doubt_since(since)
        await asyncio.sleep(3)
        await self.start_daemon()
        waits = []
        for number, strap in enumerate(self.straps, 1):
            waits.append(
                await self.until(
                    lambda strap=strap, number=number: (
                        strap.connections > before[number - 1] and strap.subscribed
                    ),
                    180,
                )
            )
            strap.trust_again()
        for number in (1, 2, 3):
            await self.more_beats(number)
        return waits

    async def strap_restarted(self) -> Any:
        old = self.straps[0]
        await old.switch_off()
        await asyncio.sleep(3)
        new = BumbleStrap(
            self.link, old.address, old.behaviour, in_flight_s=IN_FLIGHT_S, log=old.log
        )
        new.goes_on_after(old)
        await new.switch_on()
        self.straps[0] = new
        return [await self.until(lambda: new.subscribed), await self.more_beats(1)]

    async def ended(self) -> Any:
        assert self.recorder is not None
        for number in (1, 2, 3):
            await self.more_beats(number)
        for strap in self.straps:
            strap.silent = True
        await asyncio.sleep(IN_FLIGHT_S + 2)
        self.recorder.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.recorder.wait(), 60)
        await asyncio.wait_for(self.reading, 10)
        return status

    async def doctor(self) -> Any:
        output = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ebbtide", "doctor", "--json"),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "EBBTIDE_DATA_DIR": str(DATA)},
        )
        out, _ = await asyncio.wait_for(output.communicate(), 120)
        return json.loads(out)

    def hand_over(self) -> None:
        logs = {
            strap.behaviour.name: [[sent.ticks, sent.sure] for sent in strap.log]
            for strap in self.straps
        }
        (RESULTS / "logs.json").write_text(json.dumps(logs))
        for file in DATA.iterdir():
            if file.is_file():
                shutil.copy(file, RESULTS / file.name)


async def main() -> None:
    """All cases."""
    DATA.mkdir()  # noqa: ASYNC240
    shutil.copy(RESULTS / "sign-ins.json", DATA)
    guest = Guest()
    await guest.begin()
    for name in (
        *("scan", "pair", "three_at_once", "cuts", "silent", "twice_and_malformed"),
        *("heart_rate_only", "daemon_killed", "strap_restarted", "ended", "doctor"),
    ):
        await guest.case(name, getattr(guest, name))
        if name in ("scan", "pair", "three_at_once") and guest.cases[name]["error"]:
            break  # nothing else can go well
    if guest.recorder is not None and guest.recorder.returncode is None:
        with suppress(ProcessLookupError):
            guest.recorder.kill()
    guest.hand_over()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
