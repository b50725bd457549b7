"""Whether pain moved with stress: sentences first, then charts."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.charts.link import lag_chart, link_chart
from dashboard.components.first_days import load_first_days, render_first_days
from dashboard.components.keeping import render_keeping_first
from dashboard.i18n.api_texts import ASKED_APART, say
from dashboard.i18n.formatting import change_parts, format_signed, slope_parts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.reports.session_summary import answered_link
from dashboard.session import client

_SPANS = {
    "5 minutes": N_("the 5 minutes before"),
    "30 minutes": N_("the half hour before"),
    "60 minutes": N_("the hour before"),
    "night before": N_("the night before"),
}
_NO_CAUSE = N_("Each dot is a rating. Moving together does not show that one brings the other.")
_NO_CAUSE_OF_PAIRS = N_(
    "Each dot is a pair of ratings. Moving together does not show that one brings the other."
)
_INTERVAL_AT_END = re.compile(r"\s*\([^()]*95[^()]*\)\.$")
_IN_TIME = ("stress_before", "same_moment", "pain_before")
_HEART = ("stress_index", "rmssd", "heart_rate")
_WITNESS = "stress_index_stress"
_AXES = {
    "same_moment": N_("Stress, against the usual"),
    "asked_apart": N_("Stress, against the usual"),
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
    apart = report["apart"]
    main = answered_link(report)
    answered = (main, *(rows[key] for key in (*_HEART, _WITNESS)))
    if days is not None and not days["has_answer"] and all(row["missing"] for row in answered):
        # Each comparison would say that it has not enough yet: one path says it once.
        st.write(_("One day this page will say whether your pain moved with your stress."))
        if apart is None or rows["same_moment"]["n"]:
            missing = say(str(rows["same_moment"]["missing"]))
            st.caption(f"{missing[:1].upper()}{missing[1:]}.")
        _asked_apart(apart)
        render_first_days(days)
        _course(report)
        _method(report)
        return
    _question(main)
    # Who is asked for one at a time has this answer, and may never have the other.
    _asked_apart(None if main is apart else apart)
    st.subheader(_("And the heart"))
    left, right = st.columns(2)  # below each other on a phone
    with left:
        _heart_and_stress(rows[_WITNESS])
    with right:
        _heart_and_pain(rows)
    _more_about_the_heart(rows, report)
    _order_in_time(rows)
    _course(report)
    _missing_ratings(report["ratings"], rows["same_moment"])
    _ratings_after_offers(report["ratings"]["after_offers"])
    _method(report)


def _question(row: dict[str, Any]) -> None:
    """Render one sentence and one picture; how sure it is, is unfolded by who wants to know."""
    st.markdown(f"#### {_without_interval(say(row['sentence']))}")
    if row["missing"] is not None:
        return
    _picture(row, height=260)
    if row["key"] == "asked_apart":
        st.caption(f"{_(_NO_CAUSE_OF_PAIRS)} {_(ASKED_APART)}")
    else:
        st.caption(_(_NO_CAUSE))
    _how_sure(row)


def _asked_apart(row: dict[str, Any] | None) -> None:
    """Render the answer from questions that asked for one alone, where there were any."""
    if row is None:
        return
    title = _("Asked at different moments")
    st.markdown(f"**{title}.** {_without_interval(say(row['sentence']))}")
    if row["missing"] is None:
        _picture(row, height=190)
        st.caption(_(ASKED_APART))
        _how_sure(row)


def _without_interval(sentence: str) -> str:
    """Leave out the interval at the end of a sentence: it is behind the fold, with its words."""
    return _INTERVAL_AT_END.sub(".", sentence)


def _how_sure(row: dict[str, Any], *, with_picture: bool = False) -> None:
    title = _("The picture, and how sure that is") if with_picture else _("How sure is that?")
    with st.expander(title, key=f"sure_{row['key']}"):
        if with_picture:
            _picture(row, height=190)
        st.write(
            _(
                "{estimate} points of {what} for {unit}; the true value is probably between {low} "
                "and {high} (95% interval, the band in the picture), p {p_value}, {ratings}."
            ).format(
                what=_("stress") if row["key"] == _WITNESS else _("pain"),
                unit=say(row["unit"]),
                ratings=(
                    _("{n} pairs of ratings") if row["key"] == "asked_apart" else _("{n} ratings")
                ).format(n=row["n"]),
                **slope_parts(row),
            )
        )
        for caveat in row["caveats"]:
            st.caption(say(caveat))
        aside = row["n"] - len(row["points"])
        if aside:
            st.caption(
                _(
                    "{aside} of {n} ratings are not among the dots: moments so far from the "
                    "ratings around them that the line does without."
                ).format(aside=aside, n=row["n"])
            )
        table = pd.DataFrame(row["points"], columns=[_(_AXES[row["key"]]), _y_title(row)])
        st.caption(_("The dots of the picture, as numbers:"))
        st.dataframe(table.round(2), hide_index=True, height=180)


def _y_title(row: dict[str, Any]) -> str:
    if row["key"] == _WITNESS:
        return _("Stress, against the usual")
    return _("Pain, against the usual")


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
        with st.expander(_("Over the weeks")):
            st.write(" ".join(sentences))
            st.caption(_("That both changed does not show that they belong together."))


def _order_in_time(rows: dict[str, dict[str, Any]]) -> None:
    answered = [rows[key] for key in _IN_TIME if rows[key]["missing"] is None]
    if len(answered) < 2:
        return
    with st.expander(_("Which came first?")):
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


def _heart_and_stress(row: dict[str, Any]) -> None:
    """Render whether the heart agrees with rated stress: no habit of rating brings that about."""
    question = _("Does my heart agree with my rated stress?")
    st.markdown(f"**{question}** {_without_interval(say(row['sentence']))}")
    if row["missing"] is None:
        _how_sure(row, with_picture=True)  # two more pictures are a fourth screen of a phone


def _heart_and_pain(rows: dict[str, dict[str, Any]]) -> None:
    question = _("Does my heart move with my pain?")
    answered = [rows[key] for key in _HEART if rows[key]["missing"] is None]
    first = answered[0] if answered else rows[_HEART[0]]  # of several without one, one says why
    st.markdown(f"**{question}** {_without_interval(say(first['sentence']))}")
    if answered:
        _how_sure(first, with_picture=True)


def _more_about_the_heart(rows: dict[str, dict[str, Any]], report: dict[str, Any]) -> None:
    with st.expander(_("More about the heart")):
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
                _(
                    "{usable} of {ratings} ratings have usable heartbeats in {spans}.{without}"
                ).format(
                    usable=heart["usable"],
                    ratings=heart["ratings"],
                    spans=_(_SPANS[report["span"]]),
                    without=without,
                )
            )
        for key in _HEART:
            if rows[key]["missing"] is None:
                st.write(say(rows[key]["sentence"]))
        st.caption(
            _(
                "RMSSD is a measure of how much the time between heartbeats varies; it "
                "tends to be higher when the body is at ease. The stress index compares "
                "your heart rate with your own first four weeks at the same hour. Neither "
                "is how stressed you feel."
            )
        )


def _picture(row: dict[str, Any], height: int) -> None:
    st.altair_chart(
        link_chart(row, _(_AXES[row["key"]]), height),
        width="stretch",
        alt=_("Dots: one rating each. Line: {sentence}").format(sentence=say(row["sentence"])),
    )


def _missing_ratings(ratings: dict[str, Any], row: dict[str, Any]) -> None:
    lacking = ratings["expected"] - ratings["given"]
    if lacking <= 0 or not ratings["given"]:
        return
    with st.expander(_("Ratings that are not there")):
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
