"""An answer of the API as text."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from clinic import Clinic
from normalising import decoded, printable, shortened
from product import Product

WHOLE = {"start": "2026-10-20T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
DAYS = {"start": "2026-11-19T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
HOUR = {"start": "2026-11-20T17:10:00Z", "end": "2026-11-20T18:00:00Z"}
BACKWARDS = {"start": "2026-11-21T00:00:00Z", "end": "2026-11-20T00:00:00Z"}
UNSTABLE_HEADERS = ("date", "content-length", "x-request-id")


def answer_text(product: Product, who: str, answer: httpx.Response, body: object = None) -> str:
    """Status, headers and content of an answer."""
    request = answer.request
    kind = answer.headers.get("content-type", "").partition(";")[0]
    try:
        if kind == "application/vnd.apache.parquet":
            text = decoded(answer.content, "parquet")
        elif kind == "application/vnd.apache.arrow.stream":
            text = decoded(answer.content, "arrow")
        else:
            text = printable(answer.text)
    except Exception as error:
        text = f"not decoded: {error!r}"
    headers = "".join(
        f"{name}: {'<is there>' if name in UNSTABLE_HEADERS else value}\n"
        for name, value in sorted(answer.headers.items())
        if name != "content-length"
    )
    headers = re.sub(r'(etag: (?:W/)?)"[^"]*"', r'\1"<etag>"', headers)
    sent = "" if body is None else json.dumps(body, ensure_ascii=False)[:1000] + "\n"
    path = request.url.raw_path.decode()
    words = f"=== {who}: {request.method} {path}\n{sent}{answer.status_code}\n{headers}\n{text}\n"
    return shortened(product.normalise(words))


def request_text(clinic: Clinic, who: str, method: str, path: str, **more: Any) -> tuple[str, bool]:
    """What is answered, or why nothing was; and whether it was a success."""
    client = clinic.clients[who]
    try:
        answer = client.request(method, path, **more)
        body = more.get("json", more.get("content"))
        if isinstance(body, bytes):
            body = body.decode()
        return answer_text(clinic.product, who, answer, body), answer.is_success
    except Exception as error:
        words = f"=== {who}: {method} {path}\nnot answered: {type(error).__name__}\n"
        return clinic.product.normalise(words), False
