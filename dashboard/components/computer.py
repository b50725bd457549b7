"""The parts of the page about this computer: is everything working, a phone, the end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

import streamlit as st

from dashboard.client import ApiError, DashboardClient
from dashboard.components.plain import escape_markdown
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_time
from dashboard.i18n.language import _
from dashboard.page_shell import page_link
from dashboard.session import to_own_clock
from ebbtide._program import is_in_project_folder

# Keys in the session.
_CHECKS, _REPORT, _LINK, _ENDING = "checks", "checks_report", "phone_link", "ending"
_ENDED_PATH = "/ended"  # of cli/server/computer.py: it stays when the program has ended


def render_checks(api: DashboardClient) -> None:
    """Render what was checked: what needs doing first, and what works folded."""
    st.subheader(_("Is everything working?"))
    is_first = _CHECKS not in st.session_state
    if st.button(_("Check now") if is_first else _("Check again"), key="check"):
        with st.spinner(_("Listening for straps, and looking at disk and clock ...")):
            st.session_state[_CHECKS] = api.check_computer()
            st.session_state[_REPORT] = api.computer_report()
        st.rerun()
    checks: list[dict[str, Any]] | None = st.session_state.get(_CHECKS)
    if checks is None:
        st.caption(_("It takes about ten seconds: Bluetooth, disk, what waits, and the clock."))
        return
    open_ones = [check for check in checks if check["finding"] != "fine"]
    fine = [check for check in checks if check["finding"] == "fine"]
    if not open_ones:
        st.success(_("Everything works."))
    for check in sorted(open_ones, key=lambda check: check["finding"] != "to be mended"):
        _render_open(check)
    if fine:
        with st.expander(_("What works ({number})").format(number=len(fine))):
            for check in fine:
                st.write(f"{escape_markdown(check['about'])}: {escape_markdown(check['what'])}")
    st.download_button(
        _("A report for whoever helps me"),
        json.dumps(st.session_state[_REPORT], indent=2),
        file_name="ebbtide-report.json",
        mime="application/json",
        on_click="ignore",
    )
    st.caption(
        _(
            "Versions and results of these checks. Nothing about you is in it: no name, no "
            "address, no ratings, no heartbeats. It is a text; have a look before you send it."
        )
    )


def _render_open(check: dict[str, Any]) -> None:
    with st.container(border=True):
        mark = _("Needs mending") if check["finding"] == "to be mended" else _("Worth a look")
        st.markdown(f"**{escape_markdown(check['about'])}** · {mark}")
        st.write(_as_sentence(check["what"]))
        if check["remedy"]:
            st.write(escape_markdown(check["remedy"]))  # it may begin with a command
        if check["about"].startswith("Bluetooth"):
            st.caption(
                _("It matters only where a strap is worn. Ratings and files need none of it.")
            )


def _as_sentence(words: str) -> str:
    return escape_markdown(words[:1].upper() + words[1:])


def render_phone(api: DashboardClient, state: dict[str, Any]) -> None:
    """Render whether phones in the same network may come in, and the code that signs one in."""
    home_url = state["home_url"]
    trust = (state["trust_url"], state["fingerprint"]) if state["trust_url"] else None
    st.subheader(_("These pages on my phone"))
    page_link("devices", _("The app, which records: My devices"))
    if home_url is None:
        st.write(
            _(
                "A phone can show Ebbtide while it is in the same Wi-Fi as this computer, and "
                "while this computer is on. It is off now: only this computer gets in."
            )
        )
        if not state["encrypted"]:
            st.write(_(texts.READ_ALONG))
            st.write(_(texts.NEEDS_HTTPS))
        if st.button(_("That is fine here: let my phone in")):
            _change_home(api, is_open=True)
        return
    link: dict[str, Any] | None = st.session_state.get(_LINK)
    if link is not None and datetime.fromisoformat(link["expires"]) <= datetime.now(UTC):
        link = st.session_state.pop(_LINK) and None
    if link is None:
        if trust is None:
            st.write(_("Phones in this Wi-Fi reach Ebbtide now. Others in it could read along."))
        else:
            _render_trust(*trust)
        if st.button(_("Show a code for my phone"), type="primary"):
            st.session_state[_LINK] = api.new_phone_link()
            st.rerun()
    else:
        _render_code(link)
    if st.button(_("Let no phone in any more")):
        _change_home(api, is_open=False)


def _render_trust(url: str, fingerprint: str) -> None:
    st.write(
        _(
            "Phones in this Wi-Fi reach Ebbtide now, with encryption. A phone that was never here "
            "has to trust this computer first, once: a page leads it through."
        )
    )
    with st.expander(_("Let a phone trust this computer")):
        st.write(_("Point the camera of your phone at this square, and open what it finds."))
        st.html(draw_code(url))
        st.code(url, language=None, wrap_lines=True)
        st.write(_("The phone shows these characters of the certificate, too. Compare them:"))
        pairs = fingerprint.split(":")
        lines = [":".join(pairs[begin : begin + 8]) for begin in range(0, len(pairs), 8)]
        st.code("\n".join(lines), language=None)


def _render_code(link: dict[str, Any]) -> None:
    st.write(_("Point the camera of your phone at this square, and open what it finds."))
    address = f"{link['url']}#{link['token']}"
    st.html(draw_code(address))
    until = format_time(to_own_clock(link["expires"]))
    st.caption(
        _("It signs one phone in, once, until {until}. It is for you alone.").format(until=until)
    )
    with st.expander(_("The camera finds nothing?")):
        st.write(_("Enter this address in the browser of the phone:"))
        st.code(address, language=None, wrap_lines=True)
    if st.button(_("Done, hide the code")):
        st.session_state.pop(_LINK)
        st.rerun()


def draw_code(address: str) -> str:
    """Draw a QR code (ISO/IEC 18004) as HTML, with words for who does not see it (``st.image`` has
    none); dark on white in dark mode too: cameras need that.
    """
    import segno

    drawn = segno.make_qr(address, error="m").png_data_uri(scale=8, border=4)
    words = escape(_("A code for the camera of a phone; the address is below."))
    return f'<img src="{drawn}" alt="{words}" width="260" style="max-width: 100%">'


def _change_home(api: DashboardClient, *, is_open: bool) -> None:
    try:
        api.set_home(is_open)
    except ApiError as error:
        st.warning(str(error))
        return
    st.session_state.pop(_LINK, None)
    st.rerun()


def render_end(api: DashboardClient, *, starts_at_login: bool) -> None:
    """Render the button that ends the program, which is confirmed once."""
    st.subheader(_("End Ebbtide on this computer"))
    if not st.session_state.get(_ENDING):
        st.caption(_("Closing the browser ends nothing: Ebbtide goes on behind it."))
        if st.button(_("End Ebbtide ...")):
            st.session_state[_ENDING] = True
            st.rerun()
        return
    st.write(
        _(
            "Then the recording of straps stops, and these pages close, on a phone too. Nothing "
            "that is stored is lost. What a strap sends while Ebbtide is off is not recorded."
        )
    )
    if starts_at_login:
        st.write(_("It starts again by itself when you next sign in to this computer."))
    elif is_in_project_folder():
        st.write(
            _("To start it again, enter `uv run ebbtide start` in a terminal in Ebbtide's folder.")
        )
    else:
        st.write(_("To start it again, enter `ebbtide start` in a terminal."))
    left, right = st.columns(2)
    if left.button(_("Yes, end it"), width="stretch"):
        api.end_computer()
        st.session_state.pop(_ENDING)
        st.html(
            f"<script>location.replace('{_ENDED_PATH}');</script>", unsafe_allow_javascript=True
        )
    if right.button(_("No, let it run"), width="stretch"):
        st.session_state.pop(_ENDING)
        st.rerun()
