"""Whether Ebbtide may keep what a patient enters: asked before anything can be entered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.client import UnavailableError
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import _, reader_locale
from dashboard.session import client

_SEEN = "keeping_state"  # key in the session: the answer that the API gave last


def render_keeping_first(*, to_read: bool = False) -> bool:
    """Ask in place of the page where keeping is not agreed to; return whether it did. ``to_read``:
    the page enters nothing, and what is there from before the question was asked may be read.
    """
    api = client()
    try:
        consents = api.consents()
    except UnavailableError:
        # What somebody is about to save stays on the page; the API refuses what it may not keep.
        if st.session_state.get(_SEEN) != "agreed":
            raise
        return False
    state = st.session_state[_SEEN] = consents["keeping"]
    if state == "agreed" or (to_read and state == "unanswered"):
        return False
    st.title(_("One question first"))
    if state == "unanswered":
        st.markdown(_(texts.WELCOME))
    render_keeping_question(api, consents)
    return True


def render_keeping_question(
    api: Any, consents: dict[str, Any], on_not_now: Callable[[], None] | None = None
) -> None:
    """Render the question whether data may be kept; after a yes the page is drawn anew, and after
    "not now" where ``on_not_now`` has somewhere else to go.
    """
    state = consents["keeping"]
    with st.container(border=True):
        question = _("May Ebbtide keep your heartbeats, ratings and notes?")
        st.markdown(f"**{question}**")
        if state != "unanswered":
            st.write(_(texts.NOT_KEEPING[state]))
            render_withdrawal(consents)
        st.write(describe_consent("keeping", consents))
        left, right = st.columns(2)
        if left.button(_("Yes, I agree"), type="primary", width="stretch"):
            agree(api, "keeping", True)
            st.rerun()
        if right.button(_("Not now"), width="stretch"):
            if on_not_now is not None:
                on_not_now()
                st.rerun()
            st.write(_("That is fine. Nothing is kept, and you can come back to this at any time."))


def render_withdrawal(consents: dict[str, Any]) -> None:
    """Render until when a withdrawal can be taken back, or what was erased and when."""
    withdrawal = consents["withdrawal"]
    if withdrawal is None:
        return
    withdrawn = _moment(withdrawal["withdrawn"])
    began = (
        _("The time that you agreed to ended on {withdrawn}.")
        if consents["keeping"] == "over"
        else _("You took this back on {withdrawn}.")
    ).format(withdrawn=withdrawn)
    if withdrawal["erased"] is not None:
        counts = {name: withdrawal[name] for name in ("beats", "ratings", "notes", "practices")}
        then = _(
            "On {erased} all of it was erased: {beats} heartbeats, {ratings} ratings, {notes} "
            "notes, {practices} practices. Your account and your answers here remain; under *My "
            "data* you can erase them too."
        ).format(erased=_moment(withdrawal["erased"]), **counts)
    elif datetime.fromisoformat(withdrawal["erase_at"]) > datetime.now().astimezone():
        then = _(
            "What was kept is erased on {erase_at}. Until then you can agree again, or download it "
            "under *My data*."
        ).format(erase_at=_moment(withdrawal["erase_at"]))
    else:
        then = _("What was kept is being erased now.")
    st.write(f"{began} {then}")


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
