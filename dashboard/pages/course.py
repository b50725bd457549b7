"""The course of the programme, with its sessions, beside the trial's groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.keeping import render_keeping_first
from dashboard.components.meeting import render_meeting_button
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import change_parts, format_day, format_number
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.pages.trend import render_trend
from dashboard.session import client


def course_page() -> None:
    """Render the change in words, the charts, each session, and the trial's groups."""
    if render_keeping_first(to_read=True):
        return
    st.title(_("My course"))
    api = client()
    report = api.therapy()
    end = datetime.now(UTC)
    start = end - timedelta(days=366)
    ratings = api.rating_list(start, end)
    if not ratings:
        st.write(_("Nothing here yet. After your first ratings this page begins."))
        return
    if any(rating["simulated"] for rating in ratings):
        st.caption(_("These ratings are simulated."))
    _change(report)
    render_meeting_button()
    _picture(api, ratings, end)
    _practices(api.practices_around())
    _sessions(report["sessions"])
    _trial(report)
    page_link("link", _("How pain and stress moved together"))
    page_link("data", _("Download, correct or erase any of this"))


def _picture(api: Any, ratings: list[dict[str, Any]], end: datetime) -> None:
    first = datetime.fromisoformat(ratings[0]["about"]) - timedelta(hours=12)
    days = (end - first).days
    with st.spinner(_("Looking at your heartbeats ...")):
        heart = api.trend(first, end, 900 if days < 32 else 3600 if days < 100 else 14_400)
    render_trend(ratings, heart, first, end, is_brief=True)
    st.caption(_("Upright dashed lines: sessions. Triangles: practices."))


def _practices(around: dict[str, Any]) -> None:
    """Render before, during and after, each with its interval or the reason for none."""
    if not around["practices"]:
        return
    with st.expander(_("Around your practice")):
        names = {
            "mean_hr_bpm": _("Heart rate"),
            "rmssd_ms": _("RMSSD (ms)"),
            "pain": _("Pain"),
            "stress": _("Stress"),
        }
        when = {"during": _("during"), "after": _("after")}
        rows = []
        for row in around["rows"]:
            before, change = say(row["missing"] or ""), "-"
            if row["missing"] is None:
                parts = change_parts({**row, "after": row["value"]})
                before = _("{before}, then {after}").format(**parts)
                change = _("{change} ({low} to {high})").format(**parts)
            rows.append(
                {
                    _("What"): f"{names[row['what']]}, {when[row['then']]}",
                    _("Before, then"): before,
                    _("Change (95% interval)"): change,
                }
            )
        st.table(pd.DataFrame(rows).set_index(_("What")))
        st.caption(
            _("Of {practices} practices; five minutes before and after. {caution}").format(
                practices=around["practices"], caution=say(around["caution"])
            )
        )


def _change(report: dict[str, Any]) -> None:
    for name, change in ((_("Pain"), report["pain"]), (_("Stress"), report["stress"])):
        if change["missing"] is not None:
            st.write(
                _("{name}: not enough yet to say how it changed: {missing}.").format(
                    name=name, missing=say(change["missing"])
                )
            )
            continue
        sure = (
            _("The change is clear.")
            if change["reliable"]
            else _("From these ratings we cannot tell whether it changed.")
        )
        st.write(
            _(
                "{name} was {before} on average in the first week and {after} in "
                "the last: a change of {change} (95% interval {low} to {high}). {sure}"
            ).format(name=name, sure=sure, **change_parts(change))
        )
    pain = report["pain"]
    if pain["reliable"] and pain["percent"] is not None and pain["change"] < 0:
        low, high = (-100 * pain[key] / pain["before"] for key in ("high", "low"))
        st.write(
            _(
                "That is {percent}% less pain than in the first week; by the interval, "
                "{low} to {high}%. In trials 30% less is called a moderate and 50% a "
                "substantial improvement."
            ).format(
                percent=format_number(-pain["percent"], 0),
                low=format_number(low, 0),
                high=format_number(high, 0),
            )
        )
    began = report["onset"]
    if began["day"] is not None:
        onset, early, late = (format_day(began[key]) for key in ("day", "earliest", "latest"))
        st.write(
            _("Pain began to change around {day} (95% interval: {early} to {late}).").format(
                day=onset, early=early, late=late
            )
        )


def _sessions(sessions: list[dict[str, Any]]) -> None:
    if not sessions:
        return
    with st.expander(_("Around each session")):
        st.caption(
            _("Average pain in the three days before and after. What happened then, not why.")
        )
        rows = []
        for session in sessions:
            pain = session["pain"]
            held = format_day(session["held"])
            row = {_("Session"): f"{session['number']}, {held}"}
            if pain["missing"] is None:
                parts = change_parts(pain)
                row[_("Pain")] = _("{before}, then {after}").format(**parts)
                row[_("Change (95% interval)")] = _("{change} ({low} to {high})").format(**parts)
            else:
                row[_("Pain")] = _("too few ratings")
                row[_("Change (95% interval)")] = _("{n_before} before, {n_after} after").format(
                    n_before=pain["n_before"], n_after=pain["n_after"]
                )
            rows.append(row)
        # A plain table wraps its text on a phone; a data grid would hide the last columns.
        st.table(pd.DataFrame(rows).set_index(_("Session")))


def _trial(report: dict[str, Any]) -> None:
    with st.expander(_("Beside the trial")):
        st.write(say(report["caution"]))
        rows = [
            {
                _("Group"): say(group["name"]),
                _("Pain"): _("{mean_before}, then {mean_after}").format(
                    mean_before=format_number(group["mean_before"], 1),
                    mean_after=format_number(group["mean_after"], 1),
                ),
                _("30% less"): f"{format_number(group['at_least_30_percent_less'])}%",
                _("50% less"): f"{format_number(group['at_least_50_percent_less'])}%",
                _("0 or 1"): f"{format_number(group['pain_free_or_nearly'])}%",
            }
            for group in report["trial"]
        ]
        if report["pain"]["missing"] is None:
            rows.insert(
                0,
                {
                    _("Group"): _("You, last week"),
                    _("Pain"): _("{before}, then {after}").format(
                        before=format_number(report["pain"]["before"], 1),
                        after=format_number(report["pain"]["after"], 1),
                    ),
                    _("30% less"): _("yes") if report["at_least_30_percent_less"] else _("no"),
                    _("50% less"): _("yes") if report["at_least_50_percent_less"] else _("no"),
                    _("0 or 1"): _("yes") if report["nearly_free"] else _("no"),
                },
            )
        st.table(pd.DataFrame(rows).set_index(_("Group")))
        st.caption(
            _(
                "Average pain in a week, 0 to 10, before and after a month; shares of "
                "people with at least so much less, and with 0 or 1 after. {paper}."
            ).format(paper=report["paper"])
        )


PAGE = Page(
    run=course_page,
    title=N_("My course"),
    icon=":material/route:",
    slug="course",
    roles={"patient"},
)
