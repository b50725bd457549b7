"""Bind the socket of a server."""

from __future__ import annotations

import socket

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
