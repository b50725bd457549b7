"""Accounts, for administrators. No health data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.forms import (
    render_invitation,
    render_password_link,
    render_second_factor_link,
    select_row,
)
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
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
            _("Role"): say(row["role"]),
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
        role = st.selectbox(
            _("Role"), ["patient", "therapist", "analyst", "administrator"], format_func=say
        )
        if st.form_submit_button(_("Invite")):
            render_invitation(api, email, name, zone, role)


def _account(api: Any, accounts: list[dict[str, Any]]) -> None:
    st.subheader(_("One account"))
    account = current_account()
    row = select_row(_("Who"), accounts, lambda row: f"{row['name']} ({say(row['role'])})")
    left, right = st.columns(2)
    if left.button(_("New password link"), width="stretch"):
        render_password_link(api.password_link(row["id"]))
    if st.button(_("Lost phone or key"), width="stretch"):
        render_second_factor_link(api.second_factor_link(row["id"]))
    own = account is not None and row["id"] == account["id"]
    words = _("Let in") if not row["active"] else _("Shut out")
    if right.button(words, width="stretch", disabled=own):
        api.set_account(row["id"], not row["active"])
        st.rerun()
    if row["role"] != "patient" and not own:
        roles = ["therapist", "analyst", "administrator"]
        role = st.selectbox(
            _("Role of this account"),
            roles,
            roles.index(row["role"]),
            format_func=say,
            key=f"role-{row['id']}",
        )
        if role != row["role"] and st.button(_("Change the role")):
            api.set_account(row["id"], row["active"], role)
            st.rerun()
        st.caption(_("With another role, everything that is signed in ends, and their care."))


def _care(api: Any, accounts: list[dict[str, Any]]) -> None:
    therapists = [row for row in accounts if row["role"] == "therapist"]
    patients = [row for row in accounts if row["role"] == "patient"]
    if not therapists or not patients:
        return
    st.subheader(_("Care"))
    patient = select_row(_("Patient"), patients, lambda row: str(row["name"]))
    for therapist in therapists:
        in_care = therapist["id"] in patient["therapists"]
        proposed = therapist["id"] in patient["proposed"]
        words = _("in the care of {name}")
        if proposed:
            words = _("in the care of {name}, once they agree")
        wanted = st.checkbox(
            words.format(name=escape_markdown(therapist["name"])),
            value=in_care or proposed,
            key=f"care-{patient['id']}-{therapist['id']}-{in_care}-{proposed}",
        )
        if wanted != (in_care or proposed):
            api.put_care(therapist["id"], patient["id"], wanted)
            st.rerun()
    st.caption(
        _(
            "A therapist sees nothing before the patient has agreed. You propose; the care begins "
            "when the patient says so, on their page My data."
        )
    )


PAGE = Page(
    run=people_page,
    title=N_("People"),
    icon=":material/manage_accounts:",
    slug="people",
    roles={"administrator"},
)
