"""The picture before a session: ratings, heart, meetings and practices on one time axis."""

from __future__ import annotations

import altair as alt
import pandas as pd

from dashboard.charts import palette
from dashboard.charts.trend import layer_chart
from dashboard.i18n.formatting import axis_day_format, axis_time_format
from dashboard.i18n.language import _
from dashboard.session_picture import SessionPicture

_MARGIN = 45  # pixels left of each chart, so that the time axes align
_WIDE_MARKS = 40  # practices: more than these are drawn small


def picture_charts(picture: SessionPicture) -> list[tuple[alt.LayerChart, str]]:
    """Draw the picture as charts that share their time axis, each with its alternative text."""
    domain = [picture.start.isoformat(), picture.end.isoformat()]
    time = alt.X(
        "time:T",
        title=None,
        scale=alt.Scale(domain=domain),
        axis=alt.Axis(format=axis_day_format(), tickCount=6),
    )
    marks = _upright(picture, time)

    def panel(height: int, *layers: alt.Chart) -> alt.LayerChart:
        chart: alt.LayerChart = layer_chart(height, *marks, *layers).configure_axisY(
            minExtent=_MARGIN, maxExtent=_MARGIN
        )
        return chart

    found = [
        (
            panel(210, *_rating_layers(picture, time), *_practices(picture, time)),
            _(
                "Pain and stress day by day, with meetings as upright dashed lines and practices "
                "as triangles."
            ),
        )
    ]
    if picture.heart:
        found.append(
            (
                panel(120, *_heart_layers(picture, time)),
                _("The heart's stress index on the same time axis; 50 is usual."),
            )
        )
    return found


def _rating_layers(picture: SessionPicture, time: alt.X) -> list[alt.Chart]:
    names = [_("Pain"), _("Stress")]
    dots = pd.DataFrame(
        [
            {"time": at, "what": name, "value": value}
            for at, *values in picture.ratings
            for name, value in zip(names, values, strict=True)
            if value is not None
        ],
        columns=["time", "what", "value"],
    )
    days = pd.DataFrame(
        [
            {"time": at, "what": name, "value": value}
            for at, *values in picture.days
            for name, value in zip(names, values, strict=True)
            if value is not None
        ],
        columns=["time", "what", "value"],
    )
    for table in (dots, days):
        table["time"] = pd.to_datetime(table["time"])
    # A line ends where nothing was rated for two days.
    pause = days.groupby("what")["time"].diff() > pd.Timedelta(days=2)
    days["segment"] = pause.groupby(days["what"]).cumsum()
    colour = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(domain=names, range=[palette.PAIN, palette.STRESS]),
        legend=alt.Legend(orient="top"),
    )
    dash = alt.StrokeDash(
        "what:N", title=None, scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]])
    )
    shape = alt.Shape(
        "what:N", title=None, scale=alt.Scale(domain=names, range=["circle", "square"])
    )
    value = alt.Y("value:Q", title=_("Rating (0 to 10)"), scale=alt.Scale(domain=[0, 10]))
    lines = (
        alt.Chart(days)
        .mark_line(strokeWidth=2)
        .encode(x=time, y=value, color=colour, strokeDash=dash, detail="segment:N")
    )
    points = (
        alt.Chart(dots)
        .mark_point(filled=True, size=22, opacity=0.4)
        .encode(
            x=time,
            y=value,
            color=colour,
            shape=shape,
            tooltip=[
                alt.Tooltip("what:N", title=_("Rating")),
                alt.Tooltip("value:Q", title=_("Value")),
                alt.Tooltip("time:T", title=_("About"), format=axis_time_format()),
            ],
        )
    )
    return [points, lines] if len(dots) else []


def _practices(picture: SessionPicture, time: alt.X) -> list[alt.Chart]:
    if not picture.practices:
        return []
    table = pd.DataFrame({"time": pd.to_datetime(picture.practices), "value": 0.25})
    few = len(table) <= _WIDE_MARKS
    return [
        alt.Chart(table)
        .mark_point(
            shape="triangle-up",
            filled=True,
            size=60 if few else 24,
            color=palette.HEART,
            opacity=0.8,
        )
        .encode(
            x=time,
            y=alt.Y("value:Q", scale=alt.Scale(domain=[0, 10])),
            tooltip=[alt.Tooltip("time:T", title=_("Practice"), format=axis_time_format())],
        )
    ]


def _heart_layers(picture: SessionPicture, time: alt.X) -> list[alt.Chart]:
    table = pd.DataFrame(
        [
            {
                "time": item.start + (item.end - item.start) / 2,
                "value": item.value,
                "low": item.low,
                "high": item.high,
            }
            for item in picture.heart
        ]
    )
    table["time"] = pd.to_datetime(table["time"])
    scale, title = alt.Scale(domain=[0, 100]), _("Stress index")
    base = alt.Chart(table)
    usual = (
        alt.Chart(pd.DataFrame({"value": [50]}))
        .mark_rule(color=palette.MUTED, opacity=0.6)
        .encode(y=alt.Y("value:Q", scale=scale, title=title))
    )
    bars = base.mark_rule(color=palette.HEART, strokeWidth=3, opacity=0.45).encode(
        x=time, y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q"
    )
    dots = base.mark_circle(size=45, color=palette.HEART).encode(
        x=time,
        y=alt.Y("value:Q", scale=scale, title=title),
        tooltip=[
            alt.Tooltip("value:Q", title=title, format=".0f"),
            alt.Tooltip("low:Q", title=_("95% interval from"), format=".0f"),
            alt.Tooltip("high:Q", title=_("to"), format=".0f"),
            alt.Tooltip("time:T", title=_("About"), format=axis_day_format()),
        ],
    )
    return [usual, bars, dots]


def _upright(picture: SessionPicture, time: alt.X) -> list[alt.Chart]:
    """Meetings, with their numbers, and the days from which the heart has new usual values."""
    layers = []
    for rows, dashes, colour in (
        ([(at, str(number)) for at, number in picture.sessions], [3, 4], palette.MUTED),
        ([(at, _("new usual")) for at in picture.starts], [1, 3], palette.HEART),
    ):
        if not rows:
            continue
        table = pd.DataFrame(rows, columns=["time", "words"])
        table["time"] = pd.to_datetime(table["time"])
        base = alt.Chart(table)
        layers.append(base.mark_rule(strokeDash=dashes, color=colour, opacity=0.9).encode(x=time))
        layers.append(
            base.mark_text(align="left", dx=3, dy=8, fontSize=11).encode(
                x=time, y=alt.value(0), text="words:N"
            )
        )
    return layers
