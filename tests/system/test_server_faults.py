"""The server down, slow, answering 500, cut in the middle: every notification arrives, once."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from cli.server.thread import ApiThread
from ebbtide.beats import Activity, Notification, Origin, Stream, new_id
from ebbtide.timestamps import SECOND
from ingest.outbox.api_client import IngestClient
from ingest.outbox.outbox import Entry, Outbox
from ingest.outbox.uploader import Uploader
from store import Stores

START = 1_790_000_000 * SECOND
COUNT = 6000


class FaultyPath:
    """A proxy before the API with one fault a connection."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port = port
        self._chance = chance
        self.faults: tuple[str, ...] = ("well",)
        self.seen: dict[str, int] = {}

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.sleep(0.2)  # let cut connections end before the loop does

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._chance.choice(self.faults)
        self.seen[fault] = self.seen.get(fault, 0) + 1
        with suppress(OSError, asyncio.IncompleteReadError):
            if fault == "refuses":
                writer.transport.abort()
                return
            if fault == "says 500":
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 500 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            budget = 10**9
            if fault == "cuts the request":
                budget = self._chance.randint(1, 60_000)
            if fault == "slow" and len(self.faults) > 1:
                budget = 40_000  # not for ever, or no other fault would occur
            ways = [
                asyncio.create_task(self._pump(reader, back, budget, fault)),
                asyncio.create_task(
                    self._pump(there, writer, 0 if fault == "cuts the answer" else 10**9, fault)
                ),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if fault == "cuts the answer":
                await asyncio.sleep(0.3)  # the API has it; the ingester never hears
            for way in ways:
                way.cancel()
            back.transport.abort()
            writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int, fault: str
    ) -> None:
        while data := await reader.read(16_384):
            if fault == "slow":
                await asyncio.sleep(0.02)
            writer.write(data[:budget])
            await writer.drain()
            budget -= len(data)
            if budget < 0:
                return


@pytest.mark.parametrize(
    "faults",
    [
        ("refuses",),
        ("says 500",),
        ("cuts the request",),
        ("cuts the answer",),
        ("slow",),
        ("refuses", "says 500", "cuts the request", "cuts the answer", "slow"),
    ],
    ids=lambda faults: faults[0] if len(faults) == 1 else "everything",
)
def test_every_notification_arrives_once(
    tmp_path: Path,
    api: ApiThread,
    stores: Stores,
    signed_in: Callable[..., httpx.Client],
    monkeypatch: pytest.MonkeyPatch,
    faults: tuple[str, ...],
) -> None:
    monkeypatch.setattr("ingest.outbox.uploader._MIN_WAIT_S", 0.01)
    monkeypatch.setattr("ingest.outbox.uploader._MAX_WAIT_S", 0.05)
    monkeypatch.setattr("ingest.outbox.uploader._BATCH", 60)
    client = signed_in()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    account = client.get("/v1/me").json()["id"]

    async def upload(outbox: Outbox) -> dict[str, int]:
        path = FaultyPath(int(api.url.rsplit(":", 1)[1]), random.Random(4))
        path.faults = faults
        async with path as url, IngestClient(url, token, timeout=2) as ingest:
            uploader = Uploader(outbox, ingest, account)
            running = asyncio.create_task(uploader.run(every_s=0.01))
            if faults != ("slow",):
                async with asyncio.timeout(30):
                    while any(path.seen.get(fault, 0) < 2 for fault in faults):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                path.faults = ("well",)
            async with asyncio.timeout(60):
                while any(s.waiting for s in outbox.states()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                while outbox.waiting_activity(stream.id, 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return path.seen

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        stream = Stream(new_id(), Origin.SIMULATED, "a strap", START)
        outbox.open_stream(stream, account)
        outbox.append(
            stream.id,
            [
                Entry(
                    b"",
                    Notification(
                        0, START + n * SECOND, 60, (500 + n % 500,), (START + n * SECOND,)
                    ),
                )
                for n in range(1, COUNT + 1)
            ],
        )
        outbox.add_activity(
            stream.id, [Activity(START + n * 5 * SECOND, float(n)) for n in range(100)]
        )
        seen = asyncio.run(upload(outbox))
        assert set(faults) <= set(seen)
        assert outbox.state(stream.id).beats_waiting == 0
    person = stores.records.person(account)
    assert person is not None
    beats = stores.beats.read(person.subject_id, START, START + 10**6 * SECOND)
    assert beats.rr_ticks.tolist() == [500 + n % 500 for n in range(1, COUNT + 1)]
    assert beats.follows[1:].all()
    assert len(stores.beats.activity(person.subject_id, 0, 2**62)) == 100


def test_uploads_that_wait_for_a_slow_store_delay_no_other_request(
    stores: Stores, signed_in: Callable[..., httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than a process has threads."""
    client = signed_in()
    stream = new_id()
    body = {"origin": "simulated", "source": "a strap", "created_ns": START}
    client.put(f"/v1/streams/{stream}", json=body)
    goes_on, append = threading.Event(), stores.beats.append

    def slow(*given: object) -> int:
        goes_on.wait(60)
        return append(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stores.beats, "append", slow)

    def upload(number: int) -> int:
        at = START + number * SECOND
        item = {
            "sequence": number,
            "received_ns": at,
            "heart_rate_bpm": 60,
            "rr_ticks": [1024],
            "beat_times_ns": [at],
        }
        batch = {"first": number, "last": number, "notifications": [item], "gaps": []}
        with httpx.Client(base_url=client.base_url, headers=client.headers, timeout=60) as strap:
            return strap.post(f"/v1/streams/{stream}/notifications", json=batch).status_code

    with ThreadPoolExecutor(60) as straps:
        uploads = [straps.submit(upload, number) for number in range(1, 61)]
        try:
            wait(uploads, timeout=3, return_when=FIRST_COMPLETED)
            assert not [one for one in uploads if one.done()]
            rating = client.post("/v1/ratings", json={"pain": 4, "stress": 6}, timeout=10)
            assert rating.status_code == 201
            assert len(client.get("/v1/ratings", timeout=10).json()["ratings"]) == 1
        finally:
            goes_on.set()
    # In whatever order they had their turn.
    assert {one.result() for one in uploads} == {200}
    assert client.get("/v1/streams").json()["streams"][0]["acknowledged"] == 60
