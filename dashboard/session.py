"""The signed-in account and its token, held in Streamlit's session state and nowhere else."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.client import DashboardClient, SignedOutError
from ebbtide.settings import Settings


def client() -> DashboardClient:
    """Return an API client with the token of this session, if it has one."""
    return DashboardClient(Settings().api_url, st.session_state.get("token"))


def anonymous_client() -> DashboardClient:
    """Return an API client without a token."""
    return DashboardClient(Settings().api_url)


def current_account() -> dict[str, Any] | None:
    """Return the account that is signed in, as ``/v1/me`` describes it."""
    account: dict[str, Any] | None = st.session_state.get("me")
    return account


def sign_in(email: str, password: str) -> None:
    """Sign in with a password. Raises ApiError."""
    st.session_state.token = anonymous_client().new_token(email, password)
    st.session_state.me = client().me()


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
