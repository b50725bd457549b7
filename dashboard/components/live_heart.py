"""The heart as it is now, small and in the background."""

from __future__ import annotations

import streamlit as st

from dashboard.client import ApiError
from dashboard.i18n.language import _, number
from dashboard.session import client


@st.fragment(run_every=5)
def live_heart(with_rmssd: bool = True) -> None:
    """Heart rate, and RMSSD of the last minute; or, in words, why they are not known."""
    try:
        heart = client().live_now()
    except ApiError:
        st.caption(_("The heart is not known just now."))
        return
    simulated = " (simulated)" if heart["origin"] == "simulated" else ""
    if heart["heart_rate_bpm"] is None:
        if heart["beat_age_s"] is None or heart["beat_age_s"] > 3600:
            st.caption(_("The strap is not worn now. That is fine."))
        else:
            st.caption(_("Heart: {missing}.").format(missing=heart["missing"]))
        return
    words = _("Heart {heart_rate_bpm} a minute").format(
        heart_rate_bpm=number(heart["heart_rate_bpm"], 0)
    )
    if with_rmssd and heart["rmssd_ms"] is not None:
        words += _(" · RMSSD {rmssd_ms} ms over the last minute").format(
            rmssd_ms=number(heart["rmssd_ms"], 0)
        )
    st.caption(f"{words}{simulated}")
