"""The signed-in account and its token: in Streamlit's session state, and in a cookie of the browser
that no script reads, by which a reload, a new tab and a restart of the program find it again.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.browser_cookies import (
    END_PATH,
    PENDING,
    SET_PATH,
    Cookie,
    first_run_cookie,
    session_cookie,
    token_mark,
)
from dashboard.client import ApiError, DashboardClient, SignedOutError, UnavailableError
from dashboard.i18n.language import reader_locale
from ebbtide.settings import Settings

_DEVICE_MAX_AGE_S = 400 * 86_400  # as long as browsers store a cookie
_COOKIE_READ = "cookie_read"  # keys in Streamlit's session state
_CODE = "cookie_code"
_END = "end_cookie"
_FIRST_RUN = "first_run_secret"


def client() -> DashboardClient:
    """Return an API client with the token of this session, if it has one."""
    return _client(st.session_state.get("token"))


def anonymous_client() -> DashboardClient:
    """Return an API client without a token."""
    return _client(None)


def current_account() -> dict[str, Any] | None:
    """Return the account that is signed in, as ``/v1/me`` describes it. Raises UnavailableError
    where the browser has a cookie and the API does not answer.
    """
    account: dict[str, Any] | None = st.session_state.get("me")
    if account is None and not st.session_state.get(_COOKIE_READ):
        account = _sign_in_with_cookie()
        st.session_state[_COOKIE_READ] = True
    return account


def sign_in(
    email: str, password: str, *, is_own_computer: bool = False, code: str | None = None
) -> None:
    """Sign in with a password, and a ``code`` of an app where it is asked for. Raises ApiError.

    The browser keeps a secret that tells the API that this person signed in here before, so that
    others' wrong passwords do not delay them. It signs nobody in.
    """
    name = _device_cookie(email)
    answer = anonymous_client().new_sign_in(
        *(email, password, _text(st.context.cookies.get(name))),
        *("own" if is_own_computer else "shared", code),
    )
    cookies = []
    if answer.get("known_device"):
        cookies.append(Cookie(name, answer["known_device"], _DEVICE_MAX_AGE_S))
    _begin(answer, *cookies, stays=is_own_computer)


def first_run_secret() -> str | None:
    """Return the secret of ``ebbtide start`` with which this browser may make the first account;
    None where it has none, or there is an account by now.
    """
    secret = _text(st.context.cookies.get(first_run_cookie(page_origin())))
    if secret is None or st.session_state.get(_FIRST_RUN) == "":
        return None
    if _FIRST_RUN not in st.session_state:
        try:
            is_open = anonymous_client().is_first_run(secret)
        except UnavailableError:
            return None
        st.session_state[_FIRST_RUN] = secret if is_open else ""
    return st.session_state[_FIRST_RUN] or None


def make_first_account(
    secret: str, name: str, zone: str, email: str | None, password: str | None
) -> None:
    """Make the first account and sign in; without a password it is one's own computer. Raises
    ApiError.
    """
    answer = anonymous_client().first_run(secret, name, zone, email, password)
    st.session_state[_FIRST_RUN] = ""
    spent = Cookie(first_run_cookie(page_origin()), "", 0)
    _begin(answer, spent, stays=password is None)


def sign_in_with_code(code: str) -> None:
    """Sign in with the code of the clinic's OpenID Connect provider. Raises ApiError."""
    _begin({"token": anonymous_client().exchange(code)}, stays=False)


def sign_out() -> None:
    """Revoke the token at the API, clear this session, and delete the browser's cookie."""
    token = st.session_state.get("token")
    try:
        client().sign_out()
    except SignedOutError:
        pass
    finally:
        st.session_state.clear()
        st.session_state[_COOKIE_READ] = True  # not again the one of this page's web socket
        st.session_state[_END] = None if token is None else token_mark(token)


def refresh_account() -> None:
    """Ask the API anew who is signed in, after a change."""
    st.session_state.me = client().me()


def forget_session() -> None:
    """Clear a session that the API has ended."""
    st.session_state.clear()


def render_cookie_change() -> None:
    """Have the browser fetch the cookies that this session has for it, or delete its own.

    It is rendered until that has happened: a run of the script that is cut short renders nothing.
    """
    code = st.session_state.get(_CODE)
    if code is not None and PENDING.is_waiting(code):
        _post(SET_PATH, code)
    elif (mark := st.session_state.pop(_END, None)) is not None:
        _post(END_PATH, mark)


def _begin(answer: dict[str, Any], *cookies: Cookie, stays: bool) -> None:
    """Begin a session with the answer to a sign-in. ``stays``: also when the browser is closed."""
    st.session_state.token = answer["token"]
    st.session_state.me = client().me()
    age_s = None
    if stays:
        left = datetime.fromisoformat(answer["expires"]) - datetime.now(UTC)
        age_s = max(0, int(left.total_seconds()))
    session = Cookie(session_cookie(page_origin()), answer["token"], age_s)
    st.session_state.pop(_END, None)
    st.session_state[_CODE] = PENDING.put([session, *cookies])


def _sign_in_with_cookie() -> dict[str, Any] | None:
    token = _text(st.context.cookies.get(session_cookie(page_origin())))
    if token is None:
        return None
    try:
        account = _client(token).me()
    except UnavailableError:
        raise
    except ApiError:  # it has ended, or the account has
        st.session_state[_END] = token_mark(token)
        return None
    st.session_state.token, st.session_state.me = token, account
    return account


def _post(path: str, body: str) -> None:
    # The body is a code or a mark: letters, digits, "-" and "_" alone.
    st.html(
        f"<script>fetch('{path}', {{method: 'POST', body: '{body}'}});</script>",
        unsafe_allow_javascript=True,
    )


def page_origin() -> str:
    """The address of the pages, as the browser has it: the pages' server has checked it."""
    return _text(st.context.headers.get("Origin")) or ""


def to_own_clock(moment: str) -> datetime:
    """Put a moment of the API by the clock of whoever is signed in; some of its routes say UTC."""
    zone = ZoneInfo((current_account() or {}).get("zone", "UTC"))
    return datetime.fromisoformat(moment).astimezone(zone)


def _device_cookie(email: str) -> str:
    hashed = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    return f"ebbtide_device_{hashed[:16]}"


def _text(value: object) -> str | None:
    """Return what a browser sent; None also in tests of Streamlit, where there is no browser."""
    return value if isinstance(value, str) else None


def _client(token: str | None) -> DashboardClient:
    """Make a client that says whom it asks for, as a proxy does: the API counts guesses by that
    where EBBTIDE_TRUSTED_PROXIES names the address of these pages.
    """
    made = DashboardClient(Settings().api_url, token)
    made.language = reader_locale().language
    before = _text(st.context.headers.get("X-Forwarded-For"))
    peer = _text(st.context.ip_address) or "127.0.0.1"
    made.forwarded_for = peer if before is None else f"{before}, {peer}"
    return made
