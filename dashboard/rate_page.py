"""Rate in a few taps."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.client import ApiError
from dashboard.person import client, me

_SCALE = list(range(11))
_KEYS = ("pain", "stress", "pleasant")
_WORDS = ("note", "pleasant_note")


def rate_page() -> None:
    """Pain, stress, something pleasant; save."""
    kept = st.session_state.get("kept_rating")
    if kept is not None and not st.session_state.get("correcting"):
        _show_kept(kept)
        return
    st.title("How is it right now?")
    _ask("pain", "Pain", "0 none · 10 the most you can imagine")
    _ask("stress", "Stress", "0 none · 10 the most you can imagine")
    _ask("pleasant", "Something pleasant", "a warm, easy or good sensation, if you notice one")
    with st.expander("A word, if you like"):
        st.text_input("What was going on?", key="note", max_chars=500)
        st.text_input("What was pleasant?", key="pleasant_note", max_chars=500)
    about = None if kept else _earlier_moment()
    pain, stress = st.session_state.get("pain"), st.session_state.get("stress")
    ready = pain is not None and stress is not None
    if st.button("Save", type="primary", disabled=not ready, width="stretch"):
        _save(about, kept)
    if not ready:
        st.caption("Choose a number for pain and one for stress.")


def _ask(key: str, title: str, ends: str) -> None:
    st.markdown(f"**{title}** &nbsp; :gray[{ends}]")
    st.segmented_control(title, _SCALE, key=key, label_visibility="collapsed", width="stretch")


def _earlier_moment() -> str | None:
    """The moment that the rating is about, where it is not now."""
    with st.expander("It is about an earlier moment"):
        if not st.toggle("Yes, earlier", key="earlier"):
            return None
        now = datetime.now(_zone())
        left, right = st.columns(2)
        day = left.date_input(
            "Day", now.date(), min_value=now.date() - timedelta(days=60), max_value=now.date()
        )
        hour = right.time_input("Time", (now - timedelta(hours=1)).time())
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
    st.title("Saved. Thank you.")
    pleasant = "" if kept["pleasant"] is None else f", something pleasant {kept['pleasant']}"
    moment = datetime.fromisoformat(kept["about"])
    st.write(f"{moment:%A %H:%M}: pain {kept['pain']}, stress {kept['stress']}{pleasant}.")
    st.write("That is all. No need to check again soon.")
    left, right = st.columns(2)
    if left.button("Change it", width="stretch"):
        for key in _KEYS:
            st.session_state[key] = kept[key]
        for key in _WORDS:
            st.session_state[key] = kept[key] or ""
        st.session_state.correcting = True
        st.rerun()
    if right.button("Rate again", width="stretch"):
        for key in (*_KEYS, *_WORDS, "kept_rating", "earlier"):
            st.session_state.pop(key, None)
        st.rerun()
