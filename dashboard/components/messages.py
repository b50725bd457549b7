"""Short messages of a therapist: read on Today, written on the patient's page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import _
from dashboard.session import client

_MAX_WORDS = 500


def render_messages() -> None:
    """Render what one's therapist wrote and was not read yet; nothing where there is nothing."""
    api = client()
    try:
        found = api.messages()
    except ApiError:
        return
    unread = [item for item in found["messages"] if item["seen"] is None]
    if not unread:
        return
    with st.container(border=True):
        for item in reversed(unread):
            st.caption(
                _("{author} wrote on {when}:").format(
                    author=escape_markdown(item["author"]),
                    when=format_day_and_time(item["written"]),
                )
            )
            st.write(escape_markdown(item["words"]))
            if st.button(_("I have read it"), key=f"seen-{item['id']}"):
                api.see_message(item["id"])
                st.rerun()
        st.caption(" ".join([say(found["notice"]), *map(escape_markdown, found["help"])]))


def render_patient_messages(api: Any) -> None:
    """Render what was written to a patient, and a field to write; for their therapist."""
    with st.expander(_("Write to them")):
        st.caption(
            _(
                "They see it on Today and in the app, when they open it. Nobody is notified, they "
                "cannot answer, and no time is promised. In an emergency, call."
            )
        )
        with st.form("message", border=False, clear_on_submit=True):
            words = st.text_area(_("Message"), max_chars=_MAX_WORDS)
            if st.form_submit_button(_("Write")) and words.strip():
                try:
                    api.write_message(words)
                except ApiError as error:
                    st.warning(str(error))
        for item in api.written_messages():
            left, right = st.columns([4, 1], vertical_alignment="center")
            read = (
                _("not read yet")
                if item["seen"] is None
                else _("read {when}").format(when=format_day_and_time(item["seen"]))
            )
            left.write(escape_markdown(item["words"]))
            left.caption(f"{format_day_and_time(item['written'])} · {read}")
            if right.button(_("Remove"), key=f"message-{item['id']}"):
                try:
                    api.remove_message(item["id"])
                except ApiError as error:
                    st.warning(str(error))
                else:
                    st.rerun()
