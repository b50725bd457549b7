"""Below ``/fhir`` every error is an OperationOutcome, also one that was made before its routes."""

from __future__ import annotations

import json
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.fhir import MEDIA_TYPE, outcome_of

_FHIR = re.compile(r"/v1/(patients/[^/]+/)?fhir(/|$)")
_PROBLEM = "application/problem+json"


class FhirOutcomesMiddleware:
    """Turn problems of FHIR's paths into OperationOutcomes, and give back a stored response of one
    the media type that it had.

    Limits of rate and size, 405, 412, 415 and a store that is away are answered by parts that know
    no FHIR; a client of FHIR reads its errors in one form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _FHIR.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def send_outcome(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                is_problem = headers.get("content-type", "").startswith(_PROBLEM)
                if is_problem or "idempotency-replayed" in headers:
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if message.get("more_body", False):
                    return
                content = _as_fhir(start, bytes(body))
                await send(start)
                start = None
                await send({"type": "http.response.body", "body": content})
                return
            await send(message)

        await self._app(scope, receive, send_outcome)


def _as_fhir(start: Message, body: bytes) -> bytes:
    """Set the media type of FHIR where the body is a resource, or is made one."""
    headers = MutableHeaders(raw=start["headers"])
    is_problem = headers.get("content-type", "").startswith(_PROBLEM)
    if not body:  # of HEAD
        if is_problem:
            headers["content-type"] = MEDIA_TYPE
            del headers["content-length"]
        return body
    try:
        content = json.loads(body)
    except ValueError:  # compressed, or cut short
        return body
    if not isinstance(content, dict):
        return body
    if "resourceType" not in content:
        if not is_problem:
            return body
        outcome = outcome_of(start["status"], str(content.get("detail", "")))
        body = json.dumps(outcome, ensure_ascii=False).encode()
        headers["content-length"] = str(len(body))
    headers["content-type"] = MEDIA_TYPE
    return body
