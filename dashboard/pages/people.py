"""Accounts, for administrators. No health data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.forms import render_invitation, select_row
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client, current_account


def people_page() -> None:
    """Render accounts, invitations, password links and care."""
    st.title(_("People"))
    api = client()
    accounts = api.accounts()
    rows = [
        {
            _("Name"): row["name"],
            _("E-mail"): row["email"],
            _("Role"): row["role"],
            _("May sign in"): _("yes") if row["active"] else _("no"),
        }
        for row in accounts
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    _invite(api)
    _account(api, accounts)
    _care(api, accounts)


def _invite(api: Any) -> None:
    st.subheader(_("Invite"))
    with st.form("invite", border=False):
        email = st.text_input(_("E-mail"))
        name = st.text_input(_("Name"))
        zone = st.text_input(_("Time zone"), "Europe/Berlin")
        role = st.selectbox(_("Role"), ["patient", "therapist", "analyst", "administrator"])
        if st.form_submit_button(_("Invite")):
            render_invitation(api, email, name, zone, role)


def _account(api: Any, accounts: list[dict[str, Any]]) -> None:
    st.subheader(_("One account"))
    account = current_account()
    row = select_row(_("Who"), accounts, lambda row: f"{row['name']} ({row['role']})")
    left, right = st.columns(2)
    if left.button(_("New password link"), width="stretch"):
        st.write(_("Pass this on. It is good once, for a day:"))
        st.code(api.password_link(row["id"])["token"], language=None)
    own = account is not None and row["id"] == account["id"]
    words = _("Let in") if not row["active"] else _("Shut out")
    if right.button(words, width="stretch", disabled=own):
        api.set_account(row["id"], not row["active"])
        st.rerun()


def _care(api: Any, accounts: list[dict[str, Any]]) -> None:
    therapists = [row for row in accounts if row["role"] == "therapist"]
    patients = [row for row in accounts if row["role"] == "patient"]
    if not therapists or not patients:
        return
    st.subheader(_("Care"))
    patient = select_row(_("Patient"), patients, lambda row: str(row["name"]))
    for therapist in therapists:
        in_care = therapist["id"] in patient["therapists"]
        wanted = st.checkbox(
            _("in the care of {name}").format(name=therapist["name"]),
            value=in_care,
            key=f"care-{patient['id']}-{therapist['id']}-{in_care}",
        )
        if wanted != in_care:
            api.put_care(therapist["id"], patient["id"], wanted)
            st.rerun()
    st.caption(_("A therapist sees nothing before the patient has agreed."))


PAGE = Page(
    run=people_page,
    title=N_("People"),
    icon=":material/manage_accounts:",
    slug="people",
    roles={"administrator"},
)
