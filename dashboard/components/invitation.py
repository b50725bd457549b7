"""What an invitation leads to, under its form."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.i18n.language import _


def invitation_form(api: Any, email: str, name: str, zone: str, role: str) -> None:
    """The words to pass on; or what is missing."""
    if not email or not name:
        st.info(_("An invitation needs both an e-mail and a name."))
        return
    token = api.invite(email, name, zone, role)["token"]
    st.write(_("Pass this on. It is good once, for 7 days:"))
    st.code(token, language=None)
