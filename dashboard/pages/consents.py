"""What a patient agrees to: the first question, and all answers."""

from __future__ import annotations

import streamlit as st

from dashboard.components.forms import render_consent_switches
from dashboard.components.keeping import render_keeping_question
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client


def consents_page() -> None:
    """Render the question of keeping while it is open, then every consent."""
    st.title(_("Consents"))
    api = client()
    consents = api.consents()
    is_open = consents["keeping"] != "agreed"
    if is_open:
        render_keeping_question(api, consents)
    st.subheader(_("What I agree to"))
    render_consent_switches(api, but="keeping" if is_open else None)
    st.caption(_("You can take back each of these here, or under *My data*, at any time."))


PAGE = Page(
    run=consents_page,
    title=N_("Consents"),
    icon=":material/handshake:",
    slug="consents",
    roles={"patient"},
)
