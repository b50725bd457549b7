"""Nights of a watch or ring: twelve months, one night, and what went together with the days."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.charts.nights import (
    calendar_chart,
    calendar_legend_html,
    describe_place,
    night_charts,
)
from dashboard.components.keeping import render_keeping_first
from dashboard.components.nights import (
    METRICS,
    MIN_COMPARED,
    calendar_days,
    metric_title,
)
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import (
    date_field_format,
    format_day,
    format_long_day,
    format_number,
    format_signed,
    format_time,
)
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client
from ebbtide.nights import NightBasis

_YEAR = timedelta(days=365)
_QUESTIONS = {
    "night, then pain": N_("After a calmer night, was there less pain?"),
    "pain, then night": N_("After a day of more pain, was the night less calm?"),
    "stress, then night": N_("After a day of more stress, was the night less calm?"),
}
_UNITS = {
    "night, then pain": N_("points of pain for a night that is calmer by one usual step"),
    "pain, then night": N_("usual steps of calm for one more point of pain"),
    "stress, then night": N_("usual steps of calm for one more point of stress"),
}
_METRIC = {
    "rmssd_ms": N_("RMSSD"),
    "sdnn_ms": N_("SDNN"),
    "mean_hr_bpm": N_("heart rate"),
}
_FIGURES = {
    "rmssd_ms": N_("RMSSD {value} ms"),
    "sdnn_ms": N_("SDNN {value} ms"),
    "mean_hr_bpm": N_("heart rate {value} a minute"),
    "low_quarter_hr_bpm": N_("{value} in its lowest quarter"),
}


def nights_page() -> None:
    """Render the calendar, the night that is opened, and the three questions."""
    if render_keeping_first(to_read=True):
        return
    st.title(_("Nights"))
    days = calendar_days(client().night_list())
    if not any(item["night"] for item in days):
        st.write(
            _(
                "No nights yet. A watch or a ring that you wear asleep can export them; bring "
                "that file in, and this page begins. Or wear the strap asleep, and some hours "
                "before or after: the night is here the day after."
            )
        )
        page_link("files", _("Bring in a file"))
        return
    newest = date.fromisoformat(days[-1]["day"])
    shown = _choose_year(days, newest)
    st.write(_summary(shown))
    st.altair_chart(
        calendar_chart(shown),
        width="stretch",
        alt=_("A calendar of nights, a row a month: calmer ones darker, dashes without a night."),
    )
    st.html(calendar_legend_html(shown))
    _render_list(shown)
    _render_night([item for item in shown if item["night"]], shown)
    _render_questions()


def _choose_year(days: list[dict[str, Any]], newest: date) -> list[dict[str, Any]]:
    """Return the days of the twelve months that are chosen; the choice is there where needed."""
    oldest = date.fromisoformat(days[0]["day"])
    ends = [newest]
    while ends[-1] - _YEAR >= oldest:
        ends.append(ends[-1] - _YEAR)
    end = newest
    if len(ends) > 1:
        end = st.selectbox(
            _("Twelve months up to"), ends, format_func=lambda day: format_long_day(f"{day}T12:00")
        )
    first, last = (end - _YEAR).isoformat(), end.isoformat()
    return [item for item in days if first < item["day"] <= last]


def _summary(days: list[dict[str, Any]]) -> str:
    there = [item["night"] for item in days if item["night"]]
    sources = escape_markdown(", ".join(sorted({night["source"] for night in there})))
    gaps = len(days) - len(there)
    if not gaps:
        return _("{count} nights, by {sources}.").format(count=len(there), sources=sources)
    return _("{count} nights, by {sources}; {gaps} days between them without one.").format(
        count=len(there), sources=sources, gaps=gaps
    )


def _render_list(days: list[dict[str, Any]]) -> None:
    """Render the calendar as a table, with the reasons of gaps, the newest first."""
    rows = []
    for item in reversed(days):
        night = item["night"]
        row = {
            _("Night"): format_day(f"{item['day']}T12:00:00"),
            **{
                metric_title(name): "" if not night or night[name] is None else _figure(night[name])
                for name in _metrics([one["night"] for one in days if one["night"]])
            },
            _("What"): describe_place(item["place"]) if item["place"] else item["words"],
        }
        rows.append(row)
    with st.expander(_("The numbers, and why nights are missing")):
        for reason, count in Counter(
            item["words"] for item in days if item["night"] is None
        ).most_common():
            st.caption(_("{count} days: {reason}.").format(count=count, reason=reason))
        # A frame, and no table in a box that scrolls: the keyboard reaches it.
        st.dataframe(pd.DataFrame(rows), hide_index=True, height=320)


def _metrics(nights: list[dict[str, Any]]) -> list[str]:
    return [name for name in _METRIC if any(night[name] is not None for night in nights)]


def _figure(value: float) -> str:
    return format_number(value, 1 if value < 10 else 0)


@st.fragment
def _render_night(there: list[dict[str, Any]], days: list[dict[str, Any]]) -> None:
    """Render the night of the chosen day. A fragment: another night computes no link anew."""
    if not there:
        return
    st.subheader(_("One night"))
    first, last = (date.fromisoformat(days[k]["day"]) for k in (0, -1))
    newest = date.fromisoformat(there[-1]["day"])
    day = st.date_input(
        _("It ended on"),
        newest,
        min_value=first,
        max_value=last,
        key=f"night-{first}-{last}",
        format=date_field_format(),
    )
    item = next((one for one in days if one["day"] == str(day)), None)
    if item is None or item["night"] is None:
        why = "" if item is None else f" {item['words'][:1].upper()}{item['words'][1:]}."
        st.write(_("No night ended on this day.") + why)
        return
    nights = client().night(day)
    for night in nights:
        _render_source(night, is_only=len(nights) == 1)


def _render_source(night: dict[str, Any], *, is_only: bool) -> None:
    if not is_only:
        st.markdown(f"**{escape_markdown(night['source'])}**")
    if night["calmer_than"] is not None:
        st.markdown(
            "#### "
            + _("This night was calmer than {share} of 100 of yours.").format(
                share=format_number(night["calmer_than"])
            )
        )
        st.caption(
            _("Compared with the {count} nights before it, on the same device.").format(
                count=night["compared_with"]
            )
        )
    st.write(_describe_night(night))
    charts = night_charts(night)
    if charts:
        st.altair_chart(charts[0][0], width="stretch", alt=charts[0][1])
        with st.expander(_("More of this night"), key=f"night-more-{night['source']}"):
            for chart, words in charts[1:]:
                st.altair_chart(chart, width="stretch", alt=words)
            st.dataframe(_steps_table(night), hide_index=True, height=240)


def _describe_night(night: dict[str, Any]) -> str:
    words = _("Asleep from {start} to {end}.").format(
        start=format_time(night["start"]), end=format_time(night["end"])
    )
    parts = [
        _(form).format(value=_figure(night[name]))
        for name, form in _FIGURES.items()
        if night[name] is not None
    ]
    if not parts:
        return words
    words += f" {', '.join(parts)}."
    if night["basis"] == "the device's own average":
        words += " " + _("These are the device's own averages.")
    if night["basis"] == NightBasis.RECORDING:
        words += " " + _(
            "Ebbtide found this time in your own recording, where your heart was slow and even for "
            "three hours or more (and you lay still, where movement was recorded); lying awake "
            "looks the same. Heart rate variability is known for {share} of 100 parts of it."
        ).format(share=format_number(100 * night["windows"] / max(1, night["steps"])))
    if night["calmer_than"] is None and night["compared_with"] < MIN_COMPARED:
        words += " " + _(
            "{count} nights came before it on the same level; from {least} on, it is compared."
        ).format(count=night["compared_with"], least=MIN_COMPARED)
    return words


def _steps_table(night: dict[str, Any]) -> pd.DataFrame:
    start = pd.Timestamp(night["start"])
    there = [
        name
        for column, name in enumerate(METRICS, 1)
        if any(row[column] is not None for row in night["values"])
    ]
    rows = []
    for at_s, *values in night["values"]:
        figures = dict(zip(METRICS, values, strict=True))
        rows.append(
            {
                _("Time"): format_time((start + pd.Timedelta(seconds=at_s)).isoformat()),
                **{
                    metric_title(name): "" if value is None else _figure(value)
                    for name, value in figures.items()
                    if name in there
                },
            }
        )
    return pd.DataFrame(rows)


def _render_questions() -> None:
    """Render the sentence of each question; how sure it is, is unfolded by who wants to know."""
    st.subheader(_("Nights and days"))
    with st.spinner(_("Looking at what moved together ...")):
        report = client().night_links()
    links = report["links"]
    if all(link["missing_reason"] is not None for link in links):
        st.write(_("One day this page will say whether calmer nights and better days go together."))
        st.caption(_say_missing(links[0]["missing_reason"]))
        page_link("today", _("Rate how it is now"))
        return
    for link in links:
        st.markdown(f"**{_question(link)}** {say(link['sentence'])}")
    with st.expander(_("How sure is that?"), key="sure_nights"):
        for link in links:
            if link["estimate"] is not None:
                st.write(_describe_link(link))
        st.caption(say(report["caution"]))
        st.caption(_("Method: {method}.").format(method=report["method"]))
        for found in report["agreement"]:
            _render_agreement(found)


def _question(link: dict[str, Any]) -> str:
    question = _QUESTIONS[link["question"]]
    return _(question)


def _say_missing(reason: str) -> str:
    words = say(reason)
    return f"{words[:1].upper()}{words[1:]}."


def _describe_link(link: dict[str, Any]) -> str:
    aside, unit = link["set_aside"], _UNITS[link["question"]]
    words = _(
        "{question} {estimate} {unit}; the true value is probably between {low} and {high} (95% "
        "interval), {n} nights."
    ).format(
        question=_question(link),
        estimate=format_signed(link["estimate"], 2),
        unit=_(unit),
        low=format_signed(link["low"], 2),
        high=format_signed(link["high"], 2),
        n=link["n"],
    )
    if aside:
        words += " " + _("{count} single nights far from those around them are left out.").format(
            count=aside
        )
    return words


def _render_agreement(found: dict[str, Any]) -> None:
    """Render how far two devices agree on the nights that both measured."""
    if found["bias"] is None:
        return
    parts = {key: format_number(found[key], 2) for key in ("bias", "low", "high")}
    metric = _METRIC[found["metric"]]
    words = (
        _(
            "{first} against {second}, {n} nights of both: {metric} was {bias} times that of the "
            "other; in 95 of 100 nights {low} to {high} times."
        )
        if found["is_ratio"]
        else _(
            "{first} against {second}, {n} nights of both: {metric} differed by {bias}; in 95 of "
            "100 nights by {low} to {high}."
        )
    )
    st.caption(
        escape_markdown(
            words.format(
                first=found["first"],
                second=found["second"],
                n=found["n"],
                metric=_(metric),
                **parts,
            )
        )
    )


PAGE = Page(
    run=nights_page,
    title=N_("Nights"),
    icon=":material/bedtime:",
    slug="nights",
    roles={"patient"},
)
