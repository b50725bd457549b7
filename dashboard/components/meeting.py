"""One button for the page that goes along to the next meeting."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.i18n.language import _, reader_locale, reading_as
from dashboard.session import client, current_account


def render_meeting_button() -> None:
    """Render the download of the page; it is made when the button is pressed."""
    account = current_account()
    if account is None:
        return
    api, locale = client(), reader_locale()

    def make() -> bytes:
        # Here, since fonts and PDF take a second to load, and most who open a page print nothing.
        from dashboard.reports.meeting import load_meeting_page
        from dashboard.reports.meeting_pdf import render_meeting_pdf

        with reading_as(locale):  # Streamlit calls this outside of the session
            return render_meeting_pdf(load_meeting_page(api, account, datetime.now(UTC)))

    st.download_button(
        _("What to bring to the next meeting (one page, PDF)"),
        make,
        file_name="ebbtide-meeting.pdf",
        mime="application/pdf",
        icon=":material/print:",
        width="stretch",
        on_click="ignore",
        key="meeting_page",
    )
