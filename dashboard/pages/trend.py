"""Ratings and the heart over time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from dashboard.i18n.language import N_, _
from dashboard.pages.trend_picture import trend_picture
from dashboard.session import client

_SPANS = {N_("1 week"): 7, N_("4 weeks"): 28, N_("3 months"): 91, N_("1 year"): 366}
# A chart has only so many pixels.
_BUCKET_S = {"1 week": 300, "4 weeks": 900, "3 months": 3600, "1 year": 14_400}
_STRETCHES = {
    "1 week": N_("five minutes"),
    "4 weeks": N_("a quarter of an hour"),
    "3 months": N_("an hour"),
    "1 year": N_("four hours"),
}


def trend_page() -> None:
    """One chart on one time axis, after a sentence on what is in it."""
    st.title(_("My trend"))
    chosen = st.segmented_control(
        _("Time"),
        list(_SPANS),
        default="4 weeks",
        required=True,
        format_func=_,
        label_visibility="collapsed",
    )
    span = chosen or "4 weeks"
    end = datetime.now(UTC)
    start = end - timedelta(days=_SPANS[span] + 1)
    api = client()
    ratings = api.rating_list(start, end)
    with st.spinner(_("Looking at your heartbeats ...")):
        heart = api.trend(start, end, _BUCKET_S[span])
    if not ratings and not heart["buckets"]:
        st.write(
            _(
                "Nothing here yet. After your first rating, or your first minutes with "
                "the strap, this page begins."
            )
        )
        return
    usable = [bucket for bucket in heart["buckets"] if bucket["usable"]]
    st.write(_summary(ratings, heart))
    index = _about_the_index(usable)
    if index:
        st.write(index)
    trend_picture(ratings, heart, start, end)
    st.caption(
        _(
            "Each dot is one rating, or the typical five minutes of {stretches}. "
            "Lines join ratings less than a day and a half apart. Shaded: days "
            "without usable heartbeats. Upright dashed lines: sessions. Triangles: "
            "practices. Bars of the stress index: its 95% interval."
        ).format(stretches=_(_STRETCHES[span]))
    )
    if "simulated" in heart["origins"]:
        st.caption(_("These heartbeats are simulated."))
    if any(rating["simulated"] for rating in ratings):
        st.caption(_("These ratings are simulated."))


def _summary(ratings: list[dict[str, Any]], heart: dict[str, Any]) -> str:
    days = len({datetime.fromisoformat(rating["about"]).date() for rating in ratings})
    words = _("{ratings} ratings on {days} days").format(ratings=len(ratings), days=days)
    if not heart["windows"]:
        return _("{words}; no heartbeats in this time.").format(words=words)
    hours, minutes = divmod(heart["usable"] * 5, 60)
    long = (
        _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
        if hours
        else _("{minutes} minutes").format(minutes=minutes)
    )
    left_out = ""
    if heart["windows"] > heart["usable"]:
        many = heart["windows"] - heart["usable"]
        left_out = _(
            " {many} more windows had too few or too disturbed beats and are left out."
        ).format(many=many)
    return _("{words}, and {long} of usable heartbeats.{left_out}").format(
        words=words, long=long, left_out=left_out
    )


def _about_the_index(usable: list[dict[str, Any]]) -> str:
    """What the stress index is, or why there is none yet."""
    if not usable:
        return ""
    if any(window["stress_index"]["value"] is not None for window in usable):
        return _(
            "The stress index compares your heart with your own first two weeks at "
            "the same time of day: 50 is your usual. It is not how stressed you "
            "feel, and much else moves it: food, sleep, illness, talking, medicines."
        )
    reasons = Counter(window["stress_index"]["missing"] for window in usable)
    return _("Stress index: {most_common}.").format(most_common=reasons.most_common(1)[0][0])
