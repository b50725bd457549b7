"""Practices guided by words, read and spoken: somatic tracking, noticing something pleasant."""

from __future__ import annotations

import io
import time
import uuid
import wave
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import streamlit as st

from dashboard.client import ApiError
from dashboard.components.live_heart import render_live_heart
from dashboard.components.scale import render_scale
from dashboard.components.speech import render_said
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_number
from dashboard.i18n.language import N_, _
from dashboard.session import client

_MIN_PACE = 0.5


@dataclass(frozen=True, slots=True)
class Guide:
    """The words of a practice. ``kind``: as it is stored; ``key``: of its widgets and its state.

    ``steps``: title, share of the time, sentences. ``has_smaller``: whether one may leave it for
    its last step, where what is looked at becomes too much.
    """

    kind: str
    key: str
    title: str
    introduction: str
    caution: str
    minutes: tuple[int, ...]
    steps: tuple[tuple[str, float, tuple[str, ...]], ...]
    has_smaller: bool = False

    def step_at(self, fraction: float) -> tuple[str, str]:
        """Return the title and the sentence at this fraction (0 to 1) of the practice."""
        begin = 0.0
        for title, length, words in self.steps:
            if fraction < begin + length:
                place = int((fraction - begin) / length * len(words))
                return title, words[max(0, min(place, len(words) - 1))]
            begin += length
        title, _length, words = self.steps[-1]
        return title, words[-1]


SOMATIC_TRACKING = Guide(
    kind="somatic tracking",
    key="tracking",
    title=N_("Somatic tracking"),
    introduction=N_(
        "Looking at a sensation with curiosity and without fear, so that the "
        "brain may notice that it is safe. Three steps, with calm words."
    ),
    caution=texts.TRACKING_CAUTION,
    minutes=(5, 7, 10),
    steps=texts.TRACKING,
    has_smaller=True,
)
SAVOURING = Guide(
    kind="savouring",
    key="savouring",
    title=N_("Noticing something pleasant"),
    introduction=N_(
        "Looking for something pleasant, small as it may be, and staying with it for a while. "
        "The brain finds what it looks for."
    ),
    caution=texts.SAVOURING_CAUTION,
    minutes=(4, 3, 5),
    steps=texts.SAVOURING,
)


def render_guided_practice(guide: Guide) -> None:
    """Render the current stage of a practice: before, during or after it."""
    st.subheader(_(guide.title))
    state = st.session_state.get(guide.key)
    if state is None:
        _before(guide)
    elif state["ended"] is None:
        _during(guide, state)
    else:
        _after(guide, state)


def _before(guide: Guide) -> None:
    st.write(_(guide.introduction))
    st.caption(_(guide.caution))
    minutes = st.segmented_control(
        _("How long"),
        sorted(guide.minutes),
        default=guide.minutes[0],
        format_func=lambda n: _("{minutes} minutes").format(minutes=n),
    )
    voice = st.toggle(_("A voice says the words"), value=True)
    heart = st.toggle(_("Show my heart in the background"), value=False)
    sound = st.toggle(_("A soft sound"), value=False)
    with st.expander(_("Rate before (if you like)")):
        pain = render_scale(_("Pain before"), f"{guide.key}_pain_before")
        stress = render_scale(_("Stress before"), f"{guide.key}_stress_before")
    if st.button(_("Begin"), type="primary", width="stretch", key=f"{guide.key}_begin"):
        st.session_state[guide.key] = {
            "id": str(uuid.uuid4()),
            "began": time.time(),
            "seconds": 60 * (minutes or guide.minutes[0]),
            # How much of the words' time is over, when that was seen last, and how fast it goes.
            "passed": 0.0,
            "seen": time.time(),
            "pace": 1.0,
            "is_paused": False,
            "voice": voice,
            "heart": heart,
            "sound": sound,
            "pain_before": pain,
            "stress_before": stress,
            "ended": None,
        }
        st.rerun()


def _during(guide: Guide, state: dict[str, Any]) -> None:
    if state["sound"]:
        st.audio(chime(), format="audio/wav", loop=True, autoplay=True)
    _words(guide)
    if state["heart"]:
        render_live_heart()


def _advance(state: dict[str, Any]) -> float:
    """Let the time since the last look pass, unless paused; return what passed of the words'."""
    now = time.time()
    if not state["is_paused"]:
        state["passed"] += (now - state["seen"]) * state["pace"]
    state["seen"] = now
    passed: float = state["passed"]
    return passed


@st.fragment(run_every=2)
def _words(guide: Guide) -> None:
    state = st.session_state[guide.key]
    _controls(guide, state)
    passed = _advance(state)
    if passed >= state["seconds"]:
        state["ended"] = time.time()
        st.rerun()
    title, words = guide.step_at(passed / state["seconds"])
    st.markdown(f"#### {_(title)}")
    st.markdown(_(words))
    render_said(
        _(words),
        state["id"],
        is_on=state["voice"] and not state["is_paused"],
        is_slow=state["pace"] < 1,
    )
    left = (state["seconds"] - passed) / state["pace"]
    st.progress(
        min(1.0, passed / state["seconds"]),
        text=_("Paused")
        if state["is_paused"]
        else _("{left} min {left_2} s left").format(
            left=format_number(left // 60, 0), left_2=format_number(left % 60, 0)
        ),
    )


def _controls(guide: Guide, state: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        st.button(
            _("Go on") if state["is_paused"] else _("Pause"),
            key=f"{guide.key}_pause",
            on_click=_pause,
            args=(state,),
        )
        st.button(
            _("Slower"),
            key=f"{guide.key}_slower",
            disabled=state["pace"] <= _MIN_PACE,
            on_click=_slow_down,
            args=(state,),
        )
        if guide.has_smaller:
            st.button(
                _("Smaller"),
                key=f"{guide.key}_smaller",
                help=_("Too much? Leave the sensation, and go on with something pleasant."),
                on_click=_go_to_last_step,
                args=(guide, state),
            )
        if st.button(_("End here"), key=f"{guide.key}_end"):
            state["ended"] = time.time()
            st.rerun()


def _pause(state: dict[str, Any]) -> None:
    _advance(state)
    state["is_paused"] = not state["is_paused"]


def _slow_down(state: dict[str, Any]) -> None:
    """Let the time that is left, and the voice, go more slowly."""
    _advance(state)
    state["pace"] = max(_MIN_PACE, state["pace"] * 0.8)


def _go_to_last_step(guide: Guide, state: dict[str, Any]) -> None:
    _advance(state)
    begins = sum(length for _title, length, _words in guide.steps[:-1])
    state["passed"] = max(state["passed"], state["seconds"] * begins)
    state["is_paused"] = False


def _after(guide: Guide, state: dict[str, Any]) -> None:
    st.write(_("That is all. Whatever happened was fine."))
    pain = render_scale(_("Pain now (if you like)"), f"{guide.key}_pain_after")
    stress = render_scale(_("Stress now (if you like)"), f"{guide.key}_stress_after")
    if st.button(_("Keep it"), type="primary", width="stretch", key=f"{guide.key}_keep"):
        try:
            _save_practice(guide, state, pain, stress)
        except ApiError as error:
            st.warning(str(error))
            return
        del st.session_state[guide.key]
        st.toast(_("Kept."))
        st.rerun()
    if st.button(_("Do not keep it"), width="stretch", key=f"{guide.key}_drop"):
        del st.session_state[guide.key]
        st.rerun()


def _save_practice(
    guide: Guide, state: dict[str, Any], pain: int | None, stress: int | None
) -> None:
    client().put_practice(
        state["id"],
        {
            "kind": guide.kind,
            "start": datetime.fromtimestamp(state["began"], UTC).isoformat(),
            "end": datetime.fromtimestamp(max(state["ended"], state["began"] + 1), UTC).isoformat(),
            "pain_before": state["pain_before"],
            "stress_before": state["stress_before"],
            "pain_after": pain,
            "stress_after": stress,
        },
    )


@cache
def chime() -> bytes:
    """Synthesise 16 s of a soft swelling tone as WAV; a whole number of periods, so it can loop."""
    rate, seconds = 22_050, 16
    at = np.arange(rate * seconds) / rate
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * at / 8)
    tone = sum(np.sin(2 * np.pi * pitch * at) / k for k, pitch in enumerate((110, 165, 220), 1))
    samples = (3000 * swell * tone).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()
