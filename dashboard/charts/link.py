"""Charts of the link page."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts import palette
from dashboard.charts.trend import layer_chart
from dashboard.i18n.language import _

_LONG_TITLE_FROM = 240  # px of height, below which it is cut off


def link_chart(row: dict[str, Any], x_title: str, height: int = 320) -> alt.LayerChart:
    """Residuals of the ratings (common trend removed), the slope and its 95% interval."""
    points = pd.DataFrame(row["points"], columns=["x", "y"])
    max_x = float(points["x"].abs().max())
    edge = pd.DataFrame({"x": [-max_x, 0.0, max_x]})
    slopes = (
        edge["x"]
        .to_frame()
        .assign(
            estimate=edge["x"] * row["estimate"],
            low=edge["x"] * row["low"],
            high=edge["x"] * row["high"],
        )
    )
    x = alt.X("x:Q", title=x_title)
    y_title = _y_title(row["key"] == "stress_index_stress", height < _LONG_TITLE_FROM)
    band = (
        alt.Chart(slopes)
        .mark_area(color=palette.ACCENT, opacity=0.15)
        .encode(x=x, y=alt.Y("low:Q", title=y_title), y2="high:Q")
    )
    line = (
        alt.Chart(slopes)
        .mark_line(color=palette.ACCENT)
        .encode(x=x, y=alt.Y("estimate:Q", title=y_title))
    )
    dots = (
        alt.Chart(points)
        .mark_circle(color=palette.PAIN, size=36, opacity=0.6)
        .encode(x=x, y=alt.Y("y:Q", title=y_title))
    )
    return layer_chart(height, band, line, dots)


def _y_title(is_stress: bool, short: bool) -> str:
    if short:  # the title of the other axis says against what
        return _("Stress") if is_stress else _("Pain")
    return _("Stress, against the usual") if is_stress else _("Pain, against the usual")


def lag_chart(rows: list[dict[str, Any]]) -> alt.LayerChart:
    """Slopes of pain on earlier stress, at the same moment, and of stress on earlier pain."""
    names = {
        "stress_before": _("Stress one rating earlier"),
        "same_moment": _("At the same moment"),
        "pain_before": _("Pain one rating earlier"),
    }
    table = pd.DataFrame(
        [
            {"when": names[row["key"]], **{key: row[key] for key in ("estimate", "low", "high")}}
            for row in rows
        ]
    )
    when = alt.Y("when:N", title=None, sort=list(names.values()), axis=alt.Axis(labelLimit=220))
    title = _("Points, with 95% interval")
    zero = (
        alt.Chart(pd.DataFrame({"x": [0]}))
        .mark_rule(color=palette.MUTED, opacity=0.6)
        .encode(x=alt.X("x:Q", title=title))
    )
    base = alt.Chart(table).encode(y=when)
    intervals = base.mark_rule(color=palette.ACCENT, strokeWidth=3, opacity=0.5).encode(
        x=alt.X("low:Q", title=title), x2="high:Q"
    )
    dots = base.mark_circle(color=palette.ACCENT, size=80).encode(
        x=alt.X("estimate:Q", title=title),
        tooltip=[
            alt.Tooltip("when:N", title=_("When")),
            alt.Tooltip("estimate:Q", title=_("Points"), format="+.2f"),
            alt.Tooltip("low:Q", title=_("from"), format="+.2f"),
            alt.Tooltip("high:Q", title=_("to"), format="+.2f"),
        ],
    )
    return layer_chart(190, zero, intervals, dots)
