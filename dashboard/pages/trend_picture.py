"""Ratings and the heart on one time axis, drawn, each chart with its words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.charts.trend import describe_trend, trend_charts
from dashboard.session import client, me


def trend_picture(
    ratings: list[dict[str, Any]], heart: dict[str, Any], start: datetime, end: datetime
) -> None:
    """With the sessions and practices of the time from ``start`` to ``end``. ``heart``: a trend."""
    api, person = client(), me()
    assert person is not None

    def inside(moment: str) -> bool:
        return start <= datetime.fromisoformat(moment) <= end

    charts = trend_charts(
        ratings,
        [bucket for bucket in heart["buckets"] if bucket["usable"]],
        [session for session in api.session_list() if inside(session["held"])],
        [practice for practice in api.practices() if inside(practice["start"])],
        start,
        end,
        person["zone"],
    )
    for chart, alt in zip(charts, describe_trend(charts), strict=True):
        st.altair_chart(chart, width="stretch", alt=alt)
