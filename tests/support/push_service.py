"""A push service on the loopback address, and a browser that can read what is posted to it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.services.reminders.push import encode_base64url


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushServer:
    """``status``: what it answers; ``location``: where it leads, as a hostile one would."""

    port: int = 0
    status: int = 201
    location: str | None = None
    posted: list[Posted] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class PlayedBrowser:
    """The keys of a browser's subscription."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def subscription(self) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": encode_base64url(point), "auth": encode_base64url(self.auth)}
        return {"endpoint": self.endpoint, "keys": keys, "name": "a browser"}

    def decrypt(self, body: bytes) -> dict[str, Any]:
        """What the browser's maker cannot read."""
        text = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth)
        found: dict[str, Any] = json.loads(text)
        return found


@contextmanager
def running_push_server() -> Iterator[PushServer]:
    """Start one."""
    state = PushServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            state.posted.append(
                Posted(
                    self.path, {name.title(): value for name, value in self.headers.items()}, body
                )
            )
            self.send_response(state.status)
            if state.location is not None:
                self.send_header("Location", state.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - where a redirect of a POST would arrive

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
