"""Answers that break off: the client raises, and tries again what had not begun."""

from __future__ import annotations

import gzip
import io
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pyarrow as pa
import pytest
from pyarrow import parquet

from ebbtide.client import ApiError, Client, UnavailableError

ARROW = "application/vnd.apache.arrow.stream"
TABLE = pa.table({"person": ["a", "b", "c", "d"], "time_ns": [1, 2, 3, 4]})


def arrow_bytes() -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=1)  # four messages
    return out.getvalue()


def answer(
    content: bytes, kind: str = ARROW, *more: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    """An answer as bytes; without ``length`` it ends where the connection does."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode() + content


class Script:
    """A server that gives each connection the next answer, and keeps what was asked."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.requests: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for content in self._answers:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with closing(connection):
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(65_536)
                self.requests.append(asked.decode().lower())
                connection.sendall(content)

    def close(self) -> None:
        # accept() in the thread holds a socket open that is only closed.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    made: list[Script] = []

    def make(*answers: bytes) -> Script:
        made.append(Script(answers))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rows(url: str) -> int:
    with Client(url, "token").research.batches("beats") as reader:
        return sum(batch.num_rows for batch in reader)


def test_a_table_of_batches_is_read_whole(script: Callable[..., Script]) -> None:
    content = arrow_bytes()
    assert rows(script(answer(content)).url) == 4
    assert rows(script(answer(content, length=len(content))).url) == 4
    packed = gzip.compress(content)
    assert rows(script(answer(packed, ARROW, "Content-Encoding: gzip")).url) == 4


def test_a_table_cut_anywhere_is_refused(script: Callable[..., Script]) -> None:
    content = arrow_bytes()
    for cut in range(0, len(content), 8):  # messages end at multiples of eight
        server = script(*[answer(content[:cut])] * 3)
        with pytest.raises(UnavailableError, match="ended its answer early"):
            rows(server.url)
    server = script(answer(content[:-8], length=len(content)))
    with pytest.raises(UnavailableError, match="ended its answer early"):
        rows(server.url)
    server = script(answer(gzip.compress(content)[:-60], ARROW, "Content-Encoding: gzip"))
    with pytest.raises(UnavailableError, match="ended its answer early"):
        rows(server.url)


def test_a_frame_and_a_file_cut_off_are_refused(script: Callable[..., Script]) -> None:
    content = arrow_bytes()
    server = script(answer(content[:-8]))
    with pytest.raises(UnavailableError, match="ended its answer early"):
        Client(server.url, "token").research.ratings()
    out = io.BytesIO()
    parquet.write_table(TABLE, out)
    lines = b"person,time_ns\na,1\nb,2\n"
    for form, kind, whole in (
        ("parquet", "application/vnd.apache.parquet", out.getvalue()),
        ("csv", "text/csv; charset=utf-8", lines),
        ("arrow", ARROW, content),
    ):
        server = script(answer(whole, kind, length=len(whole)), answer(whole[:-3], kind))
        api = Client(server.url, "token").research
        assert api.file("beats", form) == whole
        with pytest.raises(UnavailableError, match="ended its answer early"):
            api.file("beats", form)
    # Cut between two lines: nothing but a length tells.
    server = script(answer(b"person,time_ns\na,1\n", "text/csv"))
    with pytest.raises(UnavailableError, match="does not say how long"):
        Client(server.url, "token").export_bytes("beats", "csv")


def test_what_broke_before_its_first_byte_is_asked_again(script: Callable[..., Script]) -> None:
    content = arrow_bytes()
    nothing = answer(b"", length=len(content))  # headers, and then the connection ends
    busy = answer(b"{}", "application/json", "Retry-After: 0", status="503 No", length=2)
    server = script(b"", nothing, answer(content))
    assert rows(server.url) == 4
    assert len(server.requests) == 3
    server = script(busy, answer(content))
    assert rows(server.url) == 4
    with pytest.raises(UnavailableError, match="does not answer"):
        rows(script(b"", b"", b"").url)


def test_a_stream_carries_the_headers_of_every_request(script: Callable[..., Script]) -> None:
    server = script(answer(arrow_bytes()))
    api = Client(server.url, "token").research
    api.forwarded_for, api.language = "192.0.2.7", "de"
    with api.batches("beats") as reader:
        assert reader.read_all().num_rows == 4
    (asked,) = server.requests
    for line in ("x-forwarded-for: 192.0.2.7", "accept-language: de", "authorization: bearer"):
        assert line in asked


def test_what_goes_wrong_in_the_callers_block_is_not_the_apis(
    script: Callable[..., Script],
) -> None:
    api = Client(script(answer(arrow_bytes())).url, "token").research
    with pytest.raises(KeyError), api.batches("beats"):
        raise KeyError("column")


def test_the_page_of_a_proxy_is_no_answer(script: Callable[..., Script]) -> None:
    page = answer(b"<html>Sign in to the network</html>", "text/html; charset=utf-8")
    server = script(page, page, page)
    with pytest.raises(ApiError, match="text/html: no answer"):
        rows(server.url)
    with pytest.raises(ApiError, match="text/html: no answer"):
        Client(server.url, "token").research.ratings()
    with pytest.raises(ApiError, match="text/html: no answer"):
        Client(server.url, "token").me()
