"""Bind the socket of the API, and run the API in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from ebbtide.errors import EbbtideError


def bind_socket(host: str, port: int) -> socket.socket:
    """Bind a TCP socket; port 0 takes a free one. Raises EbbtideError where that fails.

    The protocol is given because asyncio sets TCP_NODELAY only then; without it each response
    waits 40 ms for a delayed acknowledgement. Uvicorn gives none where it binds for its workers.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise EbbtideError(f"{host} is no address of this machine.", "Choose another.") from error
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(address)
    except OSError as error:
        found.close()
        raise EbbtideError(
            f"Port {port} cannot be used: {error.strerror}.", "Choose another, or leave it out."
        ) from error
    return found


class ApiThread:
    """Serve ``app`` at ``url`` on the loopback address, while entered."""

    def __init__(self, app: FastAPI, port: int = 0) -> None:
        self._socket = bind_socket("127.0.0.1", port)
        self.app = app
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=3,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="api", daemon=True
        )

    def __enter__(self) -> ApiThread:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise EbbtideError("The API did not start.", "See the messages above.")
            time.sleep(0.02)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
