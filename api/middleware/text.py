"""Refuse a request with text that no store can hold, whatever the field and the store."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import FieldProblem, problem_response
from api.http.text import PROBLEM, find_unstorable_in_body


class TextMiddleware:
    """Refuse with 422 a NUL character or half of a surrogate pair in path, query or JSON body.

    Paths that end in one of ``read_by_entry`` skip single entries of a body, and do so themselves.
    """

    def __init__(self, app: ASGIApp, read_by_entry: Sequence[str] = ()) -> None:
        self._app = app
        self._read_by_entry = tuple(read_by_entry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            field = "path" if "\x00" in scope["path"] else "query"
            await _refuse(field)(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD", "DELETE", "OPTIONS") or scope["path"].endswith(
            self._read_by_entry
        ):
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []
        try:
            while not messages or messages[-1].get("more_body", False):
                messages.append(await receive())
        except HTTPException as error:  # a body that is too large or too slow
            await problem_response(error.status_code, error.detail)(scope, receive, send)
            return
        field_in_body = find_unstorable_in_body(b"".join(m.get("body", b"") for m in messages))
        if field_in_body is not None:
            await _refuse(field_in_body)(scope, receive, send)
            return
        waiting = iter(messages)

        async def replay() -> Message:
            message = next(waiting, None)
            return await receive() if message is None else message

        await self._app(scope, replay, send)


def _refuse(field: str) -> ASGIApp:
    return problem_response(
        422, f"{field}: {PROBLEM}", [FieldProblem(field=field, problem=PROBLEM)]
    )
