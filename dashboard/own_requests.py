"""Requests that pages of ours send to their own server: none of other sites, with small bodies, and
answers that set cookies.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dashboard.browser_cookies import Cookie, is_encrypted

_MAX_BODY_BYTES = 1000


def is_own_origin(headers: Headers, public: str | None) -> bool:
    """Whether a page of ours sent this, and no other site: browsers add ``Origin`` to web sockets
    and to each POST, and no script can change it.
    """
    origin = headers.get("origin", "")
    host = headers.get("host", "")
    return bool(host) and origin in {f"http://{host}", f"https://{host}", public}


async def read_small_body(request: Request, max_bytes: int = _MAX_BODY_BYTES) -> str | None:
    """Read a body of at most ``max_bytes``; None where it is longer."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            return None
    return body.decode(errors="replace")


def set_cookie(response: Response, cookie: Cookie, origin: str) -> None:
    """Set a cookie that no script reads and no other site has sent."""
    response.set_cookie(
        cookie.name,
        cookie.value,
        max_age=cookie.max_age_s,
        path="/",
        secure=is_encrypted(origin),
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"


def refuse_forged(request: Request, public: str | None) -> Response | None:
    """Refuse what another site sent; None where it is of our own pages."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or not is_own_origin(request.headers, public):
        return PlainTextResponse("This is for Ebbtide's own pages.", 403)
    return None
