"""The cookies by which a browser stays signed in, and how they get from a page into the browser.

A script of Streamlit has no HTTP response and can set no HttpOnly cookie. It stores the cookie here
under a code that is good once; the page sends the code to ``POST /session`` of the same process
(``dashboard/server.py``), whose answer sets the cookie. The token is in no page, address or log.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

SET_PATH, END_PATH = "/session", "/session/end"
# Pages without Streamlit, whose scripts cannot call a browser's passkeys (dashboard/passkeys.py).
SIGN_IN_PATH, ADD_PATH = "/sign-in/passkey", "/account/passkeys"
_CODE_LIFETIME_S = 60.0
_MAX_PENDING = 1000  # a page that never sends its code leaves one behind for a minute


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set: HttpOnly, and sent by no other site. ``max_age_s`` None: until the browser
    is closed.
    """

    name: str
    value: str
    max_age_s: int | None


class PendingCookies:
    """Cookies that pages of this process are about to fetch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_code: dict[str, tuple[float, list[Cookie]]] = {}

    def put(self, cookies: list[Cookie]) -> str:
        """Store cookies and return the code with which they are fetched, once, within a minute."""
        code, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            current = [item for item in self._by_code.items() if item[1][0] > now]
            self._by_code = dict(current[-_MAX_PENDING + 1 :])
            self._by_code[code] = (now + _CODE_LIFETIME_S, cookies)
        return code

    def is_waiting(self, code: str) -> bool:
        """Whether the cookies were not fetched yet, and still can be."""
        with self._lock:
            found = self._by_code.get(code)
            return found is not None and found[0] > time.monotonic()

    def take(self, code: str) -> list[Cookie] | None:
        """Use up a code; None where it is unknown, used or expired."""
        with self._lock:
            found = self._by_code.pop(code, None)
        return None if found is None or found[0] <= time.monotonic() else found[1]


PENDING = PendingCookies()
AT_HOME = threading.Event()  # set where the pages are served with the API, by ``ebbtide start``


def session_cookie(origin: str) -> str:
    """Return the name of the cookie with the session's token, at this address of the pages.

    Browsers send cookies to every port of a host, so that without TLS the port is in the name: a
    demo beside signs nobody out. With TLS the prefix binds it to this host alone (RFC 6265bis).
    """
    return _name(origin, "ebbtide_session")


def first_run_cookie(origin: str) -> str:
    """Return the name of the cookie with the secret that makes the first account."""
    return _name(origin, "ebbtide_first_run")


def token_mark(token: str) -> str:
    """Return what names a token without being one: a page that is out of date ends no newer
    session.
    """
    return hashlib.sha256(f"mark {token}".encode()).hexdigest()


def is_encrypted(origin: str) -> bool:
    """Whether the browser reaches this address by TLS."""
    return origin.startswith("https:")


def _name(origin: str, base: str) -> str:
    return f"__Host-{base}" if is_encrypted(origin) else f"{base}_{urlsplit(origin).port or 80}"
