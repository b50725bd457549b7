"""Practice by lot: the offer of a moment, what offers did, and what a therapist sees of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.client import ApiError
from dashboard.components.breathing import render_breathing_exercise
from dashboard.components.somatic_tracking import render_somatic_tracking
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import N_, _
from dashboard.session import client

_BEGUN = "offer_begun"  # the practice of an offer that was taken, in the session
_HARM = {
    "stress was higher after offers": N_("stress"),
    "pain was higher after offers": N_("pain"),
}
PRACTICES = {"paced breathing": N_("breathing"), "somatic tracking": N_("somatic tracking")}


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
            render_somatic_tracking()
        if st.button(_("Close the practice"), key="offer_close"):
            del st.session_state[_BEGUN]
            st.rerun()


def practice_names(arms: list[str]) -> str:
    """Name practices, in the reader's language."""
    return ", ".join(_(PRACTICES[arm]) for arm in arms)


def render_results(api: Any) -> None:
    """Render what offers did, in sentences, and what has to be known about them."""
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
    for effect in found["effects"]:
        if effect["arm"] is None:
            st.write(say(effect["sentence"]))
    each = [effect for effect in found["effects"] if effect["arm"] is not None]
    if each:
        with st.expander(_("Each practice by itself")):
            for effect in each:
                st.write(f"{practice_names([effect['arm']])}: {say(effect['sentence'])}")
    for note in found["notes"]:
        st.caption(say(note))


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
        st.dataframe(_log_table(found["moments"]), hide_index=True, width="stretch")


def render_patient_offers(api: Any) -> None:
    """Render a patient's practice by lot for their therapist, who may propose it."""
    with st.expander(_("Practice by lot")):
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
        if active is not None or found["earlier"]:
            render_results(api)
        if proposal is not None:
            st.caption(
                _("Proposed, not agreed to yet: {practices}.").format(
                    practices=practice_names(proposal["arms"])
                )
            )
        _render_proposal_form(api)


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
        share = st.slider(_("At how many of a hundred moments"), 20, 80, 50, 5)
        if st.form_submit_button(_("Propose practice by lot")):
            try:
                api.propose_offers(arms=arms, base_probability=share / 100)
                st.rerun()
            except ApiError as error:
                st.warning(str(error))


def _log_table(moments: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            _("Moment"): [format_day_and_time(row["planned"]) for row in moments],
            _("Offered"): [_offered(row) for row in moments],
            _("Probability"): [row["probability"] for row in moments],
            _("Fingerprint before"): [row["commitment"] for row in moments],
            _("Secret after"): [row["nonce"] for row in moments],
            _("Why not"): [say(row["why_not"] or "") for row in moments],
        }
    )


def _offered(row: dict[str, Any]) -> str:
    if row["offered"] is None:
        return "" if not row["available"] else _("not known yet")
    return practice_names([row["arm"]]) if row["offered"] else _("nothing")
