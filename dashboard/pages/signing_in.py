"""What one signs in with: passkeys, codes of an app, recovery codes."""

from __future__ import annotations

import io
from base64 import b64encode
from html import escape
from typing import Any

import streamlit as st

from dashboard.browser_cookies import ADD_PATH
from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.i18n import texts
from dashboard.i18n.formatting import format_day_and_time
from dashboard.i18n.language import N_, _
from dashboard.page_shell import SECOND_FACTOR, Page
from dashboard.session import client, current_account, refresh_account, to_own_clock

_SETUP, _CODES = "app_setup", "recovery_codes"  # keys in the session
_ASKS_CODE = "verify_asks_code"


def signing_in_page() -> None:
    """Render each way to sign in, and what changes it."""
    st.title(_("Signing in"))
    api = client()
    if _CODES in st.session_state:
        _show_recovery_codes()
        return
    state = api.second_factors()
    if not state["allowed"]:
        st.write(_("You sign in with your clinic's sign-in. There is nothing to set up here."))
        return
    account = current_account()
    if account is not None and account["second_factor_missing"]:
        if state["passkeys"] or state["app"]:
            st.warning(_(texts.SIGN_IN_AGAIN))
            return
        st.info(_(texts.SECOND_FACTOR_REQUIRED))
    if not state["fresh"]:
        _ask_password(api)
    if _SETUP not in st.session_state:  # one thing at a time
        _passkeys(api, can_change=state["fresh"])
    _app(api, state)


def _ask_password(api: Any) -> None:
    with st.form("verify"):
        st.write(_("To change anything here, give your password once more."))
        password = st.text_input(_("Your password"), type="password")
        code = None
        if st.session_state.get(_ASKS_CODE):
            code = st.text_input(_("Code of your app"), autocomplete="one-time-code")
        if st.form_submit_button(_("Go on")) and password:
            try:
                api.verify(password, code)
            except ApiError as error:
                st.session_state[_ASKS_CODE] = error.kind in ("second-factor", "wrong-code")
                st.warning(str(error))
            else:
                st.session_state.pop(_ASKS_CODE, None)
                st.rerun()


def _passkeys(api: Any, *, can_change: bool) -> None:
    st.subheader(_("Passkeys"))
    st.write(_(texts.PASSKEY))
    for passkey in api.passkeys():
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.write(f"**{escape_markdown(passkey['name'])}**")
        left.caption(
            _("For {address}, used {when}").format(
                address=escape_markdown(passkey["rp_id"]),
                when=format_day_and_time(to_own_clock(passkey["used"])),
            )
        )
        if can_change and right.button(_("Remove"), key=f"remove-{passkey['id']}", width="stretch"):
            api.remove_passkey(passkey["id"])
            st.rerun()
    words = escape(_("Add a passkey for this device"))
    # A plain link: Streamlit's own opens another tab.
    st.html(f'<a class="ebbtide-button" href="{ADD_PATH}">{words}</a>')


def _app(api: Any, state: dict[str, Any]) -> None:
    st.subheader(_("Codes of an app"))
    can_change = state["fresh"]
    if state["local_only"]:
        st.write(_("Your account has no password, so no code is asked for after it."))
        return
    setup = st.session_state.get(_SETUP)
    if setup is not None and can_change:
        _confirm_app(api, setup)
        return
    if not state["app"]:
        st.write(_(texts.APP))
        if can_change and st.button(_("Set up codes of an app"), width="stretch"):
            st.session_state[_SETUP] = api.begin_app()
            st.rerun()
    else:
        st.write(_("On: after your password, Ebbtide asks for the six digits of your app."))
    if state["app"] or (state["required"] and state["passkeys"]):
        st.caption(_("Recovery codes left: {count}").format(count=state["recovery_codes"]))
        if can_change and st.button(_("Make new recovery codes"), width="stretch"):
            st.session_state[_CODES] = api.renew_recovery_codes()
            st.rerun()
    if state["app"] and can_change and st.button(_("Remove codes of an app"), width="stretch"):
        api.remove_app()
        st.rerun()


def _confirm_app(api: Any, setup: dict[str, Any]) -> None:
    st.write(_("1. Scan this with the app. On the phone itself, copy the letters into the app."))
    alt = escape(_("A code to scan with the app; the letters below say the same"))
    st.html(f'<img src="{_draw_qr_code(setup["uri"])}" width="220" height="220" alt="{alt}">')
    secret = setup["secret"]
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    st.code(groups, language=None, wrap_lines=True)
    with st.form("confirm app", border=False):
        code = st.text_input(
            _("2. The six digits that the app shows now"), autocomplete="one-time-code"
        )
        if st.form_submit_button(_("Confirm"), type="primary", width="stretch") and code:
            try:
                codes = api.set_app(setup["token"], code.strip())
            except ApiError as error:
                st.warning(str(error))
            else:
                del st.session_state[_SETUP]
                st.session_state[_CODES] = codes
                st.rerun()
    if st.button(_("Stop, and change nothing"), type="tertiary"):
        del st.session_state[_SETUP]
        st.rerun()


def _show_recovery_codes() -> None:
    st.subheader(_("Your recovery codes"))
    st.write(_(texts.RECOVERY))
    codes = "\n".join(st.session_state[_CODES])
    st.code(codes, language=None)
    st.download_button(
        _("Save as a file"), codes + "\n", file_name="ebbtide-recovery-codes.txt", width="stretch"
    )
    if st.button(_("I have them. Go on"), type="primary", width="stretch"):
        del st.session_state[_CODES]
        refresh_account()
        st.rerun()


def _draw_qr_code(text: str) -> str:
    import segno

    image = io.BytesIO()
    # With its quiet zone, in black on white also on a dark page: else phones do not read it.
    segno.make(text, error="m").save(image, kind="png", scale=5, border=4)
    return f"data:image/png;base64,{b64encode(image.getvalue()).decode()}"


PAGE = Page(
    run=signing_in_page,
    title=N_("Signing in"),
    icon=":material/key:",
    slug="signing_in",
    roles={"patient", "therapist", "analyst", "administrator", SECOND_FACTOR},
)
