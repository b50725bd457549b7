"""What the pages ask of the API: ebbtide's client, with words for the person at the screen."""

from __future__ import annotations

from typing import Any

from dashboard.i18n.language import _
from ebbtide.client import ApiError, Client, SignedOutError, UnavailableError

__all__ = ["ApiError", "DashboardClient", "SignedOutError", "UnavailableError"]


class DashboardClient(Client):
    """Speaks to the API for the person at the screen, who is not kept waiting."""

    max_retry_wait_s = 0.5

    def _send(self, *words: Any, **more: Any) -> Any:
        try:
            return super()._send(*words, **more)
        except UnavailableError as error:
            raise UnavailableError(
                _(
                    "Ebbtide's server does not answer just now. Nothing is lost; "
                    "try again in a moment."
                )
            ) from error
        except SignedOutError as error:
            raise SignedOutError(_("Please sign in again.")) from error
