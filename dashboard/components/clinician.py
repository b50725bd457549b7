"""Whether a clinician has ruled out a physical cause, which the programme waits for."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.i18n import texts
from dashboard.i18n.language import _


def render_warning_signs() -> None:
    """Render the signs that need a clinician today, and when to call for help at once."""
    st.subheader(_("See a clinician today, not later, if you have"))
    st.markdown("".join(f"- {_(sign)}\n" for sign in texts.WARNING_SIGNS))
    st.markdown(_(texts.EMERGENCY))


def render_clinician_answer(api: Any) -> None:
    """Render the question, and what its answer means; a change is stored at once."""
    cleared = api.programme()["physical_cause_ruled_out"] is not None
    answer = st.radio(
        _("Has a clinician ruled out a physical cause of your pain?"),
        (False, True),
        format_func=lambda ruled_out: (
            _("Yes, and I have none of the signs above") if ruled_out else _("Not yet")
        ),
        index=int(cleared),
    )
    if answer != cleared:
        api.put_programme(physical_cause_ruled_out=answer)
        st.rerun()
    if cleared:
        st.write(_("Good. The programme is open whenever you like."))
    else:
        st.write(_("The programme waits. Ratings and strap may be used meanwhile."))
