"""Snapshots as responses: conditions and ranges (RFC 9110, 13 and 14).

Programs that read by ranges (DuckDB, polars, fsspec, `curl -C -`) mostly send no validator: their
ranges are answered from the snapshot that their first request began, never from a newer one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.http.etags import ANY, find_tag, parse_tags
from api.http.problems import problem_response
from api.http.ranges import HEAD, ByteRange, parse_range
from api.services.single_flight import single_flight
from api.services.snapshots import Snapshot, Snapshots

# Plain downloads begin after so long, even if the file is not whole: clients have timeouts.
_WAIT_S = 20.0
_CHUNK = 2**18


@dataclass(frozen=True, slots=True)
class RangeRequest:
    """The conditions and ranges of a request. ``client``: a hash of token and program."""

    range: str = ""
    if_range: str = ""
    if_match: str = ""
    client: str = ""
    is_head: bool = False

    @classmethod
    def from_request(cls, request: Request) -> RangeRequest:
        """Read them from the headers."""
        headers = request.headers
        client = "\n".join((headers.get("authorization", ""), headers.get("user-agent", "")))
        is_head = bool(request.scope.get(HEAD))
        return cls(
            "" if is_head else headers.get("range", ""),
            headers.get("if-range", "").strip(),
            headers.get("if-match", ""),
            hashlib.sha256(client.encode()).hexdigest(),
            is_head,
        )


def snapshot_response(
    snapshots: Snapshots,
    question: str,
    content: str,
    chunks: Iterator[bytes],
    request: RangeRequest,
    if_none_match: str,
    media_type: str,
    headers: dict[str, str],
) -> Response:
    """Respond with a file, or the range of it that is wanted.

    ``question`` names what is asked for, and of whom; ``content`` what the answer is made from.
    """
    current = f"{content[:24]}-"
    tag = find_tag(if_none_match, lambda tag: tag.startswith(current))
    if tag is not None:  # the same content: nothing is computed
        etag = f'W/"{current}"' if tag == ANY else f'"{tag}"'
        return Response(status_code=304, headers={**headers, "ETag": etag})
    reader = hashlib.sha256(f"{request.client}\n{question}".encode()).hexdigest()[:40]
    wanted = parse_range(request.range) if request.range else None
    snapshot, is_new, begun = _choose(snapshots, reader, request, wanted), False, None
    if snapshot is None:
        if wanted is not None and not (request.if_range or request.if_match):
            begun = snapshots.pinned_elsewhere(reader, begins=wanted.begins_file)
        with single_flight(f"export {reader} {content}"):
            found: Snapshot | Iterator[bytes] | None
            found = snapshots.find_by_content(reader, content)
            if found is None:
                wait_s = None if wanted is not None or request.is_head else _WAIT_S
                found = snapshots.write(reader, content, chunks, wait_s)
        if not isinstance(found, Snapshot):
            weak = {**headers, "ETag": f'W/"{current}"', "Accept-Ranges": "none"}
            return StreamingResponse(found, media_type=media_type, headers=weak)
        # The same bytes as another machine began with are no new file.
        snapshot, is_new = found, found.tag != begun
    # Strong comparison: W/ never matches (RFC 9110, 8.8.3.2).
    strong = parse_tags(request.if_match, strong=True)
    if request.if_match and not {ANY, snapshot.tag} & set(strong):
        return problem_response(412, "This export has changed since: get it anew.")
    if is_new and begun is None:
        snapshots.pin(reader, snapshot)
    if wanted is not None and not _may_send_range(request, snapshot, wanted, is_new, begun):
        wanted = None
    return _open(snapshot, wanted, media_type, headers)


def _choose(
    snapshots: Snapshots, reader: str, request: RangeRequest, wanted: ByteRange | None
) -> Snapshot | None:
    """The snapshot that a request goes on with, or None for a new one."""
    if request.is_head:
        return snapshots.pinned(reader, begins=True)
    if wanted is None:
        return None
    for tag in parse_tags(request.if_range or request.if_match, strong=True):
        found = snapshots.find(reader, tag)
        if found is not None:
            return found
    if request.if_range or request.if_match:
        return None
    return snapshots.pinned(reader, begins=wanted.begins_file)


def _may_send_range(
    request: RangeRequest,
    snapshot: Snapshot,
    wanted: ByteRange,
    is_new: bool,
    begun: str | None,
) -> bool:
    """Whether a range fits what the client has. A range of a new file that does not begin it,
    without a validator, would go on with other bytes than the client has: it gets the whole. So
    does a beginning, where the client ``begun`` with other bytes on another machine.
    """
    if request.if_range:
        return snapshot.tag in parse_tags(request.if_range, strong=True)
    if not is_new or request.if_match:
        return True
    return wanted.begins_file and begun is None


def _open(
    snapshot: Snapshot, wanted: ByteRange | None, media_type: str, headers: dict[str, str]
) -> Response:
    try:
        file = snapshot.path.open("rb")
    except FileNotFoundError:  # evicted this moment
        return problem_response(
            503, "The export made room for others.", headers={"Retry-After": "1"}
        )
    size = os.fstat(file.fileno()).st_size
    headers = {**headers, "ETag": f'"{snapshot.tag}"', "Accept-Ranges": "bytes"}
    if wanted is None:
        return _FileResponse(file, 0, size, 200, media_type, headers)
    bounds = wanted.within(size)
    if bounds is None:
        file.close()
        return problem_response(
            416,
            f"The export has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}", "ETag": headers["ETag"]},
        )
    first, last = bounds
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _FileResponse(file, first, last - first + 1, 206, media_type, headers)


class _FileResponse(Response):
    """Send a part of an open file. It is open before, so that its deletion changes nothing."""

    def __init__(
        self,
        file: BinaryIO,
        first: int,
        length: int,
        status: int,
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        super().__init__(None, status, {**headers, "Content-Length": str(length)}, media_type)
        self._file, self._first, self._length = file, first, length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file as file:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            file.seek(self._first)
            left = self._length
            while left > 0:
                chunk = await run_in_threadpool(file.read, min(_CHUNK, left))
                if not chunk:
                    break
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
            if self._length == 0:
                await send({"type": "http.response.body", "body": b""})
