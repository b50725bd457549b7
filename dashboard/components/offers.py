"""Practice by lot: the offer of a moment, what offers did, and what a therapist sees of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.client import ApiError
from dashboard.components.breathing import render_breathing_exercise
from dashboard.components.guided_practice import (
    SAVOURING,
    SOMATIC_TRACKING,
    render_guided_practice,
)
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time, format_number, format_signed, format_time
from dashboard.i18n.language import N_, _
from dashboard.session import client

_BEGUN = "offer_begun"  # the practice of an offer that was taken, in the session
_RATED = ("stress", "pain")
_HARM = {
    "stress was higher after offers": N_("stress"),
    "pain was higher after offers": N_("pain"),
}
PRACTICES = {
    "paced breathing": N_("breathing"),
    "somatic tracking": N_("somatic tracking"),
    "savouring": N_("noticing something pleasant"),
}
_GUIDES = {guide.kind: guide for guide in (SOMATIC_TRACKING, SAVOURING)}


def render_offer() -> bool:
    """Render the offer of this moment, where there is one, and its practice once it is begun;
    whether a practice is displayed.
    """
    begun = st.session_state.get(_BEGUN)
    if begun is not None:
        _render_practice(begun)
        return True
    api = client()
    try:
        offer = api.current_offer()
        if offer is not None:
            api.act_on_offer(offer["decision_point"], "shown")
    except ApiError:
        return False
    if offer is None:
        return False
    with st.container(border=True):
        words = _("Would a few minutes of {practice} suit now?")
        st.write(words.format(practice=practice_names([offer["arm"]])))
        left, right = st.columns(2)
        if left.button(_("Yes"), type="primary", width="stretch", key="offer_yes"):
            st.session_state[_BEGUN] = offer["arm"]
            st.rerun()
        if right.button(_("Not now"), width="stretch", key="offer_no"):
            api.act_on_offer(offer["decision_point"], "not now")
            st.rerun()
    return False


def _render_practice(arm: str) -> None:
    with st.container(border=True):
        if arm == "paced breathing":
            render_breathing_exercise()
        else:
            render_guided_practice(_GUIDES[arm])
        if st.button(_("Close the practice"), key="offer_close"):
            del st.session_state[_BEGUN]
            st.rerun()


def practice_names(arms: list[str]) -> str:
    """Name practices, in the reader's language."""
    return ", ".join(_(PRACTICES[arm]) if arm in PRACTICES else say(arm) for arm in arms)


def render_times(plan: dict[str, Any]) -> None:
    """Say at which times a plan asks besides the reminders, where it has any."""
    if plan["times_min"]:
        times = ", ".join(map(clock_time, plan["times_min"]))
        st.write(_("It asks besides your reminders, at {times}.").format(times=times))


def choose_times() -> list[int]:
    """Render the choice of times at which it asks besides the reminders."""
    found: list[int] = st.multiselect(
        _("Moments of its own besides the reminders, if wanted"),
        list(range(9 * 60, 20 * 60, 30)),
        format_func=clock_time,
        placeholder=_("Choose"),
        max_selections=4,
    )
    return sorted(found)


def clock_time(minute: int) -> str:
    """Write minutes after midnight as the reader's time of day."""
    return format_time(f"2000-01-01T{minute // 60:02}:{minute % 60:02}")


def render_results(api: Any, *, with_numbers: bool = False) -> None:
    """Render what offers did, in sentences, and what has to be known about them; ``with_numbers``:
    with a table of estimates and intervals, too.
    """
    try:
        found = api.offer_results()
    except ApiError as error:
        st.warning(str(error))
        return
    if not found["drawn"]:
        st.write(_("Nothing was drawn yet. From ten moments or so on, something can be said."))
        return
    st.write(
        _(
            "{drawn} moments were drawn; at {offered} of them a practice was offered, and {taken} "
            "times it was done."
        ).format(drawn=found["drawn"], offered=found["offered"], taken=found["taken"])
    )
    if found["free"]:
        st.write(
            _("Besides, {free} practices around these moments were begun freely.").format(
                free=found["free"]
            )
        )
    of_all = [effect for effect in found["effects"] if effect["arm"] is None]
    for effect in of_all:
        if effect["outcome"] in _RATED:
            st.write(say(effect["sentence"]))
    with st.expander(_("And the heart")):
        for effect in of_all:
            if effect["outcome"] not in _RATED:
                st.write(say(effect["sentence"]))
    each = [effect for effect in found["effects"] if effect["arm"] is not None]
    if each:
        with st.expander(_("Each practice by itself")):
            for effect in each:
                st.write(f"{practice_names([effect['arm']])}: {say(effect['sentence'])}")
    if with_numbers and of_all:
        with st.expander(_("Numbers")):
            _render_numbers(of_all, found["doing"])
    for note in found["notes"]:
        st.caption(say(note))


def _render_numbers(effects: list[dict[str, Any]], doing: list[dict[str, Any]]) -> None:
    """Of offering, and of doing with the draw as the instrument."""
    names = {
        "stress": _("Stress"),
        "pain": _("Pain"),
        "mean_hr_bpm": _("Heart rate, bpm"),
        "rmssd_ms": _("RMSSD, ms"),
    }
    rows = [(names[row["outcome"]], row) for row in effects]
    of_doing = _("{outcome}, of doing it")
    rows += [(of_doing.format(outcome=names[row["outcome"]]), row) for row in doing]
    st.dataframe(
        pd.DataFrame(
            [
                {
                    _("After an offer less without"): name,
                    _("Estimate"): _number(row["estimate"]),
                    _("95%, at every look"): _range(row["low"], row["high"]),
                    _("95%, at one planned look"): _range(
                        row.get("low_one_look"), row.get("high_one_look")
                    ),
                }
                for name, row in rows
            ]
        ),
        hide_index=True,
        width="stretch",
    )
    st.caption(
        _(
            "Of doing it: the draw tells, whoever chose to practise. It assumes that an offer acts "
            "through the practice alone. Where offers are rarely taken its range is wide."
        )
    )


def _number(value: float | None) -> str:
    return "" if value is None else format_signed(value, 2)


def _range(low: float | None, high: float | None) -> str:
    """An interval without an end is given by the end that it has."""
    if low is None and high is None:
        return ""
    if low is None or high is None:
        words = _("up to {high}") if low is None else _("from {low}")
        return words.format(low=_number(low), high=_number(high))
    return _("{low} to {high}").format(low=_number(low), high=_number(high))


def render_log(api: Any) -> None:
    """Render the draws: hashes before, draws after."""
    found = api.offer_log()
    if found["problem"] is None:
        st.write(
            _(
                "Each draw follows from a secret whose fingerprint was stored before. Here is "
                "every draw, done again just now: all are as they were stored."
            )
        )
    else:
        words = _("A draw is not what it should be: {problem}")
        st.warning(words.format(problem=say(found["problem"])))
    if found["coming"]:
        st.caption(
            _("{count} fingerprints of moments that have not come are stored.").format(
                count=len(found["coming"])
            )
        )
    if found["moments"]:
        newest_first = found["moments"][::-1]
        st.dataframe(_log_table(newest_first), hide_index=True, width="stretch")


def render_patient_offers(api: Any) -> None:
    """Render a patient's practice by lot for their therapist, who may propose it."""
    st.subheader(_("Practice by lot"))
    found = api.offers()
    active, proposal = found["active"], found["proposal"]
    render_ended(found["earlier"], active, is_own=False)
    if active is None:
        st.write(_("Nothing is offered to them by lot; that is up to them."))
    else:
        st.write(
            _("On: {practices}, at about {share} of a hundred moments.").format(
                practices=practice_names(active["arms"]),
                share=round(active["base_probability"] * 100),
            )
        )
        _render_patient_times(active)
    if active is not None or found["earlier"]:
        render_results(api, with_numbers=True)
    if proposal is not None:
        st.caption(
            _("Proposed, not agreed to yet: {practices}.").format(
                practices=practice_names(proposal["arms"])
            )
        )
        _render_patient_times(proposal)
    _render_proposal_form(api)


def _render_patient_times(plan: dict[str, Any]) -> None:
    if plan["times_min"]:
        times = ", ".join(map(clock_time, plan["times_min"]))
        st.caption(_("Besides their reminders, at {times}.").format(times=times))


def render_ended(
    earlier: list[dict[str, Any]], active: dict[str, Any] | None, *, is_own: bool
) -> None:
    """Say kindly that offers ended by themselves, where they did."""
    last = earlier[-1] if earlier else None
    if active is not None or last is None or last["ended_why"] not in _HARM:
        return
    harm = _HARM[last["ended_why"]]
    what = _(harm)
    if not is_own:
        words = _("Offers ended by the rule that stops: {what} was higher after them than without.")
        st.info(words.format(what=what))
        return
    words = _("Offers have ended by themselves: your {what} was higher after them than without.")
    st.info(words.format(what=what))
    st.write(
        _(
            "That is good to know, and nobody's fault. You can practise whenever you like; your "
            "therapist sees this too, and may have an idea."
        )
    )


def _render_proposal_form(api: Any) -> None:
    with st.form("offers", border=False):
        arms = st.multiselect(
            _("Practices, chosen together with them"),
            list(PRACTICES),
            ["paced breathing"],
            format_func=lambda arm: _(PRACTICES[arm]),
            placeholder=_("Choose"),
        )
        times = choose_times()
        share = st.slider(_("At how many of a hundred moments"), 20, 80, 50, 5)
        if st.form_submit_button(_("Propose practice by lot")):
            try:
                api.propose_offers(arms=arms, base_probability=share / 100, times_min=times)
                st.rerun()
            except ApiError as error:
                st.warning(str(error))


def _log_table(moments: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            _("Moment"): [format_day_and_time(row["planned"]) for row in moments],
            _("Offered"): [_offered(row) for row in moments],
            _("Why not"): [say(row["why_not"] or "") for row in moments],
            _("Probability"): [
                "" if row["probability"] is None else format_number(row["probability"], 2)
                for row in moments
            ],
            _("Fingerprint before"): [row["commitment"] for row in moments],
            _("Secret after"): [row["nonce"] or "" for row in moments],
        }
    )


def _offered(row: dict[str, Any]) -> str:
    if row["offered"] is None:
        return "" if not row["available"] else _("not known yet")
    return practice_names([row["arm"]]) if row["offered"] else _("nothing")
