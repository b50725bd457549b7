"""Bounds below the application: what has no end of its head is not kept for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

import cli.server.protocol as protocol
from tests.support.ports import free_port


@contextmanager
def answering() -> Iterator[int]:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"well"})

    port = free_port()
    config = uvicorn.Config(app, port=port, http=protocol.HTTP_PROTOCOL, lifespan="off")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", port))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(60)


def read_all(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionError:  # closed with something unread
        pass
    return b"".join(parts)


@pytest.mark.parametrize("piece", [b"a" * 65536, b"x: %s\r\n" % (b"a" * 2000)], ids=["one", "many"])
def test_a_head_without_end_is_refused(piece: bytes) -> None:
    with answering() as port, socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nx: ")
        sent = 0
        try:
            while sent < 100_000_000:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 50_000_000  # what the sockets' buffers hold, not what the sender likes


def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_HEAD_S", 0.2)
    with answering() as port, socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert read_all(connection) == b""


def test_requests_of_usual_size_are_answered_one_after_the_other() -> None:
    with answering() as port, socket.create_connection(("127.0.0.1", port), 60) as connection:
        cookie = b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 8000
        post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n"
        for _ in range(12):
            connection.sendall(cookie + b"\r\n\r\n")
        connection.sendall(post + b"\r\n" + b"b" * 200_000)
        connection.sendall(cookie + b"\r\nConnection: close\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 14
