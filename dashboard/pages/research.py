"""For analysts: coverage, exports with the call that makes them, the link over all people."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.charts import palette
from dashboard.components.clinic_offers import render_clinic_offers
from dashboard.components.research_access import render_tables, render_tokens
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_number, format_signed, slope_parts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client


def research_page() -> None:
    """Render coverage, what is left out, tables, tokens and link."""
    st.title(_("Research"))
    api = client()
    cohort = api.research.cohort()
    found = cohort["people"]
    if not found:
        st.write(
            _(
                "So few people agreed to research that nothing of them is given: one could be "
                "recognised."
            )
        )
        _left_out(cohort)
        render_tokens(api)
        return
    st.write(
        _(
            "{found} people agreed to research. You see them under pseudonyms; their "
            "dates are moved back by a number of weeks of their own, and what is new is given "
            "weeks later."
        ).format(found=len(found))
    )
    if any(row["simulated"] for row in found):
        st.caption(_("Some of these people, or their heartbeats, are simulated."))
    _left_out(cohort)
    render_tables(api.research, found, cohort["min_people"])
    render_tokens(api)
    with st.expander(_("What there is of each")):
        _coverage(found)
    _link(api.research)
    render_clinic_offers(api.research)


def _left_out(cohort: dict[str, Any]) -> None:
    with st.expander(_("What is left out, and why")):
        st.write(
            _(
                "- **Who did not agree.** {found} of at least {patients} patients are here; of "
                "the others nothing is given, not even how many ratings there are. Who takes it "
                "back is gone from the next answer on."
            ).format(found=len(cohort["people"]), patients=cohort["patients"])
        )
        st.write(
            _(
                "- **Small groups.** Of fewer than {min_people} people nothing is given, and who "
                "is new comes in together with {min_people} others: one could be recognised."
            ).format(min_people=cohort["min_people"])
        )
        st.write(
            _(
                "- **The last weeks.** A week is given 4 to 35 weeks after it ended, and nights "
                "from Saturday 22:00 to Sunday 04:00 never: the date could be found from them."
            )
        )
        st.write(_("- **Names, addresses, notes and words of ratings.** They are not research."))


def _coverage(found: list[dict[str, Any]]) -> None:
    rows = [
        {
            _("Person"): row["person"][:8],
            _("Ratings"): row["ratings"],
            _("Days with beats"): row["days_with_beats"],
            _("Beats"): row["beats"],
            _("Sessions"): row["sessions"],
            _("Simulated"): _("yes") if row["simulated"] else _("no"),
        }
        for row in found
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _link(research: Any) -> None:
    st.subheader(_("Pain and stress, over everybody"))
    with st.spinner(_("Working out the link ...")):
        link = research.clinic_link()
    verdict = say(link["verdict"])
    st.markdown(f"#### {verdict}")
    if link["estimate"] is not None:
        st.write(
            _(
                "{estimate} points of pain for a point of stress, 95% interval {low} to "
                "{high}, p {p_value}; {ratings} ratings of {people} people. Slopes of "
                "people differ with a standard deviation of {spread}."
            ).format(
                **slope_parts(link),
                ratings=link["ratings"],
                people=link["people"],
                spread=format_number(link["spread"], 2),
            )
        )
        if link["changes_estimate"] is not None:
            st.write(
                _(
                    "In the changes from rating to rating alone, where single large moments count "
                    "little: {estimate} points."
                ).format(estimate=format_signed(link["changes_estimate"], 2))
            )
        for warning in link["warnings"]:
            st.write(say(warning))
        rows = pd.DataFrame(
            [
                {**row, "person": row["person"][:8]}
                for row in link["by_person"]
                if row["low"] is not None
            ]
        )
        if len(rows):
            base = alt.Chart(rows).encode(y=alt.Y("person:N", title=None, sort="-x"))
            intervals = base.mark_rule(color=palette.ACCENT, strokeWidth=3, opacity=0.5).encode(
                x=alt.X("low:Q", title=_("Points of pain for a point of stress")), x2="high:Q"
            )
            dots = base.mark_circle(color=palette.ACCENT, size=60).encode(x="estimate:Q")
            st.altair_chart(
                alt.layer(intervals, dots).properties(height=90 + 26 * len(rows)),
                width="stretch",
                alt=_("Each person's slope, drawn towards the others, with its 95% interval."),
            )
    with st.expander(_("It rests on")):
        st.table(
            pd.DataFrame(
                [
                    {_("It rests on"): say(row["what"]), _("If not"): say(row["otherwise"])}
                    for row in link["assumptions"]
                ]
            ).set_index(_("It rests on"))
        )
        st.caption(_("Method: {method}.").format(method=say(link["method"])))
    st.caption(_("No cause follows from it."))


PAGE = Page(
    run=research_page,
    title=N_("Research"),
    icon=":material/query_stats:",
    slug="research",
    roles={"analyst"},
)
