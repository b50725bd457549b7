"""Addresses of the API: which may be spoken to without TLS."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ebbtide.errors import EbbtideError

# Names of one's own network: RFC 6762 (.local), RFC 8375 (home.arpa), ICANN's .internal, routers'.
_OWN_SUFFIXES = (".local", ".home.arpa", ".internal", ".lan", ".home", ".localhost", ".fritz.box")


def require_encrypted(url: str) -> str:
    """Return an address of the API that has TLS, or is of this machine or network.

    Raises EbbtideError for another: tokens and heartbeats could be read on the way.

    >>> require_encrypted("http://192.168.1.20:8420")
    'http://192.168.1.20:8420'
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:  # as of a bracket that is not closed: the client says what is wrong
        return url
    if parts.scheme != "http" or _is_own(host):
        return url
    raise EbbtideError(
        f"{url} is not encrypted: on the way to {host} others could read the beats.",
        f"Use https://{url.partition('://')[2]}, or an address of your own network.",
    )


def _is_own(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return "." not in host or host.endswith(_OWN_SUFFIXES)
