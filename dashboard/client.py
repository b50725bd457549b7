"""What the pages ask of the API."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import httpx

_TIMEOUT_S = 20.0


class ApiError(Exception):
    """The API said no, or did not answer; the words are for the person at the screen."""


class SignedOutError(ApiError):
    """The sign-in is over."""


@cache
def _connections(base_url: str) -> httpx.Client:
    """One pool of connections for all people at the screen: it carries no sign-in."""
    return httpx.Client(base_url=base_url, timeout=_TIMEOUT_S)


class DashboardClient:
    """Speaks to the API at ``base_url``, for the person of ``token``."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = _connections(base_url)

    def sign_in(self, email: str, password: str) -> str:
        """The token of a new sign-in."""
        answer = self._ask("POST", "/v1/sign-in", {"email": email, "password": password})
        return str(answer["token"])

    def sign_out(self) -> None:
        """End this sign-in."""
        self._ask("POST", "/v1/sign-out")

    def me(self) -> dict[str, Any]:
        """Who is signed in."""
        return self._ask("GET", "/v1/me")

    def rate(self, rating: dict[str, Any]) -> dict[str, Any]:
        """Keep a rating."""
        return self._ask("POST", "/v1/ratings", rating)

    def correct(self, rating_id: str, rating: dict[str, Any]) -> dict[str, Any]:
        """Correct a rating."""
        return self._ask("PUT", f"/v1/ratings/{rating_id}", rating)

    def ratings(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """All ratings of a range, page by page."""
        params = {"start": start.isoformat(), "end": end.isoformat(), "limit": "1000"}
        found: list[dict[str, Any]] = []
        while True:
            page = self._ask("GET", "/v1/ratings", params=params)
            found += page["ratings"]
            if page["next"] is None:
                return found
            params["cursor"] = page["next"]

    def sessions(self) -> list[dict[str, Any]]:
        """Therapy sessions."""
        return self._ask("GET", "/v1/sessions")

    def streams(self) -> dict[str, Any]:
        """What is kept of beats."""
        return self._ask("GET", "/v1/streams")

    def trend(self, start: datetime, end: datetime, bucket_s: int) -> dict[str, Any]:
        """Medians of five-minute HRV windows, with the stress index."""
        params = {
            "start": start.isoformat(),
            "end": end.isoformat(),
            "bucket_s": str(bucket_s),
        }
        # The very first look at a year works out every day of it: half a minute.
        return self._ask("GET", "/v1/hrv/trend", params=params, timeout_s=120)

    def link(self, span: str) -> dict[str, Any]:
        """The link report over all there is, with the heartbeats of ``span`` before each rating."""
        return self._ask("GET", "/v1/link", params={"span": span})

    def therapy(self) -> dict[str, Any]:
        """The course of the programme."""
        return self._ask("GET", "/v1/therapy")

    def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        params: dict[str, str] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Any:
        try:
            answer = self._http.request(
                method,
                path,
                json=body,
                params=params,
                headers=self._headers,
                timeout=timeout_s,
            )
        except httpx.HTTPError as error:
            raise ApiError(
                "Ebbtide's server does not answer just now. Nothing is lost; try again in a moment."
            ) from error
        if answer.is_success:
            return answer.json() if answer.content else None
        if answer.status_code == 401 and path != "/v1/sign-in":
            raise SignedOutError("Please sign in again.")
        raise ApiError(_detail(answer))


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The server answered with status {answer.status_code}."
