"""The requests of the ingester to the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from ebbtide import timestamps
from ebbtide.beats import Activity, Gap, Notification, Stream
from ebbtide.errors import EbbtideError
from ebbtide.upload_schema import (
    AcknowledgedBody,
    ActivityBody,
    ActivityUploadBody,
    GapBody,
    NotificationBody,
    StreamBody,
    UploadBody,
)


class RefusedError(EbbtideError):
    """The API refused the request, and would refuse it again."""


class UnavailableError(EbbtideError):
    """The API could not answer now; later it may. ``retry_after_s``: when, as far as it says so."""

    def __init__(self, what: str, remedy: str, retry_after_s: float | None = None) -> None:
        super().__init__(what, remedy)
        self.retry_after_s = retry_after_s


class IngestClient:
    """Send requests to the API at ``base_url``, signed in with ``token``."""

    def __init__(self, base_url: str, token: str = "", timeout: float = 30.0) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout)
        self._token = token

    async def __aenter__(self) -> IngestClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def sign_in(self, email: str, password: str, device: str | None = None) -> str:
        """Sign in; the token is used from here on, and returned to be stored. With the name of a
        ``device`` it is a token for uploads alone, which lives longer.
        """
        body = {"email": email, "password": password}
        if device is not None:
            body["device"] = device
        answer = await self._send("POST", "/v1/sign-in", body)
        self._token = answer.json()["token"]
        return self._token

    async def account(self) -> str:
        """The id of the person signed in."""
        answer = await self._send("GET", "/v1/me")
        return str(answer.json()["id"])

    async def zone(self) -> str:
        """The time zone of the person signed in."""
        answer = await self._send("GET", "/v1/me")
        return str(answer.json()["zone"])

    async def announce(self, stream: Stream) -> None:
        """Create the stream at the API. Idempotent."""
        body = _stream_body(stream)
        await self._send("PUT", f"/v1/streams/{stream.id}", body.model_dump(mode="json"))

    async def upload(
        self,
        stream_id: str,
        notifications: Sequence[Notification],
        gaps: Sequence[Gap],
        stream: Stream | None = None,
    ) -> int:
        """Send one batch; the highest sequence number up to which nothing is missing there.

        With its ``stream``, the API creates it if it does not have it: one request for a recording
        of a file and not two.
        """
        with _refuse_invalid():
            body = UploadBody.model_construct(
                stream=None if stream is None else _stream_body(stream),
                first=notifications[0].sequence,
                last=notifications[-1].sequence,
                notifications=[NotificationBody.from_notification(item) for item in notifications],
                gaps=[GapBody.from_gap(gap) for gap in gaps],
            )
        answer = await self._send(
            "POST",
            f"/v1/streams/{stream_id}/notifications",
            body.model_dump(mode="json", exclude={"stream"} if stream is None else None),
        )
        return AcknowledgedBody.model_validate(answer.json()).acknowledged

    async def upload_activity(self, stream_id: str, spans: Sequence[Activity]) -> None:
        """Send spans of activity. Idempotent."""
        with _refuse_invalid():
            body = ActivityUploadBody.model_construct(
                spans=[ActivityBody.from_activity(span) for span in spans]
            )
        await self._send("POST", f"/v1/streams/{stream_id}/activity", body.model_dump(mode="json"))

    async def clock_offset_s(self) -> float:
        """How far this computer's clock is ahead of the API's, in seconds (to about 1 s)."""
        answer = await self._send("GET", "/v1/ready")
        there = parsedate_to_datetime(answer.headers["date"]).timestamp()
        return timestamps.now_ns() / timestamps.SECOND - there - 0.5

    async def _send(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
        except httpx.InvalidURL as error:
            raise RefusedError(
                f"{self._http.base_url} is not an address: {error}.", "Check EBBTIDE_API_URL."
            ) from error
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"No answer from {self._http.base_url} ({type(error).__name__}).",
                "Check that the API runs (ebbtide serve). What is recorded waits in the outbox.",
            ) from error
        if answer.is_success:
            return answer
        why = _problem(answer)
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise UnavailableError(
                f"The API could not answer ({why.rstrip('.')}).",
                "It is tried again.",
                _retry_after_s(answer),
            )
        raise RefusedError(
            f"The API refused: {why.rstrip('.')}.", "What is recorded stays in the outbox."
        )


@contextmanager
def _refuse_invalid() -> Iterator[None]:
    """Turn what the upload format cannot hold into a refusal, as the API would answer it."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(
            f"This cannot be uploaded: {where}: {first['msg']}.",
            "What is recorded stays in the outbox.",
        ) from error


def _stream_body(stream: Stream) -> StreamBody:
    return StreamBody(
        origin=stream.origin,
        source=stream.source,
        created_ns=stream.created_ns,
        ticks_per_second=stream.ticks_per_second,
    )


def _retry_after_s(answer: httpx.Response) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, section 10.2.3), which may be a date."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    return max(0.0, moment - timestamps.now_ns() / timestamps.SECOND)


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem["title"])
    except (ValueError, KeyError, AttributeError):
        return f"status {answer.status_code}"
