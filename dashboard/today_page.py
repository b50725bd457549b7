"""Today: a short rating, the strap, one small step."""

from __future__ import annotations

import streamlit as st

from dashboard import texts
from dashboard.client import ApiError
from dashboard.consents import unanswered
from dashboard.frame import link_to
from dashboard.language import _
from dashboard.live_heart import live_heart
from dashboard.person import client
from dashboard.rate_page import rate_page


def today_page() -> None:
    """The rating first; then the next step, and the heart."""
    rate_page()
    st.divider()
    _next_step()
    live_heart()


def _begin() -> bool:
    """Whether somebody is new here, and is shown where to begin."""
    try:
        new = unanswered(client())
    except ApiError:
        return False
    if new:
        with st.container(border=True):
            st.markdown(_(texts.WELCOME))
            link_to("before", _("Before you begin"))
    return new


def _next_step() -> None:
    if _begin():
        return
    try:
        step = client().programme()["next_step"]
    except ApiError:
        return
    title, words = texts.STEPS[step]
    with st.container(border=True):
        st.markdown(f"**{_(title)}.** {_(words)}")
        if step == "ask a clinician":
            link_to("before", _("Before you begin"))
        elif step != "nothing":
            link_to("programme", _("To the programme"))
