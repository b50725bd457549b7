"""Sign-in with a password or the clinic's OpenID Connect provider; first and new passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from dashboard.browser_cookies import AT_HOME, SIGN_IN_PATH
from dashboard.client import ApiError
from dashboard.i18n import texts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import SIGNED_OUT, Page
from dashboard.session import anonymous_client, sign_in, sign_in_with_code
from ebbtide._program import is_in_project_folder
from ebbtide.settings import Settings

_ASKS_CODE = "asks_code"  # key in the session: in which words a code was asked for


def sign_in_page() -> None:
    """Render the sign-in form, and the forms for an invitation and a password link."""
    st.title("Ebbtide")
    st.write(_("Heartbeats and short ratings, and whether pain and stress moved together."))
    _say_how_to_come_in_at_home()
    code = st.query_params.get("code")
    if code:
        st.query_params.clear()
        try:
            sign_in_with_code(code)
        except ApiError as error:
            st.warning(str(error))
        else:
            st.rerun()
    with st.form("sign in"):
        email = st.text_input(_("E-mail"))
        password = st.text_input(_("Password"), type="password")
        code = _ask_code()
        is_own = st.checkbox(_("This is my own computer: stay signed in"))
        if st.form_submit_button(_("Sign in"), type="primary", width="stretch"):
            try:
                sign_in(email, password, is_own_computer=is_own, code=code)
            except ApiError as error:
                if error.kind == "second-factor" and not st.session_state.get(_ASKS_CODE):
                    st.session_state[_ASKS_CODE] = str(error)
                    st.rerun()
                st.warning(str(error))
            else:
                st.session_state.pop(_ASKS_CODE, None)
                st.rerun()
    # A plain link: Streamlit's own opens another tab.
    st.html(
        f'<a class="ebbtide-button" href="{SIGN_IN_PATH}">{escape(_("Sign in with a passkey"))}</a>'
    )
    st.caption(_(texts.PASSKEY))
    reset = st.query_params.get("reset")
    if reset:  # out of the address at once: it is good once, and addresses are stored
        st.session_state.reset_token = reset
        st.query_params.clear()
    lost = st.query_params.get("lost")
    if lost:
        st.session_state.lost_token = lost
        st.query_params.clear()
    has_mail = False
    try:
        ways = anonymous_client().ways()
        has_mail = ways["mail"]
        if ways["oidc"]:
            settings = Settings()
            address = (settings.oidc_api_url or settings.api_url).rstrip("/")
            st.link_button(
                _("Sign in with your clinic"), f"{address}/v1/oidc/start", width="stretch"
            )
    except ApiError:
        pass
    _first_password()
    _new_password()
    _lost()
    if has_mail:
        _forgotten()


def _say_how_to_come_in_at_home() -> None:
    """Where `ebbtide start` serves the pages, say what it can do."""
    if not AT_HOME.is_set():
        return
    try:
        is_first = anonymous_client().ways()["first_run"]
    except ApiError:
        return
    if is_first:
        st.info(_("Nobody has an account here yet. Start Ebbtide again: it opens the first page."))
    else:
        st.info(
            _(
                "Without a password: start Ebbtide again, and it opens signed in. If you forgot "
                "your password, type `{command}` in a terminal of this computer: it "
                "sets a new one."
            ).format(
                command="uv run ebbtide set-password"
                if is_in_project_folder()
                else "ebbtide set-password"
            )
        )


def _first_password() -> None:
    with st.expander(_("I was invited")), st.form("invited", border=False):
        token = st.text_input(_("What you were given"))
        password = st.text_input(_("Choose a password (10 characters or more)"), type="password")
        if st.form_submit_button(_("Make my account")) and token and password:
            with _api_errors_as_warnings():
                account = anonymous_client().accept(token.strip(), password)
                st.success(_("Done. Sign in above as {email}.").format(email=account["email"]))


def _new_password() -> None:
    given = st.session_state.get("reset_token", "")
    with (
        st.expander(_("I was given a link for a new password"), expanded=bool(given)),
        st.form("reset", border=False),
    ):
        token = st.text_input(_("The link's words"), given)
        password = st.text_input(_("A new password (10 characters or more)"), type="password")
        if st.form_submit_button(_("Set it")) and token and password:
            with _api_errors_as_warnings():
                anonymous_client().reset_password(token.strip(), password)
                st.session_state.pop("reset_token", None)
                st.success(_("Done. Sign in above."))


def _ask_code() -> str | None:
    """Ask for a code, once the password was right and one is needed."""
    words = st.session_state.get(_ASKS_CODE)
    if not words:
        return None
    st.info(words)
    code = st.text_input(_("Code"), autocomplete="one-time-code")
    return code.strip() or None


def _lost() -> None:
    given = st.session_state.get("lost_token", "")
    with (
        st.expander(_("I lost my phone or my key"), expanded=bool(given)),
        st.form("lost", border=False),
    ):
        st.write(_(texts.LOST))
        token = st.text_input(_("The words of that link"), given, key="lost_words")
        password = st.text_input(_("Your password"), type="password")
        if st.form_submit_button(_("Remove what I lost")) and token and password:
            with _api_errors_as_warnings():
                anonymous_client().reset_second_factors(token.strip(), password)
                st.session_state.pop("lost_token", None)
                st.success(_("Done. Sign in above with your password."))


def _forgotten() -> None:
    with st.expander(_("I forgot my password")), st.form("forgotten", border=False):
        email = st.text_input(_("E-mail"))
        if st.form_submit_button(_("Send me a link")) and email:
            with _api_errors_as_warnings():
                anonymous_client().mail_password_link(email.strip())
                st.success(_("If this address has an account, a link is on its way."))


@contextmanager
def _api_errors_as_warnings() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        st.warning(str(error))


PAGE = Page(
    run=sign_in_page,
    title=N_("Sign in"),
    icon=":material/login:",
    slug="sign_in_page",
    roles={SIGNED_OUT},
)
