"""Add a strap: listen with live signal, choose, pair."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.components.strap_words import describe_signal, describe_trouble, find_worn
from dashboard.i18n.language import _
from dashboard.session import client

_SCANNING, _PROBLEM = "devices_scanning", "devices_problem"  # keys in the session
PAIRED = "devices_paired"
_SCAN_S = 30
_MANY = 3  # straps; adapters hold three to seven at once, and do not say how many


def render_add_strap(api: Any, state: dict[str, Any]) -> None:
    """Render how to add a strap, and the list of those that are heard meanwhile."""
    straps, is_scanning = state["straps"], bool(st.session_state.get(_SCANNING))
    if not straps or is_scanning:  # with a strap, only a button: there may be nothing to add
        st.subheader(_("Add another strap") if straps else _("Add a strap"))
        st.write(
            _("Moisten the electrodes, put the strap on, and stay near {computer}.").format(
                computer=f"*{escape_markdown(state['computer'])}*"
            )
        )
    if len(straps) >= _MANY:
        st.caption(
            _(
                "You have {count} straps. A computer holds three to seven at the same time, and "
                "does not say how many; one more may have to wait until another is taken off."
            ).format(count=len(straps) + state["straps_of_others"])
        )
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        st.info(escape_markdown(problem))
    if is_scanning:
        _render_scan()
        return
    words = _("Add another strap") if straps else _("Look for my strap")
    if st.button(words, type="secondary" if straps else "primary", width="stretch"):
        _start(api)


def _start(api: Any) -> None:
    try:
        api.start_scan(_SCAN_S)
    except ApiError as error:
        if error.status != 409:
            raise
        scan = api.scan()
        if not scan["is_running"]:
            st.session_state[_PROBLEM] = str(error)
            st.rerun()
    st.session_state[_SCANNING] = True
    st.rerun()


@st.fragment(run_every=1)
def _render_scan() -> None:
    api = client()
    scan = api.scan()
    free = [item for item in scan["found"] if item["paired_with"] != "you"]
    certain = [item for item in free if item["is_certain"]]
    unsure = [item for item in free if not item["is_certain"]]
    if scan["trouble"] is not None:
        st.info(describe_trouble(scan["trouble"]))
    elif scan["is_running"]:
        share = 1 - min(scan["seconds_left"], _SCAN_S) / _SCAN_S
        st.progress(
            share, text=_("Listening: {seconds} s left").format(seconds=scan["seconds_left"])
        )
    elif not certain:
        st.info(
            _(
                "No strap was heard. Moisten the electrodes once more, press the strap to the skin,"
                " and close the app on a phone or watch that may hold it."
            )
        )
    worn = find_worn(scan["found"])
    for item in certain:
        _render_found(api, item, is_worn=item["address"] == worn)
    if unsure:
        with st.expander(_("Perhaps straps, by their name alone")):
            for item in unsure:
                _render_found(api, item, is_worn=False)
    if not scan["is_running"]:
        left, right = st.columns(2)
        if left.button(_("Look again"), width="stretch"):
            _start(api)
        if right.button(_("Not now"), width="stretch"):
            del st.session_state[_SCANNING]
            st.rerun()


def _render_found(api: Any, item: dict[str, Any], *, is_worn: bool) -> None:
    with st.container(border=True):
        left, right = st.columns([3, 2], vertical_alignment="center")
        left.markdown(f"**{escape_markdown(item['name'])}**")
        left.caption(describe_signal(item["signal_dbm"]))
        if item["paired_with"] is not None:
            right.caption(_("of somebody else on this computer"))
            return
        if is_worn:
            left.caption(_("Probably the one that you wear."))
        if right.button(
            _("This is mine"),
            key=f"pair-{item['address']}",
            type="primary" if is_worn else "secondary",
            width="stretch",
        ):
            _pair(api, item)


def _pair(api: Any, item: dict[str, Any]) -> None:
    with st.spinner(_("Asking the strap: up to half a minute.")):
        try:
            paired = api.pair_strap(item["address"])
        except ApiError as error:
            if error.status != 409:
                raise
            st.session_state[_PROBLEM] = str(error)
        else:
            st.session_state[PAIRED] = (paired["strap"]["name"], paired["heard"])
    del st.session_state[_SCANNING]
    st.rerun()


def say_what_was_paired() -> None:
    """Say once what was paired, and what it sends."""
    paired = st.session_state.pop(PAIRED, None)
    if paired is None:
        return
    name, heard = paired
    words = _("**{name}** is yours now. It is recorded whenever you wear it.").format(
        name=escape_markdown(name)
    )
    if heard is None:
        words += " " + _("Nothing came from it yet: put it on, with moist electrodes.")
    elif heard == "heart rate":
        words += " " + _(
            "It sends a heart rate, and no single beats so far. Moist electrodes may change that; "
            "some straps never send them, and then there is no heart rate variability."
        )
    st.success(words)
