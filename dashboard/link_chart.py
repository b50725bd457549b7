"""The picture of the link page."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dashboard import colours


def link_chart(row: dict[str, Any], x_title: str) -> alt.LayerChart:
    """Ratings freed of the shared course, with the slope and its 95% interval."""
    points = pd.DataFrame(row["points"], columns=["x", "y"])
    reach = float(points["x"].abs().max())
    edge = pd.DataFrame({"x": [-reach, 0.0, reach]})
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
    y_title = "Pain, against the usual"
    band = (
        alt.Chart(slopes)
        .mark_area(color=colours.ACCENT, opacity=0.15)
        .encode(x=x, y=alt.Y("low:Q", title=y_title), y2="high:Q")
    )
    line = (
        alt.Chart(slopes)
        .mark_line(color=colours.ACCENT)
        .encode(x=x, y=alt.Y("estimate:Q", title=y_title))
    )
    dots = (
        alt.Chart(points)
        .mark_circle(color=colours.PAIN, size=36, opacity=0.6)
        .encode(x=x, y=alt.Y("y:Q", title=y_title))
    )
    chart: alt.LayerChart = (
        alt.layer(band, line, dots).properties(height=320).configure_view(strokeOpacity=0)
    )
    return chart
