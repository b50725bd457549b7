"""The entry of the pages: ``ebbtide dashboard`` runs it under Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.i18n.language import N_, _
from dashboard.page_shell import with_shell
from dashboard.pages.caseload import caseload_page
from dashboard.pages.course import course_page
from dashboard.pages.link import link_page
from dashboard.pages.my_data import my_data_page
from dashboard.pages.patient import patient_page
from dashboard.pages.people import people_page
from dashboard.pages.programme import programme_page
from dashboard.pages.research import research_page
from dashboard.pages.screening import screening_page
from dashboard.pages.sign_in import sign_in_page
from dashboard.pages.today import today_page
from dashboard.pages.trend import trend_page
from dashboard.session import me, sign_out

_Page = tuple[Callable[[], None], str, str, str]
_BEFORE: _Page = (screening_page, N_("Before you begin"), ":material/info:", "before")
_PAGES: dict[str, tuple[_Page, ...]] = {
    "patient": (
        (today_page, N_("Today"), ":material/edit:", "today"),
        (programme_page, N_("Programme"), ":material/spa:", "programme"),
        (trend_page, N_("My trend"), ":material/show_chart:", "trend"),
        (link_page, N_("My link"), ":material/hub:", "link"),
        (course_page, N_("My course"), ":material/route:", "course"),
        (my_data_page, N_("My data"), ":material/lock:", "data"),
        _BEFORE,
    ),
    "therapist": (
        (caseload_page, N_("Caseload"), ":material/groups:", "caseload"),
        (patient_page, N_("Patient"), ":material/person:", "patient"),
        _BEFORE,
    ),
    "analyst": ((research_page, N_("Research"), ":material/query_stats:", "research"),),
    "administrator": ((people_page, N_("People"), ":material/manage_accounts:", "people"),),
}


def main() -> None:
    """Choose and show a page."""
    st.set_page_config(page_title="Ebbtide", page_icon="🌊", layout="centered")
    person = me()
    if person is None:
        sign_in = st.Page(
            with_shell(sign_in_page), title=_("Sign in"), icon=":material/login:", default=True
        )
        st.navigation([sign_in, _page(_BEFORE)], position="top").run()
        return
    pages = [_page(page, default=k == 0) for k, page in enumerate(_PAGES[person["role"]])]
    for page, known in zip(pages, _PAGES[person["role"]], strict=True):
        st.session_state[f"page_{known[-1]}"] = page
    chosen = st.navigation(pages, position="top")
    chosen.run()
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(_("Signed in as {name}").format(name=person["name"]))
    if right.button(_("Sign out"), type="tertiary"):
        sign_out()
        st.rerun()


def _page(page: _Page, default: bool = False) -> Any:
    run, title, icon, name = page
    return st.Page(with_shell(run), title=_(title), icon=icon, url_path=name, default=default)


main()
