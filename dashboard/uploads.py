"""Admit files to the pages' server: of those who are signed in, and as many as its memory has room
for.

Streamlit takes a file from whoever has opened a page, also before signing in, and holds it in
memory until their session ends: without a bound a stranger could fill the memory of all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.browser_cookies import session_cookie
from ebbtide.client import ApiError, Client
from ebbtide.settings import Settings

_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+/?")
_MIB = 2**20
# A page takes 200 MB at once (components/file_job.py), and lets go of them when it has stored them.
MAX_FILE_BYTES, MAX_PERSON_BYTES, MAX_BYTES = 201 * _MIB, 402 * _MIB, 1024 * _MIB


class UploadGate:
    """Pass uploads on to ``app``, or refuse them.

    ``find_account`` returns whom a token signs in, or None; ``held_bytes`` how many bytes each
    session of the pages holds now.
    """

    def __init__(
        self,
        app: ASGIApp,
        find_account: Callable[[str], str | None],
        held_bytes: Callable[[], Mapping[str, int]],
    ) -> None:
        self._app = app
        self._find_account = find_account
        self._held_bytes = held_bytes
        self._accounts: dict[str, str] = {}  # by session
        self._arriving: list[tuple[str, int]] = []  # accounts, and bytes that are being sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] in ("OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if not length.isdecimal() or len(length) > 12:
            await _refuse(send, 411)
            return
        size = int(length)
        if size > MAX_FILE_BYTES:
            await _refuse(send, 413)
            return
        token = cookie_parser(headers.get("cookie", "")).get(
            session_cookie(headers.get("origin", ""))
        )
        account = None if not token else await run_in_threadpool(self._find_account, token)
        if account is None:
            await _refuse(send, 403)
        elif not self._has_room(account, size):
            await _refuse(send, 503)
        else:
            with self._reserved(found[1], account, size):
                await self._app(scope, receive, send)

    def _has_room(self, account: str, size: int) -> bool:
        held = self._held_bytes()
        self._accounts = {key: value for key, value in self._accounts.items() if key in held}
        theirs = sum(n for key, n in held.items() if self._accounts.get(key) == account)
        theirs += sum(n for who, n in self._arriving if who == account)
        of_all = sum(held.values()) + sum(n for _, n in self._arriving)
        return theirs + size <= MAX_PERSON_BYTES and of_all + size <= MAX_BYTES

    @contextmanager
    def _reserved(self, session: str, account: str, size: int) -> Iterator[None]:
        item = (account, size)
        self._arriving.append(item)
        try:
            yield
        finally:
            self._arriving.remove(item)
            self._accounts[session] = account


def find_account(token: str) -> str | None:
    """Ask the API whom a token signs in; None where nobody, or it does not answer."""
    try:
        return str(Client(Settings().api_url, token).me()["id"])
    except ApiError:
        return None


def held_bytes() -> dict[str, int]:
    """Return how many bytes of files Streamlit holds for each session."""
    from streamlit.runtime import Runtime
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    files = Runtime.instance().uploaded_file_mgr
    if not isinstance(files, MemoryUploadedFileManager):
        raise TypeError(f"Streamlit holds files in {type(files).__name__}")
    return {
        session: sum(len(file.data) for file in list(of_session.values()))
        for session, of_session in list(files.file_storage.items())
    }


async def _refuse(send: Send, status: int) -> None:
    # Without reading the body: the connection is closed, and the browser says that it failed.
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
