"""The course of the programme, with its sessions, beside the trial's groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.frame import link_to
from dashboard.language import _, day, number, signed
from dashboard.person import client, me
from dashboard.trend_chart import in_words, trend_charts


def therapy_page() -> None:
    """Change in words, the picture with sessions marked, each session, the trial."""
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
    _picture(api, ratings, end)
    _practices(api.practices_around())
    _sessions(report["sessions"])
    _trial(report)
    link_to("link", _("How pain and stress moved together"))
    link_to("data", _("Download, correct or erase any of this"))


def _picture(api: Any, ratings: list[dict[str, Any]], end: datetime) -> None:
    person = me()
    assert person is not None
    first = datetime.fromisoformat(ratings[0]["about"]) - timedelta(hours=12)
    days = (end - first).days
    with st.spinner(_("Looking at your heartbeats ...")):
        heart = api.trend(first, end, 900 if days < 32 else 3600 if days < 100 else 14_400)
    usable = [bucket for bucket in heart["buckets"] if bucket["usable"]]
    sessions = [s for s in api.session_list() if datetime.fromisoformat(s["held"]) <= end]
    practices = api.practices()
    charts = trend_charts(ratings, usable, sessions, practices, first, end, person["zone"])
    for chart, alt in zip(charts, in_words(charts), strict=True):
        st.altair_chart(chart, width="stretch", alt=alt)
    st.caption(
        _(
            "Upright dashed lines: sessions. Triangles: practices. Shaded: days "
            "without usable heartbeats."
        )
    )


def _practices(told: dict[str, Any]) -> None:
    """Before, during and after, each with its interval or with what is missing."""
    if not told["practices"]:
        return
    st.subheader(_("Around your practice"))
    names = {
        "mean_hr_bpm": _("Heart rate"),
        "rmssd_ms": _("RMSSD (ms)"),
        "pain": _("Pain"),
        "stress": _("Stress"),
    }
    rows = [
        {
            _("What"): f"{names[row['what']]}, {_(row['then'])}",
            _("Before, then"): row["missing"]
            or _("{before}, then {value}").format(
                before=number(row["before"], 1), value=number(row["value"], 1)
            ),
            _("Change (95% interval)"): "-"
            if row["missing"]
            else _("{change} ({low} to {high})").format(
                change=signed(row["change"]), low=signed(row["low"]), high=signed(row["high"])
            ),
        }
        for row in told["rows"]
    ]
    st.table(pd.DataFrame(rows).set_index(_("What")))
    st.caption(
        _("Of {practices} practices; five minutes before and after. {caution}").format(
            practices=told["practices"], caution=told["caution"]
        )
    )


def _change(report: dict[str, Any]) -> None:
    for name, change in ((_("Pain"), report["pain"]), (_("Stress"), report["stress"])):
        if change["missing"] is not None:
            st.write(
                _("{name}: not enough yet to say how it changed: {missing}.").format(
                    name=name, missing=change["missing"]
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
            ).format(
                name=name,
                before=number(change["before"], 1),
                after=number(change["after"], 1),
                change=signed(change["change"]),
                low=signed(change["low"]),
                high=signed(change["high"]),
                sure=sure,
            )
        )
    pain = report["pain"]
    if pain["reliable"] and pain["percent"] is not None and pain["change"] < 0:
        low, high = (-100 * pain[key] / pain["before"] for key in ("high", "low"))
        st.write(
            _(
                "That is {percent}% less pain than in the first week; by the interval, "
                "{low} to {high}%. In trials 30% less is called a moderate and 50% a "
                "substantial improvement."
            ).format(percent=number(-pain["percent"], 0), low=number(low, 0), high=number(high, 0))
        )
    began = report["onset"]
    if began["day"] is not None:
        onset, early, late = (day(began[key]) for key in ("day", "earliest", "latest"))
        st.write(
            _("Pain began to change around {day} (95% interval: {early} to {late}).").format(
                day=onset, early=early, late=late
            )
        )


def _sessions(sessions: list[dict[str, Any]]) -> None:
    if not sessions:
        return
    st.subheader(_("Around each session"))
    st.caption(_("Average pain in the three days before and after. What happened then, not why."))
    rows = []
    for session in sessions:
        pain = session["pain"]
        held = day(session["held"])
        told = {_("Session"): f"{session['number']}, {held}"}
        if pain["missing"] is None:
            told[_("Pain")] = _("{before}, then {after}").format(
                before=number(pain["before"], 1), after=number(pain["after"], 1)
            )
            told[_("Change (95% interval)")] = _("{change} ({low} to {high})").format(
                change=signed(pain["change"]), low=signed(pain["low"]), high=signed(pain["high"])
            )
        else:
            told[_("Pain")] = _("too few ratings")
            told[_("Change (95% interval)")] = _("{n_before} before, {n_after} after").format(
                n_before=pain["n_before"], n_after=pain["n_after"]
            )
        rows.append(told)
    # A plain table: its words wrap on a phone, where a grid would hide the last columns.
    st.table(pd.DataFrame(rows).set_index(_("Session")))


def _trial(report: dict[str, Any]) -> None:
    st.subheader(_("Beside the trial"))
    st.write(report["caution"])
    rows = [
        {
            _("Group"): group["name"],
            _("Pain"): _("{mean_before}, then {mean_after}").format(
                mean_before=number(group["mean_before"], 1),
                mean_after=number(group["mean_after"], 1),
            ),
            _("30% less"): f"{number(group['at_least_30_percent_less'])}%",
            _("50% less"): f"{number(group['at_least_50_percent_less'])}%",
            _("0 or 1"): f"{number(group['pain_free_or_nearly'])}%",
        }
        for group in report["trial"]
    ]
    if report["pain"]["missing"] is None:
        rows.insert(
            0,
            {
                _("Group"): _("You, last week"),
                _("Pain"): _("{before}, then {after}").format(
                    before=number(report["pain"]["before"], 1),
                    after=number(report["pain"]["after"], 1),
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
