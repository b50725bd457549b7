"""The sockets for phones: what looks at connections knows the network before the first one."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.server import home_network
from cli.server.home_authority import RENEW_DAYS
from cli.server.home_network import HomeNetwork
from tests.support.ports import free_port


class _Server:
    """What HomeNetwork asks of uvicorn's."""

    def __init__(self) -> None:
        self.config = SimpleNamespace(http_protocol_class=asyncio.Protocol)
        self.server_state = SimpleNamespace(connections=set())
        self.lifespan = SimpleNamespace(state={})
        self.servers: list[asyncio.Server] = []


async def _open(home: HomeNetwork, *, may_open: int) -> tuple[list[str | None], _Server]:
    """Open it in a running loop, which refuses every socket after the first ones: the address it
    has when each begins to listen.
    """
    loop, server = asyncio.get_running_loop(), _Server()
    home.attach(server)  # type: ignore[arg-type]
    create, known = loop.create_server, []

    async def note(*arguments: Any, **options: Any) -> Any:
        known.append(home.address)
        if len(known) > may_open:
            raise OSError("no more sockets")
        return await create(*arguments, **options)

    loop.create_server = note  # type: ignore[method-assign]
    try:
        await asyncio.to_thread(home.open)
    finally:
        for listener in server.servers:
            listener.close()
    return known, server


def test_the_address_is_known_before_the_first_connection(tmp_path: Path) -> None:
    home = HomeNetwork(free_port(), tmp_path / "home.json", lambda: "127.0.0.9")
    home.choose_encryption(True)
    known, server = asyncio.run(_open(home, may_open=2))
    assert known == ["127.0.0.9", "127.0.0.9"]
    assert len(server.servers) == 2


def test_where_one_socket_cannot_listen_neither_does(tmp_path: Path) -> None:
    home = HomeNetwork(free_port(), tmp_path / "home.json", lambda: "127.0.0.9")
    home.choose_encryption(True)
    with pytest.raises(OSError, match="no more sockets"):
        asyncio.run(_open(home, may_open=1))
    assert home.address is None and home.url is None
    assert not home.is_wanted


def test_the_certificate_is_renewed_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_network, "_LOOK_S", 0.01)
    passed = [0.0]
    real = time.time
    monkeypatch.setattr(home_network, "time", SimpleNamespace(time=lambda: real() + passed[0]))
    home = HomeNetwork(free_port(), tmp_path / "home.json", lambda: "127.0.0.9")
    home.choose_encryption(True)

    def look() -> str:
        return ssl.get_server_certificate(("127.0.0.9", home.tls_port), timeout=10)

    async def run() -> None:
        server = _Server()
        server.config.http_protocol_class = lambda **_: asyncio.Protocol()
        home.attach(server)  # type: ignore[arg-type]
        await asyncio.to_thread(home.open)
        first = await asyncio.to_thread(look)
        passed[0] = (RENEW_DAYS - 1) * 86_400
        await asyncio.sleep(0.2)
        assert await asyncio.to_thread(look) == first
        passed[0] = (RENEW_DAYS + 1) * 86_400
        until = real() + 20
        while await asyncio.to_thread(look) == first:
            assert real() < until, "it was not renewed"
            await asyncio.sleep(0.05)
        await asyncio.to_thread(home.close)

    asyncio.run(run())
    assert {path.name for path in tmp_path.iterdir()} == {"home-authority.json", "home.json"}
