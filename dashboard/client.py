"""The Python client, with error texts in the reader's language."""

from __future__ import annotations

import re
from typing import Any

from dashboard.i18n.language import _
from ebbtide.client import ApiError, Client, SignedOutError, UnavailableError

__all__ = ["ApiError", "DashboardClient", "SignedOutError", "UnavailableError"]

_OF_FIELD = re.compile(r"^(?:body|path|query)\.\w+: ")


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
            if self.language not in (None, "en"):  # it names no field of the API there
                error.args = (_OF_FIELD.sub("", str(error)),)
            raise
