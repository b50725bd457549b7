"""Today: a short rating, the strap, one small step."""

from __future__ import annotations

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.consents import unanswered
from dashboard.components.live_heart import live_heart
from dashboard.i18n import texts
from dashboard.i18n.language import _
from dashboard.page_shell import link_to
from dashboard.pages.rate import rate_page
from dashboard.session import client


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
