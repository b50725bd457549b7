"""For analysts: coverage, exports with the call that makes them, the link over all people."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.charts import palette
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_number, format_signed, slope_parts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page
from dashboard.session import client
from ebbtide.settings import Settings

_TABLES = ("ratings", "hrv", "beats", "sessions", "link")


def research_page() -> None:
    """Render coverage, export and link."""
    st.title(_("Research"))
    research = client().research
    found = research.people()
    if not found:
        st.write(
            _(
                "So few people agreed to research that nothing of them is given: one could be "
                "recognised."
            )
        )
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
    _coverage(found)
    _export(found)
    _link(research)


def _coverage(found: list[dict[str, Any]]) -> None:
    st.subheader(_("What there is"))
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


def _export(found: list[dict[str, Any]]) -> None:
    st.subheader(_("Export"))
    table = st.selectbox(_("Table"), _TABLES)
    form = st.radio(_("Form"), ["parquet", "csv", "arrow", "json"], horizontal=True)
    names = {row["person"][:8]: row["person"] for row in found}
    people = st.multiselect(
        _("People (at least five, or all if none)"), list(names), placeholder=_("Choose")
    )
    ids = [names[name] for name in people]
    query = urlencode([("format", form), *(("person", person_id) for person_id in ids)])
    settings = Settings()
    # In a clinic's containers the pages reach the API at an address that nobody else has.
    address = (settings.oidc_api_url or settings.api_url).rstrip("/")
    st.code(
        f"curl -H 'Authorization: Bearer ...' \\\n  '{address}/v1/research/{table}?{query}'",
        language="sh",
    )
    argument = f"person={ids!r}" if ids else ""
    st.code(
        "from ebbtide.client import Client\n\n"
        f"api = Client.sign_in({address!r}, email, password)\n"
        f"frame = api.research.{table}({argument})",
        language="python",
    )


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
            st.write(warning)
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
    st.table(
        pd.DataFrame(
            [
                {_("It rests on"): row["what"], _("If not"): row["otherwise"]}
                for row in link["assumptions"]
            ]
        ).set_index(_("It rests on"))
    )
    st.caption(_("Method: {method}. No cause follows from it.").format(method=link["method"]))


PAGE = Page(
    run=research_page,
    title=N_("Research"),
    icon=":material/query_stats:",
    slug="research",
    roles={"analyst"},
)
