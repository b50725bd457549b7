"""The course of the programme, with its sessions, beside the trial's groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.person import client, me
from dashboard.signed import signed
from dashboard.trend_chart import course_chart


def therapy_page() -> None:
    """Change in words, the picture with sessions marked, each session, the trial."""
    st.title("My course")
    api = client()
    report = api.therapy()
    end = datetime.now(UTC)
    start = end - timedelta(days=366)
    ratings = api.rating_list(start, end)
    if not ratings:
        st.write("Nothing here yet. After your first ratings this page begins.")
        return
    if any(rating["simulated"] for rating in ratings):
        st.caption("These ratings are simulated.")
    _change(report)
    person = me()
    assert person is not None
    first = datetime.fromisoformat(ratings[0]["about"])
    st.altair_chart(
        course_chart(ratings, api.session_list(), first, end, person["zone"]),
        width="stretch",
        alt="Ratings of pain, stress and pleasant sensations over time; upright dashed lines are "
        "sessions.",
    )
    _sessions(report["sessions"])
    _trial(report)


def _change(report: dict[str, Any]) -> None:
    for name, change in (("pain", report["pain"]), ("stress", report["stress"])):
        if change["missing"] is not None:
            st.write(f"Not enough yet to say how {name} changed: {change['missing']}.")
            continue
        sure = (
            "The change is clear."
            if change["reliable"]
            else "From these ratings we cannot tell whether it changed."
        )
        st.write(
            f"{name.capitalize()} was {change['before']:.1f} on average in the first week and "
            f"{change['after']:.1f} in the last: a change of {signed(change['change'])} (95% "
            f"interval {signed(change['low'])} to {signed(change['high'])}). {sure}"
        )
    pain = report["pain"]
    if pain["reliable"] and pain["percent"] is not None and pain["change"] < 0:
        low, high = (-100 * pain[key] / pain["before"] for key in ("high", "low"))
        st.write(
            f"That is {-pain['percent']:.0f}% less pain than in the first week; by the interval, "
            f"{low:.0f} to {high:.0f}%. In trials 30% less is called a moderate and 50% a "
            "substantial improvement."
        )
    began = report["onset"]
    if began["day"] is not None:
        day, early, late = (
            datetime.fromisoformat(began[key]).strftime("%-d %B")
            for key in ("day", "earliest", "latest")
        )
        st.write(f"Pain began to change around {day} (95% interval: {early} to {late}).")


def _sessions(sessions: list[dict[str, Any]]) -> None:
    if not sessions:
        return
    st.subheader("Around each session")
    st.caption("Average pain in the three days before and after. What happened then, not why.")
    rows = []
    for session in sessions:
        pain = session["pain"]
        held = datetime.fromisoformat(session["held"]).strftime("%-d %b")
        told = {"Session": f"{session['number']}, {held}"}
        if pain["missing"] is None:
            told["Pain"] = f"{pain['before']:.1f}, then {pain['after']:.1f}"
            told["Change (95% interval)"] = (
                f"{signed(pain['change'])} ({signed(pain['low'])} to {signed(pain['high'])})"
            )
        else:
            told["Pain"] = "too few ratings"
            told["Change (95% interval)"] = f"{pain['n_before']} before, {pain['n_after']} after"
        rows.append(told)
    # A plain table: its words wrap on a phone, where a grid would hide the last columns.
    st.table(pd.DataFrame(rows).set_index("Session"))


def _trial(report: dict[str, Any]) -> None:
    st.subheader("Beside the trial")
    st.write(report["caution"])
    rows = [
        {
            "Group": group["name"],
            "Pain": f"{group['mean_before']:.1f}, then {group['mean_after']:.1f}",
            "30% less": f"{group['at_least_30_percent_less']:.0f}%",
            "50% less": f"{group['at_least_50_percent_less']:.0f}%",
            "0 or 1": f"{group['pain_free_or_nearly']:.0f}%",
        }
        for group in report["trial"]
    ]
    if report["pain"]["missing"] is None:
        rows.insert(
            0,
            {
                "Group": "You, last week",
                "Pain": f"{report['pain']['before']:.1f}, then {report['pain']['after']:.1f}",
                "30% less": "yes" if report["at_least_30_percent_less"] else "no",
                "50% less": "yes" if report["at_least_50_percent_less"] else "no",
                "0 or 1": "yes" if report["nearly_free"] else "no",
            },
        )
    st.table(pd.DataFrame(rows).set_index("Group"))
    st.caption(
        "Average pain in a week, 0 to 10, before and after a month; shares of people with at least "
        f"so much less, and with 0 or 1 after. {report['paper']}."
    )
