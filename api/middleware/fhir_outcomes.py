"""Below ``/fhir`` every error is an OperationOutcome, also one that was made before its routes."""

from __future__ import annotations

import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.fhir import MEDIA_TYPE, is_fhir_path, outcome_of
from api.http.held_responses import hold_response

_PROBLEM = "application/problem+json"


class FhirOutcomesMiddleware:
    """Turn problems of FHIR's paths into OperationOutcomes.

    Limits of rate and size, 405, 412, 415 and a store that is away are answered by parts that know
    no FHIR; a client of FHIR reads its errors in one form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_fhir_path(scope["path"]):
            send = hold_response(send, _is_problem, _to_outcome)
        await self._app(scope, receive, send)


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(_PROBLEM)


def _to_outcome(start: Message, body: bytes) -> tuple[Message, bytes]:
    headers = MutableHeaders(raw=start["headers"])
    if not body:  # of HEAD
        headers["content-type"] = MEDIA_TYPE
        del headers["content-length"]
        return start, body
    try:
        detail = str(json.loads(body)["detail"])
    except (ValueError, TypeError, KeyError):  # cut short, or compressed, which only long ones are
        return start, body
    outcome = json.dumps(outcome_of(start["status"], detail), ensure_ascii=False).encode()
    headers["content-type"] = MEDIA_TYPE
    headers["content-length"] = str(len(outcome))
    return start, outcome
