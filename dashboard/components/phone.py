"""My phone: the phones on which the app is signed in, a code for one more, what it can do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from dashboard.client import ApiError, DashboardClient
from dashboard.components.computer import draw_code
from dashboard.components.plain import escape_markdown
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_day, format_time
from dashboard.i18n.language import _
from dashboard.launch import STARTED
from dashboard.page_shell import page_link
from dashboard.session import page_origin, to_own_clock

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CODE, _REVOKE = "device_code", "device_revoke"  # keys in the session


def render_my_phone(api: DashboardClient) -> None:
    """Render the phones that are signed in, how to sign one in, and what the app can do."""
    st.subheader(_("My phone"))
    st.write(_(texts.PHONE_APP))
    for device in api.devices():
        _render_device(api, device)
    address, is_computer = _find_address(api)
    if address is None:
        _render_ways(api, is_computer=is_computer)
    else:
        _render_sign_in(api, address)
    with st.expander(_("What works on my phone?")):
        for words in (texts.PHONE_ANDROID, texts.PHONE_IPHONE, texts.PHONE_NIGHT, texts.PHONE_LOST):
            st.write(_(words))


def _find_address(api: DashboardClient) -> tuple[str | None, bool]:
    """Find where phones reach the app with encryption, and whether these pages are of a computer of
    this person's own. None where there is no such address: browsers allow an app no Bluetooth
    there.
    """
    if STARTED.is_set():
        try:
            home = api.computer()["home_url"]
        except ApiError:  # set up by somebody else
            return None, False
        return (home if (home or "").startswith("https://") else None), True
    origin = page_origin()
    return (origin if origin.startswith("https://") else None), False


def _render_device(api: DashboardClient, device: dict[str, Any]) -> None:
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(device['name'])}**")
        used = to_own_clock(device["used"])
        st.caption(
            _("Signed in since {day}. Last used {used}, {time}.").format(
                day=format_day(to_own_clock(device["created"])),
                used=format_day(used),
                time=format_time(used),
            )
        )
        if st.session_state.get(_REVOKE) != device["id"]:
            if st.button(_("Sign this phone out"), key=f"revoke-{device['id']}"):
                st.session_state[_REVOKE] = device["id"]
                st.rerun()
            return
        st.write(_(texts.PHONE_REVOKE))
        yes, no = st.columns(2)
        if yes.button(_("Yes, sign it out"), type="primary", width="stretch"):
            del st.session_state[_REVOKE]
            try:
                api.revoke_device(device["id"])
            except ApiError as error:
                if error.status != 404:  # signed out already
                    raise
            st.rerun()
        if no.button(_("No, leave it"), width="stretch"):
            del st.session_state[_REVOKE]
            st.rerun()


def _render_ways(api: DashboardClient, *, is_computer: bool) -> None:
    st.write(_(texts.PHONE_WAYS) if is_computer else _(texts.PHONE_NEEDS_HTTPS))
    page_link("computer", _("To This computer"))
    origin = page_origin()
    # Browsers allow the app all that it needs at the computer's own address, and an account without
    # a password can sign in with a code alone.
    if is_computer and urlsplit(origin).hostname in _LOOPBACK:
        _render_here(api, origin)


def _render_here(api: DashboardClient, origin: str) -> None:
    """Render the way into the app in a browser of this computer."""
    made = _current_code()
    if made is None:
        if st.button(_("Show a code for the app on this computer")):
            st.session_state[_CODE] = api.new_device_code()
            st.rerun()
        return
    st.link_button(_("Open the app in this browser"), f"{origin}/app#code={made['code']}")
    st.caption(
        _("It signs this browser in, once, until {until}. It is for you alone.").format(
            until=_until(made)
        )
    )


def _current_code() -> dict[str, Any] | None:
    """Return the code that was made here, and forget one whose time is over."""
    made: dict[str, Any] | None = st.session_state.get(_CODE)
    if made is not None and datetime.fromisoformat(made["expires"]) <= datetime.now(UTC):
        made = st.session_state.pop(_CODE) and None
    return made


def _until(made: dict[str, Any]) -> str:
    return format_time(to_own_clock(made["expires"]))


def _render_sign_in(api: DashboardClient, address: str) -> None:
    made = _current_code()
    if made is None:
        if STARTED.is_set():
            st.write(_(texts.PHONE_TRUST_FIRST))
            page_link("computer", _("To This computer"))
        if st.button(_("Show a code for the app"), type="primary"):
            st.session_state[_CODE] = api.new_device_code()
            st.rerun()
        return
    st.write(_("Point the camera of your phone at this square, and open what it finds."))
    st.html(draw_code(f"{address}/app#code={made['code']}"))
    st.caption(
        _("It signs one phone in, once, until {until}. It is for you alone.").format(
            until=_until(made)
        )
    )
    st.write(_("Or open this address on the phone, and enter the code there:"))
    st.code(f"{address}/app\n{made['code']}", language=None, wrap_lines=True)
    if st.button(_("Done, hide the code for the app")):
        st.session_state.pop(_CODE)
        st.rerun()
