"""What a patient agrees to, in plain words; each can be taken back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.i18n import texts
from dashboard.i18n.language import _, reader


def consents(api: Any) -> None:
    """A switch for each, which is kept with its date as soon as it is moved."""
    told = api.consents()
    holds = told["holds"]
    answered = {answer["purpose"] for answer in told["answers"]}
    spoken = reader().get_language_name("en")
    for purpose, (title, words) in texts.CONSENT.items():
        now = bool(holds[purpose])
        wanted = st.toggle(_(title), value=now, key=f"consent-{purpose}-{now}")
        more = "" if purpose in answered else _("You have not answered this yet.")
        st.caption(f"{_(words)} {more}")
        if wanted != now:
            api.agree(purpose, wanted, f"{purpose}, {spoken}, {texts.WORDING}")
            st.rerun()


def unanswered(api: Any) -> bool:
    """Whether nothing was ever answered."""
    return not api.consents()["answers"]
