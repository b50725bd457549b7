"""Files that are sent to the pages' server: whose, and how many."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from dashboard.uploads import MAX_BYTES, MAX_FILE_BYTES, MAX_PERSON_BYTES, UploadGate

ORIGIN = "http://127.0.0.1:8421"
PEOPLE = {"of-ada": "ada", "of-bob": "bob"}


class Pages:
    """Streamlit's part: it holds what is passed on."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.gate = UploadGate(self, PEOPLE.get, lambda: self.held)
        self.entered, self.goes_on = asyncio.Event(), asyncio.Event()
        self.goes_on.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.set()
        await self.goes_on.wait()
        size = int(Request(scope).headers.get("content-length", "0"))
        if scope["method"] == "PUT":
            session = scope["path"].split("/")[3]
            self.held[session] = self.held.get(session, 0) + size
        await PlainTextResponse("passed on")(scope, receive, send)

    async def put(self, size: str | None, token: str = "", session: str = "s") -> int:
        """Say that so many bytes are sent; the status. The gate reads none of them."""
        headers = {"Origin": ORIGIN, "Cookie": f"ebbtide_session_8421={token}"}
        transport = httpx.ASGITransport(self.gate)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            request = client.build_request(
                "PUT", f"/_stcore/upload_file/{session}/f", headers=headers
            )
            request.headers.pop("content-length", None)
            if size is not None:
                request.headers["content-length"] = size
            return (await client.send(request)).status_code


@pytest.mark.parametrize(
    ("size", "token", "status"),
    [
        ("1000", "of-ada", 200),
        (str(MAX_FILE_BYTES), "of-ada", 200),
        (str(MAX_FILE_BYTES + 1), "of-ada", 413),
        ("9" * 5000, "of-ada", 411),
        (None, "of-ada", 411),
        ("-1", "of-ada", 411),
        ("1000", "", 403),
        ("1000", "of-nobody", 403),
    ],
)
def test_only_the_signed_in_send_files_of_bounded_size(
    size: str | None, token: str, status: int
) -> None:
    assert asyncio.run(Pages().put(size, token)) == status


def test_nobody_fills_the_memory_of_all() -> None:
    async def run() -> None:
        pages, whole = Pages(), str(MAX_FILE_BYTES)
        for number in range(MAX_PERSON_BYTES // MAX_FILE_BYTES):
            assert await pages.put(whole, "of-ada", f"tab-{number}") == 200
        assert await pages.put("1", "of-ada", "another-tab") == 503
        assert await pages.put(whole, "of-bob", "bob") == 200
        pages.held["tab-0"] = 0  # stored, and let go of
        assert await pages.put(whole, "of-ada", "another-tab") == 200
        pages.held["somebody"] = MAX_BYTES
        assert await pages.put("1", "of-bob", "bob") == 503

    asyncio.run(run())


def test_what_is_being_sent_counts() -> None:
    async def run() -> None:
        pages, whole = Pages(), str(MAX_FILE_BYTES)
        pages.goes_on.clear()
        count = MAX_PERSON_BYTES // MAX_FILE_BYTES
        sending = [asyncio.create_task(pages.put(whole, "of-ada", f"{n}")) for n in range(count)]
        await pages.entered.wait()
        while len(pages.gate._arriving) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await pages.put("1", "of-ada", "more") == 503
        pages.goes_on.set()
        assert await asyncio.gather(*sending) == [200] * count

    asyncio.run(run())


def test_other_paths_are_passed_on() -> None:
    async def run() -> int:
        pages = Pages()
        transport = httpx.ASGITransport(pages.gate)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return (await client.get("/_stcore/health")).status_code

    assert asyncio.run(run()) == 200
