"""Hours of each day without a value of the stress index, drawn by their reasons."""

from __future__ import annotations

from html import escape
from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts import palette
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import axis_day_format
from dashboard.i18n.language import _

# Lightness tells them apart, too, also in print; more reasons than these share the last one.
_TINTS = ("#c9cfcf", "#7f9ea3", "#d9bf8c", "#8f8cb5", "#4d5c61", "#a7c4b5", "#6b5a3a")


def gap_reasons(days: list[dict[str, Any]]) -> dict[str, str]:
    """Return the colour of each reason (as the API says it), the one with most hours first."""
    minutes: dict[str, float] = {}
    for item in days:
        for gap in item["gaps"]:
            minutes[gap["reason"]] = minutes.get(gap["reason"], 0.0) + gap["minutes"]
    ordered = sorted(minutes, key=lambda reason: -minutes[reason])
    return {reason: _TINTS[min(place, len(_TINTS) - 1)] for place, reason in enumerate(ordered)}


def gap_legend_html(days: list[dict[str, Any]]) -> str:
    """Return the legend as HTML: Vega-Lite cuts the long names of reasons on a phone."""
    entries = "".join(
        f'<li><i style="background:{tint}"></i>{escape(say(reason))}</li>'
        for reason, tint in gap_reasons(days).items()
    )
    return (
        "<style>.gaps { list-style: none; margin: 0; padding: 0; font-size: .9rem; }"
        ".gaps li { margin: 0; }"
        f".gaps i {{ display: inline-block; width: .8rem; height: .8rem; margin-right: .5rem; "
        f"border: 1px solid {palette.MUTED}; }}</style>"
        f'<ul class="gaps">{entries}</ul>'
    )


def gap_layers(days: list[dict[str, Any]], domain: list[str]) -> tuple[alt.Chart, ...]:
    """Stack the hours that each day lacks, one colour a reason; nothing where none lack.

    ``days``: of an HRV trend. ``domain``: of the time axis, which a bar does not leave.
    """
    first, last = (pd.Timestamp(moment) for moment in domain)
    rows = []
    for item in days:
        begin = max(pd.Timestamp(item["day"]), first)
        end = min(pd.Timestamp(item["day"]) + pd.Timedelta(days=1), last)
        if begin >= end:
            continue
        hours = 0.0
        for gap in item["gaps"]:
            rows.append(
                {
                    "from": begin,
                    "to": end,
                    "low": hours,
                    "high": hours + gap["minutes"] / 60,
                    "hours": gap["minutes"] / 60,
                    "reason": say(gap["reason"]),
                }
            )
            hours += gap["minutes"] / 60
    if not rows:
        return ()
    table = pd.DataFrame(rows)
    tints = {say(reason): tint for reason, tint in gap_reasons(days).items()}
    bars = (
        alt.Chart(table)
        .mark_rect(stroke=palette.MUTED, strokeWidth=0.3)
        .encode(
            x=alt.X(
                "from:T",
                title=None,
                scale=alt.Scale(domain=domain),
                axis=alt.Axis(format=axis_day_format()),
            ),
            x2="to:T",
            y=alt.Y("low:Q", title=_("Hours"), scale=alt.Scale(domain=[0, 18])),
            y2="high:Q",
            color=alt.Color(
                "reason:N",
                title=None,
                scale=alt.Scale(domain=list(tints), range=list(tints.values())),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("reason:N", title=_("Why")),
                alt.Tooltip("hours:Q", title=_("Hours"), format=".1f"),
            ],
        )
    )
    return (bars,)
