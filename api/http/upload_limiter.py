"""How many uploads a process works on at once. They are the most of all requests, and wait for the
slowest store: the others wait for their turn without a thread and without a connection, which
ratings and pages need meanwhile.
"""

from __future__ import annotations

from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

# Of the forty threads of a process, and the twenty connections to PostgreSQL.
MAX_CONCURRENT_UPLOADS = 12


async def get_upload_limiter(request: Request) -> CapacityLimiter:
    """The turns of this application."""
    turns: CapacityLimiter = request.app.state.uploads_at_once
    return turns


UploadLimiterDep = Annotated[CapacityLimiter, Depends(get_upload_limiter)]
