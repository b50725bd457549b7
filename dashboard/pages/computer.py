"""This computer: is everything working, a phone in the same Wi-Fi, and the end of the program."""

from __future__ import annotations

import streamlit as st

from dashboard.client import ApiError, UnavailableError
from dashboard.components.computer import render_checks, render_end, render_phone
from dashboard.i18n.language import N_, _
from dashboard.launch import STARTED
from dashboard.page_shell import Page
from dashboard.session import client

_OWNS = "owns_computer"  # key in the session


def computer_page() -> None:
    """Render the checks, the phone and the end below each other."""
    api = client()
    state = api.computer()
    st.title(_("This computer"))
    render_checks(api)
    st.divider()
    render_phone(api, state)
    st.divider()
    render_end(api, starts_at_login=state["starts_at_login"])


def owns_computer() -> bool:
    """Whether these pages are of ``ebbtide start``, and the person set it up; found out once in a
    session.
    """
    if not STARTED.is_set() or st.session_state.get("token") is None:
        return False
    if _OWNS not in st.session_state:
        try:
            client().computer()
        except UnavailableError:
            return False
        except ApiError:
            st.session_state[_OWNS] = False
        else:
            st.session_state[_OWNS] = True
    return bool(st.session_state[_OWNS])


PAGE = Page(
    run=computer_page,
    title=N_("This computer"),
    icon=":material/computer:",
    slug="computer",
    roles={"patient", "therapist", "analyst", "administrator"},
    is_available=owns_computer,
)
