"""Who sits at the screen: kept in the browser tab's session, nowhere else."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.client import DashboardClient, SignedOutError
from ebbtide.settings import Settings


def client() -> DashboardClient:
    """A client for the person signed in (or for nobody)."""
    return DashboardClient(Settings().api_url, st.session_state.get("token"))


def nobody() -> DashboardClient:
    """A client for nobody."""
    return DashboardClient(Settings().api_url)


def me() -> dict[str, Any] | None:
    """The person signed in."""
    person: dict[str, Any] | None = st.session_state.get("me")
    return person


def sign_in(email: str, password: str) -> None:
    """Sign in. Raises ApiError."""
    st.session_state.token = nobody().new_token(email, password)
    st.session_state.me = client().me()


def sign_in_with_code(code: str) -> None:
    """Sign in with what the clinic's own sign-in gave. Raises ApiError."""
    st.session_state.token = nobody().exchange(code)
    st.session_state.me = client().me()


def sign_out() -> None:
    """Sign out, here and at the API, and forget everything on the screen."""
    try:
        client().sign_out()
    except SignedOutError:
        pass
    finally:
        st.session_state.clear()
