"""The pages with a browser's passkeys, and what their script sends.

Streamlit cannot call ``navigator.credentials``. These are plain pages of the same server, with one
script of our own; the server passes on to the API what the script sends, with the token of the
cookie, which no script reads. It does so for ``ebbtide start`` and ``ebbtide dashboard`` alike.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard.browser_cookies import (
    ADD_PATH,
    PENDING,
    SIGN_IN_PATH,
    Cookie,
    session_cookie,
)
from dashboard.i18n import texts
from dashboard.i18n.language import N_, language_for, translate_for
from dashboard.own_requests import read_small_body, refuse_forged, set_cookie
from ebbtide.client import ApiError, Client, UnavailableError
from ebbtide.i18n import choose_language
from ebbtide.settings import Settings

_FOLDER = Path(__file__).with_name("static")
_MAX_BYTES = 16 * 1024  # as much as the API takes
_HEADERS = {
    "Cache-Control": "no-store",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{more}; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_SIGN_IN, _ADD = "sign-in", "add"  # the two pages
# What the script says, by name (data-... of the page).
_SAID = {
    "busy": N_("One moment. Your device asks you now."),
    "cancelled": N_("Nothing was done. Try again when you like."),
    "unavailable": N_(
        "This browser cannot use passkeys at this address. It needs https, or the name localhost."
    ),
    "twice": N_("This device has a passkey for you here already."),
    "added": N_("Added. Next time choose: Sign in with a passkey."),
    "failed": N_("The server does not answer just now. Try again in a moment."),
    "silent": N_(
        "At localhost nothing answers here. Ask whoever runs Ebbtide for an address with a name."
    ),
}


def passkey_routes(public: str | None) -> list[Route]:
    """Return the pages and what their script sends. ``public``: the origin at which a proxy serves
    them, if one does.
    """

    def sent(handle: Callable[[Request, Client, Any], Response]) -> _Sent:
        return _Sent(public, handle)

    return [
        Route(SIGN_IN_PATH, _show_sign_in, methods=["GET"]),
        Route(ADD_PATH, _show_add, methods=["GET"]),
        Route("/passkeys/script.js", _send_script, methods=["GET"]),
        Route("/passkeys/style.css", _send_style, methods=["GET"]),
        Route("/passkeys/here", _answer_here, methods=["GET"]),
        Route("/passkeys/sign-in/options", sent(_begin_sign_in), methods=["POST"]),
        Route("/passkeys/sign-in", sent(_sign_in), methods=["POST"]),
        Route("/passkeys/add/options", sent(_begin_adding), methods=["POST"]),
        Route("/passkeys/add", sent(_add), methods=["POST"]),
        Route("/passkeys/verify", sent(_verify), methods=["POST"]),
        Route("/passkeys/carry", sent(_carry), methods=["POST"]),
    ]


class _Sent:
    """Handle what the script of our own pages sends; refuse what other sites send."""

    def __init__(
        self, public: str | None, handle: Callable[[Request, Client, Any], Response]
    ) -> None:
        self._public = public
        self._handle = handle

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        refusal = refuse_forged(request, self._public)
        if refusal is not None:
            return refusal
        text = await read_small_body(request, _MAX_BYTES)
        try:
            body = json.loads(text or "{}")
        except ValueError:
            body = None
        if text is None or not isinstance(body, dict):
            return JSONResponse({"words": "This is too large, or no JSON."}, 422)
        return await run_in_threadpool(self._ask, request, body)

    def _ask(self, request: Request, body: dict[str, Any]) -> Response:
        try:
            response = self._handle(request, _client(request), body)
        except UnavailableError as error:
            response = JSONResponse({"words": str(error), "kind": "away"}, 503)
        except ApiError as error:
            answer = {"words": str(error), "kind": error.kind}
            response = JSONResponse(answer, error.status or 503)
        response.headers["Cache-Control"] = "no-store"
        return response


def _begin_sign_in(request: Request, api: Client, _: dict[str, Any]) -> Response:
    return JSONResponse(api.passkey_options(request.headers["origin"]))


def _sign_in(request: Request, api: Client, body: dict[str, Any]) -> Response:
    is_own = body.get("own") is True
    answer = api.sign_in_with_passkey(_dict(body), "own" if is_own else "shared")
    age_s = None
    if is_own:
        left = datetime.fromisoformat(answer["expires"]) - datetime.now(UTC)
        age_s = max(0, int(left.total_seconds()))
    response, origin = Response(status_code=204), request.headers["origin"]
    set_cookie(response, Cookie(session_cookie(origin), answer["token"], age_s), origin)
    return response


def _begin_adding(request: Request, api: Client, _: dict[str, Any]) -> Response:
    return JSONResponse(api.passkey_options(request.headers["origin"], adding=True))


def _add(_: Request, api: Client, body: dict[str, Any]) -> Response:
    api.add_passkey(str(body.get("name", "")), _dict(body))
    return Response(status_code=204)


def _verify(_: Request, api: Client, body: dict[str, Any]) -> Response:
    code = str(body["code"]) if body.get("code") else None
    api.verify(str(body.get("password", "")), code)
    return Response(status_code=204)


def _carry(request: Request, api: Client, _: dict[str, Any]) -> Response:
    """Let the same browser go on signed in at ``localhost``: cookies are of one name."""
    place = _find_localhost(request)
    if place is None or api.token is None:
        return JSONResponse({"code": ""})
    api.me()  # raises where it has ended
    cookie = Cookie(session_cookie(place), api.token, None)
    return JSONResponse({"code": PENDING.put([cookie])})


def _dict(body: dict[str, Any]) -> dict[str, Any]:
    found = body.get("credential")
    return found if isinstance(found, dict) else {}


async def _show_sign_in(request: Request) -> Response:
    return _show(request, _SIGN_IN)


async def _show_add(request: Request) -> Response:
    return _show(request, _ADD)


async def _answer_here(_: Request) -> Response:
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


async def _send_script(_: Request) -> Response:
    return _send("passkeys.js", "text/javascript")


async def _send_style(_: Request) -> Response:
    return _send("plain.css", "text/css")


def _send(name: str, media_type: str) -> Response:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return PlainTextResponse(text, media_type=media_type, headers={"Cache-Control": "no-cache"})


def _show(request: Request, page: str) -> Response:
    tag = request.headers.get("accept-language", "").partition(",")[0].partition(";")[0]
    say = translate_for(tag.strip())
    localhost = _find_localhost(request)
    is_number = _is_number(_hostname(request))
    if is_number:
        content = _write_number(say, page, localhost)
    else:
        content = _write_sign_in(say) if page == _SIGN_IN else _write_add(say)
    said = "".join(f' data-{name}="{escape(say(words))}"' for name, words in _SAID.items())
    where = "" if localhost is None else f' data-localhost="{escape(localhost)}"'
    title = say(N_("Sign in with a passkey") if page == _SIGN_IN else N_("Add a passkey"))
    back, back_words = (
        ("/", say(N_("Back to sign in with a password")))
        if page == _SIGN_IN
        else ("/signing_in", say(N_("Back to Ebbtide")))
    )
    html = (
        f'<!doctype html><html lang="{language_for(tag.strip())}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Ebbtide</title>"
        '<link rel="stylesheet" href="/passkeys/style.css">'
        '<script src="/passkeys/script.js" defer></script></head>'
        f'<body data-page="{page}"{said}{where}><main><h1>{escape(title)}</h1>'
        f"<p>{escape(say(texts.PASSKEY))}{_write_asking(say, is_number)}</p>{content}"
        '<p id="said" role="status"></p>'
        f'<p><a href="{back}">{escape(back_words)}</a></p></main></body></html>'
    )
    policy = _POLICY.format(more="" if localhost is None else f" {localhost}")
    return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": policy})


def _write_asking(say: Callable[[str], str], is_number: bool) -> str:
    words = say(N_("When you press the button, your device asks."))
    return "" if is_number else f" {escape(words)}"


def _write_sign_in(say: Callable[[str], str]) -> str:
    return (
        f'<button id="go" type="button">{escape(say(N_("Use my passkey")))}</button>'
        f'<label class="box"><input id="own" type="checkbox"> '
        f"{escape(say(N_('This is my own computer: stay signed in')))}</label>"
    )


def _write_add(say: Callable[[str], str]) -> str:
    name, own = say(N_("A name, to know it by")), say(N_("My device"))
    once_more = say(N_("For this, give your password once more."))
    return (
        '<form id="verify" hidden>'
        f"<p>{escape(once_more)}</p>"
        f'<label>{escape(say(N_("Your password")))}<input id="password" type="password" '
        'autocomplete="current-password"></label>'
        f'<label id="ask-code" hidden>{escape(say(N_("Code of your app")))}<input id="code" '
        'autocomplete="one-time-code" inputmode="numeric"></label>'
        f"<button>{escape(say(N_('Go on')))}</button></form>"
        '<form id="add">'
        f'<label>{escape(name)}<input id="name" value="{escape(own)}" maxlength="100" required>'
        f"</label><button>{escape(say(N_('Add it')))}</button></form>"
        f'<p id="signed-out" hidden>{escape(say(N_("You are not signed in at this address.")))} '
        f'<a href="/">{escape(say(N_("Sign in first")))}</a></p>'
    )


def _write_number(say: Callable[[str], str], page: str, localhost: str | None) -> str:
    why = say(N_("A passkey needs a name in the address, and this address has only numbers."))
    if localhost is None:
        where = say(
            N_(
                "On the computer that runs Ebbtide, open it at localhost. From another one it "
                "needs an address with a name and https: ask whoever runs it."
            )
        )
        return f"<p>{escape(why)}</p><p>{escape(where)}</p>"
    path = SIGN_IN_PATH if page == _SIGN_IN else ADD_PATH
    words = say(N_("Go on at localhost"))
    more = say(N_("Go on under the name localhost: it is the same Ebbtide, on this computer."))
    return (
        f"<p>{escape(why)} {escape(more)}</p>"
        f'<p><a id="there" class="button" href="{escape(localhost + path)}" hidden>'
        f"{escape(words)}</a></p>"
    )


def _client(request: Request) -> Client:
    """Make a client with the token of the browser's cookie, that says whom it asks for."""
    token = request.cookies.get(session_cookie(request.headers["origin"]))
    made = Client(Settings().api_url, token)
    made.language = choose_language(request.headers.get("accept-language", ""))
    made.max_retry_wait_s = 0.5
    before = request.headers.get("x-forwarded-for")
    peer = request.client.host if request.client else "127.0.0.1"
    made.forwarded_for = peer if before is None else f"{before}, {peer}"
    return made


def _hostname(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _find_localhost(request: Request) -> str | None:
    """Return the origin of this server at ``localhost``, where the address is this machine's in
    numbers.
    """
    host = _hostname(request)
    if not _is_number(host) or not ipaddress.ip_address(host).is_loopback:
        return None
    port = urlsplit(f"//{request.headers['host']}").port
    return "http://localhost" + ("" if port in (None, 80) else f":{port}")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
