"""Whether the first questions are still being answered in this session."""

from __future__ import annotations

import streamlit as st

_STEPS = "first_steps"  # key in the session


def is_in_first_run() -> bool:
    """Whether the first questions come before the pages."""
    return bool(st.session_state.get(_STEPS))


def begin_first_run() -> None:
    """Ask the first questions before the pages, in this session."""
    st.session_state[_STEPS] = True


def end_first_run() -> None:
    """Go on to the pages."""
    st.session_state.pop(_STEPS, None)
