"""The prompt that waits for an answer, and how many were answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import altair as alt
import pandas as pd
import streamlit as st
from babel.dates import get_day_names

from dashboard.client import ApiError
from dashboard.i18n.formatting import format_time
from dashboard.i18n.language import _, reader_locale
from dashboard.session import client

# Keys in the session.
_WAITING, _ASKS = "waiting_prompt", "waiting_asks"


def render_waiting_prompt() -> None:
    """Say kindly that a question waits, or that one was missed; and put it off or let it go."""
    st.session_state.pop(_WAITING, None)
    st.session_state.pop(_ASKS, None)
    if st.session_state.get("saved_rating") is not None:
        return
    api = client()
    try:
        found = api.waiting_prompt()
    except ApiError:
        return
    prompt = found["prompt"]
    if prompt is None:
        if found["missed"] is not None:
            st.caption(
                _("A question came at {time}, and that was not the moment. That is fine.").format(
                    time=format_time(datetime.fromisoformat(found["missed"]["planned"]))
                )
            )
        return
    st.session_state[_WAITING] = prompt["id"]
    st.session_state[_ASKS] = prompt["asks"]
    with st.container(border=True):
        st.write(
            _("You wished to be asked. There is time until {time}.").format(
                time=format_time(datetime.fromisoformat(prompt["expires"]))
            )
        )
        left, right = st.columns(2)
        if prompt["put_off"] is None and left.button(_("A little later"), width="stretch"):
            api.act_on_prompt(prompt["id"], "put off")
            st.rerun()
        if right.button(_("Not this time"), width="stretch"):
            api.act_on_prompt(prompt["id"], "let go")
            st.rerun()


def waiting_asks() -> str:
    """Return what the prompt that waits asks for: pain, stress or both; both without one."""
    found: str = st.session_state.get(_ASKS, "both")
    return found


def waiting_prompt_id() -> str | None:
    """Return the prompt that the next rating of this moment answers."""
    found: str | None = st.session_state.pop(_WAITING, None)
    return found


def render_compliance(found: dict[str, Any], *, is_own: bool) -> None:
    """Render how many prompts were answered, by hour and weekday."""
    total = found["total"]
    if total["share"] is None:
        st.write(
            _(
                "{sent} questions came so far. From five on it is shown here at which hours they "
                "could be answered."
            ).format(sent=total["sent"])
        )
        return
    st.write(
        _("Of {sent} questions, {answered} were answered.").format(
            sent=total["sent"], answered=total["answered"]
        )
    )
    if is_own:
        st.caption(_("Any number helps. Hours that never fit can be left out above."))
    left, right = st.columns(2)
    left.altair_chart(
        _bars(found["by_hour"], _("Hour"), lambda group: f"{group:02}"),
        width="stretch",
        alt=_("Answered questions by hour"),
    )
    right.altair_chart(
        _bars(found["by_weekday"], _("Weekday"), _weekday),
        width="stretch",
        alt=_("Answered questions by weekday"),
    )


def render_patient_reminders(api: Any) -> None:
    """Render a patient's reminders for their therapist, who may propose more around sessions."""
    st.subheader(_("Reminders"))
    found = api.reminders()
    if not found["enabled"]:
        st.write(_("They are not reminded to rate; that is up to them."))
    else:
        render_compliance(found["compliance"], is_own=False)
        st.caption(
            _(
                "Who answers on some moments and not on others may change what ratings say: "
                "look whether the hours or days differ much."
            )
        )
    burst = found["burst"]
    if burst is not None:
        words = _("{count} questions a day within {days} days of a meeting.")
        st.write(words.format(count=burst["a_day"], days=burst["days"]))
        st.caption(_("Agreed to.") if burst["agreed"] else _("Proposed, not agreed to yet."))
    with st.form("burst", border=False):
        days = st.number_input(_("Days around a meeting"), 0, 7, 1)
        a_day = st.number_input(_("Questions on each"), 1, 8, 4)
        if st.form_submit_button(_("Propose more around meetings")):
            try:
                api.propose_burst(int(days), int(a_day))
                st.rerun()
            except ApiError as error:
                st.warning(str(error))


def weekday_names(width: Literal["wide", "abbreviated"] = "wide") -> list[str]:
    """Return the names of the weekdays, Monday first."""
    names = get_day_names(width, locale=reader_locale())
    return [str(names[number]) for number in range(7)]


def _weekday(group: int) -> str:
    return weekday_names()[group][:2]


def _bars(rows: list[dict[str, Any]], title: str, name: Any) -> alt.Chart:
    table = pd.DataFrame(
        {
            "name": [name(row["group"]) for row in rows for _part in range(2)],
            "what": [word for _row in rows for word in (_("answered"), _("not answered"))],
            "count": [
                count for row in rows for count in (row["answered"], row["sent"] - row["answered"])
            ],
        }
    )
    chart: alt.Chart = (
        alt.Chart(table, height=280)
        .mark_bar()
        .encode(
            x=alt.X("name:O", title=title, sort=None),
            y=alt.Y("count:Q", title=None),
            color=alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(range=["#3c6e71", "#c9d6d6"]),
                sort=None,
                legend=alt.Legend(orient="bottom"),
            ),
        )
    )
    return chart
