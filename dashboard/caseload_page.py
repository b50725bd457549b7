"""A therapist's patients, by need and not by score."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.person import client


def caseload_page() -> None:
    """Who needs a look today."""
    st.title("Caseload")
    api = client()
    patients = api.patients()
    if not patients:
        st.write("Nobody is in your care yet. Invite somebody, or ask your administrator.")
    for patient in patients:
        _patient(patient)
    with st.expander("Invite a patient"), st.form("invite", border=False):
        email = st.text_input("E-mail of the patient")
        name = st.text_input("Name")
        zone = st.text_input("Time zone", "Europe/Berlin")
        if st.form_submit_button("Invite") and email and name:
            token = api.invite(email, name, zone, "patient")["token"]
            st.write("Pass this on. It is good once, for 7 days:")
            st.code(token, language=None)


def _patient(patient: dict[str, Any]) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        simulated = " · simulated" if patient["simulated"] else ""
        left.markdown(f"**{patient['name']}**{simulated}")
        if not patient["agreed"]:
            left.caption("Has not agreed that you see their data.")
            return
        for words in patient["told"]:
            left.write(words[0].upper() + words[1:])
        facts = [
            f"{title} {datetime.fromisoformat(patient[key]):%-d %b %H:%M}"
            for title, key in (
                ("next meeting", "next_session"),
                ("last rating", "last_rating"),
                ("last heartbeat", "last_beat"),
            )
            if patient[key]
        ]
        left.caption(" · ".join(facts) or "Nothing yet.")
        if right.button("Open", key=f"open-{patient['id']}", width="stretch"):
            st.session_state["patient"] = patient["id"]
            st.switch_page(st.session_state["page_patient"])
