"""Let phones in the same network reach the pages of ``ebbtide start``, while its owner wants it."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cli.server.socket import bind_socket
from ebbtide._files import write_private_json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import uvicorn

_WAIT_S = 30.0


def find_home_address() -> str | None:
    """Find this computer's address in its network; None where it is in none.

    Connecting a UDP socket sends nothing: it only asks the routing table. 192.0.2.1 is an address
    of documentation (RFC 5737), which no network has.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(asking.getsockname()[0])
    found = ipaddress.ip_address(address)
    return None if found.is_loopback or found.is_unspecified else address


class HomeNetwork:
    """A second socket of a running server, at the address that the computer has in its network.

    ``file`` has the owner's choice, for the next start at the same address. Everything is called
    from other threads than the server's, but for ``attach``.
    """

    def __init__(
        self, port: int, file: Path, find_address: Callable[[], str | None] | None = None
    ) -> None:
        self._port = port
        self._file = file
        self._find_address = find_address or find_home_address
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: asyncio.Server | None = None
        self.address: str | None = None

    @property
    def url(self) -> str | None:
        """The address for phones; None while it is closed to them."""
        return None if self.address is None else f"http://{self.address}:{self._port}"

    @property
    def is_wanted(self) -> bool:
        """Whether its owner has opened it where the computer is now, and not closed it since: with
        another address it is in another network, as in a café, which was not asked about.
        """
        try:
            chosen = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return False
        return bool(chosen == {"open": True, "address": self._find_address()})

    def attach(self, server: uvicorn.Server) -> None:
        """Give the running server, from a coroutine of its loop."""
        self._server, self._loop = server, asyncio.get_running_loop()

    def open(self) -> str:
        """Listen at the address that the computer has now, and remember that. Raises EbbtideError
        where it is in no network, or in one that is not a home's.
        """
        address = self._find_address()
        if address is None:
            raise EbbtideError(
                "This computer is in no network just now.", "Connect it, and try again."
            )
        if not ipaddress.ip_address(address).is_private:
            raise EbbtideError(
                f"This computer's address, {address}, is not one of a home network: others on the "
                "internet might reach it.",
                "Connect it through a router of your own, and try again.",
            )
        if address != self.address:
            self._stop()
            listener = bind_socket(address, self._port)
            self._call(self._listen, listener, address)
        write_private_json(self._file, {"open": True, "address": address})
        return f"http://{address}:{self._port}"

    def close(self) -> None:
        """Stop listening there, end the connections that there are, and remember that."""
        self._file.unlink(missing_ok=True)
        self._stop()

    def _stop(self) -> None:
        if self._listener is not None:
            self._call(self._end)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        if self._loop is None:
            raise EbbtideError("Ebbtide is still starting.", "Try again in a moment.")
        asyncio.run_coroutine_threadsafe(function(*arguments), self._loop).result(_WAIT_S)

    async def _listen(self, listener: socket.socket, address: str) -> None:
        server = self._server
        assert server is not None

        def create_protocol() -> asyncio.Protocol:
            protocol: Any = server.config.http_protocol_class
            made: asyncio.Protocol = protocol(
                config=server.config,
                server_state=server.server_state,
                app_state=server.lifespan.state,
            )
            return made

        self._listener = await asyncio.get_running_loop().create_server(
            create_protocol, sock=listener, backlog=128
        )
        server.servers.append(self._listener)  # it closes them when it ends
        self.address = address

    async def _end(self) -> None:
        server, listener, address = self._server, self._listener, self.address
        assert server is not None and listener is not None
        self._listener = self.address = None
        server.servers.remove(listener)
        listener.close()
        for connection in list(server.server_state.connections):
            transport: Any = getattr(connection, "transport", None)
            name = None if transport is None else transport.get_extra_info("sockname")
            if name is not None and name[0] == address:
                transport.abort()


class HomeGate:
    """Serve the pages alone to the network, by their address alone, and to its own neighbours.

    A name that leads here could be another site's (DNS rebinding); the API, and what signs in
    from this machine, are for this machine.
    """

    def __init__(self, app: ASGIApp, home: HomeNetwork) -> None:
        self._app = app
        self._home = home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if scope["type"] != "lifespan" and server is not None and server[0] == self._home.address:
            host = Headers(scope=scope).get("host", "")
            client = (scope.get("client") or ("",))[0]
            if host != f"{server[0]}:{server[1]}":
                await refuse(scope, receive, send, 421, "Open Ebbtide by the code of its page.")
                return
            if not _is_neighbour(client) or _is_for_this_machine(scope["path"]):
                await refuse(scope, receive, send, 403, "This is for the computer itself.")
                return
        await self._app(scope, receive, send)


def _is_neighbour(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_private
    except ValueError:
        return False


def _is_for_this_machine(path: str) -> bool:
    return path in ("/v1", "/openapi.json", "/start") or path.startswith(("/v1/", "/start/"))


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Refuse a request, or a web socket."""
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse(why, status)(scope, receive, send)
