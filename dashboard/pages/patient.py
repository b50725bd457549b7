"""One patient, for their therapist: before a session, notes, live."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.charts.before_session import picture_charts
from dashboard.charts.trend import choose_periods
from dashboard.client import ApiError
from dashboard.components.forms import render_password_link, select_row
from dashboard.components.live_heart import render_patient_live_heart
from dashboard.components.messages import render_patient_messages
from dashboard.components.nights import render_patient_nights
from dashboard.components.offers import render_patient_offers
from dashboard.components.plain import escape_markdown
from dashboard.components.prompt import render_patient_reminders
from dashboard.components.questionnaire_changes import render_concerns, render_questionnaire_changes
from dashboard.components.session_notes import render_session_notes
from dashboard.components.stress import without_rests
from dashboard.i18n.formatting import date_field_format
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.reports.session_pdf import session_pdf
from dashboard.reports.session_summary import (
    CAVEAT,
    HEART_WORDS,
    PICTURE_WORDS,
    SessionFacts,
    SessionSummary,
    describe_doubts,
    describe_trial,
    now,
    session_summary,
)
from dashboard.session import client
from dashboard.session_picture import SessionPicture, make_picture

_YEAR = timedelta(days=366)
_WEEK = timedelta(days=7)
_BUCKET_S = 14_400
_SPANS = {
    "lately": N_("Lately"),
    "all": N_("Up to a year"),
}
_MIN_SPAN = timedelta(days=28)


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
        questionnaires = api.questionnaire_changes()
        facts = _load_facts(api, patient)
    render_concerns(questionnaires)
    page = session_summary(facts)
    _render_facts(page)
    page.picture = _render_picture(api, facts)
    render_patient_live_heart(api)
    _render_background(page, facts, questionnaires)
    render_patient_nights(api)
    with st.expander(_("Notes and homework")):
        render_session_notes(api, facts.sessions)
    render_patient_messages(api)
    with st.expander(_("Meetings, reminders, sign-in")):
        _plan(api, facts.sessions, patient["zone"])
        render_patient_reminders(api)
        render_patient_offers(api)
        _new_password(patient)
    st.download_button(
        _("Print this page (PDF)"),
        session_pdf(page),
        file_name="before-the-session.pdf",
        mime="application/pdf",
        width="stretch",
    )


def _load_facts(api: Any, patient: dict[str, Any]) -> SessionFacts:
    end, sessions = now(), api.session_list()
    held = [datetime.fromisoformat(row["held"]) for row in sessions]
    last = max((at for at in held if at <= end), default=None)
    return SessionFacts(
        patient=patient,
        therapy=api.therapy(),
        since=None if last is None else api.therapy(last - _WEEK, end),
        link=api.link_report(),
        sessions=sessions,
        practices=without_rests(api.practices()),
        notes=api.notes(),
        session_notes=api.session_notes(),
        ratings=api.rating_list(end - _YEAR, end),
        starts=api.stress_baseline()["starts"],
        now=end,
    )


def _load_periods(api: Any, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The days or weeks of the stress index; none where they cannot be computed now."""
    try:
        return choose_periods(api.trend(start, end, _BUCKET_S))
    except ApiError:
        return []


def _picture(api: Any, facts: SessionFacts, first: datetime) -> SessionPicture | None:
    """The picture from the first rating after ``first`` on; None without a rating."""
    ratings = [row for row in facts.ratings if datetime.fromisoformat(row["about"]) >= first]
    if not ratings:
        return None
    begin = min(datetime.fromisoformat(ratings[0]["about"]), facts.now - _WEEK)
    heart = _load_periods(api, begin, facts.now)
    return make_picture(
        *(ratings, heart, facts.sessions, facts.practices, facts.starts),
        *(begin, facts.now, facts.patient["zone"]),
    )


def _render_facts(page: SessionSummary) -> None:
    """Render what is needed in the two minutes before a session: none of it is behind a fold."""
    for title in (
        _("Since the last meeting"),
        _("Homework, and what became of it"),
        _("Pain and stress"),
        _("New usual values of the heart"),
    ):
        if title not in page.parts:
            continue
        st.subheader(title)
        _lines(page.parts[title])
        if title == _("Since the last meeting"):
            coming = _("Next meeting")
            st.write(f"**{coming}:** " + escape_markdown(page.parts[coming][0]))


def _render_background(
    page: SessionSummary, facts: SessionFacts, questionnaires: dict[str, Any]
) -> None:
    """Render how to read it, the whole programme and their notes, each behind a fold."""
    with st.expander(_("How sure is this?")):
        _lines([*describe_doubts(facts.link), _(CAVEAT)])
    with st.expander(_("Over the programme")):
        _lines(page.parts[_("Over the programme")])
        st.write(describe_trial(facts.therapy))
        st.subheader(_("Questionnaires"))
        render_questionnaire_changes(questionnaires)
    with st.expander(_("Their notes")):
        _lines(page.parts[_("Their notes")])


def _lines(lines: list[str]) -> None:
    for line in lines:
        st.write(escape_markdown(line))


def _render_picture(api: Any, facts: SessionFacts) -> SessionPicture | None:
    """Render the picture of the chosen time, and return it for the print."""
    if not facts.ratings:
        st.write(_("Nothing was rated yet, so there is no picture."))
        return None
    chosen = st.segmented_control(
        _("Time of the picture"),
        list(_SPANS),
        default="lately",
        required=True,
        format_func=lambda name: _(_SPANS[name]),
        label_visibility="collapsed",
    )
    first = facts.now - _YEAR
    if chosen != "all":
        held = sorted(datetime.fromisoformat(row["held"]) for row in facts.sessions)
        past = [at for at in held if at <= facts.now]
        first = min(past[-2] if len(past) > 1 else facts.now, facts.now - _MIN_SPAN)
    with st.spinner(_("Reading ...")):
        picture = _picture(api, facts, first)
    if picture is None:
        st.write(_("Nothing was rated in this time."))
        return None
    for chart, alternative in picture_charts(picture):
        st.altair_chart(chart, width="stretch", alt=alternative)
    with st.expander(_("How to read the pictures")):
        st.write(_(PICTURE_WORDS) + (f" {_(HEART_WORDS)}" if picture.heart else ""))
    if not picture.heart:
        st.caption(_("No stress index of the heart in this time: too few usable heartbeats."))
    return picture


def _new_password(patient: dict[str, Any]) -> None:
    st.subheader(_("They cannot sign in"))
    st.write(_("A link or code lets them set a new password."))
    if st.button(_("New password link")):
        render_password_link(client().patient_password_link(patient["id"]))


def _plan(api: Any, sessions: list[dict[str, Any]], zone: str) -> None:
    st.subheader(_("Plan a meeting"))
    with st.form("plan", border=False):
        number = st.number_input(_("Number"), 1, 60, len(sessions) + 1)
        soon = datetime.now(ZoneInfo(zone)).date() + timedelta(days=3)
        day = st.date_input(_("Day"), soon, format=date_field_format())
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
