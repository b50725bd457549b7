"""Rate in a few taps."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.client import ApiError
from dashboard.i18n.language import _, clock, weekday
from dashboard.session import client, me

_SCALE = list(range(11))
_KEYS = ("pain", "stress", "pleasant")
_WORDS = ("note", "pleasant_note")
_FEWEST = 5  # ratings before one knows what a harder day is


def rate_page() -> None:
    """Pain, stress, something pleasant; save."""
    kept = st.session_state.get("kept_rating")
    if kept is not None and not st.session_state.get("correcting"):
        _show_kept(kept)
        return
    st.title(_("How is it right now?"))
    _ask("pain", _("Pain"), _("0 none · 10 the most you can imagine"))
    _ask("stress", _("Stress"), _("0 none · 10 the most you can imagine"))
    _ask(
        "pleasant", _("Something pleasant"), _("a warm, easy or good sensation, if you notice one")
    )
    with st.expander(_("A word, if you like")):
        st.text_input(_("What was going on?"), key="note", max_chars=500)
        st.text_input(_("What was pleasant?"), key="pleasant_note", max_chars=500)
    about = None if kept else _earlier_moment()
    pain, stress = st.session_state.get("pain"), st.session_state.get("stress")
    ready = pain is not None and stress is not None
    if st.button(_("Save"), type="primary", disabled=not ready, width="stretch"):
        _save(about, kept)
    if not ready:
        st.caption(_("Choose a number for pain and one for stress."))


def _ask(key: str, title: str, ends: str) -> None:
    st.markdown(_("**{title}** &nbsp; :gray[{ends}]").format(title=title, ends=ends))
    st.segmented_control(title, _SCALE, key=key, label_visibility="collapsed", width="stretch")


def _earlier_moment() -> str | None:
    """The moment that the rating is about, where it is not now."""
    with st.expander(_("It is about an earlier moment")):
        if not st.toggle(_("Yes, earlier"), key="earlier"):
            return None
        now = datetime.now(_zone())
        left, right = st.columns(2)
        day = left.date_input(
            _("Day"), now.date(), min_value=now.date() - timedelta(days=60), max_value=now.date()
        )
        hour = right.time_input(_("Time"), (now - timedelta(hours=1)).time())
    return datetime.combine(day, hour, tzinfo=_zone()).isoformat()


def _zone() -> ZoneInfo:
    person = me()
    assert person is not None
    return ZoneInfo(person["zone"])


def _save(about: str | None, kept: dict[str, Any] | None) -> None:
    content: dict[str, Any] = {key: st.session_state.get(key) for key in _KEYS}
    content |= {key: st.session_state.get(key) or None for key in _WORDS}
    try:
        if kept is not None:
            saved = client().correct(kept["id"], {**content, "version": kept["version"]})
        else:
            # The same id on a second try: saved once, even if the first answer got lost.
            rating_id = st.session_state.setdefault("rating_id", str(uuid.uuid4()))
            saved = client().rate({**content, "id": rating_id, "about": about})
    except ApiError as error:
        st.warning(str(error))
        return
    st.session_state.pop("rating_id", None)
    st.session_state.kept_rating = saved
    st.session_state.correcting = False
    st.rerun()


def _show_kept(kept: dict[str, Any]) -> None:
    st.title(_("Saved. Thank you."))
    pleasant = (
        ""
        if kept["pleasant"] is None
        else _(", something pleasant {pleasant}").format(pleasant=kept["pleasant"])
    )
    moment = datetime.fromisoformat(kept["about"])
    st.write(
        _("{moment}: pain {pain}, stress {stress}{pleasant}.").format(
            moment=f"{weekday(moment)} {clock(moment)}",
            pain=kept["pain"],
            stress=kept["stress"],
            pleasant=pleasant,
        )
    )
    _something_pleasant(kept)
    st.write(_("That is all. No need to check again soon."))
    left, right = st.columns(2)
    if left.button(_("Change it"), width="stretch"):
        for key in _KEYS:
            st.session_state[key] = kept[key]
        for key in _WORDS:
            st.session_state[key] = kept[key] or ""
        st.session_state.correcting = True
        st.rerun()
    if right.button(_("Rate again"), width="stretch"):
        for key in (*_KEYS, *_WORDS, "kept_rating", "earlier"):
            st.session_state.pop(key, None)
        st.rerun()


def _something_pleasant(kept: dict[str, Any]) -> None:
    """On a harder day, one of the pleasant sensations that the person collected."""
    end = datetime.fromisoformat(kept["about"])
    try:
        pains = [
            row["pain"]
            for row in client().rating_list(end - timedelta(days=28), end)
            if row["id"] != kept["id"]
        ]
        if len(pains) < _FEWEST or kept["pain"] <= median(pains):
            return
        collected = [note for note in client().notes() if note["kind"] == "pleasant"]
    except ApiError:
        return
    if collected:
        # Another one each time, and the same one as long as this rating is on the screen.
        note = collected[uuid.UUID(kept["id"]).int % len(collected)]
        st.info(_("You once collected something pleasant: {words}").format(words=note["words"]))
