"""``Location`` on 201: where the thing that was made is (RFC 9110, 15.3.2).

Made here from path and body, so that a repeated request, which is answered from its record, has it
as well.
"""

from __future__ import annotations

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.held_responses import hold_response

# Below the path, by the field of the body that names it; or elsewhere. Links that are used once
# (invitations, passwords) have no address.
_BY_FIELD = {"/v1/ratings": "id", "/v1/notes": "id", "/v1/tokens": "id"}
_ELSEWHERE = {"/v1/consents": "/v1/consents", "/v1/invitations/accept": "/v1/me"}


class CreatedMiddleware:
    """Add ``Location`` to what was made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or path not in _BY_FIELD.keys() | _ELSEWHERE.keys()
        ):
            await self._app(scope, receive, send)
            return

        def is_held(start: Message) -> bool:
            return bool(start["status"] == 201)

        def finish(start: Message, body: bytes) -> tuple[Message, bytes]:
            location = _ELSEWHERE.get(path) or f"{path}/{json.loads(body)[_BY_FIELD[path]]}"
            MutableHeaders(scope=start)["Location"] = location
            return start, body

        await self._app(scope, receive, hold_response(send, is_held, finish))
