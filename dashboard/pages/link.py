"""Whether pain moved with stress: sentences first, then charts."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.charts.link import lag_chart, link_chart
from dashboard.components.first_days import load_first_days, render_first_days
from dashboard.components.keeping import render_keeping_first
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import change_parts, format_signed, slope_parts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client

_SPANS = {
    "5 minutes": N_("the 5 minutes before"),
    "30 minutes": N_("the half hour before"),
    "60 minutes": N_("the hour before"),
    "night before": N_("the night before"),
}
_IN_TIME = ("stress_before", "same_moment", "pain_before")
_HEART = ("stress_index", "rmssd", "heart_rate")
_WITNESS = "stress_index_stress"
_AXES = {
    "same_moment": N_("Stress, against the usual"),
    "stress_index": N_("Stress index (tens), against the usual"),
    "stress_index_stress": N_("Stress index (tens), against the usual"),
    "rmssd": N_("RMSSD (doublings), against the usual"),
    "heart_rate": N_("Heart rate (tens), against the usual"),
}


def link_page() -> None:
    """Render each answer with its caveats and its chart."""
    if render_keeping_first(to_read=True):
        return
    st.title(_("My link"))
    span = st.session_state.get("heart_span", "30 minutes")
    with st.spinner(_("Looking at what moved together ...")):
        report = client().link_report(span)
    if report["simulated"]:
        st.caption(_("Ratings or heartbeats behind this are simulated."))
    rows = {row["key"]: row for row in [report["stress"], *report["others"]]}
    days = load_first_days() if rows["same_moment"]["missing"] is not None else None
    if days is not None and not days["has_answer"]:
        # Each comparison would say that it has not enough yet: one path says it once.
        st.write(_("One day this page will say whether your pain moved with your stress."))
        missing = say(str(rows["same_moment"]["missing"]))
        st.caption(f"{missing[:1].upper()}{missing[1:]}.")
        render_first_days(days)
        _course(report)
        _method(report)
        return
    _question(rows["same_moment"])
    _course(report)
    _order_in_time(rows)
    st.subheader(_("Pain and the heart"))
    _heart(rows, report)
    _witness(rows[_WITNESS])
    _missing_ratings(report["ratings"], rows["same_moment"])
    _ratings_after_offers(report["ratings"]["after_offers"])
    _method(report)


def _question(row: dict[str, Any]) -> None:
    st.markdown(f"#### {say(row['sentence'])}")
    if row["missing"] is not None:
        return
    for caveat in row["caveats"]:
        st.caption(say(caveat))
    _chart(row)


def _course(report: dict[str, Any]) -> None:
    """Render both changes over the weeks, apart from the link: a shared trend is none."""
    sentences = []
    for name, change in (
        (_("Pain"), report["pain_change"]),
        (_("Stress"), report["stress_change"]),
    ):
        if change["missing"] is None:
            sentences.append(
                _(
                    "{name} went from {before} in the first week to {after} in the last "
                    "(change {change}, 95% interval {low} to {high})."
                ).format(name=name, **change_parts(change))
            )
    if sentences:
        st.subheader(_("Over the weeks"))
        st.write(" ".join(sentences))
        st.caption(_("That both changed does not show that they belong together."))


def _order_in_time(rows: dict[str, dict[str, Any]]) -> None:
    answered = [rows[key] for key in _IN_TIME if rows[key]["missing"] is None]
    if len(answered) < 2:
        return
    st.subheader(_("Which came first?"))
    for key in ("stress_before", "pain_before"):
        st.write(say(rows[key]["sentence"]))
    st.altair_chart(
        lag_chart(answered),
        width="stretch",
        alt=_(
            "Slopes with their 95% intervals: stress a rating earlier, at the same "
            "moment, pain a rating earlier."
        ),
    )
    caveats = rows["stress_before"]["caveats"]
    st.caption(say(caveats[0]) if caveats else "")
    day = rows["day_to_day"]
    if day["missing"] is None:
        st.write(say(day["sentence"]))
        st.caption(say(day["caveats"][-1]))


def _heart(rows: dict[str, dict[str, Any]], report: dict[str, Any]) -> None:
    st.selectbox(
        _("Heartbeats of"),
        list(_SPANS),
        index=list(_SPANS).index(report["span"]),
        format_func=lambda name: _(_SPANS[name]),
        key="heart_span",
    )
    heart = report["beats_before_ratings"]
    if heart["ratings"]:
        why = "; ".join(f"{say(reason)}: {count}" for reason, count in heart["why_not"].items())
        without = _(" The others: {why}.").format(why=why) if why else ""
        st.caption(
            _("{usable} of {ratings} ratings have usable heartbeats in {spans}.{without}").format(
                usable=heart["usable"],
                ratings=heart["ratings"],
                spans=_(_SPANS[report["span"]]),
                without=without,
            )
        )
    question = _("Does my heart move with my pain?")
    st.markdown(f"**{question}**")
    answered = [key for key in _HEART if rows[key]["missing"] is None]
    for key in answered or _HEART[:1]:  # of several without an answer, one says why
        st.write(say(rows[key]["sentence"]))
    first = next((rows[key] for key in _HEART if rows[key]["missing"] is None), None)
    if first is not None:
        _chart(first)
        st.caption(
            _(
                "RMSSD is a measure of how much the time between heartbeats varies; it "
                "tends to be higher when the body is at ease. The stress index compares "
                "your heart rate with your own first four weeks at the same hour. Neither "
                "is how stressed you feel."
            )
        )


def _witness(row: dict[str, Any]) -> None:
    """Render whether the heart agrees with rated stress: no habit of rating brings that about."""
    question = _("Does my heart agree with my rated stress?")
    st.markdown(f"**{question}**")
    st.write(say(row["sentence"]))
    if row["missing"] is not None:
        return
    for caveat in row["caveats"]:
        st.caption(say(caveat))
    _chart(row)


def _chart(row: dict[str, Any]) -> None:
    st.altair_chart(
        link_chart(row, _(_AXES[row["key"]])),
        width="stretch",
        alt=_("Dots: one rating each. Line: {sentence}").format(sentence=say(row["sentence"])),
    )
    st.caption(
        _(
            "{estimate} points of {what} for {unit}, 95% interval {low} to {high}, p "
            "{p_value}, {n} ratings. The band is the interval."
        ).format(
            what=_("stress") if row["key"] == _WITNESS else _("pain"),
            unit=say(row["unit"]),
            n=row["n"],
            **slope_parts(row),
        )
    )


def _missing_ratings(ratings: dict[str, Any], row: dict[str, Any]) -> None:
    lacking = ratings["expected"] - ratings["given"]
    if lacking <= 0 or not ratings["given"]:
        return
    st.subheader(_("Ratings that are not there"))
    st.write(
        _(
            "{given} ratings on {days_with_ratings} of {days} days; about {lacking} "
            "fewer than on your usual days. That is fine: rate as often as suits you."
        ).format(
            given=ratings["given"],
            days_with_ratings=ratings["days_with_ratings"],
            days=ratings["days"],
            lacking=lacking,
        )
    )
    if row["estimate"] is not None and ratings["estimate_if_both_worse"] is not None:
        st.caption(
            _(
                "If the missing ones had been two points worse than usual, in pain and "
                "stress alike, the {estimate} above would be {estimate_if_both_worse}; "
                "in pain alone, {estimate_if_pain_worse}."
            ).format(
                estimate=format_signed(row["estimate"], 2),
                estimate_if_both_worse=format_signed(ratings["estimate_if_both_worse"], 2),
                estimate_if_pain_worse=format_signed(ratings["estimate_if_pain_worse"], 2),
            )
        )


def _ratings_after_offers(count: int) -> None:
    if count:
        st.caption(
            _(
                "{count} ratings half an hour after a moment of practice by lot are not used here: "
                "a practice may change both at once. They answer their own question, on the page "
                "Practice by lot."
            ).format(count=count)
        )


def _method(report: dict[str, Any]) -> None:
    with st.expander(_("How this is worked out")):
        st.write(
            _(
                "Over weeks of therapy pain and stress often both fall. Two things that "
                "both fall look linked even when they have nothing to do with each "
                "other. So the shared course is taken out first, together with the time "
                "of day, and only the ups and downs around it are compared. Ratings "
                "close in time resemble each other; that is allowed for too."
            )
        )
        st.write(
            _(
                "It was tried on made-up ratings where nothing was linked: it saw a link "
                "in about 5 of 100 tries, which is the aim. So one clear answer is a "
                "hint, not a proof. The other looks on this page are held to more, "
                "because there are several of them."
            )
        )
        st.caption(_("Method: {method}.").format(method=report["method"]))


PAGE = Page(
    run=link_page,
    title=N_("My link"),
    icon=":material/hub:",
    slug="link",
    roles={"patient"},
)
