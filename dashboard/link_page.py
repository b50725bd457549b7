"""Did pain move with stress? In words first."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.link_chart import link_chart
from dashboard.person import client


def link_page() -> None:
    """The sentence, what it rests on, and then the picture."""
    st.title("My link")
    report = client().link()
    if report["simulated"]:
        st.caption("Ratings or heartbeats behind this are simulated.")
    _row(report["stress"], "Pain and stress")
    _row(report["rmssd"], "Pain and the heart")
    heart = report["beats_before_ratings"]
    if heart["ratings"]:
        minutes = report["window_s"] / 60
        why = "; ".join(f"{reason}: {count}" for reason, count in heart["why_not"].items())
        without = f" The others: {why}." if why else ""
        st.caption(
            f"{heart['usable']} of {heart['ratings']} ratings have usable heartbeats in the "
            f"{minutes:.0f} minutes before them.{without}"
        )
    with st.expander("How this is worked out"):
        st.write(
            "Over weeks of therapy pain and stress often both fall. Two things that both fall "
            "look linked even when they have nothing to do with each other. So the shared course "
            "is taken out first, together with the time of day, and only the ups and downs around "
            "it are compared. Ratings close in time resemble each other; that is allowed for too."
        )
        st.write(
            "It was tried on made-up ratings where nothing was linked: it saw a link in 4 to 8 of "
            "100 tries, and 5 is the aim. So one clear answer is a hint, not a proof."
        )
        st.caption(f"Method: {report['method']}.")


def _row(row: dict[str, Any], title: str) -> None:
    st.subheader(title)
    st.markdown(f"#### {row['sentence']}" if row["with"] == "stress" else row["sentence"])
    if row["missing"] is not None:
        return
    if row["with"] == "RMSSD":
        st.caption(
            "RMSSD is a measure of how much the time between heartbeats varies. It tends to be "
            "higher when the body is at ease."
        )
    for caveat in row["caveats"]:
        if row["with"] == "stress":
            st.caption(caveat)
    x_title = "Stress, against the usual for that time"
    if row["with"] == "RMSSD":
        x_title = "RMSSD, doublings against the usual for that time"
    st.altair_chart(
        link_chart(row, x_title),
        width="stretch",
        alt=f"Dots: one rating each. Line: {row['sentence']}",
    )
    p_value = "under 0.001" if row["p_value"] < 0.001 else f"{row['p_value']:.3f}"
    st.caption(
        f"{row['estimate']:+.2f} points of pain for {row['unit']}, 95% interval {row['low']:+.2f} "
        f"to {row['high']:+.2f}, p {p_value}, {row['n']} ratings."
    )
