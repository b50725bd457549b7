"""Tokens for scripts (``api/routes/auth/tokens.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ebbtide.client._transport import Transport


class TokenEndpoints(Transport):
    """Requests about what is signed in as the account."""

    def tokens(self) -> list[dict[str, Any]]:
        """List what is signed in: sessions, devices and scripts."""
        return self._list("GET", "tokens", prefix="/v1")

    def new_script_token(
        self, name: str, days: int, scopes: Sequence[str] = ("read",)
    ) -> dict[str, Any]:
        """Make a token for a script.

        Parameters
        ----------
        name : str
            What it is for.
        days : int
            How long it lasts, 366 at most.
        scopes : sequence of str
            Of read, write and upload.

        Returns
        -------
        dict
            The token in ``token``, which is shown only now, and when it ``expires``.
        """
        body = {"name": name, "days": days, "scopes": list(scopes)}
        return self._dict("POST", "tokens", body, prefix="/v1")

    def revoke_token(self, token_id: str) -> None:
        """End a session, a device or a script.

        Parameters
        ----------
        token_id : str
            Id of the token, as of `tokens`.
        """
        self._request("DELETE", f"tokens/{token_id}", prefix="/v1")
