"""A patient's own data: consent, download, correction, access log, erasure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.client import ApiError
from dashboard.components.forms import render_consent_switches, select_row
from dashboard.components.plain import escape_markdown
from dashboard.components.rating import describe_rated
from dashboard.i18n import texts
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day_and_time, format_time
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client, current_account, sign_out, to_own_clock

_TABLES = {
    "ratings": N_("Ratings"),
    "hrv": N_("Heart rate variability, five minutes each"),
    "beats": N_("Heartbeats"),
    "sessions": N_("Meetings"),
    "link": N_("My link"),
    "stress_before": N_("The heart before each rating"),
    "gaps": N_("Times without heartbeats"),
    "nights": N_("My nights"),
    "prompts": N_("My reminders"),
    "decision_points": N_("My moments of practice by lot"),
}
_FORMS = {"csv": N_("csv, for a spreadsheet"), "parquet": N_("parquet, for programs")}


def my_data_page() -> None:
    """Render each part below the other."""
    st.title(_("My data"))
    api = client()
    _consents(api)
    _proposed(api)
    _sharing(api)
    keeping = api.consents()["keeping"]
    if keeping == "agreed":
        _how_often(api)
    _download(api, keeping)
    if keeping == "agreed":
        _correct(api)
    _recordings(api)
    _access_log(api)
    _erase(api)


def _consents(api: Any) -> None:
    st.subheader(_("What I agree to"))
    render_consent_switches(api)
    therapists = api.therapists()
    if therapists:
        st.caption(
            _("In the care of {value}.").format(
                value=", ".join(escape_markdown(item["name"]) for item in therapists)
            )
        )


def _proposed(api: Any) -> None:
    for therapist in api.proposed_therapists():
        with st.container(border=True):
            st.write(
                _("{by} asks whether {name} may have you in their care.").format(
                    by=escape_markdown(therapist["by"]),
                    name=escape_markdown(therapist["name"]),
                )
            )
            st.caption(_("What they then see is up to what you agree to above."))
            left, right = st.columns(2)
            if left.button(_("I agree"), width="stretch", key=f"agree-{therapist['id']}"):
                api.answer_therapist(therapist["id"], True)
                st.rerun()
            if right.button(_("No, thank you"), width="stretch", key=f"no-{therapist['id']}"):
                api.answer_therapist(therapist["id"], False)
                st.rerun()


def _sharing(api: Any) -> None:
    until = api.live_sharing()["until"]
    st.subheader(_("Live heart for my therapist"))
    if until is None:
        st.write(_("Off. You can let your therapist watch your heart for an hour, for a meeting."))
        if st.button(_("Share for an hour")):
            api.share_live(60)
            st.rerun()
        return
    st.write(_("On until {until}.").format(until=format_time(datetime.fromisoformat(until))))
    if st.button(_("Stop sharing")):
        api.share_live(0)
        st.rerun()


def _how_often(api: Any) -> None:
    st.subheader(_("How often I am asked"))
    now = api.programme()["ratings_a_day"]
    names = {
        0: _("never"),
        1: _("once a day"),
        2: _("twice a day"),
        3: _("three times"),
        4: _("four times"),
    }
    wanted = st.select_slider(
        _("Ratings"), list(names), value=min(now, 4), format_func=names.__getitem__
    )
    st.caption(_(texts.LESS_OFTEN))
    if wanted != min(now, 4):
        # One number: what is wished here is what is asked.
        try:
            api.put_reminders(enabled=wanted > 0, random_a_day=wanted, fixed_min=[])
            st.rerun()
        except ApiError as error:  # so many do not fit into the hours that were chosen
            st.warning(str(error))
    page_link("reminders", _("When and how"))


def _download(api: Any, keeping: str) -> None:
    st.subheader(_("Take it with me"))
    # Nothing is computed any more for those who took consent to keeping back.
    tables = [
        name
        for name in _TABLES
        if name not in ("hrv", "link") or keeping in ("agreed", "unanswered")
    ]
    table = st.selectbox(_("What"), tables, format_func=lambda name: _(_TABLES[name]))
    form = st.radio(_("As"), list(_FORMS), format_func=lambda name: _(_FORMS[name]))
    st.download_button(
        _("Download"),
        lambda: api.export_bytes(table, form),
        file_name=f"ebbtide-{table}.{form}",
        mime="text/csv" if form == "csv" else "application/vnd.apache.parquet",
    )
    st.download_button(
        _("Download for a clinic (FHIR)"),
        lambda: json.dumps(api.fhir()),
        file_name="ebbtide-fhir.json",
        mime="application/fhir+json",
    )


def _correct(api: Any) -> None:
    with st.expander(_("Correct a rating")):
        end = datetime.now(UTC) + timedelta(minutes=1)
        found = api.rating_list(end - timedelta(days=60), end)[::-1]
        if not found:
            st.caption(_("No ratings in the last two months."))
            return

        def describe(rating: dict[str, Any]) -> str:
            return _("{about}: {rated}").format(
                about=format_day_and_time(datetime.fromisoformat(rating["about"])),
                rated=describe_rated(rating),
            )

        row = select_row(_("Which"), found, describe)
        # Of a question that asked for one alone, the other stays unasked.
        titles = {"pain": _("Pain"), "stress": _("Stress")}
        rated = {
            name: place.number_input(
                titles[name], 0, 10, row[name], key=f"{name[0]}-{row['id']}-{row['version']}"
            )
            for name, place in zip(titles, st.columns(2), strict=True)
            if row[name] is not None
        }
        unchanged = {key: row[key] for key in ("pleasant", "note", "pleasant_note", "version")}
        # A row of its own: in a narrow window columns are stacked, and the button that withdraws
        # stood under the number for stress.
        left, right = st.columns(2)
        if left.button(_("Correct it"), width="stretch"):
            api.correct(row["id"], {**unchanged, **rated})
            st.rerun()
        if right.button(_("Withdraw it"), width="stretch"):
            api.withdraw(row["id"], row["version"])
            st.rerun()


def _recordings(api: Any) -> None:
    with st.expander(_("My recordings")):
        found = api.streams()["streams"][::-1]

        def describe(stream: dict[str, Any]) -> str:
            if stream["first_beat"] is None:
                return _("{source}, without heartbeats").format(source=stream["source"])
            return _("{source}: {begin} to {end}, {beats} heartbeats").format(
                source=stream["source"],
                begin=format_day_and_time(to_own_clock(stream["first_beat"])),
                end=format_day_and_time(to_own_clock(stream["last_beat"])),
                beats=stream["beats"],
            )

        if st.session_state.pop("recording-removed", False):
            st.success(_("The recording was removed."))
        if not found:
            st.caption(_("No heartbeats yet."))
            return
        described = {stream["id"]: describe(stream) for stream in found}
        stream = select_row(_("Recording"), found, lambda row: described[row["id"]])
        with st.form("remove-recording", border=False):
            # In full: a narrow screen cuts the list's words, and nights of one strap begin alike.
            st.write(escape_markdown(described[stream["id"]]))
            st.write(
                _(
                    "If you remove it, all that was computed from it goes too. Your file stays "
                    "where it is and can be imported again."
                )
                if stream["origin"] == "file"
                else _(
                    "If you remove it, all that was computed from it goes too. A strap's recording"
                    " cannot be brought back."
                )
            )
            sure = st.checkbox(_("Remove it for good"), key=f"sure-{stream['id']}")
            if st.form_submit_button(_("Remove this recording")):
                if sure:
                    api.remove_stream(stream["id"])
                    st.session_state["recording-removed"] = True
                    st.rerun()
                st.warning(_("Nothing was removed. Tick the box above first."))


def _access_log(api: Any) -> None:
    with st.expander(_("Who looked")):
        entries = api.looks()
        if not entries:
            st.write(_("Nobody but you."))
            return
        rows = [
            {
                _("When"): format_day_and_time(entry["at"]),
                _("Who"): f"{escape_markdown(entry['who'])} ({say(entry['role'])})",
                _("At what"): _describe_access(entry["what"]),
            }
            for entry in entries[:50]
        ]
        st.table(pd.DataFrame(rows).set_index(_("When")))


# What is done with an account; everything else in the log is a route.
_ACTS = {
    "made a code for a new password": N_("made a code for a new password"),
    "sent a link for a new password by mail": N_("sent a link for a new password by mail"),
    "their link or code set a new password": N_("their link or code set a new password"),
    "set a new password": N_("set a new password"),
    "made a code that removes a lost second factor": N_(
        "made a code that removes a lost passkey or app"
    ),
    "sent a link that removes a lost second factor by mail": N_(
        "sent a link that removes a lost passkey or app by mail"
    ),
    "removed their second factors with a link or code": N_(
        "removed all passkeys and the app with a link or code"
    ),
    "removed the second factors": N_("removed all passkeys and the app"),
    "added a passkey": N_("added a passkey"),
    "removed a passkey": N_("removed a passkey"),
    "a passkey was refused: its counter went back": N_("a passkey was refused: it may be a copy"),
    "set up codes of an app": N_("set up codes of an app"),
    "removed codes of an app": N_("removed codes of an app"),
    "made new recovery codes": N_("made new recovery codes"),
    "signed in with a recovery code": N_("signed in with a recovery code"),
    "let in": N_("let you sign in again"),
    "shut out": N_("shut you out"),
    "proposed a therapist": N_("proposed a therapist"),
    "ended a therapist's care": N_("ended a therapist's care"),
    "asked to have them in their care": N_("asked to have you in their care"),
}


def _describe_access(what: str) -> str:
    if what in _ACTS:
        return _(_ACTS[what])
    # A route's template: the last part that is a word, of /research/{table} the first.
    return next((part for part in what.split("/")[::-1] if not part.startswith("{")), what)


def _erase(api: Any) -> None:
    st.subheader(_("Erase everything"))
    with st.expander(_("Erase all that is kept of me")):
        st.write(
            _(
                "Heartbeats, ratings, notes, practices, meetings and the account: gone "
                "for good. Older backups of the clinic hold what they held until they "
                "are replaced."
            )
        )
        with st.form("erase", border=False):
            account = current_account()
            has_password = account is None or not account["local_only"]
            password = ""
            if has_password:
                password = st.text_input(_("Your password"), type="password")
            sure = st.checkbox(_("I am sure"))
            is_asked = st.form_submit_button(_("Erase"))
            if is_asked and sure and (password or not has_password):
                try:
                    api.erase_me(password)
                except ApiError as error:
                    st.warning(str(error))
                    return
                sign_out()
                st.rerun()


PAGE = Page(
    run=my_data_page,
    title=N_("My data"),
    icon=":material/lock:",
    slug="data",
    roles={"patient"},
)
