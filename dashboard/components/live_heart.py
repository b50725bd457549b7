"""Heart rate and RMSSD of now, small and in the background."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_number
from dashboard.i18n.language import _
from dashboard.session import client


@st.fragment(run_every=5)
def render_live_heart(with_rmssd: bool = True) -> None:
    """Render one's own heart rate, and RMSSD of the last minute; or why they are missing."""
    try:
        heart = client().live_now()
    except ApiError:
        st.caption(_("The heart is not known just now."))
        return
    simulated = _(" (simulated)") if heart["origin"] == "simulated" else ""
    if heart["heart_rate_bpm"] is None:
        if heart["beat_age_s"] is None or heart["beat_age_s"] > 3600:
            st.caption(_("The strap is not worn now. That is fine."))
        else:
            st.caption(_("Heart: {missing}.").format(missing=say(heart["missing"])))
        return
    words = _("Heart {heart_rate_bpm} a minute").format(
        heart_rate_bpm=format_number(heart["heart_rate_bpm"], 0)
    )
    if with_rmssd and heart["rmssd_ms"] is not None:
        words += _(" · RMSSD {rmssd_ms} ms over the last minute").format(
            rmssd_ms=format_number(heart["rmssd_ms"], 0)
        )
    st.caption(f"{words}{simulated}")


@st.fragment(run_every=5)
def render_patient_live_heart(api: Any) -> None:
    """Render a patient's heart for their therapist, while the patient shares it."""
    try:
        heart = api.live_now()
    except ApiError as error:
        st.caption(_("Live: {error}.").format(error=say(str(error))))
        return
    if heart["heart_rate_bpm"] is None:
        st.caption(_("Live: {missing}.").format(missing=say(heart["missing"])))
        return
    rmssd = heart["rmssd_ms"]
    more = (
        ""
        if rmssd is None
        else _(", RMSSD {rmssd} ms over the last minute").format(rmssd=format_number(rmssd, 0))
    )
    st.caption(
        _("Live: heart {heart_rate_bpm} a minute{more}.").format(
            heart_rate_bpm=format_number(heart["heart_rate_bpm"], 0), more=more
        )
    )
