"""What routes note of a request for the middleware around them, in the scope's ``state``."""

from __future__ import annotations

from starlette.requests import Request

ACCOUNT_ID = "account_id"  # random; of who asks, or whom somebody signs in as


def note_account(request: Request, account_id: str) -> None:
    """Note whose account a request is about, for the log of security events."""
    request.scope.setdefault("state", {})[ACCOUNT_ID] = account_id
