"""Erase an account, for administrators: what goes, the question, and the proof."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import _
from dashboard.session import to_own_clock

_PROOF = "erasure-proof"


def render_erasure(api: Any, row: dict[str, Any]) -> None:
    """Render the form that erases an account, which asks for its address and one's password."""
    with st.expander(_("Erase this account")):
        st.write(
            _(
                "**This cannot be undone.** Gone are: the account of {name}, every heartbeat, "
                "rating, note, questionnaire, message and meeting, and all that is signed in. "
                "Backups that were made before still hold them; a restore erases again."
            ).format(name=escape_markdown(row["name"]))
        )
        with st.form(f"erase-{row['id']}", border=False):
            email = st.text_input(_("Type their address: {email}").format(email=row["email"]))
            password = st.text_input(_("Your own password"), type="password")
            if not st.form_submit_button(_("Erase for good")):
                return
        try:
            found = api.erase_account(row["id"], email, password)
        except ApiError as error:
            st.warning(str(error))
            return
    st.session_state[_PROOF] = {**found, "name": row["name"]}
    st.rerun()


def render_proof() -> None:
    """Render what the last erasure of this session left behind: nothing, read again."""
    found = st.session_state.get(_PROOF)
    if found is None:
        return
    with st.container(border=True):
        st.write(
            _(
                "**{name} is erased.** Read again afterwards: nothing is left in the store. Gone "
                "are {beats} heartbeats, {ratings} ratings and {sessions} meetings."
            ).format(
                name=escape_markdown(found["name"]),
                **{key: found[key] for key in ("beats", "ratings", "sessions")},
            )
        )
        for words in found["remaining"]:
            st.write(_("To be done: {words}").format(words=escape_markdown(say(words))))
        for copy in found["copies"]:
            st.write(
                _("A copy may still hold them: {kind}, {when}.").format(
                    kind=say(copy["kind"]),
                    when=(
                        "–" if copy["at"] is None else format_day_and_time(to_own_clock(copy["at"]))
                    ),
                )
            )
        if not found["copies"]:
            st.write(_("No older copy is known to this machine."))
        if st.button(_("I have read it"), key="proof-read"):
            del st.session_state[_PROOF]
            st.rerun()
