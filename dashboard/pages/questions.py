"""Questions: the questionnaires of the programme, one question at a time."""

from __future__ import annotations

import streamlit as st

from dashboard.components.keeping import render_keeping_first
from dashboard.components.questions import render_questions
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page


def questions_page() -> None:
    """Render what is due; before keeping is agreed to, that question."""
    if render_keeping_first():
        return
    st.title(_("Questions"))
    render_questions()


PAGE = Page(
    run=questions_page,
    title=N_("Questions"),
    icon=":material/checklist:",
    slug="questions",
    roles={"patient"},
)
