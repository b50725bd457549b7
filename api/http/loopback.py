"""Routes for the machine itself that runs the API."""

from __future__ import annotations

import ipaddress

from fastapi import Request

from api.http.problems import ProblemError


async def require_loopback(request: Request) -> None:
    """Refuse whoever asks from another machine."""
    host = request.client.host if request.client else ""
    try:
        is_here = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise ProblemError(403, "This is for the machine itself that runs Ebbtide.")
