"""The signed-in account and its token, held in Streamlit's session state and nowhere else."""

from __future__ import annotations

import hashlib
from typing import Any

import streamlit as st

from dashboard.client import DashboardClient, SignedOutError
from ebbtide.settings import Settings


def client() -> DashboardClient:
    """Return an API client with the token of this session, if it has one."""
    return _client(st.session_state.get("token"))


def anonymous_client() -> DashboardClient:
    """Return an API client without a token."""
    return _client(None)


def current_account() -> dict[str, Any] | None:
    """Return the account that is signed in, as ``/v1/me`` describes it."""
    account: dict[str, Any] | None = st.session_state.get("me")
    return account


def sign_in(email: str, password: str) -> None:
    """Sign in with a password. Raises ApiError.

    The browser keeps a secret that tells the API that this person signed in here before, so that
    others' wrong passwords do not delay them. It signs nobody in.
    """
    name = _device_cookie(email)
    answer = anonymous_client().new_sign_in(email, password, _text(st.context.cookies.get(name)))
    st.session_state.token = answer["token"]
    st.session_state.me = client().me()
    if answer.get("known_device"):
        st.session_state.new_device = (name, answer["known_device"])


def store_known_device() -> None:
    """Have the browser store the secret of a sign-in, once."""
    if "new_device" not in st.session_state:
        return
    name, secret = st.session_state.pop("new_device")
    # Both are made of letters, digits, "-" and "_" alone; 400 days are as long as browsers store.
    st.html(
        f"<script>document.cookie = '{name}={secret}; path=/; max-age=34560000; SameSite=Strict'"
        " + (location.protocol === 'https:' ? '; Secure' : '');</script>",
        unsafe_allow_javascript=True,
    )


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
    before = _text(st.context.headers.get("X-Forwarded-For"))
    peer = _text(st.context.ip_address) or "127.0.0.1"
    made.forwarded_for = peer if before is None else f"{before}, {peer}"
    return made


def sign_in_with_code(code: str) -> None:
    """Sign in with the code of the clinic's OpenID Connect provider. Raises ApiError."""
    st.session_state.token = anonymous_client().exchange(code)
    st.session_state.me = client().me()


def sign_out() -> None:
    """Revoke the token at the API and clear this session."""
    try:
        client().sign_out()
    except SignedOutError:
        pass
    finally:
        st.session_state.clear()
