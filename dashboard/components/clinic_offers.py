"""Practice by lot over everybody who agreed to research, for analysts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_signed
from dashboard.i18n.language import N_, _

_EFFECTS = {
    "stress": N_("Stress, after an offer less without"),
    "pain": N_("Pain, after an offer less without"),
    "indirect": N_("of that on pain: what goes with stress"),
    "direct": N_("of that on pain: the rest"),
}


def render_clinic_offers(research: Any) -> None:
    """Render what offers did, the split of that on pain, and what both rest on."""
    st.subheader(_("Practice by lot, over everybody"))
    with st.spinner(_("Working it out ...")):
        found = research.clinic_offers()
    for sentence in found["sentences"]:
        st.write(say(sentence))
    if found["missing"] is not None:
        return
    if found["split_missing"] is not None:
        st.caption(say(found["split_missing"]))
    st.table(
        pd.DataFrame(
            [
                {
                    _("Points"): _(name),
                    _("Estimate"): format_signed(found[key]["estimate"], 2),
                    _("95% interval"): _("{low} to {high}").format(
                        low=format_signed(found[key]["low"], 2),
                        high=format_signed(found[key]["high"], 2),
                    ),
                }
                for key, name in _EFFECTS.items()
                if found[key] is not None
            ]
        ).set_index(_("Points"))
    )
    st.caption(
        _(
            "{moments} moments of {people} people. Without all four ratings, and left out: "
            "{offered}% of moments with an offer, {not_offered}% of those without."
        ).format(
            moments=found["moments"],
            people=found["people"],
            offered=round(100 * found["left_out_offered"]),
            not_offered=round(100 * found["left_out_not"]),
        )
    )
    with st.expander(_("It rests on")):
        st.table(
            pd.DataFrame(
                [
                    {
                        _("It rests on"): say(row["what"]),
                        _("If not"): say(row["otherwise"]),
                        _("Of"): _("the split alone") if row["of"] == "the split" else _("all"),
                    }
                    for row in found["assumptions"]
                ]
            ).set_index(_("It rests on"))
        )
    st.caption(_("Method: {method}.").format(method=found["method"]))
