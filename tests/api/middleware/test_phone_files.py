"""``/app``: whose files, with which headers, and what is left to the API."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.middleware.phone_files import PhoneFilesMiddleware


async def rest(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the API")(scope, receive, send)


@pytest.fixture
def app(tmp_path: Path) -> ASGIApp:
    folder = tmp_path / "static"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>" + "<p>words</p>" * 50)
    (folder / "js" / "main.js").write_text("export const x = 1;")
    (folder / "service-worker.js").write_text('const VERSION = "development";\nconst FILES = [];\n')
    (tmp_path / "secret.js").write_text("not of the app")
    return PhoneFilesMiddleware(rest, folder)


def ask(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            request = client.build_request(method, f"http://here{path}", headers=headers)
            return await client.send(request)

    return asyncio.run(send())


def test_the_shell_and_its_files_are_served_to_anybody(app: ASGIApp) -> None:
    moved = ask(app, "/app")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/app/")
    page = ask(app, "/app/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(app, "/app/index.html").content == page.content
    script = ask(app, "/app/js/main.js")
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    worker = ask(app, "/app/service-worker.js")
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "js/main.js" in worker.text and '"development"' not in worker.text
    assert ask(app, "/app/", "HEAD").content == b""


def test_nothing_else_is_served_and_the_rest_is_the_apis(app: ASGIApp) -> None:
    above = ("/app/../secret.js", "/app/%2e%2e/secret.js", "/app/js/%2e%2e/%2e%2e/secret.js")
    for path in ("/app/secret.js", "/app/js", *above):
        assert ask(app, path).status_code in (200, 404)
        assert "not of the app" not in ask(app, path).text
    assert ask(app, "/app/x.js").json()["type"].endswith("not-found")
    assert ask(app, "/app/", "POST").status_code == 405
    for path in ("/apps", "/v1/app/", "/"):
        assert ask(app, path).text == "the API"


def test_a_browser_that_has_it_is_told_so(app: ASGIApp) -> None:
    packed = ask(app, "/app/", **{"Accept-Encoding": "br, gzip"})
    plain = ask(app, "/app/", **{"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers and plain.content == packed.content
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == "Accept-Encoding"
    for answer, accepted in ((packed, "gzip"), (plain, "identity")):
        tag = answer.headers["ETag"]
        again = ask(app, "/app/", **{"Accept-Encoding": accepted, "If-None-Match": f'"x", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
        assert "Content-Security-Policy" in again.headers
