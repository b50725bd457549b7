"""Whether Ebbtide may keep what a patient enters: asked before anything can be entered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.client import UnavailableError
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import _, reader_locale
from dashboard.page_shell import switch_to
from dashboard.session import client

_SEEN = "keeping_state"  # key in the session: the answer that the API gave last
_BACK = "after_consent"  # key in the session: the page that led to the question


def render_keeping_first(slug: str, *, to_read: bool = False) -> bool:
    """Lead to the question where keeping is not agreed to; return whether it did. ``slug``: the
    page that the answer leads back to. ``to_read``: the page enters nothing, and what is there from
    before the question was asked may be read.
    """
    try:
        state = st.session_state[_SEEN] = client().consents()["keeping"]
    except UnavailableError:
        # What somebody is about to save stays on the page; the API refuses what it may not keep.
        if st.session_state.get(_SEEN) != "agreed":
            raise
        return False
    if state == "agreed" or (to_read and state == "unanswered"):
        return False
    st.title(_("One question first"))
    with st.container(border=True):
        if state == "unanswered" and slug == "today":
            st.markdown(_(texts.WELCOME))
        else:
            st.write(_(texts.KEEPING[state]))
        if st.button(_("To the question"), type="primary", width="stretch"):
            st.session_state[_BACK] = slug
            switch_to("consents")
    return True


def render_keeping_question(api: Any, consents: dict[str, Any]) -> None:
    """Render the question whether data may be kept; an answer of yes leads back."""
    with st.container(border=True):
        st.markdown(f"**{_('May Ebbtide keep your heartbeats, ratings and notes?')}**")
        if consents["keeping"] != "unanswered":
            st.write(_(texts.KEEPING[consents["keeping"]]))
            render_withdrawal(consents)
        st.write(describe_consent("keeping", consents))
        left, right = st.columns(2)
        if left.button(_("Yes, I agree"), type="primary", width="stretch"):
            agree(api, "keeping", True)
            switch_to(st.session_state.pop(_BACK, "today"))
        if right.button(_("Not now"), width="stretch"):
            st.write(_("That is fine. Nothing is kept, and you can come back to this at any time."))


def render_withdrawal(consents: dict[str, Any]) -> None:
    """Render until when a withdrawal can be taken back, or what was erased and when."""
    withdrawal = consents["withdrawal"]
    if withdrawal is None:
        return
    withdrawn = _moment(withdrawal["withdrawn"])
    if withdrawal["erased"] is not None:
        counts = {name: withdrawal[name] for name in ("beats", "ratings", "notes", "practices")}
        st.write(
            _(
                "You took this back on {withdrawn}. On {erased} all of it was erased: {beats} "
                "heartbeats, {ratings} ratings, {notes} notes, {practices} practices. Your account "
                "and your answers here remain; under *My data* you can erase them too."
            ).format(withdrawn=withdrawn, erased=_moment(withdrawal["erased"]), **counts)
        )
    elif datetime.fromisoformat(withdrawal["erase_at"]) > datetime.now().astimezone():
        st.write(
            _(
                "You took this back on {withdrawn}. What was kept is erased on {erase_at}. Until "
                "then you can agree again, or download it under *My data*."
            ).format(withdrawn=withdrawn, erase_at=_moment(withdrawal["erase_at"]))
        )
    else:
        st.write(
            _("You took this back on {withdrawn}. What was kept is being erased now.").format(
                withdrawn=withdrawn
            )
        )


def describe_consent(purpose: str, consents: dict[str, Any]) -> str:
    """Describe what a consent means, in the reader's language."""
    words = _(texts.CONSENT[purpose][1])
    hours = consents["withdrawal_hours"]
    when = _("at once")
    if hours:
        when = _("{hours} hours later, so that you may change your mind").format(hours=f"{hours:g}")
    return words.format(when=when)


def agree(api: Any, purpose: str, given: bool) -> None:
    """Store an answer with the name of the text that was read."""
    language = reader_locale().get_language_name("en")
    api.agree(purpose, given, f"{purpose}, {language}, {texts.WORDING[purpose]}")


def _moment(text: str) -> str:
    return format_day_and_time(datetime.fromisoformat(text))
