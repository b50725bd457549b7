"""The entry of the pages: ``ebbtide dashboard`` runs it under Streamlit."""

from __future__ import annotations

import streamlit as st

from dashboard.before_page import before_page
from dashboard.frame import framed
from dashboard.link_page import link_page
from dashboard.person import me, sign_out
from dashboard.rate_page import rate_page
from dashboard.sign_in_page import sign_in_page
from dashboard.therapy_page import therapy_page
from dashboard.trend_page import trend_page


def main() -> None:
    """Choose and show a page."""
    st.set_page_config(page_title="Ebbtide", page_icon="🌊", layout="centered")
    before = st.Page(
        framed(before_page), title="Before you begin", icon=":material/info:", url_path="before"
    )
    person = me()
    if person is None:
        sign_in = st.Page(
            framed(sign_in_page), title="Sign in", icon=":material/login:", default=True
        )
        st.navigation([sign_in, before], position="top").run()
        return
    rate = st.Page(
        framed(rate_page), title="Rate", icon=":material/edit:", url_path="rate", default=True
    )
    trend = st.Page(
        framed(trend_page), title="My trend", icon=":material/show_chart:", url_path="trend"
    )
    link = st.Page(framed(link_page), title="My link", icon=":material/hub:", url_path="link")
    course = st.Page(
        framed(therapy_page), title="My course", icon=":material/route:", url_path="course"
    )
    chosen = st.navigation([rate, trend, link, course, before], position="top")
    chosen.run()
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(f"Signed in as {person['name']}")
    if right.button("Sign out", type="tertiary"):
        sign_out()
        st.rerun()


main()
