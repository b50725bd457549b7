"""Streamlit script of the dashboard, run by ``ebbtide dashboard``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.client import UnavailableError
from dashboard.components.first_run import is_in_first_run
from dashboard.components.plain import escape_markdown
from dashboard.i18n.language import _
from dashboard.page_shell import FIRST_RUN, SECOND_FACTOR, SIGNED_OUT, register_pages, with_shell
from dashboard.pages import PAGES, pages_of, patient_sections
from dashboard.session import current_account, first_run_secret, sign_out


def main() -> None:
    """Build the navigation of the account's role and run the chosen page."""
    st.set_page_config(
        page_title="Ebbtide",
        page_icon="🌊",
        layout="centered",
        # On a phone the navigation is a drawer, which would cover the page.
        initial_sidebar_state="collapsed",
    )
    try:
        account = current_account()
    except UnavailableError as error:
        st.warning(str(error))
        st.button(_("Try again"))
        return
    if account is None:
        role = SIGNED_OUT if first_run_secret() is None else FIRST_RUN
    elif account["second_factor_missing"]:
        role = SECOND_FACTOR
    else:
        role = FIRST_RUN if is_in_first_run() else account["role"]
    pages = {
        page.slug: st.Page(
            with_shell(page.run),
            title=_(page.title),
            icon=page.icon,
            # Streamlit knows a default page at / alone: its own address is a page of its own.
            url_path=f"{page.slug}-first" if k == 0 else page.slug,
            default=k == 0,
        )
        for k, page in enumerate(pages_of(role))
    }
    register_pages(pages)
    if role == "patient":
        sections = {
            _(title) if title else "": [pages[slug] for slug in slugs]
            for title, slugs in patient_sections()
        }
        sections[""] += _pages_elsewhere(role, pages)
        st.navigation(sections, position="top").run()
    else:
        hidden = _pages_elsewhere(role, pages)
        st.navigation([*pages.values(), *hidden], position="top").run()
    if account is None or role == FIRST_RUN:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("Signed in as {name}").format(name=escape_markdown(account["name"])))
        if st.button(_("Sign out"), type="tertiary"):
            sign_out()
            st.rerun()


def _pages_elsewhere(role: str, pages: Mapping[str, Any]) -> list[Any]:
    """Open the first page of a role at its own address, and at those of pages that the role has
    not: Streamlit would say that a bookmarked page does not exist. Before signing in that is the
    form, at the address of every page, which is then opened.
    """
    first = pages_of(role)[0]
    return [
        st.Page(
            with_shell(first.run), title=_(first.title), url_path=page.slug, visibility="hidden"
        )
        for page in PAGES
        if page.slug == first.slug or page.slug not in pages
    ]


main()
