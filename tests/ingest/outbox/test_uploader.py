"""Many streams wait in the outbox, and the server says when to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from api import create_app
from cli.server.thread import ApiThread
from ebbtide import timestamps
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import SECOND
from ingest.outbox.api_client import IngestClient, UnavailableError
from ingest.outbox.outbox import Entry, Outbox
from ingest.outbox.uploader import Uploader
from store import Stores

START = 1_790_000_000 * SECOND


class BusyServer:
    """Refuses all requests but every third, and counts them."""

    def __init__(self, app: ASGIApp, retry_after: str | None) -> None:
        self._app = app
        self._retry_after = retry_after
        self.uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/streams/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        self.uploads += 1
        if self.uploads % 3 == 0:
            await self._app(scope, receive, send)
            return
        headers = (
            [] if self._retry_after is None else [(b"retry-after", self._retry_after.encode())]
        )
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


def fill(outbox: Outbox, account: str, streams: int) -> None:
    for number in range(streams):
        stream = Stream(new_id(), Origin.FILE, f"{number}.fit", START, 1000)
        outbox.open_stream(stream, account)
        beats = [START + number * 100 * SECOND + k * SECOND for k in range(1, 4)]
        outbox.append(stream.id, [Entry(b"", Notification(0, t, 60, (1000,), (t,))) for t in beats])


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_uploader_waits_as_the_server_says_and_goes_on(
    tmp_path: Path,
    stores: Stores,
    signed_in: Callable[..., httpx.Client],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    monkeypatch.setattr("ingest.outbox.uploader._MIN_WAIT_S", 0.001)
    retry_after = "0" if form == "seconds" else formatdate(usegmt=True)
    client = signed_in()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    account = client.get("/v1/me").json()["id"]
    server = BusyServer(create_app(stores), retry_after)
    waits: list[float] = []

    async def upload(outbox: Outbox, url: str) -> None:
        async with IngestClient(url, token) as ingest:
            await Uploader(outbox, ingest, account).upload_all(waits.append)

    with ApiThread(server) as api, Outbox(tmp_path / "outbox.sqlite") as outbox:
        fill(outbox, account, 20)
        asyncio.run(upload(outbox, api.url))
        assert not any(state.waiting for state in outbox.states())
        # A stream comes with its first batch: one request each, and two that were refused.
        assert (server.uploads, len(waits)) == (60, 40)
        found = client.get("/v1/streams").json()
        assert (found["beats"], len(found["streams"])) == (60, 20)


@pytest.mark.parametrize("retry_after", [None, "soon", "86400"])
def test_without_a_time_to_come_back_it_ends_and_all_is_left(
    tmp_path: Path,
    stores: Stores,
    signed_in: Callable[..., httpx.Client],
    retry_after: str | None,
) -> None:
    client = signed_in()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    server = BusyServer(create_app(stores), retry_after)

    async def upload(outbox: Outbox, url: str) -> None:
        async with IngestClient(url, token) as ingest:
            with pytest.raises(UnavailableError):
                await Uploader(outbox, ingest, "me").upload_all()

    with ApiThread(server) as api, Outbox(tmp_path / "outbox.sqlite") as outbox:
        fill(outbox, "me", 2)
        asyncio.run(upload(outbox, api.url))
        assert sum(state.waiting for state in outbox.states()) == 6
    assert server.uploads == 1


def test_waits_that_bring_nothing_end_after_a_minute(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("ingest.outbox.uploader.asyncio.sleep", sleep)

    class Refusing(IngestClient):
        async def upload(self, *_: object, **__: object) -> int:
            raise UnavailableError("busy", "later", 25.0)

    async def upload(outbox: Outbox) -> None:
        with pytest.raises(UnavailableError):
            await Uploader(outbox, Refusing("http://127.0.0.1:9"), "me").upload_all()

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        fill(outbox, "me", 1)
        asyncio.run(upload(outbox))
    assert slept == [25.0, 25.0, 25.0]
    assert timestamps.now_ns() > START
