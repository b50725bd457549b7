"""Find the network that a request comes from, for limits."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

_MAX_LENGTH = 64  # of what a trusted proxy may name in place of an address


def client_network(scope: Scope) -> str:
    """Return the IPv4 address or the IPv6 network (/64, which one subscriber has) of a client.

    ``X-Forwarded-For`` of trusted proxies is in the scope already (``api/app.py``); that of anybody
    else is not read.
    """
    client = scope.get("client")
    if not client:
        return "unknown"
    host = str(client[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:_MAX_LENGTH]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def get_client_network(request: Request) -> str:
    """The network that the request comes from."""
    return client_network(request.scope)


ClientNetwork = Annotated[str, Depends(get_client_network)]
