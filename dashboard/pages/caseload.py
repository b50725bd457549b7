"""A therapist's patients, by need and not by score."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.components.forms import render_invitation
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, switch_to
from dashboard.session import client


def caseload_page() -> None:
    """Render the patients in care, those in need first."""
    st.title(_("Caseload"))
    api = client()
    patients = api.patients()
    if not patients:
        st.write(_("Nobody is in your care yet. Invite somebody, or ask your administrator."))
    for patient in patients:
        _patient(patient)
    with st.expander(_("Invite a patient")), st.form("invite", border=False):
        email = st.text_input(_("E-mail of the patient"))
        name = st.text_input(_("Name"))
        zone = st.text_input(_("Time zone"), "Europe/Berlin")
        if st.form_submit_button(_("Invite")):
            render_invitation(api, email, name, zone, "patient")


def _patient(patient: dict[str, Any]) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        simulated = _(" · simulated") if patient["simulated"] else ""
        left.markdown(f"**{escape_markdown(patient['name'])}**{simulated}")
        if not patient["agreed"]:
            left.caption(_describe_missing_consent(patient["keeping"]))
            return
        for words in map(say, patient["told"]):
            left.write(words[0].upper() + words[1:])
        facts = [
            f"{title} {format_day_and_time(patient[key])}"
            for title, key in (
                (_("next meeting"), "next_session"),
                (_("last rating"), "last_rating"),
                (_("last heartbeat"), "last_beat"),
            )
            if patient[key]
        ]
        left.caption(" · ".join(facts) or _("Nothing yet."))
        if right.button(_("Open"), key=f"open-{patient['id']}", width="stretch"):
            st.session_state["patient"] = patient["id"]
            switch_to("patient")


def _describe_missing_consent(keeping: str) -> str:
    if keeping == "unanswered":
        return _("Has not agreed yet that Ebbtide keeps their data, and that you see them.")
    if keeping == "agreed":
        return _("Has not agreed yet that you see their data.")
    return _("Has taken back that Ebbtide keeps their data, or the time agreed to is over.")


PAGE = Page(
    run=caseload_page,
    title=N_("Caseload"),
    icon=":material/groups:",
    slug="caseload",
    roles={"therapist"},
)
