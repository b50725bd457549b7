"""For administrators: who has an account. No health data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.choosing import chosen
from dashboard.person import client, me


def people_page() -> None:
    """Accounts, invitations, passwords, care."""
    st.title("People")
    api = client()
    found = api.accounts()
    rows = [
        {
            "Name": row["name"],
            "E-mail": row["email"],
            "Role": row["role"],
            "May sign in": "yes" if row["active"] else "no",
        }
        for row in found
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    _invite(api)
    _one(api, found)
    _care(api, found)


def _invite(api: Any) -> None:
    st.subheader("Invite")
    with st.form("invite", border=False):
        email = st.text_input("E-mail")
        name = st.text_input("Name")
        zone = st.text_input("Time zone", "Europe/Berlin")
        role = st.selectbox("Role", ["patient", "therapist", "analyst", "administrator"])
        if not st.form_submit_button("Invite"):
            return
        if not email or not name:
            st.info("An invitation needs both an e-mail and a name.")
        else:
            token = api.invite(email, name, zone, role)["token"]
            st.write("Pass this on. It is good once, for 7 days:")
            st.code(token, language=None)


def _one(api: Any, found: list[dict[str, Any]]) -> None:
    st.subheader("One account")
    person = me()
    row = chosen("Who", found, lambda one: f"{one['name']} ({one['role']})")
    left, right = st.columns(2)
    if left.button("New password link", width="stretch"):
        st.write("Pass this on. It is good once, for a day:")
        st.code(api.password_link(row["id"])["token"], language=None)
    own = person is not None and row["id"] == person["id"]
    words = "Let in" if not row["active"] else "Shut out"
    if right.button(words, width="stretch", disabled=own):
        api.set_account(row["id"], not row["active"])
        st.rerun()


def _care(api: Any, found: list[dict[str, Any]]) -> None:
    therapists = [row for row in found if row["role"] == "therapist"]
    patients = [row for row in found if row["role"] == "patient"]
    if not therapists or not patients:
        return
    st.subheader("Care")
    patient = chosen("Patient", patients, lambda row: str(row["name"]))
    for therapist in therapists:
        inside = therapist["id"] in patient["therapists"]
        wanted = st.checkbox(
            f"in the care of {therapist['name']}",
            value=inside,
            key=f"care-{patient['id']}-{therapist['id']}-{inside}",
        )
        if wanted != inside:
            api.put_care(therapist["id"], patient["id"], wanted)
            st.rerun()
    st.caption("A therapist sees nothing before the patient has agreed.")
