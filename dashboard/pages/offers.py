"""Practice by lot: agree in three sentences, see what it showed, stop."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.keeping import render_keeping_first
from dashboard.components.offers import (
    PRACTICES,
    choose_times,
    practice_names,
    render_ended,
    render_log,
    render_offer,
    render_results,
    render_times,
)
from dashboard.i18n.formatting import format_long_day, format_time
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client


def offers_page() -> None:
    """Render the agreement, or the state, the answer and the log."""
    if render_keeping_first():
        return
    st.title(_("Practice by lot"))
    api = client()
    found = api.offers()
    active = found["active"]
    render_ended(found["earlier"], active, is_own=True)
    if active is None:
        _render_begin(api, found)
    else:
        render_offer()
        _render_state(api, active)
        _render_proposal(api, found)
    if active is None and not found["earlier"]:
        return
    st.subheader(_("What offers did"))
    render_results(api)
    with st.expander(_("Every draw")):
        render_log(api)


def _render_begin(api: Any, found: dict[str, Any]) -> None:
    # The text of consent, version ``offers-1``: three sentences.
    st.write(
        _(
            "At some of your questions a coin decides if Ebbtide offers you a few minutes of "
            "practice, and half an hour later it asks again, either way. Side by side, the two "
            "kinds of moments show what a practice does for you. You can always practise when you "
            "like, say not now, or stop."
        )
    )
    st.caption(
        _(
            "Never at night, near a meeting or in the first days. The questions come with "
            "your reminders, with one more after each answer."
        )
    )
    _render_proposal(api, found)
    arms = st.multiselect(
        _("Practices"),
        list(PRACTICES),
        ["paced breathing"],
        format_func=lambda arm: _(PRACTICES[arm]),
        placeholder=_("Choose"),
    )
    times = choose_times()
    if st.button(_("Begin"), width="stretch", disabled=not arms):
        _agree(api, found["wording"], arms=arms, times_min=times)


def _render_proposal(api: Any, found: dict[str, Any]) -> None:
    """What a therapist proposes, also in the place of what is on."""
    proposal = found["proposal"]
    if proposal is None:
        return
    st.write(
        _("Your therapist proposes: {practices}, at about {share} of a hundred moments.").format(
            practices=practice_names(proposal["arms"]),
            share=round(proposal["base_probability"] * 100),
        )
    )
    render_times(proposal)
    if st.button(_("I agree to that"), type="primary", width="stretch"):
        _agree(api, found["wording"], proposal=proposal["number"])


def _render_state(api: Any, active: dict[str, Any]) -> None:
    first = date.fromisoformat(active["agreed"][:10]) + timedelta(days=active["first_days"])
    if first > datetime.now().astimezone().date():
        st.write(
            _("On: {practices}. The first offer can come on {day}.").format(
                practices=practice_names(active["arms"]),
                day=format_long_day(datetime.combine(first, time(12))),
            )
        )
    else:
        st.write(
            _("On: {practices}, at about {share} of a hundred moments.").format(
                practices=practice_names(active["arms"]),
                share=round(active["base_probability"] * 100),
            )
        )
    render_times(active)
    quiet = active["quiet_until"]
    if quiet is not None and datetime.fromisoformat(quiet) > datetime.now().astimezone():
        until = format_time(datetime.fromisoformat(quiet))
        st.write(_("Nothing is offered until {time}, as you said.").format(time=until))
    left, right = st.columns(2)
    if left.button(_("Nothing for three hours"), width="stretch"):
        api.no_offer_now()
        st.rerun()
    if right.button(_("Stop"), width="stretch"):
        api.stop_offers()
        st.rerun()


def _agree(api: Any, wording: str, **wishes: Any) -> None:
    try:
        api.agree_to_offers(wording, **wishes)
    except ApiError as error:
        st.warning(str(error))
        return
    st.rerun()


PAGE = Page(
    run=offers_page,
    title=N_("Practice by lot"),
    icon=":material/casino:",
    slug="offers",
    roles={"patient"},
)
