"""Ratings and the heart over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from dashboard.person import client, me
from dashboard.trend_chart import trend_charts

_SPANS = {"1 week": 7, "4 weeks": 28, "3 months": 91}
_WINDOW_S = 300
_IN_WORDS = (
    "Ratings of pain, stress and pleasant sensations over time; shaded days have no heartbeats.",
    "RMSSD of five minutes each, on the same time axis.",
    "Heart rate of five minutes each, on the same time axis.",
)


def trend_page() -> None:
    """One chart on one time axis, after a sentence on what is in it."""
    st.title("My trend")
    span = st.segmented_control(
        "Time", list(_SPANS), default="4 weeks", required=True, label_visibility="collapsed"
    )
    end = datetime.now(UTC)
    start = end - timedelta(days=_SPANS[span or "4 weeks"] + 1)
    api = client()
    ratings = api.ratings(start, end)
    heart = api.hrv(start, end, _WINDOW_S)
    if not ratings and not heart["windows"]:
        st.write(
            "Nothing here yet. After your first rating, or your first minutes with the strap, "
            "this page begins."
        )
        return
    usable = [window for window in heart["windows"] if window["missing"] is None]
    st.write(_summary(ratings, heart["windows"], usable))
    person = me()
    assert person is not None
    sessions = [s for s in api.sessions() if start <= datetime.fromisoformat(s["held"]) <= end]
    charts = trend_charts(ratings, usable, sessions, start, end, person["zone"])
    for chart, alt in zip(charts, _IN_WORDS, strict=True):
        st.altair_chart(chart, width="stretch", alt=alt)
    st.caption(
        "Each dot is one rating, or five minutes of heartbeats. Lines join ratings less than a day "
        "and a half apart. Shaded: days without usable heartbeats. Upright lines: sessions."
    )
    if "simulated" in heart["origins"]:
        st.caption("These heartbeats are simulated.")
    if any(rating["simulated"] for rating in ratings):
        st.caption("These ratings are simulated.")


def _summary(
    ratings: list[dict[str, Any]], windows: list[dict[str, Any]], usable: list[dict[str, Any]]
) -> str:
    days = len({datetime.fromisoformat(rating["about"]).date() for rating in ratings})
    words = f"{len(ratings)} ratings on {days} days"
    if not windows:
        return f"{words}; no heartbeats in this time."
    minutes = len(usable) * _WINDOW_S // 60
    unusable = len(windows) - len(usable)
    left_out = ""
    if unusable:
        left_out = f" {unusable} more windows had too few or too disturbed beats and are left out."
    return f"{words}, and {minutes} minutes of usable heartbeats.{left_out}"
