"""Serve the app for phones at ``/app``, to anybody: there is nothing of a person in its files.

Before the limits: a phone that installs the app fetches all its files at once, and people of one
clinic share an address.
"""

from __future__ import annotations

from pathlib import Path

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import problem_response
from phone.files import INDEX, STATIC, AppFile, AppFiles, load_files

_PREFIX = "/app/"
# Own files only, nothing inline, no frame, no form; scripts set no HTML but through one policy.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "media-src 'self' blob:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types ebbtide",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "bluetooth=(self), screen-wake-lock=(self), camera=(), geolocation=(), "
    "microphone=()",
    # Names have no version in them: browsers ask each time whether it is still that one (304),
    # and the service worker answers from its cache.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}


class PhoneFilesMiddleware:
    """Answer ``/app`` and what is below, and nothing else."""

    def __init__(self, app: ASGIApp, folder: Path = STATIC) -> None:
        self._app = app
        self._folder = folder
        self._files: AppFiles | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path != "/app" and not path.startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        await (await self._respond(scope, path))(scope, receive, send)

    async def _respond(self, scope: Scope, path: str) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return problem_response(
                405, "The files of the app are read only.", headers={"Allow": "GET, HEAD"}
            )
        if path == "/app":
            return RedirectResponse(_PREFIX, 308)
        if self._files is None:  # once; what was read stays, though the files be replaced
            self._files = await run_in_threadpool(load_files, self._folder)
        file = self._files.files.get(path.removeprefix(_PREFIX) or INDEX)
        if file is None:
            return problem_response(404, "The app has no such file.")
        return _file_response(file, Headers(scope=scope))


def _file_response(file: AppFile, headers: Headers) -> Response:
    accepted = {
        word.partition(";")[0].strip()
        for word in headers.get("accept-encoding", "").lower().split(",")
        if "q=0" not in word.replace(" ", "").replace("q=0.", "")
    }
    is_compressed = file.compressed is not None and "gzip" in accepted
    # Of each form its own (RFC 9110, 8.8.3.3).
    tag = f'"{file.sha256}{"-gzip" if is_compressed else ""}"'
    more = {**_HEADERS, "ETag": tag}
    known = headers.get("if-none-match", "").split(",")
    given = {word.strip().removeprefix("W/") for word in known}
    if tag in given or "*" in given:
        return Response(status_code=304, headers=more)
    content = file.content
    if is_compressed and file.compressed is not None:
        content = file.compressed
        more["Content-Encoding"] = "gzip"
    return Response(content, headers=more, media_type=file.media_type)
