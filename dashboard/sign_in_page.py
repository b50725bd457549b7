"""Sign in."""

from __future__ import annotations

import streamlit as st

from dashboard.person import sign_in


def sign_in_page() -> None:
    """Address and password."""
    st.title("Ebbtide")
    st.write("Your heartbeats, your ratings, and an honest look at how they go together.")
    with st.form("sign in"):
        email = st.text_input("E-mail", autocomplete="username")
        password = st.text_input("Password", type="password", autocomplete="current-password")
        if st.form_submit_button("Sign in", type="primary"):
            sign_in(email, password)
            st.rerun()
