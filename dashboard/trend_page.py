"""Ratings and the heart over time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from dashboard.person import client, me
from dashboard.trend_chart import trend_charts

_SPANS = {"1 week": 7, "4 weeks": 28, "3 months": 91, "1 year": 366}
# A chart has only so many pixels.
_BUCKET_S = {"1 week": 300, "4 weeks": 900, "3 months": 3600, "1 year": 14_400}
_STRETCHES = {
    "1 week": "five minutes",
    "4 weeks": "a quarter of an hour",
    "3 months": "an hour",
    "1 year": "four hours",
}
_IN_WORDS = (
    "Ratings of pain, stress and pleasant sensations over time; shaded days have no heartbeats.",
    "The stress index of each day's typical five minutes with its 95% interval; 50 is usual.",
    "RMSSD of five minutes each, on the same time axis.",
    "Heart rate of five minutes each, on the same time axis.",
)


def trend_page() -> None:
    """One chart on one time axis, after a sentence on what is in it."""
    st.title("My trend")
    chosen = st.segmented_control(
        "Time", list(_SPANS), default="4 weeks", required=True, label_visibility="collapsed"
    )
    span = chosen or "4 weeks"
    end = datetime.now(UTC)
    start = end - timedelta(days=_SPANS[span] + 1)
    api = client()
    ratings = api.rating_list(start, end)
    with st.spinner("Looking at your heartbeats ..."):
        heart = api.trend(start, end, _BUCKET_S[span])
    if not ratings and not heart["buckets"]:
        st.write(
            "Nothing here yet. After your first rating, or your first minutes with the strap, "
            "this page begins."
        )
        return
    usable = [bucket for bucket in heart["buckets"] if bucket["usable"]]
    st.write(_summary(ratings, heart))
    index = _about_the_index(usable)
    if index:
        st.write(index)
    person = me()
    assert person is not None
    sessions = [s for s in api.session_list() if start <= datetime.fromisoformat(s["held"]) <= end]
    charts = trend_charts(ratings, usable, sessions, start, end, person["zone"])
    words = _IN_WORDS if len(charts) == len(_IN_WORDS) else (_IN_WORDS[0], *_IN_WORDS[2:])
    for chart, alt in zip(charts, words, strict=True):
        st.altair_chart(chart, width="stretch", alt=alt)
    st.caption(
        f"Each dot is one rating, or the typical five minutes of {_STRETCHES[span]}. Lines join "
        "ratings less than a day and a half apart. Shaded: days without usable "
        "heartbeats. Upright dashed lines: sessions. "
        "Bars of the stress index: its 95% interval."
    )
    if "simulated" in heart["origins"]:
        st.caption("These heartbeats are simulated.")
    if any(rating["simulated"] for rating in ratings):
        st.caption("These ratings are simulated.")


def _summary(ratings: list[dict[str, Any]], heart: dict[str, Any]) -> str:
    days = len({datetime.fromisoformat(rating["about"]).date() for rating in ratings})
    words = f"{len(ratings)} ratings on {days} days"
    if not heart["windows"]:
        return f"{words}; no heartbeats in this time."
    hours, minutes = divmod(heart["usable"] * 5, 60)
    long = f"{hours} h {minutes} min" if hours else f"{minutes} minutes"
    left_out = ""
    if heart["windows"] > heart["usable"]:
        many = heart["windows"] - heart["usable"]
        left_out = f" {many} more windows had too few or too disturbed beats and are left out."
    return f"{words}, and {long} of usable heartbeats.{left_out}"


def _about_the_index(usable: list[dict[str, Any]]) -> str:
    """What the stress index is, or why there is none yet."""
    if not usable:
        return ""
    if any(window["stress_index"]["value"] is not None for window in usable):
        return (
            "The stress index compares your heart with your own first two weeks at the same time "
            "of day: 50 is your usual. It is not how stressed you feel, and much else moves it: "
            "food, sleep, illness, talking, medicines."
        )
    reasons = Counter(window["stress_index"]["missing"] for window in usable)
    return f"Stress index: {reasons.most_common(1)[0][0]}."
