"""Let phones in the same network reach the pages of ``ebbtide start``, while its owner wants it:
without encryption, or with a certificate of this computer's own authority.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.phone_routes import is_phone_path
from cli.server.home_authority import RENEW_DAYS, HomeAuthority
from cli.server.socket import bind_socket
from cli.server.trust_page import TRUST
from ebbtide._files import write_private_json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import uvicorn

    from ebbtide.settings import Settings

_WAIT_S = 30.0
_TLS_OFFSET = 23  # 8443 beside 8420
_MAX_PORT = 65_535
_RENEW_S = RENEW_DAYS * 86_400
_LOOK_S = 3600.0  # by the clock, not by one long wait: a computer that sleeps stops those

_LOG = logging.getLogger("ebbtide.start")


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


def home_file(settings: Settings) -> Path:
    """Return the file with the owner's choice."""
    return settings.data_dir / "home.json"


class HomeNetwork:
    """Further sockets of a running server, at the address that the computer has in its network.

    With encryption there are two: the pages and the app with it, and without it nothing but the
    page that leads a phone through trusting this computer. ``file`` has the owner's choice, for the
    next start at the same address. Everything is called from other threads than the server's, but
    for ``attach``.
    """

    def __init__(
        self, port: int, file: Path, find_address: Callable[[], str | None] | None = None
    ) -> None:
        self._port = port
        self._file = file
        self._find_address = find_address or find_home_address
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[asyncio.Server] = []
        self._renewing: asyncio.Task[None] | None = None
        self.address: str | None = None
        self.is_encrypted = bool(self._read().get("https"))

    @property
    def url(self) -> str | None:
        """The address for phones; None while it is closed to them."""
        if self.address is None:
            return None
        if self.is_encrypted:
            return f"https://{self.address}:{self.tls_port}"
        return f"http://{self.address}:{self._port}"

    @property
    def tls_port(self) -> int:
        """The port with encryption."""
        port = self._port + _TLS_OFFSET
        return port if port <= _MAX_PORT else self._port - _TLS_OFFSET

    @property
    def trust_url(self) -> str | None:
        """Where phones are led through trusting this computer; None while they need not."""
        if self.address is None or not self.is_encrypted:
            return None
        return f"http://{self.address}:{self._port}{TRUST}"

    @property
    def authority(self) -> HomeAuthority | None:
        """Whom phones have to trust; None while they come in without encryption. Raises
        EbbtideError where it cannot be read or made.
        """
        return HomeAuthority.open(self._file.parent) if self.is_encrypted else None

    def choose_encryption(self, is_encrypted: bool) -> None:
        """Encrypt, or no more, from the next time that it is opened, and remember that: once
        chosen, closing and opening it again does not drop it.
        """
        if is_encrypted:
            HomeAuthority.open(self._file.parent)
        self._stop()
        self.is_encrypted = is_encrypted
        self._write(**{**self._read(), "https": is_encrypted})

    @property
    def is_wanted(self) -> bool:
        """Whether its owner has opened it where the computer is now, and not closed it since: with
        another address it is in another network, as in a café, which was not asked about.
        """
        chosen = self._read()
        return chosen.get("open") is True and chosen.get("address") == self._find_address()

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, **choice: Any) -> None:
        write_private_json(self._file, choice)

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
            self._bind(address)
        self._write(open=True, address=address, https=self.is_encrypted)
        url = self.url
        assert url is not None
        return url

    def _bind(self, address: str) -> None:
        context = None
        if self.is_encrypted:
            folder = self._file.parent
            context = HomeAuthority.open(folder).server_context(address, folder)
        listener = bind_socket(address, self._port)
        encrypted = None
        if context is not None:
            try:
                encrypted = bind_socket(address, self.tls_port)
            except EbbtideError:
                listener.close()
                raise
        self._call(self._listen, listener, encrypted, context, address)

    def close(self) -> None:
        """Stop listening there, end the connections that there are, and remember that."""
        if self.is_encrypted:
            self._write(open=False, https=True)
        else:
            self._file.unlink(missing_ok=True)
        self._stop()

    def _stop(self) -> None:
        if self._listeners:
            self._call(self._end)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        if self._loop is None:
            raise EbbtideError("Ebbtide is still starting.", "Try again in a moment.")
        asyncio.run_coroutine_threadsafe(function(*arguments), self._loop).result(_WAIT_S)

    async def _listen(
        self,
        listener: socket.socket,
        encrypted: socket.socket | None,
        context: ssl.SSLContext | None,
        address: str,
    ) -> None:
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

        loop = asyncio.get_running_loop()
        self.address = address  # first: by it HomeGate knows the very first connection
        ways = [(listener, None)] if encrypted is None else [(listener, None), (encrypted, context)]
        try:
            for sock, tls in ways:
                made = await loop.create_server(create_protocol, sock=sock, ssl=tls, backlog=128)
                self._listeners.append(made)
                server.servers.append(made)  # it closes them when it ends
            if context is not None:
                self._renewing = loop.create_task(self._renew(context, address))
        except BaseException:
            await self._end()
            for sock, _ in ways:
                sock.close()
            raise

    async def _renew(self, context: ssl.SSLContext, address: str) -> None:
        """Renew the certificate before it is over, while this runs."""
        issued_s = time.time()
        folder = self._file.parent
        while True:
            await asyncio.sleep(_LOOK_S)
            if time.time() - issued_s < _RENEW_S:
                continue
            try:
                authority = await asyncio.to_thread(HomeAuthority.open, folder)
                # In the loop, as no handshake is under way then with the new certificate and the
                # former key. It takes milliseconds, once a year.
                authority.renew(context, address, folder)
                issued_s = time.time()
            except (EbbtideError, OSError) as error:
                _LOG.warning("the certificate for phones could not be renewed: %s", error)

    async def _end(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        server, listeners, address = self._server, self._listeners, self.address
        assert server is not None
        self._listeners, self.address = [], None
        for listener in listeners:
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
    from this machine, are for this machine, but for what the app on a phone asks with encryption.
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
            path, is_encrypted = scope["path"], scope["scheme"] in ("https", "wss")
            if not _is_neighbour(client) or _is_for_this_machine(path, is_encrypted):
                await refuse(scope, receive, send, 403, "This is for the computer itself.")
                return
            if self._home.is_encrypted and not is_encrypted:
                if scope["type"] == "http" and path == "/":
                    await RedirectResponse(TRUST, 303)(scope, receive, send)
                    return
                if path != TRUST and not path.startswith(f"{TRUST}/"):
                    words = f"Open {self._home.url}: here nothing is encrypted."
                    await refuse(scope, receive, send, 403, words)
                    return
        await self._app(scope, receive, send)


def _is_neighbour(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_private
    except ValueError:
        return False


def _is_for_this_machine(path: str, is_encrypted: bool) -> bool:
    """Whether phones have no business there. With encryption they have the app, and what it asks of
    the API; without it no browser lets the app do anything.
    """
    if is_encrypted and is_phone_path(path):
        return False
    if path == "/app" or path.startswith("/app/"):
        return not is_encrypted
    return path in ("/v1", "/openapi.json", "/start") or path.startswith(("/v1/", "/start/"))


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Refuse a request, or a web socket."""
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse(why, status)(scope, receive, send)
