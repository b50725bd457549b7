"""Selections and forms that several pages use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.components.keeping import agree, describe_consent, render_withdrawal
from dashboard.i18n import texts
from dashboard.i18n.language import _


def select_row(
    label: str,
    rows: list[dict[str, Any]],
    format_row: Callable[[dict[str, Any]], str],
    index: int = 0,
) -> dict[str, Any]:
    """Render a select box over rows with an ``id`` and return the selected row.

    Streamlit remembers the option between runs. The option is the id and not the row, since the
    row's other fields may have changed in the meantime.
    """
    by_id = {row["id"]: row for row in rows}
    selected = st.selectbox(
        label, list(by_id), index=index, format_func=lambda row_id: format_row(by_id[row_id])
    )
    return by_id.get(selected, rows[0])


def render_invitation(api: Any, email: str, name: str, zone: str, role: str) -> None:
    """Invite a person and render the token to pass on, or say which field is missing."""
    if not email or not name:
        st.info(_("An invitation needs both an e-mail and a name."))
        return
    token = api.invite(email, name, zone, role)["token"]
    st.write(_("Pass this on. It is good once, for 7 days:"))
    st.code(token, language=None)


def render_password_link(link: dict[str, Any]) -> None:
    """Render how a link for a new password reaches its person."""
    if link["sent"] == "mail":
        st.success(_("A link was sent to them by mail. It is good once, for an hour."))
        return
    st.write(_("Hand this over in person. It is good once, for 8 hours:"))
    st.code(link["token"], language=None)
    st.caption(_("It signs nobody in, and they see in their access log that you made it."))


def render_second_factor_link(link: dict[str, Any]) -> None:
    """Render how a link that removes a lost second factor reaches its person."""
    if link["sent"] == "mail":
        st.success(_("A link was sent to them by mail. It is good once, for an hour."))
        return
    st.write(_("Hand this over in person. It is good once, for 8 hours:"))
    st.code(link["token"], language=None)
    st.caption(
        _(
            "With it and their password they remove what they lost, under I lost my phone or my "
            "key. They see in their access log that you made it."
        )
    )


def render_consent_switches(api: Any, *, but: str | None = None) -> None:
    """Render one switch a purpose, without that of ``but``; each change is stored with its date at
    once.
    """
    consents = api.consents()
    holds = consents["holds"]
    answered = {answer["purpose"] for answer in consents["answers"]}
    for purpose, (title, _words) in texts.CONSENT.items():
        if purpose == but:
            continue
        now = bool(holds[purpose])
        wanted = st.toggle(_(title), value=now, key=f"consent-{purpose}-{now}")
        more = "" if purpose in answered else _("You have not answered this yet.")
        st.caption(f"{describe_consent(purpose, consents)} {more}")
        if purpose == "keeping" and not now:
            render_withdrawal(consents)
        if wanted != now:
            agree(api, purpose, wanted)
            st.rerun()
