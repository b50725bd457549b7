"""The form of a rating, and what follows when it is saved."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.components.prompt import waiting_asks, waiting_prompt_id
from dashboard.components.scale import render_scale
from dashboard.i18n.formatting import date_field_format, format_time, format_weekday
from dashboard.i18n.language import _
from dashboard.session import client, current_account

_SCALE_KEYS = ("pain", "stress", "pleasant")
_TEXT_KEYS = ("note", "pleasant_note")
_EARLIER_KEYS = ("earlier_suggested", "earlier_day", "earlier_time")
_RECENT = timedelta(hours=1)
_MIN_RATINGS = 5  # below this a median does not say what a harder day is


def render_rating_form() -> None:
    """Render the scales of a rating; or the saved rating, which can be corrected."""
    saved = st.session_state.get("saved_rating")
    if saved is not None and not st.session_state.get("correcting"):
        _render_saved(saved)
        return
    if saved is None:
        _render_recent()
    st.title(_("How is it right now?") if saved is None else _("Change your rating"))
    if saved is not None:
        st.write(_("It is about {moment}.").format(moment=_moment(saved)))
    asked = _asked(saved)
    if "pain" in asked:
        render_scale(_("Pain"), "pain", _("0 none · 10 the most you can imagine"))
    if "stress" in asked:
        render_scale(_("Stress"), "stress", _("0 none · 10 the most you can imagine"))
    render_scale(
        _("Something pleasant"), "pleasant", _("a warm, easy or good sensation, if you notice one")
    )
    with st.expander(_("A word, if you like")):
        st.text_input(_("What was going on?"), key="note", max_chars=500)
        st.text_input(_("What was pleasant?"), key="pleasant_note", max_chars=500)
    about = None if saved else _earlier_moment()
    ready = all(st.session_state.get(name) is not None for name in asked)
    if st.button(_("Save"), type="primary", disabled=not ready, width="stretch"):
        _save(about, saved)
    if saved is not None and st.button(_("Leave it as it was"), width="stretch"):
        st.session_state.correcting = False
        st.rerun()
    if not ready:
        words = _("Choose a number for pain and one for stress.")
        st.caption(words if len(asked) > 1 else _("Choose a number."))


def _asked(saved: dict[str, Any] | None) -> list[str]:
    """Which of the two are asked for: of a prompt that asks apart, and of its rating, one."""
    if saved is not None:
        return [name for name in ("pain", "stress") if saved[name] is not None]
    asks = "both" if st.session_state.get("earlier") else waiting_asks()
    return [name for name in ("pain", "stress") if asks in (name, "both")]


def describe_rated(rating: dict[str, Any]) -> str:
    """Name what was rated: pain, stress or both."""
    if rating["stress"] is None:
        return _("pain {pain}").format(pain=rating["pain"])
    if rating["pain"] is None:
        return _("stress {stress}").format(stress=rating["stress"])
    return _("pain {pain}, stress {stress}").format(pain=rating["pain"], stress=rating["stress"])


def _earlier_moment() -> str | None:
    """Render the choice of an earlier moment; return it, or None for now."""
    with st.expander(_("It is about an earlier moment")):
        if not st.toggle(_("Yes, earlier"), key="earlier"):
            for key in _EARLIER_KEYS:
                st.session_state.pop(key, None)
            return None
        now = datetime.now(_zone())
        # An hour ago, kept from when it was first shown: a default that moves with the clock makes
        # a new widget every minute, which forgets what was chosen. Just after midnight it is
        # yesterday.
        suggested = st.session_state.setdefault("earlier_suggested", now - timedelta(hours=1))
        first = min(now.date() - timedelta(days=60), suggested.date())
        left, right = st.columns(2)
        day = left.date_input(
            _("Day"),
            suggested.date(),
            min_value=first,
            max_value=now.date(),
            key="earlier_day",
            format=date_field_format(),
        )
        hour = right.time_input(_("Time"), suggested.time(), key="earlier_time")
    return datetime.combine(day, hour, tzinfo=_zone()).isoformat()


def _zone() -> ZoneInfo:
    account = current_account()
    assert account is not None
    return ZoneInfo(account["zone"])


def _save(about: str | None, saved: dict[str, Any] | None) -> None:
    keys = [*_asked(saved), "pleasant"]
    content: dict[str, Any] = {key: st.session_state.get(key) for key in keys}
    content |= {key: st.session_state.get(key) or None for key in _TEXT_KEYS}
    try:
        if saved is not None:
            result = client().correct(saved["id"], {**content, "version": saved["version"]})
        else:
            # The id stays until the rating is saved, so that a repeated request is idempotent.
            rating_id = st.session_state.setdefault("rating_id", str(uuid.uuid4()))
            prompt = {"prompt_id": waiting_prompt_id()} if about is None else {}
            result = client().rate({**content, "id": rating_id, "about": about, **prompt})
    except ApiError as error:
        st.warning(str(error))
        return
    st.session_state.pop("rating_id", None)
    st.session_state.saved_rating = result
    st.session_state.correcting = False
    st.rerun()


def _render_saved(saved: dict[str, Any]) -> None:
    st.title(_("Saved. Thank you."))
    pleasant = (
        ""
        if saved["pleasant"] is None
        else _(", something pleasant {pleasant}").format(pleasant=saved["pleasant"])
    )
    st.write(
        _("{moment}: {rated}{pleasant}.").format(
            moment=_moment(saved), rated=describe_rated(saved), pleasant=pleasant
        )
    )
    _render_pleasant_note(saved)
    st.write(_("That is all. No need to check again soon."))
    left, right = st.columns(2)
    if left.button(_("Change it"), width="stretch"):
        _begin_correcting(saved)
    if right.button(_("Rate again"), width="stretch"):
        for key in (*_SCALE_KEYS, *_TEXT_KEYS, *_EARLIER_KEYS, "saved_rating", "earlier"):
            st.session_state.pop(key, None)
        st.rerun()


def _begin_correcting(saved: dict[str, Any]) -> None:
    for key in _SCALE_KEYS:
        st.session_state[key] = saved[key]
    for key in _TEXT_KEYS:
        st.session_state[key] = saved[key] or ""
    st.session_state.saved_rating = saved
    st.session_state.correcting = True
    st.rerun()


def _render_recent() -> None:
    """Render what was rated in the last hour, also before a new sign-in, and offer to change it."""
    now = datetime.now(UTC)
    try:
        found = client().rating_list(now - _RECENT, now)
    except ApiError:
        return  # the form below works without it
    if not found:
        return
    last = max(found, key=lambda rating: datetime.fromisoformat(rating["about"]))
    with st.container(border=True, key="recent_rating"):
        st.write(
            _("You rated at {time}: {rated}.").format(
                time=format_time(datetime.fromisoformat(last["about"])),
                rated=describe_rated(last),
            )
        )
        if st.button(_("Correct this rating"), key="correct_recent"):
            _begin_correcting(last)


def _moment(saved: dict[str, Any]) -> str:
    moment = datetime.fromisoformat(saved["about"])
    return f"{format_weekday(moment)} {format_time(moment)}"


def _render_pleasant_note(saved: dict[str, Any]) -> None:
    """On a day with more pain than the median, render a pleasant sensation noted before."""
    end = datetime.fromisoformat(saved["about"])
    try:
        pains = [
            row["pain"]
            for row in client().rating_list(end - timedelta(days=28), end)
            if row["id"] != saved["id"] and row["pain"] is not None
        ]
        if saved["pain"] is None or len(pains) < _MIN_RATINGS or saved["pain"] <= median(pains):
            return
        collected = [note for note in client().notes() if note["kind"] == "pleasant"]
    except ApiError:
        return
    if collected:
        # Chosen by the rating's id: the same on each run of the script for one rating.
        note = collected[uuid.UUID(saved["id"]).int % len(collected)]
        st.info(
            _("You once collected something pleasant: {words}").format(
                words=escape_markdown(note["words"])
            )
        )
