"""One address for pages, cookies and API: who gets which request, and what other sites get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.browser_cookies import (
    PENDING,
    Cookie,
    PendingCookies,
    first_run_cookie,
    session_cookie,
    token_mark,
)
from dashboard.server import SCRIPT, create_pages_app, join_apps

HERE = "http://127.0.0.1:8420"
PUBLIC = "https://pages.example.org"
TOKEN = Cookie(session_cookie(HERE), "a-token", 3600)


async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    await PlainTextResponse("a page")(scope, receive, send)


async def api_answer(request: Request) -> Response:
    return JSONResponse({"path": request.url.path})


def joined(origin: str | None = None, *, with_api: bool = True) -> ASGIApp:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield

    routes = [Route("/v1/health", api_answer), Route("/openapi.json", api_answer)]
    routes += [Route("/app", api_answer), Route("/app/{path:path}", api_answer)]
    api = Starlette(routes=routes)
    return join_apps(streamlit, lifespan, origin, api if with_api else None)


def ask(
    app: ASGIApp, method: str, url: str, headers: Mapping[str, str] | None = None, body: str = ""
) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.request(method, url, headers=headers, content=body)

    return asyncio.run(send())


def connect(app: ASGIApp, headers: Mapping[str, str]) -> str:
    """The type of the answer to a web socket."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    return str(sent[0]["type"])


@pytest.mark.parametrize("path", ["/v1/health", "/openapi.json", "/app", "/app/js/main.js"])
def test_the_api_answers_below_its_paths_without_headers_of_the_pages(path: str) -> None:
    answer = ask(joined(), "GET", HERE + path)
    assert answer.json() == {"path": path}
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1"])
def test_what_the_api_has_not_is_no_page(path: str) -> None:
    assert ask(joined(), "GET", HERE + path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/today", "/v1x", "/_stcore/health"])
def test_everything_else_is_a_page_that_no_site_may_frame(path: str) -> None:
    answer = ask(joined(), "GET", HERE + path)
    assert answer.text == "a page"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/v1/health", "/session"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "127.0.0.1.evil.example"])
def test_a_site_whose_name_resolves_to_this_machine_gets_nothing(path: str, host: str) -> None:
    answer = ask(joined(), "GET", HERE + path, {"Host": host})
    assert answer.status_code == 421
    assert "a page" not in answer.text
    assert connect(joined(), {"Host": host, "Origin": f"http://{host}"}) == "websocket.close"


@pytest.mark.parametrize("host", ["localhost:8420", "[::1]:8420", "192.0.2.7:8420"])
def test_addresses_and_localhost_are_no_such_name(host: str) -> None:
    assert ask(joined(), "GET", HERE, {"Host": host}).text == "a page"


def test_behind_a_proxy_any_host_may_be_named() -> None:
    app = joined(PUBLIC, with_api=False)
    assert ask(app, "GET", HERE, {"Host": "pages.internal"}).text == "a page"


@pytest.mark.parametrize(
    ("origin", "answer"),
    [
        (HERE, "websocket.accept"),
        ("http://127.0.0.1:9999", "websocket.close"),  # another program of this machine
        ("http://localhost:8420", "websocket.close"),
        ("https://evil.example", "websocket.close"),
        ("null", "websocket.close"),
        (None, "websocket.close"),
    ],
)
def test_web_sockets_of_our_own_pages_alone(origin: str | None, answer: str) -> None:
    headers = {"Host": "127.0.0.1:8420", **({} if origin is None else {"Origin": origin})}
    assert connect(joined(), headers) == answer


def test_web_sockets_of_the_public_address() -> None:
    app = joined(PUBLIC, with_api=False)
    assert connect(app, {"Host": "pages.internal", "Origin": PUBLIC}) == "websocket.accept"
    other = {"Host": "pages.internal", "Origin": "https://evil.example"}
    assert connect(app, other) == "websocket.close"


def test_a_code_sets_its_cookies_once_and_no_script_reads_them() -> None:
    code = PENDING.put([TOKEN, Cookie("until-closed", "x", None)])
    answer = post("/session", code)
    assert answer.status_code == 204
    session, other = answer.headers.get_list("set-cookie")
    assert session.startswith("ebbtide_session_8420=a-token; ")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=3600"} <= set(session.split("; "))
    assert "Secure" not in session
    assert "Max-Age" not in other
    assert answer.headers["cache-control"] == "no-store"
    assert post("/session", code).status_code == 404


def test_with_tls_the_cookie_is_of_this_host_alone() -> None:
    code = PENDING.put([Cookie(session_cookie(PUBLIC), "a-token", None)])
    answer = ask(joined(PUBLIC, with_api=False), "POST", HERE + "/session", origin(PUBLIC), code)
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-ebbtide_session=a-token; ")
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/session", "/session/end"])
def test_other_sites_neither_set_nor_end_a_session(path: str, headers: dict[str, str]) -> None:
    code = PENDING.put([TOKEN])
    headers = {**headers, "Cookie": f"{TOKEN.name}={TOKEN.value}"}
    body = code if path == "/session" else token_mark(TOKEN.value)
    answer = ask(joined(), "POST", HERE + path, headers, body)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert PENDING.is_waiting(code)


def test_a_link_cannot_set_a_cookie() -> None:
    code = PENDING.put([TOKEN])
    answer = ask(joined(), "GET", f"{HERE}/session?{code}")
    assert answer.status_code == 405
    assert PENDING.is_waiting(code)


@pytest.mark.parametrize("body", ["", "made-up", "x" * 100_000])
def test_a_made_up_code_sets_nothing(body: str) -> None:
    answer = post("/session", body)
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


def test_signing_out_deletes_the_cookie_of_that_session_and_no_newer_one() -> None:
    ended, newer = "the-ended-token", "a-newer-token"
    for in_browser, is_deleted in ((ended, True), (newer, False)):
        headers = {**origin(HERE), "Cookie": f"{TOKEN.name}={in_browser}"}
        answer = ask(joined(), "POST", HERE + "/session/end", headers, token_mark(ended))
        assert answer.status_code == 204
        assert ("Max-Age=0" in answer.headers.get("set-cookie", "")) is is_deleted


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr("dashboard.browser_cookies.time.monotonic", lambda: now[0])
    yield now


def test_a_code_ends_after_a_minute_and_many_do_not_pile_up(clock: list[float]) -> None:
    pending = PendingCookies()
    code = pending.put([TOKEN])
    assert pending.is_waiting(code)
    clock[0] += 61
    assert not pending.is_waiting(code)
    assert pending.take(code) is None
    codes = [pending.put([TOKEN]) for _ in range(1500)]
    waiting = [code for code in codes if pending.is_waiting(code)]
    assert waiting == codes[-1000:]


def test_ports_have_cookies_of_their_own() -> None:
    addresses = ("http://localhost", "http://localhost:8420", "http://localhost:8421", PUBLIC)
    names = [name(address) for address in addresses for name in (session_cookie, first_run_cookie)]
    assert len(set(names)) == 8


def origin(value: str) -> dict[str, str]:
    return {"Origin": value, "Sec-Fetch-Site": "same-origin"}


def post(path: str, body: str) -> httpx.Response:
    return ask(joined(), "POST", HERE + path, origin(HERE), body)


def test_a_folder_of_pages_beside_the_script_is_not_streamlits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or the first visit after a start shows the names of the files in it."""
    from streamlit.runtime.pages_manager import PagesManager

    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    create_pages_app()
    assert (SCRIPT.parent / "pages").is_dir()
    assert PagesManager(str(SCRIPT)).uses_pages_directory is False
