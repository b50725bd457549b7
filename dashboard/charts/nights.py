"""Nights drawn: twelve months as a calendar, one night, the last weeks."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

import altair as alt
import pandas as pd
from babel.dates import get_month_names

from dashboard.charts import palette
from dashboard.charts.trend import layer_chart
from dashboard.i18n.formatting import axis_day_format, axis_time_format, format_long_day
from dashboard.i18n.language import N_, _, reader_locale

CALMER, MIDDLE, LESS_CALM = "calmer", "middle", "less calm"
NOT_COMPARED = "measured"
# Lightness tells them apart, too, also in print; a gap is a dash.
_TINTS = {LESS_CALM: "#b7d3d6", MIDDLE: "#6fa6ac", CALMER: "#1f565c", NOT_COMPARED: "#d9bf8c"}
_WORDS = {
    CALMER: N_("among the calmer third of your nights"),
    MIDDLE: N_("among the middle third"),
    LESS_CALM: N_("among the less calm third"),
    NOT_COMPARED: N_("measured, with too few others to compare"),
}
_GAP = "gap"
_STEP_S = 300


def describe_place(place: str) -> str:
    """Say where a night stands among the others of its device."""
    return _(_WORDS[place])


def calendar_chart(days: list[dict[str, Any]]) -> alt.LayerChart:
    """Draw a row a month and a column a day of the month.

    ``days``: ``day`` (ISO 8601), ``place`` (a key of the words above, None for a gap), ``words``.
    """
    rows = [_cell(item) for item in days]
    order = list(dict.fromkeys(row["month"] for row in rows))
    table = pd.DataFrame(rows)
    base = alt.Chart(table).encode(
        x=alt.X(
            "number:O",
            title=None,
            scale=alt.Scale(domain=list(range(1, 32)), paddingInner=0.08, paddingOuter=0.05),
            axis=alt.Axis(values=[1, 5, 10, 15, 20, 25, 30], labelAngle=0, ticks=False),
        ),
        y=alt.Y(
            "month:N",
            title=None,
            sort=order,
            axis=alt.Axis(ticks=False, labelOverlap=False),
            scale=alt.Scale(padding=0.08),
        ),
        tooltip=[
            alt.Tooltip("title:N", title=_("Night")),
            alt.Tooltip("words:N", title=_("What")),
        ],
    )
    measured = (
        base.transform_filter(alt.datum.place != _GAP)
        .mark_rect(cornerRadius=2)
        .encode(
            color=alt.Color(
                "place:N",
                scale=alt.Scale(domain=list(_TINTS), range=list(_TINTS.values())),
                legend=None,
            )
        )
    )
    gaps = base.transform_filter(alt.datum.place == _GAP).mark_text(
        text="\u2013", color=palette.MUTED
    )
    return layer_chart(24 * len(order) + 30, measured, gaps)


def _cell(item: dict[str, Any]) -> dict[str, Any]:
    day = date.fromisoformat(item["day"])
    month = get_month_names("abbreviated", "stand-alone", reader_locale())[day.month]
    return {
        "month": f"{month} {day.year}",
        "number": day.day,
        "place": item["place"] or _GAP,
        "title": format_long_day(f"{item['day']}T12:00:00"),
        "words": item["words"],
    }


def calendar_legend_html(days: list[dict[str, Any]]) -> str:
    """Return the legend of the calendar as HTML; only of what is in it."""
    there = {item["place"] or _GAP for item in days}
    entries = [
        f'<li><i style="background:{_TINTS[place]}"></i>{escape(describe_place(place))}</li>'
        for place in (CALMER, MIDDLE, LESS_CALM, NOT_COMPARED)
        if place in there
    ]
    if _GAP in there:
        words = _("no night: the reasons are in the list below")
        entries.append(f'<li><i class="none">\u2013</i>{escape(words)}</li>')
    return (
        "<style>.nights { list-style: none; margin: 0; padding: 0; font-size: .9rem; }"
        ".nights li { margin: 0; }"
        ".nights i { display: inline-block; width: .9rem; height: .9rem; margin-right: .5rem; "
        "border-radius: 2px; vertical-align: -.1rem; text-align: center; line-height: .8rem; "
        "font-style: normal; }</style>"
        f'<ul class="nights">{"".join(entries)}</ul>'
    )


def night_charts(night: dict[str, Any]) -> list[tuple[alt.LayerChart, str]]:
    """Draw a night's values by the clock, each chart with its alternative text; none without.

    A line joins neighbouring steps alone: what was not measured stays a hole.
    """
    found = []
    for name, title, words in (
        (
            "hr_bpm",
            _("Heart rate"),
            _("Heart rate over the night, five minutes each."),
        ),
        (
            "rmssd_ms",
            _("RMSSD (ms)"),
            _("RMSSD over the night, five minutes each."),
        ),
        (
            "sdnn_ms",
            _("SDNN (ms)"),
            _("SDNN over the night, five minutes each."),
        ),
    ):
        rows = _steps(night, name)
        if len(rows) >= 2:
            found.append((_steps_chart(rows, title), words))
    return found


def _steps(night: dict[str, Any], name: str) -> list[dict[str, Any]]:
    column = {"rmssd_ms": 1, "sdnn_ms": 2, "hr_bpm": 3}[name]
    start = pd.Timestamp(night["start"]).tz_localize(None)
    rows: list[dict[str, Any]] = []
    piece, last = 0, None
    for value in night["values"]:
        if value[column] is None:
            continue
        piece += last is not None and value[0] - last > 2 * _STEP_S
        last = value[0]
        time = (start + pd.Timedelta(seconds=value[0])).isoformat()
        rows.append({"time": time, "value": value[column], "piece": piece})
    return rows


def _steps_chart(rows: list[dict[str, Any]], title: str) -> alt.LayerChart:
    clock = axis_time_format().removeprefix(axis_day_format()).strip()
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("time:T", title=None, axis=alt.Axis(format=clock, tickCount=5)),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
        detail="piece:N",
    )
    line = base.mark_line(color=palette.HEART, strokeWidth=1.5)
    dots = base.mark_circle(color=palette.HEART, size=12)
    return layer_chart(130, line, dots)


def weeks_chart(rows: list[dict[str, Any]], title: str) -> alt.LayerChart:
    """Draw a dot a night: ``day``, ``value``."""
    dots = (
        alt.Chart(pd.DataFrame(rows))
        .mark_circle(color=palette.HEART, size=36)
        .encode(
            x=alt.X("day:T", title=None, axis=alt.Axis(format=axis_day_format(), tickCount=5)),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
        )
    )
    return layer_chart(120, dots)
