"""Bind the socket of a server."""

from __future__ import annotations

import errno
import socket
import sys

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


def bind_localhost(port: int) -> socket.socket | None:
    """Bind ``[::1]`` at the port that 127.0.0.1 has, since browsers try it first for ``localhost``.

    None where this machine has no IPv6 loopback. Raises EbbtideError where another program has the
    port there: ``localhost`` would lead to that one.
    """
    if not socket.has_ipv6:
        return None
    found = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform != "win32":  # there it would let two programs have one port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(("::1", port))
        found.listen(2048)
    except OSError as error:
        found.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise EbbtideError(
                f"Another program uses port {port} at [::1].", "End it, or choose another port."
            ) from error
        return None
    return found
