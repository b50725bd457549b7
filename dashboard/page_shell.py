"""What a page declares of itself, what surrounds it, and how pages link to each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.client import ApiError, SignedOutError
from dashboard.i18n import texts
from dashboard.i18n.language import _, reader_locale
from dashboard.i18n.widget_texts import widget_script
from dashboard.page_style import DRAWER_BUTTON, PHONE, STYLE
from dashboard.session import current_account, forget_session, render_cookie_change

SIGNED_OUT = "signed out"  # in place of a role before sign-in
SECOND_FACTOR = "second factor"  # in place of a role until one is set up that staff need
FIRST_RUN = "first run"  # in place of a role until the first questions are answered
_PAGES = "pages"  # the key in Streamlit's session state
_TABS = ("today", "programme", "course")
_CLOSE_DRAWER = """
(() => {
  const page = __PAGE__;
  if (window.ebbtidePage === page) return;
  window.ebbtidePage = page;
  if (!matchMedia("(max-width: 767px)").matches) return;
  const drawer = document.querySelector('[data-testid="stSidebar"][data-collapsed="false"]');
  drawer?.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
})();
"""


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
    """Name the language for screen readers, and translate what Streamlit itself says: the document
    that it serves is English.
    """
    name = reader_locale().language
    if name != "en":
        st.html(
            f"<script>document.documentElement.lang = '{name}';{widget_script()}</script>",
            unsafe_allow_javascript=True,
        )


def _close_drawer(page: str) -> None:
    """On a phone, close the drawer of the navigation once another page is there.

    Streamlit leaves it open, over the page that was chosen, and over the form after signing out.
    """
    script = _CLOSE_DRAWER.replace("__PAGE__", json.dumps(page))
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def _render_phone_tabs() -> None:
    """Render the pages that are wanted most, at the lower edge of a phone, where a thumb is.

    On a phone Streamlit puts the navigation into a drawer behind two small arrows.
    """
    pages = st.session_state.get(_PAGES, {})
    if any(slug not in pages for slug in _TABS):
        return  # while the first questions are asked
    with st.container(key="phone_tabs", horizontal=True):
        for slug in _TABS:
            st.page_link(pages[slug], label=pages[slug].title, icon=None)
    menu = json.dumps(_("Menu"), ensure_ascii=False)  # CSS has other escapes than JSON
    st.html(f"<style>{PHONE} {{ {DRAWER_BUTTON}::after {{ content: {menu}; }} }}</style>")


def with_shell(page: Callable[[], None]) -> Callable[[], None]:
    """Wrap a page: the mark of simulated data above, errors as sentences, the disclaimer below."""

    def run() -> None:
        st.html(STYLE)
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
        if account is not None and account["role"] == "patient":
            _render_phone_tabs()
        st.divider()
        st.caption(_(texts.NOT_A_DEVICE))
        _set_document_language()
        _close_drawer(page.__name__)

    run.__name__ = page.__name__
    return run
