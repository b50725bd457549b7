"""Today: a short rating, the strap, one small step."""

from __future__ import annotations

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.first_days import load_first_days, render_first_days
from dashboard.components.keeping import render_keeping_first
from dashboard.components.live_heart import render_live_heart
from dashboard.components.messages import render_messages
from dashboard.components.offers import render_offer
from dashboard.components.prompt import render_waiting_prompt
from dashboard.components.questions import render_questions_open
from dashboard.components.rating import render_rating_form
from dashboard.components.stress import render_seated_rest, render_today_index
from dashboard.i18n import texts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client


def today_page() -> None:
    """Render the rating first, then the next step, the heart and the first days; before keeping is
    agreed to, that question.
    """
    if render_keeping_first():
        return
    render_messages()
    render_waiting_prompt()
    render_rating_form()
    is_practising = render_offer()
    st.divider()
    _next_step()
    render_questions_open()
    days = load_first_days()
    # Whoever has no strap is not said to have taken it off.
    if (days is None or days["heart"] == "strap") and not is_practising:
        render_live_heart()
        render_today_index()
        render_seated_rest()
    page_link("devices", _("My devices"))
    page_link("reminders", _("Remind me"))
    if days is not None:
        render_first_days(days)


def _next_step() -> None:
    try:
        step = client().programme()["next_step"]
    except ApiError:
        return
    title, words = texts.STEPS[step]
    with st.container(border=True):
        st.markdown(f"**{_(title)}.** {_(words)}")
        if step == "ask a clinician":
            page_link("before", _("Before you begin"))
        elif step != "nothing":
            page_link("programme", _("To the programme"))


PAGE = Page(
    run=today_page,
    title=N_("Today"),
    icon=":material/edit:",
    slug="today",
    roles={"patient"},
)
