"""What a page declares of itself, what surrounds it, and how pages link to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.charts import palette
from dashboard.client import ApiError, SignedOutError
from dashboard.i18n import texts
from dashboard.i18n.language import _, reader_locale
from dashboard.session import current_account, forget_session, render_cookie_change

SIGNED_OUT = "signed out"  # in place of a role before sign-in
SECOND_FACTOR = "second factor"  # in place of a role until one is set up that staff need
FIRST_RUN = "first run"  # in place of a role until the first questions are answered
_PAGES = "pages"  # the key in Streamlit's session state

# Too little contrast for small text (WCAG 1.4.3) have Streamlit's own grey, and its white on the
# light accent of the dark theme.
_STYLE = f"""<style>
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {{
  color: inherit !important; opacity: .85; }}
button[data-testid^="stBaseButton-primary"]:not(:disabled) {{
  color: light-dark(#ffffff, {palette.DARK_BACKGROUND}) !important; }}
a.ebbtide-button {{ display: block; padding: .6rem 1rem; border: 1px solid currentColor;
  border-radius: .5rem; text-align: center; text-decoration: none; color: inherit !important; }}
a.ebbtide-button:hover, a.ebbtide-button:focus-visible {{ text-decoration: underline; }}
/* The longest German title has 15 letters in a word, and shall not be broken at 360 px. */
@media (max-width: 640px) {{
  h1 {{ font-size: 2rem !important; hyphens: auto; }}
}}
</style>"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the navigation.

    ``title`` is marked with ``N_`` and translated for each reader; ``slug`` is the path in the
    browser's address; ``roles`` are those that have the page in their navigation, while
    ``is_available``.
    """

    run: Callable[[], None]
    title: str
    icon: str
    slug: str
    roles: AbstractSet[str]
    is_available: Callable[[], bool] = lambda: True


def register_pages(pages: Mapping[str, Any]) -> None:
    """Store the Streamlit pages of this run by slug, for ``page_link`` and ``switch_to``."""
    st.session_state[_PAGES] = dict(pages)


def page_link(slug: str, label: str) -> None:
    """Render a link to a page, where this role has that page."""
    page = st.session_state.get(_PAGES, {}).get(slug)
    if page is not None:
        st.page_link(page, label=label)


def switch_to(slug: str) -> None:
    """End this run and continue with another page of this role."""
    st.switch_page(st.session_state[_PAGES][slug])


def _set_document_language() -> None:
    """Name the language for screen readers: the document that Streamlit serves says English."""
    name = reader_locale().language
    if name != "en":
        st.html(
            f"<script>document.documentElement.lang = '{name}';</script>",
            unsafe_allow_javascript=True,
        )


def with_shell(page: Callable[[], None]) -> Callable[[], None]:
    """Wrap a page: the mark of simulated data above, errors as sentences, the disclaimer below."""

    def run() -> None:
        st.html(_STYLE)
        # In a place that is always there: where elements move, what is unfolded on a page folds.
        with st.container():
            render_cookie_change()
        account = current_account()
        if account is not None and account["simulated"]:
            st.info(_("**Simulated.** A sample patient: no real person felt or measured this."))
        try:
            page()
        except SignedOutError as error:
            forget_session()
            st.warning(str(error))
            st.button(_("Sign in"))
        except ApiError as error:
            st.warning(str(error))
            st.button(_("Try again"))
        st.divider()
        st.caption(_(texts.NOT_A_DEVICE))
        _set_document_language()

    run.__name__ = page.__name__
    return run
