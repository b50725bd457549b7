"""Ratings and the heart over time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.charts.gaps import gap_legend_html
from dashboard.charts.trend import describe_chart, trend_charts
from dashboard.components.first_days import load_first_days, render_first_days
from dashboard.components.keeping import render_keeping_first
from dashboard.components.stress import by_heart_rate_only, render_usual_changed, without_rests
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import calmer_parts, format_day, format_number
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client, current_account

SPANS = {N_("1 week"): 7, N_("4 weeks"): 28, N_("3 months"): 91, N_("1 year"): 366}
USUAL_SPAN = "4 weeks"  # that the page begins with
# 2,200 to 2,800 buckets for each span; a chart is about 700 pixels wide.
_BUCKET_S = {"1 week": 300, "4 weeks": 900, "3 months": 3600, "1 year": 14_400}
_STRETCHES = {
    "1 week": N_("five minutes"),
    "4 weeks": N_("a quarter of an hour"),
    "3 months": N_("an hour"),
    "1 year": N_("four hours"),
}


def trend_page() -> None:
    """Render a summary and the charts on one time axis."""
    if render_keeping_first(to_read=True):
        return
    st.title(_("My trend"))
    chosen = st.segmented_control(
        _("Time"),
        list(SPANS),
        default=USUAL_SPAN,
        required=True,
        format_func=_,
        label_visibility="collapsed",
    )
    span = chosen or USUAL_SPAN
    end = datetime.now(UTC)
    start = end - timedelta(days=SPANS[span] + 1)
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
        _render_path()
        return
    st.write(_summary(ratings, heart))
    index = _describe_index(heart["days"])
    if index:
        st.write(index)
    render_trend(ratings, heart, start, end)
    with st.expander(_("How to read the pictures")):
        st.caption(
            _(
                "Each dot is one rating, or the typical five minutes of {stretches}. "
                "Lines join ratings less than a day and a half apart; over more than five weeks, "
                "the averages of days. Upright dashed lines: sessions. Triangles: practices. "
                "Stress index: a dot for each day or, where a day says too little, each week "
                "from Monday; its bar is its own 95% interval, and the band around "
                "50 is how sure your usual is. Hours: how much of a day has no value "
                "of the index, and why."
            ).format(stretches=_(_STRETCHES[span]))
        )
    if "simulated" in heart["origins"]:
        st.caption(_("These heartbeats are simulated."))
    if "pulse" in heart["origins"]:
        st.caption(
            _(
                "Some of these beats are pulses seen by an optical sensor: their figures are pulse "
                "rate variability, which is near HRV at rest and less exact when you move."
            )
        )
    if any(rating["simulated"] for rating in ratings):
        st.caption(_("These ratings are simulated."))
    render_missing_time(heart["days"])
    render_usual_changed()
    _render_path()


def render_missing_time(days: list[dict[str, Any]]) -> None:
    """Render how much of each day has no value of the stress index, and why."""
    rows = [
        {
            _("Day"): format_day(f"{item['day']}T12:00:00+00:00"),
            _("Hours without a value, and why"): "; ".join(
                f"{format_number(gap['minutes'] / 60, 1)} h {say(gap['reason'])}"
                for gap in item["gaps"]
            ),
        }
        for item in reversed(days)
        if item["gaps"]
    ]
    if rows:
        with st.expander(_("Times without heartbeats, and why")):
            st.table(pd.DataFrame(rows).set_index(_("Day")))


def _render_path() -> None:
    days = load_first_days()
    if days is not None:
        render_first_days(days)


def render_trend(
    ratings: list[dict[str, Any]],
    heart: dict[str, Any],
    start: datetime,
    end: datetime,
    *,
    is_brief: bool = False,
) -> None:
    """Render the charts of a time with its sessions and practices, and their numbers as a table.

    ``heart`` is an HRV trend. Charts that have nothing to show are left out; where there is no
    heartbeat at all, one sentence says so and where to begin. ``is_brief``: only the ratings are
    unfolded.
    """
    api, account = client(), current_account()
    assert account is not None

    def is_inside(moment: str) -> bool:
        return start <= datetime.fromisoformat(moment) <= end

    charts = trend_charts(
        ratings,
        heart,
        [session for session in api.session_list() if is_inside(session["held"])],
        [item for item in without_rests(api.practices()) if is_inside(item["start"])],
        start,
        end,
        account["zone"],
    )

    def draw(name: str) -> None:
        if name in charts:
            st.altair_chart(charts[name], width="stretch", alt=describe_chart(name))

    draw("ratings")
    if not is_brief:
        draw("stress_index")
        if "gaps" in charts:
            st.caption(_("Hours of each day without a value of the stress index, and why:"))
            draw("gaps")
            st.html(gap_legend_html(heart["days"]))
    folded = ("stress_index", "heart_rate", "rmssd") if is_brief else ("heart_rate", "rmssd")
    if any(name in charts for name in folded):
        with st.expander(_("The heart") if is_brief else _("Heart rate and RMSSD")):
            for name in folded:
                draw(name)
    elif ratings:
        st.caption(_("No heartbeats in this time: with a strap, or a file of one, they appear."))
        page_link("devices", _("My devices"))
    _render_numbers(ratings, heart, account["zone"])


def _render_numbers(ratings: list[dict[str, Any]], heart: dict[str, Any], zone: str) -> None:
    """Render what the charts show as a table: for screen readers, and for who likes numbers."""
    table = daily_numbers(ratings, heart, ZoneInfo(zone))
    if len(table):
        with st.expander(_("The numbers")), st.container(height=320, border=False):
            st.table(table)


def daily_numbers(
    ratings: list[dict[str, Any]], heart: dict[str, Any], zone: ZoneInfo
) -> pd.DataFrame:
    """Return a row for each day that has something, the newest first, with words for cells."""
    days: dict[str, dict[str, list[float]]] = {}

    def add(moment: str, name: str, value: float | None) -> None:
        if value is not None:
            day = datetime.fromisoformat(moment).astimezone(zone).date().isoformat()
            days.setdefault(day, {}).setdefault(name, []).append(value)

    for rating in ratings:
        for name in ("pain", "stress", "pleasant"):
            add(rating["about"], name, rating[name])
    for bucket in heart["buckets"]:
        add(bucket["start"], "heart_rate", bucket["mean_hr_bpm"])
        add(bucket["start"], "rmssd", bucket["rmssd_ms"])
    indexes = {
        item["day"]: item["stress_index"]
        for item in heart["days"]
        if item["stress_index"]["value"] is not None
    }
    titles = {
        "pain": _("Pain"),
        "stress": _("Stress"),
        "pleasant": _("Something pleasant"),
        "heart_rate": _("Heart rate"),
        "rmssd": _("RMSSD (ms)"),
    }
    rows = []
    for day in sorted({*days, *indexes}, reverse=True):
        values = days.get(day, {})
        index = indexes.get(day)
        rows.append(
            {
                _("Day"): format_day(f"{day}T12:00:00+00:00"),
                **{
                    title: format_number(mean(values[name]), 1) if name in values else ""
                    for name, title in titles.items()
                },
                _("Stress index (95% interval)"): _("{value} ({low} to {high})").format(
                    **{key: format_number(index[key]) for key in ("value", "low", "high")}
                )
                if index
                else "",
            }
        )
    table = pd.DataFrame(rows)
    return table.set_index(_("Day")) if rows else table


def _summary(ratings: list[dict[str, Any]], heart: dict[str, Any]) -> str:
    days = len({datetime.fromisoformat(rating["about"]).date() for rating in ratings})
    if len(ratings) == 1:
        words = _("1 rating")
    elif days == 1:
        words = _("{ratings} ratings on 1 day").format(ratings=len(ratings))
    else:
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


def _describe_index(days: list[dict[str, Any]]) -> str:
    """Explain the stress index by the last day that has one, or say why there is none yet."""
    known = [item for item in days if item["stress_index"]["value"] is not None]
    if known:
        last = known[-1]
        sentence = _(
            "On {day} your heart was calmer than at {share} of 100 of your usual moments at these "
            "hours ({low} to {high})."
        ).format(
            day=format_day(f"{last['day']}T12:00:00+00:00"), **calmer_parts(last["stress_index"])
        )
        kind = by_heart_rate_only(last["stress_index"])
        return (
            sentence
            + (f" {kind} " if kind else " ")
            + _(
                "The stress index compares your heart with your own first four weeks at "
                "the same time of day: 50 is your usual, less is calmer. It is not how stressed "
                "you feel, and much else moves it: food, sleep, illness, talking, medicines."
            )
        )
    worn = [item["stress_index"] for item in days if item["stress_index"]["known_share"]]
    reasons = Counter(index["missing"] for index in worn)
    if not reasons:
        return ""
    return _("Stress index: {most_common}.").format(most_common=say(reasons.most_common(1)[0][0]))


PAGE = Page(
    run=trend_page,
    title=N_("My trend"),
    icon=":material/show_chart:",
    slug="trend",
    roles={"patient"},
)
