"""Charts of ratings and heart over time."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd

from dashboard.charts import palette
from dashboard.charts.gaps import gap_layers
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import axis_day_format, axis_time_format, chart_locale
from dashboard.i18n.language import N_, _

_MAX_LINE_GAP = pd.Timedelta(hours=36)
_DAYS_WITH_A_MARK_EACH = 10
_WIDE_DAY, _MIN_DAYS_FOR_WEEKS = 30.0, 14  # points of a day's own interval, days
_END = 14  # pixels right of each chart: half the name of a day that ends there
_MAX_DAYS_OF_RATINGS = 35.0  # a longer time has a line of days: one of ratings is a tangle
_MARGIN = 45  # pixels left of each chart, so that the time axes align
_NAMES = {"pain": N_("Pain"), "stress": N_("Stress"), "pleasant": N_("Something pleasant")}
_COLOURS = (palette.PAIN, palette.STRESS, palette.PLEASANT)
_SHAPES = ("circle", "square", "diamond")  # series differ in more than colour (WCAG 1.4.1)

_ALT_TEXTS = {
    "ratings": N_(
        "Ratings of pain, stress and pleasant sensations over time, with sessions and practices."
    ),
    "stress_index": N_("The stress index of each day or week with its 95% interval; 50 is usual."),
    "gaps": N_("Hours of each day without a value of the stress index, and why."),
    "rmssd": N_("RMSSD of five minutes each, on the same time axis."),
    "heart_rate": N_("Heart rate of five minutes each, on the same time axis."),
}


def describe_chart(name: str) -> str:
    """Return the alternative text of a chart of ``trend_charts`` (WCAG 1.1.1)."""
    return _(_ALT_TEXTS[name])


def layer_chart(height: int, *layers: alt.Chart) -> alt.LayerChart:
    """Draw layers over each other, with numbers and dates as the reader writes them."""
    chart: alt.LayerChart = (
        alt.layer(*layers)
        .properties(height=height, padding={"right": _END})
        .configure(locale=chart_locale())
        .configure_view(strokeOpacity=0)
    )
    return chart


def trend_charts(
    ratings: list[dict[str, Any]],
    heart: dict[str, Any],
    sessions: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    start: datetime,
    end: datetime,
    zone: str,
) -> dict[str, alt.LayerChart]:
    """Draw ratings, stress index, gaps, RMSSD and heart rate on one time axis, by name.

    Only those that have something to show: no empty axes. Times are in the person's zone; sessions
    and practices are marked. ``heart`` is an HRV trend.

    The charts share axis and margins and are placed below each other: Vega-Lite can fit the
    width of a single chart to a phone, but not that of a concatenated one.
    """
    tz = ZoneInfo(zone)
    domain = [_to_wall_clock(start, tz).isoformat(), _to_wall_clock(end, tz).isoformat()]
    time = _time_axis(domain)
    # A screen reader would announce an empty layer as a graphic without a name.
    marks = (_session_marks(sessions, tz, time),) if sessions else ()

    def rows(height: int, *layers: alt.Chart) -> alt.LayerChart:
        chart: alt.LayerChart = layer_chart(height, *marks, *layers).configure_axisY(
            minExtent=_MARGIN, maxExtent=_MARGIN
        )
        return chart

    windows = [bucket for bucket in heart["buckets"] if bucket["usable"]]
    charts = {}
    if ratings or practices:
        triangles = (_practice_marks(practices, tz, time),) if practices else ()
        charts["ratings"] = rows(270, *_rating_layers(ratings, tz, time), *triangles)
    index = _index_layers(choose_periods(heart), time, domain)
    if index:
        charts["stress_index"] = rows(130, *index)
    gaps = gap_layers(heart["days"], domain) if windows else ()
    if gaps:
        charts["gaps"] = rows(110, *gaps)
    for name, key, title, height in (
        ("heart_rate", "mean_hr_bpm", _("Heart rate (bpm)"), 150),
        ("rmssd", "rmssd_ms", _("RMSSD (ms)"), 130),
    ):
        if any(window[key] is not None for window in windows):
            charts[name] = rows(height, _heart_layer(windows, tz, time, key, title))
    return charts


def course_chart(
    ratings: list[dict[str, Any]],
    sessions: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    start: datetime,
    end: datetime,
    zone: str,
) -> alt.LayerChart:
    """Draw ratings alone, with sessions and practices marked."""
    tz = ZoneInfo(zone)
    domain = [_to_wall_clock(start, tz).isoformat(), _to_wall_clock(end, tz).isoformat()]
    time = _time_axis(domain)
    return layer_chart(
        300,
        _session_marks(sessions, tz, time),
        *_rating_layers(ratings, tz, time),
        _practice_marks(practices, tz, time),
    )


def _time_axis(domain: list[str]) -> alt.X:
    begin, end = (datetime.fromisoformat(moment) for moment in domain)
    days = (end - begin) / timedelta(days=1)
    # Marks nearer than a day would all have the name of that day.
    ticks: Any = {"interval": "day", "step": 1} if days < _DAYS_WITH_A_MARK_EACH else alt.Undefined
    return alt.X(
        "time:T",
        title=None,
        scale=alt.Scale(domain=domain),
        axis=alt.Axis(format=axis_day_format(), tickCount=ticks),
    )


def _to_wall_clock(moment: datetime, tz: ZoneInfo) -> datetime:
    """Return local time without a zone: Vega draws it unchanged in any browser's zone."""
    return moment.astimezone(tz).replace(tzinfo=None)


def _rating_layers(
    ratings: list[dict[str, Any]], tz: ZoneInfo, time: alt.X
) -> tuple[alt.Chart, alt.Chart]:
    names = {key: _(name) for key, name in _NAMES.items()}
    rows = [
        {
            "time": _to_wall_clock(datetime.fromisoformat(r["about"]), tz),
            "what": name,
            "value": r[key],
        }
        for r in ratings
        for key, name in names.items()
        if r[key] is not None
    ]
    table = pd.DataFrame(rows, columns=["time", "what", "value"])
    table["time"] = pd.to_datetime(table["time"])
    table = table.sort_values(["what", "time"], kind="stable")
    begin, end = (pd.Timestamp(moment) for moment in time["scale"]["domain"])
    by_day = (end - begin) / pd.Timedelta(days=1) > _MAX_DAYS_OF_RATINGS
    through = _day_means(table) if by_day else table.copy()
    # No line spans more than _MAX_LINE_GAP without a rating: each segment is a line of its own.
    pause = through.groupby("what")["time"].diff() > _MAX_LINE_GAP
    through["segment"] = pause.groupby(through["what"]).cumsum()

    def distinct_labels(by: tuple[Any, ...]) -> alt.Scale:
        return alt.Scale(domain=list(names.values()), range=list(by))

    colour = alt.Color(
        "what:N",
        title=None,
        scale=distinct_labels(_COLOURS),
        legend=alt.Legend(orient="top", columns=2),
    )
    shape = alt.Shape("what:N", title=None, scale=distinct_labels(_SHAPES))
    value = alt.Y("value:Q", title=_("Rating (0 to 10)"), scale=alt.Scale(domain=[0, 10]))

    def drawn(rows: pd.DataFrame) -> alt.Chart:
        chart: alt.Chart = alt.Chart(rows).encode(x=time, y=value, color=colour)
        return chart

    lines = (
        drawn(through)
        .mark_line(opacity=0.9 if by_day else 0.45, strokeWidth=2 if by_day else 1.5)
        .encode(detail="segment:N")
    )
    size, opacity = (14, 0.25) if by_day else (32, 0.8)
    dots = (
        drawn(table)
        .mark_point(filled=True, size=size, opacity=opacity)
        .encode(
            shape=shape,
            tooltip=[
                alt.Tooltip("what:N", title=_("Rating")),
                alt.Tooltip("value:Q", title=_("Value")),
                alt.Tooltip("time:T", title=_("About"), format=axis_time_format()),
            ],
        )
    )
    return lines, dots


def _day_means(table: pd.DataFrame) -> pd.DataFrame:
    """Average the ratings of each day and kind, drawn at noon."""
    days = table["time"].dt.normalize() + pd.Timedelta(hours=12)
    means: pd.DataFrame = (
        table.assign(time=days).groupby(["what", "time"], as_index=False)["value"].mean()
    )
    return means


def choose_periods(heart: dict[str, Any]) -> list[dict[str, Any]]:
    """Choose the days of an HRV trend, or its weeks where days say too little.

    Each gets ``length`` in days.
    """
    widths = [
        item["stress_index"]["own_high"] - item["stress_index"]["own_low"]
        for item in heart["days"]
        if item["stress_index"]["value"] is not None
    ]
    weekly = len(widths) > _MIN_DAYS_FOR_WEEKS and statistics.median(widths) > _WIDE_DAY
    chosen = heart["weeks"] if weekly else heart["days"]
    return [{**item, "length": 7 if weekly else 1} for item in chosen]


def _index_layers(
    periods: list[dict[str, Any]], time: alt.X, domain: list[str]
) -> tuple[alt.Chart, ...]:
    """Draw the stress index of days or weeks: their own doubt as bars, and the doubt of what is
    usual, which moves all alike, as a band around 50.
    """
    rows = []
    for item in periods:
        index = item["stress_index"]
        if index["value"] is None:
            continue
        # Within the chart: what reaches beyond would move its axis against those of the others.
        first, last = (pd.Timestamp(moment) for moment in domain)
        begin = max(pd.Timestamp(item["day"]), first)
        end = min(pd.Timestamp(item["day"]) + pd.Timedelta(days=item["length"]), last)
        if begin >= end:
            continue
        rows.append(
            {
                "from": begin,
                "to": end,
                "time": begin + (end - begin) / 2,
                "calmer": 100 - index["value"],
                "known": index["known_share"],
                "by_rate": index["reported_share"],
                **{
                    key: index[key]
                    for key in (
                        *("value", "low", "high", "own_low", "own_high"),
                        *("usual_low", "usual_high"),
                    )
                },
            }
        )
    if not rows:
        return ()
    table = pd.DataFrame(rows)
    scale = alt.Scale(domain=[0, 100])
    title = _("Stress index")
    base = alt.Chart(table)
    # A band of a colour of its own: it is no measurement of any day.
    band = base.mark_rect(color=palette.HEART, opacity=0.18).encode(
        x=alt.X("from:T", scale=time["scale"], title=None),
        x2="to:T",
        y=alt.Y("usual_low:Q", scale=scale, title=title),
        y2="usual_high:Q",
    )
    usual = (
        alt.Chart(pd.DataFrame({"usual": [50]}))
        .mark_rule(color=palette.MUTED, opacity=0.5)
        .encode(y=alt.Y("usual:Q", scale=scale, title=title))
    )
    bars = base.mark_rule(color=palette.STRESS, opacity=0.55, strokeWidth=3).encode(
        x=time, y=alt.Y("own_low:Q", scale=scale, title=title), y2="own_high:Q"
    )
    dots = base.mark_circle(size=45, color=palette.STRESS).encode(
        x=time,
        y=alt.Y("value:Q", scale=scale, title=title),
        tooltip=[
            alt.Tooltip("value:Q", title=title, format=".0f"),
            alt.Tooltip("own_low:Q", title=_("Its own 95% interval from"), format=".0f"),
            alt.Tooltip("own_high:Q", title=_("to"), format=".0f"),
            alt.Tooltip("low:Q", title=_("With the doubt of the usual, from"), format=".0f"),
            alt.Tooltip("high:Q", title=_("to"), format=".0f"),
            alt.Tooltip("calmer:Q", title=_("Calmer than so many of 100"), format=".0f"),
            alt.Tooltip("known:Q", title=_("Share of the time known"), format=".0%"),
            alt.Tooltip("by_rate:Q", title=_("By heart rate only"), format=".0%"),
            alt.Tooltip("from:T", title=_("From"), format=axis_day_format()),
        ],
    )
    return band, usual, bars, dots


def _heart_layer(
    windows: list[dict[str, Any]], tz: ZoneInfo, time: alt.X, key: str, title: str
) -> alt.Chart:
    rows = [
        {"time": _to_wall_clock(datetime.fromisoformat(w["start"]), tz), "value": w[key]}
        for w in windows
        if w[key] is not None
    ]
    table = pd.DataFrame(rows, columns=["time", "value"])
    table["time"] = pd.to_datetime(table["time"])
    chart: alt.Chart = (
        alt.Chart(table)
        .mark_circle(size=24, color=palette.HEART, opacity=0.6)
        .encode(
            x=time,
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
            tooltip=[
                alt.Tooltip("value:Q", title=title, format=".1f"),
                alt.Tooltip("time:T", title=_("From"), format=axis_time_format()),
            ],
        )
    )
    return chart


def _session_marks(sessions: list[dict[str, Any]], tz: ZoneInfo, time: alt.X) -> alt.Chart:
    rows = [
        {"time": _to_wall_clock(datetime.fromisoformat(s["held"]), tz), "number": s["number"]}
        for s in sessions
    ]
    table = pd.DataFrame(rows, columns=["time", "number"])
    table["time"] = pd.to_datetime(table["time"])
    chart: alt.Chart = (
        alt.Chart(table)
        .mark_rule(color=palette.MUTED, strokeDash=[3, 4], opacity=0.7)
        .encode(
            x=time,
            tooltip=[
                alt.Tooltip("number:Q", title=_("Session")),
                alt.Tooltip("time:T", title=_("Held"), format=axis_time_format()),
            ],
        )
    )
    return chart


def _practice_marks(practices: list[dict[str, Any]], tz: ZoneInfo, time: alt.X) -> alt.Chart:
    """Draw triangles along the bottom of the chart."""
    rows = [
        {
            "time": _to_wall_clock(datetime.fromisoformat(p["start"]), tz),
            "kind": say(p["kind"]),
            "value": 0.2,
        }
        for p in practices
    ]
    table = pd.DataFrame(rows, columns=["time", "kind", "value"])
    table["time"] = pd.to_datetime(table["time"])
    chart: alt.Chart = (
        alt.Chart(table)
        .mark_point(shape="triangle-up", filled=True, size=55, color=palette.HEART, opacity=0.8)
        .encode(
            x=time,
            y=alt.Y("value:Q", title=_("Rating (0 to 10)"), scale=alt.Scale(domain=[0, 10])),
            tooltip=[
                alt.Tooltip("kind:N", title=_("Practice")),
                alt.Tooltip("time:T", title=_("Begun"), format=axis_time_format()),
            ],
        )
    )
    return chart
