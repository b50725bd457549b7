"""The API from Python, one method a resource.

    from ebbtide.client import Client

    with Client.sign_in("http://127.0.0.1:8420", "ann@example.org", password) as api:
        ratings = api.research.ratings()      # a pandas frame; frames="polars" for polars
        windows = api.research.hrv()

Tables come as Arrow and become frames without a detour; what is told in words comes as JSON.
Reading is tried again when the API says when to come back; writes carry an Idempotency-Key, so they
are too.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import pyarrow as pa

Frames = Literal["pandas", "polars"]
_TIMEOUT_S = 60.0
_MAX_ATTEMPTS = 3
_RETRY_STATUS = frozenset({429, 503})


class ApiError(Exception):
    """The API said no, or did not answer. ``kind`` is the end of the problem's type, ``fields``
    what was wrong with which field.
    """

    def __init__(
        self,
        words: str,
        status: int | None = None,
        kind: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(words)
        self.status = status
        self.kind = kind
        self.fields = dict(fields or {})


class SignedOutError(ApiError):
    """The sign-in is over."""


class UnavailableError(ApiError):
    """The API, or its store, does not answer now. Nothing is lost."""


@cache
def _connections(url: str) -> httpx.Client:
    """One pool for all clients of this process: it carries no sign-in."""
    return httpx.Client(base_url=url, timeout=_TIMEOUT_S)


class _Transport:
    """Requests with a token."""

    patience_s = 10.0  # longer than that it does not wait before it tries again

    def __init__(self, url: str, token: str | None, frames: Frames, prefix: str = "/v1") -> None:
        self.url = url
        self.token = token
        self.frames: Frames = frames
        self._prefix = prefix

    def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, object] | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        prefix: str | None = None,
    ) -> Any:
        answer = self._send(method, path, body, params, timeout_s=timeout_s, prefix=prefix)
        return answer.json() if answer.content else None

    def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, object] | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        prefix: str | None = None,
        accept: str = "application/json",
    ) -> httpx.Response:
        headers = {"Accept": accept}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
            if method != "GET":
                headers["Idempotency-Key"] = str(uuid.uuid4())
        address = f"{self._prefix if prefix is None else prefix}/{path}"
        for attempt in range(_MAX_ATTEMPTS):
            last = attempt == _MAX_ATTEMPTS - 1
            try:
                answer = _connections(self.url).request(
                    method,
                    address,
                    json=body,
                    params=_params(params),
                    headers=headers,
                    timeout=timeout_s,
                )
            except httpx.HTTPError as error:
                if last or isinstance(error, httpx.ConnectError):
                    raise UnavailableError(
                        f"The API at {self.url} does not answer ({type(error).__name__})."
                    ) from error
                continue
            wait = _wait_s(answer)
            if answer.status_code not in _RETRY_STATUS or last or wait > self.patience_s:
                break
            time.sleep(wait)
        if answer.is_success:
            return answer
        raise _error(answer, signing_in=path == "sign-in")

    def _table(self, path: str, **params: object) -> Any:
        answer = self._send(
            "GET", path, params=params, accept="application/vnd.apache.arrow.stream", timeout_s=600
        )
        return _frame(pa.ipc.open_stream(answer.content).read_all(), self.frames)


class _Tables(_Transport):
    """The tables that a person, a therapist's patient, or a cohort has."""

    _tables = "export"

    def beats(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        since: datetime | None = None,
        **more: object,
    ) -> Any:
        """RR intervals with their times: ``time``, ``rr_ms``, ``follows`` (whether the interval
        began at the beat before), ``contact``, ``stream``.
        """
        found = self._table(f"{self._tables}/beats", start=start, end=end, since=since, **more)
        return _with_ms(found, self.frames)

    def hrv(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        since: datetime | None = None,
        **more: object,
    ) -> Any:
        """Five-minute windows: heart rate, RMSSD, SDNN, stress index with its interval."""
        return self._table(f"{self._tables}/hrv", start=start, end=end, since=since, **more)

    def ratings(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        since: datetime | None = None,
        **more: object,
    ) -> Any:
        """Ratings of pain, stress and pleasant sensations."""
        return self._table(f"{self._tables}/ratings", start=start, end=end, since=since, **more)

    def sessions(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        since: datetime | None = None,
        **more: object,
    ) -> Any:
        """Therapy sessions."""
        return self._table(f"{self._tables}/sessions", start=start, end=end, since=since, **more)

    def link(self, span: str = "30 minutes", **more: object) -> Any:
        """The rows of the link report: estimate, interval, n, words, or why there is none."""
        return self._table(f"{self._tables}/link", span=span, **more)


class Research(_Tables):
    """What an analyst sees: people who agreed, by pseudonym. Tables take ``person=[...]``."""

    _tables = "research"

    def people(self) -> list[dict[str, Any]]:
        """Who agreed, and how much there is of them."""
        found: list[dict[str, Any]] = self._ask("GET", "research/people")["people"]
        return found

    def clinic_link(self) -> dict[str, Any]:
        """The link of pain with stress over everybody, with what it assumes."""
        found: dict[str, Any] = self._ask("GET", "research/clinic-link")
        return found


class Client(_Tables):
    """The API for the person of ``token``; or of a therapist's patient, see ``patient``.

    Raises ApiError, SignedOutError, AwayError.
    """

    def __init__(self, url: str, token: str | None = None, frames: Frames = "pandas") -> None:
        super().__init__(url, token, frames)

    @classmethod
    def sign_in(cls, url: str, email: str, password: str, frames: Frames = "pandas") -> Self:
        """A client that is signed in; used as a context, it signs out at the end."""
        client = cls(url, None, frames)
        client.token = client.new_token(email, password)
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sign_out()

    def new_token(self, email: str, password: str) -> str:
        """The token of a new sign-in."""
        return str(self._ask("POST", "sign-in", {"email": email, "password": password})["token"])

    def sign_out(self) -> None:
        """End this sign-in."""
        self._ask("POST", "sign-out", prefix="/v1")

    def patient(self, patient_id: str) -> Client:
        """The same for a patient in one's care, who has agreed."""
        found = Client(self.url, self.token, self.frames)
        found._prefix = f"/v1/patients/{patient_id}"
        return found

    @property
    def research(self) -> Research:
        """What an analyst sees."""
        return Research(self.url, self.token, self.frames)

    def me(self) -> dict[str, Any]:
        """Who is signed in."""
        return self._dict("GET", "me", prefix="/v1")

    def patients(self) -> list[dict[str, Any]]:
        """The patients in one's care."""
        return self._list("GET", "patients", prefix="/v1")

    def therapists(self) -> list[dict[str, Any]]:
        """In whose care one is."""
        return self._list("GET", "therapists")

    def looks(self) -> list[dict[str, Any]]:
        """Who looked at one's data, newest first."""
        return list(self._dict("GET", "me/looks")["looks"])

    def rate(self, rating: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a rating: pain, stress, and perhaps more."""
        return self._dict("POST", "ratings", dict(rating))

    def correct(self, rating_id: str, rating: Mapping[str, Any]) -> dict[str, Any]:
        """Correct a rating; ``version`` is the one that you saw."""
        return self._dict("PUT", f"ratings/{rating_id}", dict(rating))

    def withdraw(self, rating_id: str, version: int) -> dict[str, Any]:
        """Withdraw a rating."""
        return self._dict("DELETE", f"ratings/{rating_id}", params={"version": version})

    def rating_list(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """All ratings of a range as they are told, page by page."""
        return list(self._pages("ratings", "ratings", start=start, end=end, limit=1000))

    def session_list(self) -> list[dict[str, Any]]:
        """Therapy sessions as they are told."""
        return self._list("GET", "sessions")

    def put_session(
        self, number: int, held: datetime, version: int | None = None
    ) -> dict[str, Any]:
        """Plan or move a session."""
        body = {"held": held.isoformat(), "version": version}
        return self._dict("PUT", f"sessions/{number}", body)

    def streams(self) -> dict[str, Any]:
        """What is kept of beats, stream by stream."""
        return self._dict("GET", "streams")

    def gaps(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> list[dict[str, Any]]:
        """Times without beats."""
        return self._list("GET", "gaps", params={"start": start, "end": end})

    def trend(self, start: datetime, end: datetime, bucket_s: int) -> dict[str, Any]:
        """Medians of five-minute windows, with the stress index."""
        params = {"start": start, "end": end, "bucket_s": bucket_s}
        # The very first look at a year works out every day of it: half a minute.
        return self._dict("GET", "hrv/trend", params=params, timeout_s=120)

    def link_report(self, span: str = "30 minutes") -> dict[str, Any]:
        """The link report over all there is, in words and numbers."""
        return self._dict("GET", "link", params={"span": span})

    def therapy(self) -> dict[str, Any]:
        """The course of the programme."""
        return self._dict("GET", "therapy")

    def live_now(self) -> dict[str, Any]:
        """The heart of the last minute, or why it is not known."""
        return self._dict("GET", "live/now")

    def share_live(self, minutes: int) -> dict[str, Any]:
        """Let one's therapists watch for so long; 0 ends it."""
        return self._dict("PUT", "live/sharing", {"minutes": minutes})

    def live_sharing(self) -> dict[str, Any]:
        """Until when one's therapists may watch."""
        return self._dict("GET", "live/sharing")

    def programme(self) -> dict[str, Any]:
        """Where one is in the programme, and the next small step."""
        return self._dict("GET", "programme")

    def put_programme(self, **changes: Any) -> dict[str, Any]:
        """Change what one decides: physical_cause_ruled_out, started, ratings_a_day."""
        return self._dict("PUT", "programme", changes)

    def mark_read(self, reading: str) -> None:
        """Mark a reading as read."""
        self._ask("PUT", f"programme/readings/{reading}")

    def notes(self) -> list[dict[str, Any]]:
        """Triggers, fears, stressors, what helped, what was pleasant."""
        return self._list("GET", "notes")

    def note(self, kind: str, words: str) -> dict[str, Any]:
        """Keep a note about now."""
        return self._dict("POST", "notes", {"kind": kind, "words": words})

    def delete_note(self, note_id: str) -> None:
        """Remove a note."""
        self._ask("DELETE", f"notes/{note_id}")

    def patterns(self) -> dict[str, Any]:
        """What was noted on harder days, and on the others."""
        return self._dict("GET", "notes/patterns")

    def practices(self) -> list[dict[str, Any]]:
        """Guided practices."""
        return self._list("GET", "practices")

    def practices_around(self) -> dict[str, Any]:
        """Heart and ratings before, during and after practices."""
        return self._dict("GET", "practices/around")

    def put_practice(self, practice_id: str, practice: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a practice."""
        return self._dict("PUT", f"practices/{practice_id}", dict(practice))

    def homework(self) -> list[dict[str, Any]]:
        """What one was asked to do after sessions."""
        return self._list("GET", "homework")

    def session_notes(self) -> list[dict[str, Any]]:
        """A therapist's notes of a patient's sessions."""
        return self._list("GET", "session-notes")

    def put_session_notes(
        self, number: int, notes: str, homework: str, version: int
    ) -> dict[str, Any]:
        """Keep notes of a session; ``version`` is the one that you saw, 0 for none."""
        body = {"notes": notes, "homework": homework, "version": version}
        return self._dict("PUT", f"sessions/{number}/notes", body)

    def erase_me(self, password: str) -> dict[str, Any]:
        """Erase everything of mine, and the account."""
        return self._dict("POST", "me/erase", {"password": password})

    def export_bytes(self, table: str, form: str) -> bytes:
        """One of one's tables as a file: csv, parquet or arrow."""
        return bytes(self._send("GET", f"export/{table}", params={"format": form}).content)

    def fhir(self) -> dict[str, Any]:
        """The first page of one's data as a FHIR Bundle."""
        return self._dict("GET", "fhir/Observation", params={"limit": 10_000})

    def accounts(self) -> list[dict[str, Any]]:
        """Everybody with an account (for administrators)."""
        return self._list("GET", "accounts")

    def set_account(self, person_id: str, active: bool) -> dict[str, Any]:
        """Let somebody sign in, or no more."""
        return self._dict("PUT", f"accounts/{person_id}", {"active": active})

    def password_link(self, person_id: str) -> dict[str, Any]:
        """A one-time token for a new password."""
        return self._dict("POST", f"accounts/{person_id}/password-link")

    def put_care(self, therapist_id: str, patient_id: str, inside: bool = True) -> None:
        """Put a patient into a therapist's care, or end it."""
        method = "PUT" if inside else "DELETE"
        self._ask(method, f"accounts/{therapist_id}/care/{patient_id}")

    def invite(self, email: str, name: str, zone: str, role: str) -> dict[str, Any]:
        """A one-time token with which somebody makes their account."""
        body = {"email": email, "name": name, "zone": zone, "role": role}
        return self._dict("POST", "invitations", body)

    def accept(self, token: str, password: str) -> dict[str, Any]:
        """Make the account that one was invited to."""
        return self._dict("POST", "invitations/accept", {"token": token, "password": password})

    def reset_password(self, token: str, new: str) -> None:
        """Set a new password with an administrator's one-time token."""
        self._ask("POST", "password-reset", {"token": token, "new": new})

    def ways(self) -> dict[str, Any]:
        """How one can sign in here."""
        return self._dict("GET", "sign-in/ways")

    def exchange(self, code: str) -> str:
        """The token for the code of the clinic's own sign-in."""
        return str(self._ask("POST", "oidc/exchange", {"code": code})["token"])

    def consents(self) -> dict[str, Any]:
        """What one agreed to."""
        return self._dict("GET", "consents")

    def agree(self, purpose: str, given: bool, wording: str) -> dict[str, Any]:
        """Agree to something, or take it back."""
        body = {"purpose": purpose, "given": given, "wording": wording}
        return self._dict("POST", "consents", body)

    def _dict(self, method: str, path: str, body: object = None, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(method, path, body, **more)
        return found

    def _list(self, method: str, path: str, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask(method, path, **more)
        return found

    def _pages(self, path: str, key: str, **params: object) -> Iterator[dict[str, Any]]:
        while True:
            page = self._dict("GET", path, params=params)
            yield from page[key]
            if page["next"] is None:
                return
            params["cursor"] = page["next"]


def _params(
    params: Mapping[str, object] | None,
) -> list[tuple[str, str | int | float | bool | None]]:
    found: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (params or {}).items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for one in values:
            if isinstance(one, datetime):
                found.append((name, one.isoformat()))
            elif one is not None:
                found.append((name, str(one)))
    return found


def _wait_s(answer: httpx.Response) -> float:
    try:
        return float(answer.headers.get("retry-after", "1"))
    except ValueError:
        return 1.0


def _error(answer: httpx.Response, signing_in: bool) -> ApiError:
    try:
        problem = answer.json()
        words, kind = str(problem["detail"]), str(problem["type"]).rpartition(":")[2]
        fields = {item["field"]: item["problem"] for item in problem.get("errors", [])}
    except (ValueError, KeyError, TypeError):
        words, kind, fields = f"The API answered with status {answer.status_code}.", None, {}
    error = ApiError
    if answer.status_code == 401 and not signing_in:
        error = SignedOutError
    elif answer.status_code >= 500:
        error = UnavailableError
    return error(words, answer.status_code, kind, fields)


def _frame(table: pa.Table, frames: Frames) -> Any:
    """A frame, with a time beside each column of nanoseconds."""
    for name in table.column_names:
        if name.endswith("_ns"):
            moment = table[name].cast(pa.timestamp("ns", "UTC"))
            table = table.append_column(name.removesuffix("_ns"), moment)
    if frames == "pandas":
        return table.to_pandas()
    try:
        import polars
    except ImportError as error:
        raise ApiError("polars is not installed: pip install polars") from error
    return polars.from_arrow(table)


def _with_ms(frame: Any, frames: Frames) -> Any:
    """Milliseconds beside the strap's own ticks."""
    if frames == "pandas":
        frame["rr_ms"] = frame["rr_ticks"] * 1000.0 / frame["ticks_per_second"]
        return frame
    milliseconds = frame["rr_ticks"] * 1000.0 / frame["ticks_per_second"]
    return frame.with_columns(milliseconds.alias("rr_ms"))
