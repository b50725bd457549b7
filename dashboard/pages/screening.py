"""Screening before the programme: red flags, a clinician's clearance, consent."""

from __future__ import annotations

import streamlit as st

from dashboard.components.clinician import render_clinician_answer, render_warning_signs
from dashboard.components.forms import render_consent_switches
from dashboard.i18n.language import N_, _
from dashboard.page_shell import FIRST_RUN, SIGNED_OUT, Page
from dashboard.session import client, current_account


def screening_page() -> None:
    """Render the question for a clinician and the signs that need one today."""
    st.title(_("Before you begin"))
    st.write(
        _(
            "Pain Reprocessing Therapy is for pain that goes on although nothing in "
            "the body still causes it. Whether that is so, only a clinician can say, "
            "after listening to you and examining you. **Has one ruled out a "
            "physical cause?** If not, please see one first. Ebbtide can wait."
        )
    )
    render_warning_signs()
    account = current_account()
    if account is not None and account["role"] == "patient":
        is_agreed = client().consents()["keeping"] == "agreed"
        if is_agreed:
            st.subheader(_("Your answer"))
            render_clinician_answer(client())
        else:
            st.write(_("Your answer can be kept once you agree to that: the first switch below."))
        with st.expander(_("What you agree to"), expanded=not is_agreed):
            render_consent_switches(client())
            st.caption(_("You can take back each of these here, or under *My data*, at any time."))
    st.subheader(_("What Ebbtide does"))
    st.write(
        _(
            "It keeps your heartbeats and a few short ratings, and looks at whether "
            "pain and stress moved together. It does not diagnose, it does not "
            "treat, and it cannot show that one thing causes another. A short rating "
            "now and then is plenty: there is no need to watch your pain for it."
        )
    )


PAGE = Page(
    run=screening_page,
    title=N_("Before you begin"),
    icon=":material/info:",
    slug="before",
    roles={FIRST_RUN, SIGNED_OUT, "patient", "therapist"},
)
