"""The picture before a session: ratings, heart, meetings and practices on one time axis."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd

from dashboard.charts import palette
from dashboard.charts.trend import layer_chart
from dashboard.i18n.formatting import axis_day_format, axis_time_format
from dashboard.i18n.language import _

_MARGIN = 45  # pixels left of each chart, so that the time axes align
_NOON = timedelta(hours=12)
_WIDE_MARKS = 40  # practices: more than these are drawn small


@dataclass(frozen=True, slots=True)
class HeartPeriod:
    """A day or week of the stress index, with its own 95% interval."""

    start: datetime
    end: datetime
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SessionPicture:
    """What the picture holds, on the person's wall clock, without a zone. ``days``: the mean of a
    day's pain and stress, at noon; ``starts``: from when the heart is compared with new values.
    """

    start: datetime
    end: datetime
    ratings: list[tuple[datetime, int, int]]
    days: list[tuple[datetime, float, float]]
    heart: list[HeartPeriod] = field(default_factory=list)
    sessions: list[tuple[datetime, int]] = field(default_factory=list)
    practices: list[datetime] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)


def make_picture(
    ratings: list[dict[str, Any]],
    periods: list[dict[str, Any]],
    sessions: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    starts: list[dict[str, Any]],
    start: datetime,
    end: datetime,
    zone: str,
) -> SessionPicture:
    """Gather what the API gave. ``periods``: days or weeks of ``choose_periods``."""
    tz = ZoneInfo(zone)

    def wall(moment: str | datetime) -> datetime:
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return parsed.astimezone(tz).replace(tzinfo=None)

    first, last = wall(start), wall(end)
    rated = [(wall(row["about"]), row["pain"], row["stress"]) for row in ratings]
    by_day: dict[datetime, list[tuple[int, int]]] = defaultdict(list)
    for at, pain, stress in rated:
        by_day[datetime.combine(at.date(), datetime.min.time())].append((pain, stress))
    heart = []
    for item in periods:
        index = item["stress_index"]
        begin = datetime.fromisoformat(str(item["day"]))
        finish = begin + timedelta(days=item["length"])
        if index["value"] is not None and finish > first and begin < last:
            heart.append(
                HeartPeriod(
                    *(max(begin, first), min(finish, last)),
                    *(index[key] for key in ("value", "own_low", "own_high")),
                )
            )

    def inside(moments: list[datetime]) -> list[datetime]:
        return [moment for moment in moments if first <= moment <= last]

    return SessionPicture(
        first,
        last,
        rated,
        [
            (day + _NOON, *(statistics.fmean(row[k] for row in rows) for k in (0, 1)))
            for day, rows in sorted(by_day.items())
        ],
        heart,
        [
            (wall(row["held"]), row["number"])
            for row in sessions
            if first <= wall(row["held"]) <= last
        ],
        inside([wall(row["start"]) for row in practices]),
        inside([datetime.fromisoformat(str(row["day"])) for row in starts]),
    )


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
            panel(240, *_rating_layers(picture, time), *_practices(picture, time)),
            _(
                "Pain and stress day by day, with meetings as upright dashed lines and practices "
                "as triangles."
            ),
        )
    ]
    if picture.heart:
        found.append(
            (
                panel(130, *_heart_layers(picture, time)),
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
        ],
        columns=["time", "what", "value"],
    )
    days = pd.DataFrame(
        [
            {"time": at, "what": name, "value": value}
            for at, *values in picture.days
            for name, value in zip(names, values, strict=True)
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
