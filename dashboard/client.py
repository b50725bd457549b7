"""The Python client, with error texts in the reader's language."""

from __future__ import annotations

from typing import Any

from dashboard.i18n.api_texts import say
from dashboard.i18n.language import _
from ebbtide.client import ApiError, Client, SignedOutError, UnavailableError

__all__ = ["ApiError", "DashboardClient", "SignedOutError", "UnavailableError"]


class DashboardClient(Client):
    """A client for one reader. A retry waits half a second at most: a person waits for the page."""

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
        except ApiError as error:
            error.args = (say(str(error)),)
            raise
