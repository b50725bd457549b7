"""Serve the pages: Streamlit, the cookies of the session, and at home the API at the same address.

    python -m dashboard.server SCRIPT HOST PORT [PUBLIC-URL]

Streamlit's own server would take web sockets from any port of this machine, since it allows every
origin named localhost: with a cookie that signs in, any other program's page could use it.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.browser_cookies import (
    AT_HOME,
    END_PATH,
    PENDING,
    SET_PATH,
    Cookie,
    session_cookie,
    token_mark,
)
from dashboard.launch import public_origin, streamlit_settings
from dashboard.own_requests import (
    is_own_origin,
    read_small_body,
    refuse_forged,
    set_cookie,
)
from dashboard.passkeys import passkey_routes
from dashboard.uploads import UploadGate, find_account, held_bytes

_OWN_PATHS = frozenset({SET_PATH, END_PATH})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Components of Streamlit are frames of the pages themselves.
    "Content-Security-Policy": "frame-ancestors 'self'; base-uri 'self'",
}
SCRIPT = Path(__file__).with_name("app.py")
__all__ = ["create_pages_app", "is_own_origin", "join_apps", "load_pages", "read_small_body"]
__all__ += ["set_cookie", "websocket_options"]


Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def create_pages_app(
    public_url: str | None = None,
    *,
    api: Starlette | None = None,
    routes: Sequence[Route] = (),
    script: Path = SCRIPT,
) -> PagesApp:
    """Create the application of the pages; of ``join_apps``, the application with Streamlit."""
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import bootstrap
    from streamlit.web.server.starlette.starlette_app import App

    # Until st.navigation has run once, Streamlit takes a folder "pages" beside the script for pages
    # of its own: a first visit after a start at /trend was an empty page with the files' names.
    PagesManager.uses_pages_directory = False
    settings = streamlit_settings(public_url)
    bootstrap.load_config_options(
        {name.replace(".", "_"): value for name, value in settings.items()}
    )
    if api is not None:
        AT_HOME.set()
    streamlit = App(script)
    gate = UploadGate(streamlit, find_account, held_bytes)
    origin = public_origin(public_url)
    routes = [*routes, *passkey_routes(origin)]
    return join_apps(gate, streamlit.lifespan(), origin, api, routes)


def load_pages() -> None:
    """Import what the pages use: the first visitor would wait for it."""
    for name in ("altair", "pandas", "pyarrow", "dashboard.pages", "dashboard.session"):
        import_module(name)


def join_apps(
    streamlit: ASGIApp,
    streamlit_lifespan: Lifespan,
    origin: str | None = None,
    api: Starlette | None = None,
    routes: Sequence[Route] = (),
) -> PagesApp:
    """Serve pages, cookies and, if given, the API at one address.

    ``api`` is served below ``/v1`` and ``/app`` with its own middleware, which the pages do not
    pass; ``routes`` are added beside the pages. Only with it is the ``Host`` header required to be
    an address, ``localhost`` or that of ``origin``: a site could else have its own name resolve to
    this machine and read the pages (DNS rebinding).
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        threads = anyio.to_thread.current_default_thread_limiter()
        before = threads.total_tokens
        async with AsyncExitStack() as opened:
            if api is not None:
                await opened.enter_async_context(api.router.lifespan_context(api))
            await opened.enter_async_context(streamlit_lifespan(app))
            # Streamlit lowers it to what its files need; the API counts on the threads of before.
            threads.total_tokens = max(before, threads.total_tokens)
            yield

    own = Starlette(
        routes=[
            Route(SET_PATH, _SetCookies(origin), methods=["POST"]),
            Route(END_PATH, _EndCookies(origin), methods=["POST"]),
            *routes,
        ],
        lifespan=lifespan,
    )
    paths = _OWN_PATHS | {route.path for route in routes}
    hosts = None if api is None else _allowed_host(origin)
    return PagesApp(streamlit, own, frozenset(paths), origin, api, hosts)


class PagesApp:
    """Give each request to the pages, the cookies or the API, and refuse what other sites send."""

    def __init__(
        self,
        streamlit: ASGIApp,
        own: ASGIApp,
        own_paths: frozenset[str],
        origin: str | None,
        api: ASGIApp | None,
        is_allowed_host: Callable[[str], bool] | None,
    ) -> None:
        self._streamlit = streamlit
        self._own = own
        self._own_paths = own_paths
        self._origin = origin
        self._api = api
        self._is_allowed_host = is_allowed_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._own(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        if self._is_allowed_host is not None and not self._is_allowed_host(headers.get("host", "")):
            await _refuse(scope, receive, send, "Open Ebbtide by the address that it printed.")
        elif self._api is not None and _is_of_api(path):
            await self._api(scope, receive, send)
        elif scope["type"] == "websocket" and not is_own_origin(headers, self._origin):
            await _refuse(scope, receive, send, "")
        elif path in self._own_paths:
            await self._own(scope, receive, _with_headers(send))
        else:
            await self._streamlit(scope, receive, _with_headers(send))


_API_PATHS = frozenset({"/v1", "/openapi.json", "/app"})


def _is_of_api(path: str) -> bool:
    """Whether the API answers this path: its routes, and the app for phones."""
    return path in _API_PATHS or path.startswith(("/v1/", "/app/"))


class _SetCookies:
    """Set the cookies that a page stored under a code."""

    def __init__(self, public: str | None) -> None:
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        refusal = refuse_forged(request, self._public)
        if refusal is not None:
            return refusal
        code = await read_small_body(request)
        cookies = None if code is None else PENDING.take(code)
        if cookies is None:
            return PlainTextResponse("This was used already, or its time is over.", 404)
        response = Response(status_code=204)
        for cookie in cookies:
            set_cookie(response, cookie, request.headers["origin"])
        return response


class _EndCookies:
    """Delete the cookie of a session that the page has ended, if it is still that session's."""

    def __init__(self, public: str | None) -> None:
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = refuse_forged(request, self._public)
        if response is None:
            response = Response(status_code=204)
            origin = request.headers["origin"]
            name = session_cookie(origin)
            mark = await read_small_body(request)
            if mark is not None and mark == token_mark(request.cookies.get(name, "")):
                set_cookie(response, Cookie(name, "", 0), origin)
        await response(scope, receive, send)


def _allowed_host(origin: str | None) -> Callable[[str], bool]:
    names = {"localhost", urlsplit(origin or "").hostname}

    def is_allowed(host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and (name in names or _is_address(name))

    return is_allowed


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        await send({"type": "websocket.close", "code": 1008})  # answered with 403
        return
    await PlainTextResponse(why, 421)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


def websocket_options() -> dict[str, Any]:
    """Return what Streamlit's web sockets need of Uvicorn."""
    return {
        "ws": "websockets-sansio",
        "ws_ping_interval": 30,
        "ws_ping_timeout": 30,
        "ws_max_size": 200 * 2**20,  # Streamlit's default, for the largest state of a page
        "ws_per_message_deflate": False,
    }


def main(arguments: list[str]) -> None:
    """Serve the pages until they are stopped."""
    script, host, port, *public_url = arguments
    app = create_pages_app(public_url[0] if public_url else None, script=Path(script))
    uvicorn.run(
        app,
        host=host,
        port=int(port),
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        **websocket_options(),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
