"""Ranges of one download that reach processes of several machines, each with files of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.types import Message, Scope

from api.export.files import RangeRequest, snapshot_response
from api.services.snapshots import Snapshots
from store import Stores

OLD, NEW = b"of yesterday" * 100, b"of today" * 200


@pytest.fixture
def machines(stores: Stores, tmp_path: Path) -> tuple[Snapshots, Snapshots]:
    """The snapshots of two machines on one database."""
    first, second = (
        Snapshots(tmp_path / name, 10**6, 100.0, stores.access) for name in ("one", "two")
    )
    return first, second


def get(
    machine: Snapshots,
    content: bytes,
    words: str = "",
    *,
    is_head: bool = False,
    if_range: str = "",
) -> tuple[Response, bytes]:
    """The answer to a request while the export would be made of ``content``."""
    request = RangeRequest(words, if_range, client="a", is_head=is_head)
    response = snapshot_response(
        *(machine, "question", content.hex()[:64], iter([content]), request),
        *("", "text/csv", {}),
    )
    body = bytearray()

    async def send(message: Message) -> None:
        body.extend(message.get("body", b""))

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(response(scope, receive, send))
    return response, bytes(body)


def test_same_bytes_go_on_elsewhere(machines: tuple[Snapshots, Snapshots]) -> None:
    first, second = machines
    head, _ = get(first, OLD, is_head=True)
    middle, part = get(second, OLD, "bytes=100-199")
    assert (middle.status_code, part) == (206, OLD[100:200])
    assert middle.headers["etag"] == head.headers["etag"]
    end, part = get(second, OLD, "bytes=-8")
    assert (end.status_code, part) == (206, OLD[-8:])


@pytest.mark.parametrize("words", ["bytes=100-199", "bytes=0-99", "bytes=-8"])
def test_other_bytes_are_sent_whole_and_not_mixed(
    machines: tuple[Snapshots, Snapshots], words: str
) -> None:
    first, second = machines
    begun, _ = get(first, OLD, "bytes=0-99")
    assert begun.status_code == 206
    # What was exported has changed, and this machine does not have the file of before.
    whole, body = get(second, NEW, words)
    assert (whole.status_code, body) == (200, NEW)
    # The reading goes on where its file is.
    rest, part = get(first, NEW, "bytes=100-199")
    assert (rest.status_code, part) == (206, OLD[100:200])
    assert rest.headers["etag"] == begun.headers["etag"]


def test_a_new_reading_ends_the_one_of_another_machine(
    machines: tuple[Snapshots, Snapshots],
) -> None:
    first, second = machines
    get(first, OLD, "bytes=0-99")
    anew, _ = get(second, NEW)
    assert anew.status_code == 200
    part_of_new, part = get(second, NEW, "bytes=100-199")
    assert (part_of_new.status_code, part) == (206, NEW[100:200])
    # The first machine has the older file, which is not the one of this reading any more.
    other, part = get(first, NEW, "bytes=100-199")
    assert (other.status_code, part) == (206, NEW[100:200])


def test_a_validator_of_another_machine_is_met_by_the_same_bytes_alone(
    machines: tuple[Snapshots, Snapshots],
) -> None:
    first, second = machines
    tag = get(first, OLD)[0].headers["etag"]
    same, part = get(second, OLD, "bytes=100-199", if_range=tag)
    assert (same.status_code, part) == (206, OLD[100:200])
    other, body = get(second, NEW, "bytes=100-199", if_range=tag.replace("a", "b"))
    assert (other.status_code, body) == (200, NEW)
