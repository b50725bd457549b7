"""Nights of watches and rings: one a day for the calendar, and in short for a therapist."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import streamlit as st

from dashboard.charts.nights import CALMER, LESS_CALM, MIDDLE, NOT_COMPARED, weeks_chart
from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_number
from dashboard.i18n.language import _
from ebbtide.nights import NightBasis

#: So many nights of one device make thirds; the API ranks none with fewer before it either.
MIN_COMPARED = 14
METRICS = ("rmssd_ms", "sdnn_ms", "mean_hr_bpm")
_BRIEF_DAYS = 28


def metric_title(metric: str) -> str:
    """Name a metric with its unit."""
    titles = {
        "rmssd_ms": _("RMSSD (ms)"),
        "sdnn_ms": _("SDNN (ms)"),
        "mean_hr_bpm": _("Heart rate"),
    }
    return titles[metric]


def is_measured(night: dict[str, Any]) -> bool:
    """Whether a night has any figure."""
    return any(night[name] is not None for name in METRICS)


def calendar_days(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Make one entry of each day of the API's list: its night and its third, or why there is none.

    Of several devices, a day has that with most nights. Each device is compared with itself alone:
    devices differ by a level. Nights with heart rate alone are compared with none.
    """
    nights = [night for night in answer["nights"] if is_measured(night)]
    counts = Counter(_device(night) for night in nights)
    chosen: dict[str, dict[str, Any]] = {}
    for night in sorted(nights, key=lambda item: (-counts[_device(item)], item["source"])):
        chosen.setdefault(night["day"], night)
    limits = {device: _thirds(nights, device) for device in counts}
    days = []
    for day, night in chosen.items():
        place = _place(night, *limits[_device(night)])
        days.append({"day": day, "place": place, "night": night, "words": night["source"]})
    for gap in answer["gaps"]:
        if gap["day"] not in chosen:
            chosen[gap["day"]] = gap
            words = say(gap["reason"])
            days.append({"day": gap["day"], "place": None, "night": None, "words": words})
    return sorted(days, key=lambda item: item["day"])


def _device(night: dict[str, Any]) -> tuple[str, str]:
    return night["source"], night["basis"]


def _thirds(
    nights: list[dict[str, Any]], device: tuple[str, str]
) -> tuple[str | None, float, float]:
    """Return the metric of a device and its limits of thirds; no metric where there are too few."""
    own = [night for night in nights if _device(night) == device]
    metric = max(METRICS[:2], key=lambda name: sum(night[name] is not None for night in own))
    values = sorted(night[metric] for night in own if night[metric] is not None)
    if len(values) < MIN_COMPARED:
        return None, 0.0, 0.0
    return metric, values[len(values) // 3], values[2 * len(values) // 3]


def _place(night: dict[str, Any], metric: str | None, low: float, high: float) -> str:
    value = None if metric is None else night[metric]
    if value is None:
        return NOT_COMPARED
    return LESS_CALM if value < low else CALMER if value >= high else MIDDLE


def render_patient_nights(api: Any) -> None:
    """Render the last four weeks for a therapist: a sentence and a small picture; nothing without
    a night.
    """
    last = datetime.now(UTC).date()
    first = last - timedelta(days=_BRIEF_DAYS - 1)
    try:
        answer = api.night_list(first, last)
    except ApiError:  # the rest of the page does not depend on it
        return
    days = [item for item in calendar_days(answer) if item["night"] is not None]
    if not days:
        return
    with st.expander(
        _("Nights: {count} of the last {all} measured").format(count=len(days), all=_BRIEF_DAYS)
    ):
        st.write(_describe_brief([item["night"] for item in days]))
        metric, values = _brief_values([item["night"] for item in days])
        if len(values) > 1:
            st.altair_chart(
                weeks_chart(values, metric_title(metric)),
                width="stretch",
                alt=_("{metric} of each night of the last four weeks.").format(
                    metric=metric_title(metric)
                ),
            )
        st.caption(
            _("Devices differ by a level, and much moves a night: alcohol, fever, a late meal.")
        )


def _brief_values(nights: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Return the metric that most of them have, of the device with most, and its values."""
    counts = Counter(_device(night) for night in nights)
    device = counts.most_common(1)[0][0]
    own = [night for night in nights if _device(night) == device]
    metric = max(METRICS, key=lambda name: sum(night[name] is not None for night in own))
    return metric, [
        {"day": night["day"], "value": night[metric]} for night in own if night[metric] is not None
    ]


def _describe_brief(nights: list[dict[str, Any]]) -> str:
    metric, rows = _brief_values(nights)
    values = [row["value"] for row in rows]
    sources = escape_markdown(", ".join(sorted({night["source"] for night in nights})))
    if len(values) < MIN_COMPARED:
        return _("By {sources}. With fewer than {least} nights no usual value is given.").format(
            sources=sources, least=MIN_COMPARED
        )
    return _(
        "By {sources}. {metric}: {middle} in the middle of {count} nights, {low} to {high}."
    ).format(
        sources=sources,
        metric=metric_title(metric),
        count=len(values),
        middle=format_number(median(values)),
        low=format_number(min(values)),
        high=format_number(max(values)),
    )


def group_nights(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Join the imported nights of each source: its name, how many, from when to when."""
    days: dict[str, list[date]] = {}
    for night in answer["nights"]:
        if (
            night["basis"] == NightBasis.RECORDING
        ):  # no file was brought in: it goes with its recording
            continue
        days.setdefault(night["source"], []).append(date.fromisoformat(night["day"]))
    return [
        {"source": source, "nights": len(found), "first": min(found), "last": max(found)}
        for source, found in sorted(days.items())
    ]
