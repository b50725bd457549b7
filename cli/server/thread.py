"""Run the API in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from cli.server.protocol import HTTP_PROTOCOL
from cli.server.socket import bind_socket
from ebbtide.errors import EbbtideError


class ApiThread:
    """Serve ``app`` at ``url`` on the loopback address, while entered. ``options``: more for
    Uvicorn.
    """

    def __init__(
        self, app: ASGIApp, port: int = 0, options: Mapping[str, Any] | None = None
    ) -> None:
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
                **(options or {}),
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="api", daemon=True
        )

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

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
