"""My devices: the straps of this person, how they do, and adding, naming and forgetting them; and
their phones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.phone import render_my_phone
from dashboard.components.plain import escape_markdown
from dashboard.components.strap_scan import render_add_strap, say_what_was_paired
from dashboard.components.strap_words import (
    describe_battery,
    describe_last_heard,
    describe_strap,
    describe_trouble,
)
from dashboard.i18n.formatting import format_time
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client, to_own_clock

_FORGET = "devices_forget"  # keys in the session
_OFF = "devices_off"
_MAX_NAME = 60
_MANY_WAIT = 120  # notifications: two minutes of one strap


def my_devices_page() -> None:
    """Render the straps, or who records where this service does not, and the phones."""
    st.title(_("My devices"))
    api = client()
    _render_straps(api)
    st.divider()
    render_my_phone(api)


def _render_straps(api: Any) -> None:
    try:
        state = api.recorder()
    except ApiError as error:
        if error.status == 404:
            _render_elsewhere(api)
            return
        if error.status == 403:
            st.info(escape_markdown(str(error)))
            return
        raise
    say_what_was_paired()
    _render_off_notices(api, state)
    _render_whole()
    for strap in state["straps"]:
        _render_strap(api, strap)
    render_add_strap(api, state)
    st.caption(
        _(
            "The computer {computer} records, also while this page is closed and whatever you read "
            "it on. Leave it on, and near you."
        ).format(computer=f"*{escape_markdown(state['computer'])}*")
    )
    if state["straps_of_others"]:
        st.caption(
            _("It also records {count} of somebody else's.").format(count=state["straps_of_others"])
        )


@st.fragment(run_every=3)
def _render_whole() -> None:
    """Render what keeps all straps from being recorded, or from being stored."""
    state = client().recorder()
    whole = state["problem"] or state["bluetooth"]
    with st.container():
        if whole is not None and (state["straps"] or whole != "not running"):
            st.info(describe_trouble(whole))
        if state["upload"] == "consent" and state["straps"]:
            st.info(
                _("What is recorded waits on that computer until you agree that Ebbtide keeps it.")
            )
            page_link("consents", _("To my consents"))
        elif state["upload"] is not None and state["waiting"] > _MANY_WAIT:
            st.caption(_("What is recorded waits on that computer, and arrives by itself later."))


def _render_strap(api: Any, strap: dict[str, Any]) -> None:
    with st.container(border=True):
        name = escape_markdown(strap["name"])
        st.markdown(f"**{name}**")
        _render_live(strap["address"])
        if st.session_state.get(_FORGET) == strap["address"]:
            _ask_to_forget(api, strap)
            return
        with st.expander(_("Name, or forget")):
            words = st.text_input(
                _("Name"),
                strap["name"],
                max_chars=_MAX_NAME,
                key=f"name-{strap['address']}-{strap['name']}",
            ).strip()
            left, right = st.columns(2)
            if left.button(_("Save the name"), key=f"save-{strap['address']}", width="stretch"):
                _rename(api, strap, words)
            if right.button(
                _("Forget this strap"), key=f"forget-{strap['address']}", width="stretch"
            ):
                st.session_state[_FORGET] = strap["address"]
                st.rerun()


@st.fragment(run_every=2)
def _render_live(address: str) -> None:
    """Render the heart of now, the contact, and what to do."""
    state = client().recorder()
    strap = next((one for one in state["straps"] if one["address"] == address), None)
    if strap is None:
        st.rerun()
        return
    st.markdown(describe_strap(strap, state))
    parts = [describe_last_heard(strap["last_heard"], datetime.now(UTC))]
    battery = describe_battery(strap["battery_percent"])
    if battery is not None:
        parts.append(battery)
    st.caption(" · ".join(parts))


def _rename(api: Any, strap: dict[str, Any], name: str) -> None:
    if not name or name == strap["name"]:
        return
    try:
        api.rename_strap(strap["address"], name)
    except ApiError as error:
        if error.status != 409:
            raise
        st.info(escape_markdown(str(error)))
        return
    st.rerun()


def _ask_to_forget(api: Any, strap: dict[str, Any]) -> None:
    st.write(_("Forget this strap? It is recorded no more. What it recorded stays."))
    yes, no = st.columns(2)
    if yes.button(_("Yes, forget it"), type="primary", width="stretch"):
        del st.session_state[_FORGET]
        try:
            api.forget_strap(strap["address"])
        except ApiError as error:
            if error.status != 404:  # forgotten already, in another window
                raise
        st.rerun()
    if no.button(_("Keep it"), width="stretch"):
        del st.session_state[_FORGET]
        st.rerun()


def _render_off_notices(api: Any, state: dict[str, Any]) -> None:
    """Say once that a strap is off; while this page is open it stays."""
    said: dict[str, str] = st.session_state.setdefault(_OFF, {})
    for strap in state["straps"]:
        if strap["off_notice"]:
            said[strap["address"]] = strap["last_heard"]
            api.note_off_said(strap["address"])
        if said.get(strap["address"]) == strap["last_heard"] is not None:
            since = datetime.fromisoformat(strap["last_heard"])
            st.info(
                _("**{name}** is off since {time}. That is fine; put it on when you like.").format(
                    name=escape_markdown(strap["name"]), time=format_time(since)
                )
            )


def _render_elsewhere(api: Any) -> None:
    """Render who records instead of this service, and when each strap was heard last."""
    st.write(
        _(
            "Here nothing is recorded: the computer that your strap is near does that. On it, "
            "`ebbtide pair` finds the strap and `ebbtide record` records it."
        )
    )
    last: dict[str, datetime] = {}
    for stream in api.streams()["streams"]:
        if stream["origin"] in ("strap", "pulse") and stream["last_beat"] is not None:
            heard = to_own_clock(stream["last_beat"])
            last[stream["source"]] = max(heard, last.get(stream["source"], heard))
    for name, heard in sorted(last.items()):
        with st.container(border=True):
            st.markdown(f"**{escape_markdown(name)}**")
            st.caption(describe_last_heard(heard.isoformat(), datetime.now(UTC)))


PAGE = Page(
    run=my_devices_page,
    title=N_("My devices"),
    icon=":material/monitor_heart:",
    slug="devices",
    roles={"patient"},
)
