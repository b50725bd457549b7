"""Paced breathing: a circle that grows and shrinks at a chosen pace."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.charts import palette
from dashboard.client import ApiError
from dashboard.components.live_heart import render_live_heart
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_number
from dashboard.i18n.language import _
from dashboard.session import client

_STATE = "breathing"
_MIN_PRACTICE_S = 30  # shorter ones are not stored as a practice


def render_breathing_exercise() -> None:
    """Render the choice of a pace, then the circle until it is ended."""
    state: dict[str, Any] | None = st.session_state.get(_STATE)
    if state is None:
        st.write(
            _("Breathe out a little longer than in. Any pace that feels easy is the right one.")
        )
        st.caption(_(texts.BREATHING_CAUTION))
        pace = st.slider(_("Breaths a minute"), 4.0, 8.0, 6.0, 0.5)
        if st.button(_("Begin"), type="primary", width="stretch", key="breathing_begin"):
            st.session_state[_STATE] = {"id": str(uuid.uuid4()), "began": time.time(), "pace": pace}
            st.rerun()
        return
    st.html(breathing_circle_html(state["pace"]))
    render_live_heart()
    if st.button(_("End"), type="primary", width="stretch", key="breathing_end"):
        ended = time.time()
        del st.session_state[_STATE]
        if ended - state["began"] >= _MIN_PRACTICE_S:
            try:
                _save_practice(state, ended)
            except ApiError as error:
                st.warning(str(error))
                return
        st.rerun()


def breathing_circle_html(pace: float) -> str:
    """Return the circle: in for 2/5 of a breath, out for 3/5; static with prefers-reduced-motion."""
    seconds = 60 / pace
    label = _("Breathe in for {short} seconds, and out for {long}").format(
        short=format_number(0.4 * seconds, 1), long=format_number(0.6 * seconds, 1)
    )
    return f"""
<style>
@keyframes ebb {{ 0% {{ transform: scale(.55) }} 40% {{ transform: scale(1) }} 100% {{ transform: scale(.55) }} }}
@keyframes inn {{ 0%, 39% {{ opacity: 1 }} 40%, 100% {{ opacity: 0 }} }}
@keyframes out {{ 0%, 39% {{ opacity: 0 }} 40%, 100% {{ opacity: 1 }} }}
.breath {{ position: relative; width: 12rem; height: 12rem; margin: 1rem auto; }}
.breath i {{ position: absolute; inset: 0; border-radius: 50%; background: {palette.ACCENT}; opacity: .25;
  animation: ebb {seconds:.2f}s ease-in-out infinite; }}
.breath b {{ position: absolute; inset: 0; display: grid; place-items: center; font-weight: 500; }}
.breath .in {{ animation: inn {seconds:.2f}s step-end infinite; }}
.breath .ex {{ animation: out {seconds:.2f}s step-end infinite; }}
@media (prefers-reduced-motion: reduce) {{ .breath i {{ animation: none; transform: scale(.8) }} }}
</style>
<div class="breath" role="img"
 aria-label="{label}">
<i></i><b class="in" aria-hidden="true">{_("in")}</b><b class="ex" aria-hidden="true">{_("out")}</b></div>
"""


def _save_practice(state: dict[str, Any], ended: float) -> None:
    client().put_practice(
        state["id"],
        {
            "kind": "paced breathing",
            "start": datetime.fromtimestamp(state["began"], UTC).isoformat(),
            "end": datetime.fromtimestamp(ended, UTC).isoformat(),
            "breaths_per_min": state["pace"],
        },
    )
