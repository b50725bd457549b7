"""Whether a connection comes from the person who runs this process, and not from another user."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

Address = tuple[str, int]
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"  # include/net/tcp_states.h
_ROOT = 0  # reads all files anyway; relays of containers and virtual machines run as root


def is_own_connection(client: Address | None, server: Address | None) -> bool:
    """Whether the connection from ``client`` to ``server``, two loopback addresses with their
    ports, is of this user.

    A link that signs in is an argument of the browser's command, which other users of a Linux
    machine can read in /proc before the browser has opened it: there the owner of the socket is
    asked for. Elsewhere others cannot read it, or the browser gets it by other means.
    """
    if client is None or server is None or not _is_loopback(client[0]):
        return False
    if not sys.platform.startswith("linux"):
        return True
    owner = _find_owner(_encode(client), _encode(server))
    return owner is not None and owner in (os.getuid(), _ROOT)


def _is_loopback(host: str) -> bool:
    try:
        return _parse(host).is_loopback
    except ValueError:
        return False


def _parse(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _encode(address: Address) -> str:
    """Write an address as /proc/net/tcp does: words of 32 bits in the machine's byte order."""
    packed = _parse(address[0]).packed
    words = [packed[k : k + 4] for k in range(0, len(packed), 4)]
    step = -1 if sys.byteorder == "little" else 1
    return "".join(word[::step].hex() for word in words).upper() + f":{address[1]:04X}"


def _find_owner(client: str, server: str) -> int | None:
    """Find the user whose socket is the client's end. Both ends are compared whole: the same port
    may be in use at another loopback address.
    """
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[1:4] == [client, server, _ESTABLISHED]:
                return int(words[7])
    return None
