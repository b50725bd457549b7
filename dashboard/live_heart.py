"""The heart as it is now, small and in the background."""

from __future__ import annotations

import streamlit as st

from dashboard.client import ApiError
from dashboard.person import client


@st.fragment(run_every=5)
def live_heart(with_rmssd: bool = True) -> None:
    """Heart rate, and RMSSD of the last minute; or, in words, why they are not known."""
    try:
        heart = client().live_now()
    except ApiError:
        st.caption("The heart is not known just now.")
        return
    simulated = " (simulated)" if heart["origin"] == "simulated" else ""
    if heart["heart_rate_bpm"] is None:
        if heart["beat_age_s"] is None or heart["beat_age_s"] > 3600:
            st.caption("The strap is not worn now. That is fine.")
        else:
            st.caption(f"Heart: {heart['missing']}.")
        return
    words = f"Heart {heart['heart_rate_bpm']:.0f} a minute"
    if with_rmssd and heart["rmssd_ms"] is not None:
        words += f" · RMSSD {heart['rmssd_ms']:.0f} ms over the last minute"
    st.caption(f"{words}{simulated}")
