"""What surrounds every page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.client import ApiError, SignedOutError
from dashboard.i18n import texts
from dashboard.i18n.language import _
from dashboard.session import me


def link_to(name: str, label: str) -> None:
    """A link to a page of this role, where it is there."""
    page = st.session_state.get(f"page_{name}")
    if page is not None:
        st.page_link(page, label=label)


# Small words in Streamlit's own grey have too little contrast (WCAG 1.4.3).
_STYLE = """<style>
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {
  color: inherit !important; opacity: .85; }
</style>"""


def with_shell(page: Callable[[], None]) -> Callable[[], None]:
    """The page, with the mark of simulated data above it, and errors in plain words."""

    def run() -> None:
        st.html(_STYLE)
        person = me()
        if person is not None and person["simulated"]:
            st.info(_("**Simulated.** A sample patient: no real person felt or measured this."))
        try:
            page()
        except SignedOutError as error:
            st.session_state.clear()
            st.warning(str(error))
            st.button(_("Sign in"))
        except ApiError as error:
            st.warning(str(error))
            st.button(_("Try again"))
        st.divider()
        st.caption(_(texts.NOT_A_DEVICE))

    run.__name__ = page.__name__
    return run
