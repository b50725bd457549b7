"""For administrators: who has an account. No health data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.invitation import invitation_form
from dashboard.components.select import select_row
from dashboard.i18n.language import _
from dashboard.session import client, me


def people_page() -> None:
    """Accounts, invitations, passwords, care."""
    st.title(_("People"))
    api = client()
    found = api.accounts()
    rows = [
        {
            _("Name"): row["name"],
            _("E-mail"): row["email"],
            _("Role"): row["role"],
            _("May sign in"): _("yes") if row["active"] else _("no"),
        }
        for row in found
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    _invite(api)
    _one(api, found)
    _care(api, found)


def _invite(api: Any) -> None:
    st.subheader(_("Invite"))
    with st.form("invite", border=False):
        email = st.text_input(_("E-mail"))
        name = st.text_input(_("Name"))
        zone = st.text_input(_("Time zone"), "Europe/Berlin")
        role = st.selectbox(_("Role"), ["patient", "therapist", "analyst", "administrator"])
        if st.form_submit_button(_("Invite")):
            invitation_form(api, email, name, zone, role)


def _one(api: Any, found: list[dict[str, Any]]) -> None:
    st.subheader(_("One account"))
    person = me()
    row = select_row(_("Who"), found, lambda one: f"{one['name']} ({one['role']})")
    left, right = st.columns(2)
    if left.button(_("New password link"), width="stretch"):
        st.write(_("Pass this on. It is good once, for a day:"))
        st.code(api.password_link(row["id"])["token"], language=None)
    own = person is not None and row["id"] == person["id"]
    words = _("Let in") if not row["active"] else _("Shut out")
    if right.button(words, width="stretch", disabled=own):
        api.set_account(row["id"], not row["active"])
        st.rerun()


def _care(api: Any, found: list[dict[str, Any]]) -> None:
    therapists = [row for row in found if row["role"] == "therapist"]
    patients = [row for row in found if row["role"] == "patient"]
    if not therapists or not patients:
        return
    st.subheader(_("Care"))
    patient = select_row(_("Patient"), patients, lambda row: str(row["name"]))
    for therapist in therapists:
        inside = therapist["id"] in patient["therapists"]
        wanted = st.checkbox(
            _("in the care of {name}").format(name=therapist["name"]),
            value=inside,
            key=f"care-{patient['id']}-{therapist['id']}-{inside}",
        )
        if wanted != inside:
            api.put_care(therapist["id"], patient["id"], wanted)
            st.rerun()
    st.caption(_("A therapist sees nothing before the patient has agreed."))
