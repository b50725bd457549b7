"""Accounts, for administrators. No health data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.erasure import render_erasure, render_proof
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
    render_proof()
    wanted = st.text_input(_("Search by name, address or role"), key="people-search")
    words = wanted.casefold().split()
    found = [
        row
        for row in accounts
        if all(
            word in f"{row['name']} {row['email']} {say(row['role'])}".casefold() for word in words
        )
    ]
    if not found:
        st.write(_("Nobody is found by that."))
    else:
        _render_accounts(found)
        _account(api, found)
    with st.expander(_("Invite somebody")):
        _invite(api)
    with st.expander(_("Who is in whose care")):
        _care(api, accounts)


def _render_accounts(found: list[dict[str, Any]]) -> None:
    st.dataframe(
        pd.DataFrame(
            [
                {
                    _("Name"): row["name"],
                    _("E-mail"): row["email"],
                    _("Role"): say(row["role"]),
                    _("May sign in"): _("yes") if row["active"] else _("no"),
                }
                for row in found
            ]
        ),
        hide_index=True,
        width="stretch",
    )


def _invite(api: Any) -> None:
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
    own = account is not None and row["id"] == account["id"]
    left, right = st.columns(2)
    if left.button(_("New password link"), width="stretch"):
        render_password_link(api.password_link(row["id"]))
    if right.button(_("Lost phone or key"), width="stretch"):
        render_second_factor_link(api.second_factor_link(row["id"]))
    if own:
        st.caption(_("This is you: another administrator shuts you out or erases you."))
        return
    if not row["active"]:
        if st.button(_("Let in"), width="stretch"):
            api.set_account(row["id"], True)
            st.rerun()
    else:
        _shut_out(api, row)
    if row["role"] != "patient":
        _change_role(api, row)
    render_erasure(api, row)


def _shut_out(api: Any, row: dict[str, Any]) -> None:
    with st.expander(_("Shut out")):
        st.write(
            _(
                "They cannot sign in any more, and everything of theirs that is signed in ends at "
                "once, with the invitations and links that they made. Their data stay. You can "
                "let them in again; they then sign in anew, on each device."
            )
        )
        if st.button(_("Shut out {name}").format(name=escape_markdown(row["name"]))):
            api.set_account(row["id"], False)
            st.rerun()


def _change_role(api: Any, row: dict[str, Any]) -> None:
    roles = ["therapist", "analyst", "administrator"]
    role = st.selectbox(
        _("Role of this account"),
        roles,
        roles.index(row["role"]),
        format_func=say,
        key=f"role-{row['id']}",
    )
    if role != row["role"]:
        st.write(_("Everything that is signed in ends then, and their care of patients."))
        if st.button(_("Change the role")):
            api.set_account(row["id"], row["active"], role)
            st.rerun()


def _care(api: Any, accounts: list[dict[str, Any]]) -> None:
    therapists = [row for row in accounts if row["role"] == "therapist"]
    patients = [row for row in accounts if row["role"] == "patient"]
    if not therapists or not patients:
        st.write(_("There is no therapist or no patient yet."))
        return
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
