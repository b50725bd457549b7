"""What must be settled before a programme starts."""

from __future__ import annotations

import streamlit as st


def before_page() -> None:
    """The question to a clinician, and the signs that need one today."""
    st.title("Before you begin")
    st.write(
        "Pain Reprocessing Therapy is for pain that goes on although nothing in the body still "
        "causes it. Whether that is so, only a clinician can say, after listening to you and "
        "examining you. **Has one ruled out a physical cause?** If not, please see one first. "
        "Ebbtide can wait."
    )
    st.subheader("See a clinician today, not later, if you have")
    st.markdown(
        "- new weakness or numbness in an arm or leg, or numbness around the groin\n"
        "- new trouble holding or passing urine or stool\n"
        "- fever, chills or feeling very ill together with the pain\n"
        "- pain after a fall, an accident or a blow\n"
        "- weight loss that you cannot explain, or a history of cancer with a new kind of pain\n"
        "- pain that grows steadily, day and night, whatever you do\n"
    )
    st.markdown(
        "Chest pain, trouble breathing, a sudden headache worse than any before, a face or arm "
        "that droops: **call your emergency number now.**"
    )
    st.subheader("What Ebbtide does")
    st.write(
        "It keeps your heartbeats and a few short ratings, and looks at whether pain and stress "
        "moved together. It does not diagnose, it does not treat, and it cannot show that one "
        "thing causes another. A short rating now and then is plenty: there is no need to watch "
        "your pain for it."
    )
