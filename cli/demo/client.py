"""Puts the sample patient's ratings and sessions in through the API, as a dashboard would."""

from __future__ import annotations

from typing import Any

import httpx

from cli.demo.therapy import SampleRating
from ebbtide.timestamps import to_datetime


class SampleClient:
    """Speaks to the API at ``base_url``."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=60)

    async def __aenter__(self) -> SampleClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in for all that follows."""
        answer = await self._ask("POST", "/v1/sign-in", {"email": email, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"

    async def rate(self, rating: SampleRating, zone: str) -> None:
        """Enter a rating, marked as simulated."""
        await self._ask(
            "POST",
            "/v1/ratings",
            {
                "pain": rating.pain,
                "stress": rating.stress,
                "pleasant": rating.pleasant,
                "about": to_datetime(rating.about_ns).isoformat(),
                "zone": zone,
                "simulated": True,
            },
        )

    async def put_session(self, number: int, held_ns: int) -> None:
        """Enter a therapy session."""
        held = to_datetime(held_ns).isoformat()
        await self._ask("PUT", f"/v1/sessions/{number}", {"held": held})

    async def stream(self, stream_id: str) -> dict[str, Any]:
        """What is kept of a stream."""
        return await self._ask("GET", f"/v1/streams/{stream_id}")

    async def hrv(self, start_ns: int, end_ns: int) -> dict[str, Any]:
        """HRV of one window."""
        # Datetimes hold microseconds: round outwards, so that no beat falls out.
        start = to_datetime(start_ns // 1000 * 1000).isoformat()
        end = to_datetime(-(-end_ns // 1000) * 1000).isoformat()
        report = await self._ask("GET", "/v1/hrv", params={"start": start, "end": end})
        window: dict[str, Any] = report["windows"][0]
        return window

    async def link(self) -> dict[str, Any]:
        """The link report over all there is."""
        return await self._ask("GET", "/v1/link")

    async def _ask(
        self, method: str, path: str, body: object = None, params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = await self._http.request(method, path, json=body, params=params)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
