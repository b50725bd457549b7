"""A scale from 0 to 10: one row of eleven equal steps, at any width."""

from __future__ import annotations

import streamlit as st

from dashboard.i18n.language import _

_STEPS = list(range(11))

# Streamlit wraps the steps of a row that is too narrow: 0 to 6, then 7 to 10 twice as wide, which
# reads as another scale. Eleven steps on 360 pixels are 29 pixels wide, which is above the 24 of
# WCAG 2.2 (2.5.8, AA); they are 56 pixels high, so that a thumb has more of each than 44 by 44
# would leave of a row of two lines. Text of twice the size grows the height and not the width.
SCALE_STYLE = """
[class*="st-key-scale-"] [role="radiogroup"] {
  display: grid !important; grid-template-columns: repeat(11, minmax(0, 1fr)) !important;
  gap: 0 !important; width: 100%; }
[class*="st-key-scale-"] [role="radiogroup"] > *, [class*="st-key-scale-"] button {
  min-width: 0 !important; width: 100% !important; margin: 0 !important; }
[class*="st-key-scale-"] button {
  min-height: 3.3rem !important; padding: 0 !important; border-radius: 0 !important; }
[class*="st-key-scale-"] button p { font-size: min(1.05rem, 4.4vw); overflow-wrap: normal; }
[class*="st-key-scale-"] { gap: .2rem; }
"""


def render_scale(title: str, key: str, ends: str = "") -> int | None:
    """Render a scale under its title; return the step that is chosen, or None.

    ``ends`` says what the two ends are. The title is the name of the group for screen readers.
    """
    with st.container(key=f"scale-{key}"):
        st.markdown(
            _("**{title}** &nbsp; :gray[{ends}]").format(title=title, ends=ends)
            if ends
            else f"**{title}**"
        )
        chosen: int | None = st.segmented_control(
            title, _STEPS, key=key, label_visibility="collapsed", width="stretch"
        )
    return chosen
