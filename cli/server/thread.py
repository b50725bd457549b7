"""Run the API in a thread of this process."""

from __future__ import annotations

import threading
import time

import uvicorn
from fastapi import FastAPI

from cli.server.protocol import HTTP_PROTOCOL
from cli.server.socket import bind_socket
from ebbtide.errors import EbbtideError


class ApiThread:
    """Serve ``app`` at ``url`` on the loopback address, while entered."""

    def __init__(self, app: FastAPI, port: int = 0) -> None:
        self._socket = bind_socket("127.0.0.1", port)
        self.app = app
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=HTTP_PROTOCOL,
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
