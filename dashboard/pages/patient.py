"""One patient, for their therapist: before a session, notes, live."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.charts.trend import course_chart
from dashboard.components.forms import render_password_link, select_row
from dashboard.components.live_heart import render_patient_live_heart
from dashboard.components.offers import render_patient_offers
from dashboard.components.plain import escape_markdown
from dashboard.components.prompt import render_patient_reminders
from dashboard.components.questionnaire_changes import render_questionnaire_changes
from dashboard.components.stress import without_rests
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.reports.session_pdf import session_pdf
from dashboard.reports.session_summary import CAVEAT, now, session_summary
from dashboard.session import client


def patient_page() -> None:
    """Render the summary before a session."""
    patients = [patient for patient in client().patients() if patient["agreed"]]
    if not patients:
        st.title(_("Patient"))
        st.write(_("Nobody in your care has agreed yet that you see their data."))
        return
    ids = [patient["id"] for patient in patients]
    last = st.session_state.get("patient")
    patient = select_row(
        _("Patient"),
        patients,
        lambda row: str(row["name"]),
        index=ids.index(last) if last in ids else 0,
    )
    st.session_state["patient"] = patient["id"]
    st.title(escape_markdown(patient["name"]))
    if patient["simulated"]:
        st.caption(_("Simulated."))
    api = client().patient(patient["id"])
    with st.spinner(_("Reading ...")):
        sessions, practices = api.session_list(), without_rests(api.practices())
        end = now()
        ratings = api.rating_list(end - timedelta(days=366), end)
        page = session_summary(
            patient,
            api.therapy(),
            api.link_report(),
            sessions,
            practices,
            api.notes(),
            api.session_notes(),
            ratings,
            end,
        )
    render_questionnaire_changes(api)
    for title, lines in page.parts.items():
        st.subheader(title)
        for line in lines:
            st.write(line)
    if ratings:
        first = datetime.fromisoformat(ratings[0]["about"])
        held = [s for s in sessions if datetime.fromisoformat(s["held"]) <= end]
        st.altair_chart(
            course_chart(ratings, held, practices, first, end, patient["zone"]),
            width="stretch",
            alt=_("Ratings over time; upright dashed lines are meetings, triangles practices."),
        )
    st.caption(_(CAVEAT))
    st.download_button(
        _("Print this page (PDF)"),
        session_pdf(page),
        file_name="before-the-session.pdf",
        mime="application/pdf",
    )
    _notes(api, sessions)
    _plan(api, sessions, patient["zone"])
    render_patient_reminders(api)
    render_patient_offers(api)
    render_patient_live_heart(api)
    _new_password(patient)


def _new_password(patient: dict[str, Any]) -> None:
    with st.expander(_("They cannot sign in")):
        st.write(_("A link or code lets them set a new password."))
        if st.button(_("New password link")):
            render_password_link(client().patient_password_link(patient["id"]))


def _notes(api: Any, sessions: list[dict[str, Any]]) -> None:
    st.subheader(_("Notes and homework"))
    saved = {row["number"]: row for row in api.session_notes()}
    numbers = sorted({*(s["number"] for s in sessions), *saved, 1})
    number = st.selectbox(_("Meeting"), numbers, index=len(numbers) - 1)
    row = saved.get(number, {"notes": "", "homework": "", "version": 0})
    with st.form(f"notes-{number}-{row['version']}", border=False):
        notes = st.text_area(_("Notes, for you"), row["notes"])
        homework = st.text_area(_("Homework, which the patient sees"), row["homework"])
        if st.form_submit_button(_("Keep")):
            api.put_session_notes(number, notes, homework, row["version"])
            st.rerun()


def _plan(api: Any, sessions: list[dict[str, Any]], zone: str) -> None:
    with st.expander(_("Plan a meeting")), st.form("plan", border=False):
        number = st.number_input(_("Number"), 1, 60, len(sessions) + 1)
        day = st.date_input(_("Day"), datetime.now(ZoneInfo(zone)).date() + timedelta(days=3))
        at = st.time_input(_("Time"), time(10, 0))
        if st.form_submit_button(_("Plan")):
            api.put_session(number, datetime.combine(day, at, ZoneInfo(zone)))
            st.rerun()


PAGE = Page(
    run=patient_page,
    title=N_("Patient"),
    icon=":material/person:",
    slug="patient",
    roles={"therapist"},
)
