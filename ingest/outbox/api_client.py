"""The requests of the ingester to the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import ValidationError

from ebbtide import timestamps
from ebbtide.api_address import require_encrypted
from ebbtide.beats import Activity, Gap, Notification, Origin, Stream
from ebbtide.errors import EbbtideError
from ebbtide.upload_schema import (
    AcknowledgedBody,
    ActivityBody,
    ActivityUploadBody,
    GapBody,
    GenerationBody,
    NotificationBody,
    StreamBody,
    UploadBody,
)

# How the sentence begins that says so to a person.
WAITS_FOR_CONSENT = "It waits for consent"
_WITHDRAWN = "ebbtide-withdrawn-ns"


class RefusedError(EbbtideError):
    """The API refused the request, and would refuse it again. ``status``: of its answer, if any;
    ``kind``: the last part of its problem's type.
    """

    def __init__(self, what: str, remedy: str, status: int | None = None, kind: str = "") -> None:
        super().__init__(what, remedy)
        self.status = status
        self.kind = kind


class RemovedError(RefusedError):
    """The person removed the stream at ``removed_ns``."""

    def __init__(self, what: str, remedy: str, removed_ns: int) -> None:
        super().__init__(what, remedy, 410, "removed")
        self.removed_ns = removed_ns


class ErasedError(RefusedError):
    """Everything of the person was erased."""


class ConsentMissingError(RefusedError):
    """The person does not agree that their beats are kept: what is recorded waits for that."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{WAITS_FOR_CONSENT}: {why}.",
            "What is recorded stays on this machine, and goes up within a minute after that.",
            403,
            "consent",
        )


class UnavailableError(EbbtideError):
    """The API could not answer now; later it may. ``retry_after_s``: when, as far as it says so."""

    def __init__(self, what: str, remedy: str, retry_after_s: float | None = None) -> None:
        super().__init__(what, remedy)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class StoredStream:
    """What the store has of one stream. ``first_ns``, ``last_ns``: its first and last beat."""

    id: str
    origin: Origin
    source: str
    acknowledged: int
    beats: int
    first_ns: int | None
    last_ns: int | None


class IngestClient:
    """Send requests to the API at ``base_url``, signed in with ``token``."""

    def __init__(self, base_url: str, token: str = "", timeout: float = 30.0) -> None:
        self._http = httpx.AsyncClient(base_url=require_encrypted(base_url), timeout=timeout)
        self._token = token
        self.last_generation: GenerationBody | None = None  # that an upload's answer carried
        # When consent was taken back whose data the service has erased since, by the last answer.
        self.withdrawn_ns: int | None = None
        # Whether new beats are taken, by the last list of streams; an API of before does not say.
        self.keeping: str | None = None

    async def __aenter__(self) -> IngestClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def sign_in(
        self, email: str, password: str, device: str | None = None, code: str | None = None
    ) -> str:
        """Sign in; the token is used from here on, and returned to be stored. With the name of a
        ``device`` it is a token for uploads alone, which lives longer. ``code``: of an app, where a
        RefusedError of the kind "second-factor" asks for it.
        """
        body = {"email": email, "password": password}
        body |= {} if device is None else {"device": device}
        body |= {} if code is None else {"code": code}
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

    async def generation(self) -> GenerationBody:
        """Which state of its store the API serves."""
        answer = await self._send("GET", "/v1/generation")
        return GenerationBody.model_validate(answer.json())

    async def stored_streams(self) -> dict[str, StoredStream]:
        """What the store has of each stream of the person signed in, by id."""
        answer = await self._send("GET", "/v1/streams")
        self.keeping = answer.json().get("keeping")
        return {
            row["id"]: StoredStream(
                row["id"],
                Origin(row["origin"]),
                row["source"],
                row["acknowledged"],
                row["beats"],
                row["first_beat_ns"],
                row["last_beat_ns"],
            )
            for row in answer.json()["streams"]
        }

    async def remove_stream(self, stream_id: str) -> int:
        """Remove a stream from the store; how many beats it had."""
        answer = await self._send("DELETE", f"/v1/streams/{stream_id}")
        return int(answer.json()["beats"])

    async def announce(self, stream: Stream, imported_ns: int | None = None) -> None:
        """Create the stream at the API, even if it was removed before ``imported_ns``.
        Idempotent.
        """
        body = _stream_body(stream, imported_ns).model_dump(
            mode="json", exclude=_unsaid(imported_ns)
        )
        await self._send("PUT", f"/v1/streams/{stream.id}", body)

    async def upload(
        self,
        stream_id: str,
        notifications: Sequence[Notification],
        gaps: Sequence[Gap],
        stream: Stream | None = None,
        imported_ns: int | None = None,
    ) -> int:
        """Send one batch; the highest sequence number up to which nothing is missing there.

        With its ``stream``, the API creates it if it does not have it: one request for a recording
        of a file and not two; even if it was removed before
        ``imported_ns``.
        """
        with _refuse_invalid():
            body = UploadBody.model_construct(
                stream=None if stream is None else _stream_body(stream, imported_ns),
                first=notifications[0].sequence,
                last=notifications[-1].sequence,
                notifications=[NotificationBody.from_notification(item) for item in notifications],
                gaps=[GapBody.from_gap(gap) for gap in gaps],
            )
        answer = await self._send(
            "POST",
            f"/v1/streams/{stream_id}/notifications",
            body.model_dump(
                mode="json",
                exclude={"stream"} if stream is None else {"stream": _unsaid(imported_ns)},
            ),
        )
        found = AcknowledgedBody.model_validate(answer.json())
        self.last_generation = found.generation
        return found.acknowledged

    async def upload_activity(self, stream_id: str, spans: Sequence[Activity]) -> None:
        """Send spans of activity. Idempotent."""
        with _refuse_invalid():
            body = ActivityUploadBody.model_construct(
                spans=[ActivityBody.from_activity(span) for span in spans]
            )
        await self._send("POST", f"/v1/streams/{stream_id}/activity", body.model_dump(mode="json"))

    async def put_nights(self, nights: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
        """Store nights; how many were new, fuller than before, and there already."""
        answer = await self._send("PUT", "/v1/nights", {"nights": list(nights)})
        found = answer.json()
        return found["new"], found["grown"], found["known"]

    async def stored_nights(self) -> dict[tuple[str, str], tuple[int, int]]:
        """The windows and steps of each stored night, by source and day."""
        answer = await self._send("GET", "/v1/nights")
        return {
            (row["source"], row["day"]): (row["windows"], row["steps"])
            for row in answer.json()["nights"]
        }

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
        if answer.headers.get(_WITHDRAWN, "").isdigit():
            self.withdrawn_ns = int(answer.headers[_WITHDRAWN])
        if answer.is_success:
            return answer
        why = _problem(answer)
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise UnavailableError(
                f"The API could not answer ({why.rstrip('.')}).",
                "It is tried again.",
                _retry_after_s(answer),
            )
        raise _refusal(answer, why)


def _refusal(answer: httpx.Response, why: str) -> RefusedError:
    what, kind = f"The API refused: {why.rstrip('.')}.", _problem_kind(answer)
    if answer.status_code == 410 and kind == "removed":
        removed_ns = int(answer.headers.get("ebbtide-removed-ns", "0"))
        return RemovedError(what, "It is not sent again.", removed_ns)
    if answer.status_code == 410 and kind == "erased":
        return ErasedError(what, "What this machine held of them is deleted.", 410, kind)
    if answer.status_code == 403 and kind == "consent":
        return ConsentMissingError(why.rstrip("."))
    return RefusedError(what, "What is recorded stays in the outbox.", answer.status_code, kind)


def _problem_kind(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return ""


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


def _unsaid(imported_ns: int | None) -> set[str]:
    """Leave the field out where it says nothing: an API of before does not take it."""
    return set() if imported_ns is not None else {"imported_ns"}


def _stream_body(stream: Stream, imported_ns: int | None = None) -> StreamBody:
    return StreamBody(
        origin=stream.origin,
        source=stream.source,
        created_ns=stream.created_ns,
        ticks_per_second=stream.ticks_per_second,
        imported_ns=imported_ns,
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
