"""The first run at home: who begins, what is kept, and what there is to begin with."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.clinician import render_clinician_answer, render_warning_signs
from dashboard.components.first_run import begin_first_run, end_first_run
from dashboard.components.keeping import render_keeping_question
from dashboard.i18n import texts
from dashboard.i18n.language import N_, _
from dashboard.page_shell import FIRST_RUN, Page
from dashboard.session import client, current_account, first_run_secret, make_first_account
from ebbtide.settings import Settings

_LATER = "keeping_later"  # key in the session: the question of keeping was put off


def first_run_page() -> None:
    """Render the first question that is open: who begins, what is kept, what there is."""
    if current_account() is None:
        _render_account()
        return
    api = client()
    consents = api.consents()
    if consents["keeping"] == "unanswered" and not st.session_state.get(_LATER):
        st.title(_("First, about your data"))
        st.write(_("You decide whether any is kept. Nothing is kept before that."))
        render_keeping_question(api, consents, _put_off)
        st.caption(
            _(
                "Nobody else sees it. Whether a therapist may, or research, you can answer later, "
                "under *Consents*."
            )
        )
        return
    _render_beginning(is_kept=consents["keeping"] == "agreed")


def _put_off() -> None:
    st.session_state[_LATER] = True


def _render_account() -> None:
    st.title(_("Welcome"))
    st.write(
        _(
            "Ebbtide goes along while pain eases: a few short ratings, and your heartbeats if you "
            "have a strap. Three short questions, then you can begin."
        )
    )
    if Settings().is_embedded:
        st.write(_("All of it stays on this computer."))
    name = st.text_input(_("What may Ebbtide call you?"), max_chars=200)
    zone = _select_zone()
    shared = st.radio(
        _("Who uses this computer?"),
        (False, True),
        format_func=lambda others: (
            _("Others too: I want a password") if others else _("Only me: no password")
        ),
    )
    email = password = None
    if shared:
        email = st.text_input(
            _("E-mail"), help=_("You sign in with it. Nothing is sent there."), max_chars=254
        ).strip()
        password = st.text_input(
            _("Choose a password (10 characters or more)"), type="password", max_chars=256
        )
    if not st.button(_("Go on"), type="primary", width="stretch"):
        return
    if not name.strip() or (shared and not (email and password)):
        st.info(
            _("A name is missing.") if not name.strip() else _("E-mail or password is missing.")
        )
        return
    secret = first_run_secret()
    if secret is None:
        st.warning(_("This address is used up. Start Ebbtide again."))
        return
    try:
        make_first_account(secret, name, zone, email, password)
    except ApiError as error:
        st.warning(str(error).removeprefix("body.password: ").removeprefix("body.email: "))
        return
    begin_first_run()
    st.rerun()


def _select_zone() -> str:
    """Render the choice of a time zone, which begins with that of the browser."""
    guessed = st.context.timezone
    zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    chosen: str = st.selectbox(
        _("Your time zone"), zones, index=zones.index(guessed if guessed in zones else "UTC")
    )
    return chosen


def _render_beginning(*, is_kept: bool) -> None:
    st.title(_("What do you have?"))
    have = st.radio(
        _("To begin with"),
        list(texts.BEGINNINGS),
        index=None,
        format_func=lambda word: _(texts.BEGINNINGS[word][0]),
        label_visibility="collapsed",
    )
    if have is not None:
        st.info(_(texts.BEGINNINGS[have][1]))
    if is_kept:
        st.subheader(_("One more question"))
        render_warning_signs()
        render_clinician_answer(client())
    if st.button(_("Begin"), type="primary", width="stretch"):
        end_first_run()
        st.rerun()


PAGE = Page(
    run=first_run_page,
    title=N_("Welcome"),
    icon=":material/waving_hand:",
    slug="welcome",
    roles={FIRST_RUN},
)
