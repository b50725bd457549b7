"""What HTTP demands of every request, whatever its route (RFC 9110, RFC 9112)."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import problem_response
from api.http.routing import matches_route

# A thousand pseudonyms fit. Proxies mostly stop at 8 KiB, and say so themselves.
MAX_URI_BYTES = 60 * 2**10
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_WRITING = frozenset({*_WITH_BODY, "DELETE"})


class RequestRulesMiddleware:
    """Refuse what would else be guessed: 400 for no or several ``Host``, 414 for a URI beyond 60
    KiB, 415 for a body that is no JSON or is compressed, 412 for a condition on a write that this
    API does not evaluate.
    """

    def __init__(self, app: ASGIApp, routes: Starlette) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refuse(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) > 1 or (not hosts and scope.get("http_version", "1.1") != "1.0"):
            return problem_response(
                400,
                f"The request has {len(hosts)} Host headers: send exactly one (RFC 9112, 3.2).",
                headers={"Connection": "close"},
                kind="host",
            )
        length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if length > MAX_URI_BYTES:
            return problem_response(
                414, f"The address is longer than {MAX_URI_BYTES // 1024} KiB: ask in parts."
            )
        method = scope["method"]
        if method in _WRITING:
            for name in ("if-match", "if-none-match"):
                if name in headers and matches_route(self._routes, scope):
                    return problem_response(
                        412,
                        f"{name.title()} is not evaluated on a write: send the `version` that you "
                        "saw, in the body or the query.",
                        kind="condition",
                    )
        if method in _WITH_BODY and _has_body(headers):
            return self._refuse_body(scope, headers)
        return None

    def _refuse_body(self, scope: Scope, headers: Headers) -> Response | None:
        coding = headers.get("content-encoding", "").strip().lower()
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == "application/json" or (
            kind.startswith("application/") and kind.endswith("+json")
        )
        if (is_json and coding in ("", "identity")) or not matches_route(self._routes, scope):
            return None
        if coding not in ("", "identity"):
            return problem_response(
                415,
                f"Content-Encoding {coding} is not taken: send the body as it is.",
                headers={"Accept-Encoding": "identity"},
            )
        what = f"Content-Type {kind} is not taken" if kind else "The body has no Content-Type"
        return problem_response(
            415,
            f"{what}: send application/json.",
            headers={"Accept-Post": "application/json"} if scope["method"] == "POST" else None,
        )


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0"
