"""A therapist's patients, by need and not by score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.components.forms import render_invitation
from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import (
    format_day_and_time,
    format_signed,
    format_time,
    format_weekday,
)
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, switch_to
from dashboard.session import client

_PAGE_LENGTH, _MAX_NEEDY = 20, 40
_NOTHING = "nothing in particular"
_LATEST, _EARLIEST = "9999", ""  # moments in ISO 8601, for those that there are none of
_ORDERS: dict[str, tuple[str, Callable[[dict[str, Any]], Any], bool]] = {
    "need": (N_("Who needs a word"), lambda row: 0, False),  # as the API lists them
    "name": (N_("Name"), lambda row: row["name"].casefold(), False),
    "next": (N_("Next meeting"), lambda row: row["next_session"] or _LATEST, False),
    "rating": (N_("Longest without a rating"), lambda row: row["last_rating"] or _EARLIEST, False),
}


def caseload_page() -> None:
    """Render the patients in care, those in need first."""
    st.title(_("Caseload"))
    api = client()
    patients = api.patients()
    if not patients:
        st.write(_("Nobody is in your care yet. Invite somebody, or ask your administrator."))
    else:
        _render_patients(patients)
    with st.expander(_("Invite a patient")), st.form("invite", border=False):
        email = st.text_input(_("E-mail of the patient"))
        name = st.text_input(_("Name"))
        zone = st.text_input(_("Time zone"), "Europe/Berlin")
        if st.form_submit_button(_("Invite")):
            render_invitation(api, email, name, zone, "patient")


def _render_patients(patients: list[dict[str, Any]]) -> None:
    needy = sum(bool(_reasons(patient)) for patient in patients)
    st.write(
        _("**{needy} of {all}** have a reason for a word today.").format(
            needy=needy, all=len(patients)
        )
    )
    left, right = st.columns(2)
    wanted = left.text_input(
        _("Search by name or reason"), key="caseload-search", placeholder=_("such as: silent")
    )
    order = right.selectbox(
        _("Order"), list(_ORDERS), format_func=lambda key: _(_ORDERS[key][0]), key="caseload-order"
    )
    words = wanted.casefold().split()
    found = [row for row in patients if all(word in _searched(row) for word in words)]
    _title, key, reverse = _ORDERS[order]
    found = sorted(found, key=key, reverse=reverse)
    if not found:
        st.write(_("Nobody is found by that."))
    place = ("caseload-shown", wanted, order)
    if st.session_state.get("caseload-place") != place:
        st.session_state["caseload-place"] = place
        st.session_state["caseload-count"] = _PAGE_LENGTH
    count = st.session_state["caseload-count"]
    if order == "need" and not wanted and any(map(_reasons, found)):
        _render_by_need(found)
        return
    for patient in found[:count]:
        _patient(patient)
    if len(found) > count and st.button(
        _("Show {more} more of {all}").format(
            more=min(_PAGE_LENGTH, len(found) - count), all=len(found)
        )
    ):
        st.session_state["caseload-count"] = count + _PAGE_LENGTH
        st.rerun()


def _render_by_need(patients: list[dict[str, Any]]) -> None:
    """Render who has a reason, and the names of the others behind a fold."""
    needy = [patient for patient in patients if _reasons(patient) or not patient["agreed"]]
    others = [patient for patient in patients if patient not in needy]
    for patient in needy[:_MAX_NEEDY]:
        _patient(patient)
    if len(needy) > _MAX_NEEDY:
        st.caption(
            _("{more} more have a reason: search, or choose another order.").format(
                more=len(needy) - _MAX_NEEDY
            )
        )
    if others:
        with st.expander(_("Nothing in particular: {count}").format(count=len(others))):
            for patient in others[:_PAGE_LENGTH]:
                _patient(patient)
            if len(others) > _PAGE_LENGTH:
                st.caption(_("For the others, search or choose another order."))


def _searched(patient: dict[str, Any]) -> str:
    return " ".join([patient["name"], *_reasons(patient)]).casefold()


def _reasons(patient: dict[str, Any]) -> list[str]:
    """Say why a patient needs a word, in one clock format; nothing where there is no reason."""
    lines = []
    needs = [need for need in patient["needs"] if need != _NOTHING]
    for need, told in zip(needs, patient["told"], strict=True):
        if need == "session soon":
            lines.append(
                _("Meeting {number} on {weekday} at {time}").format(
                    number=patient["next_number"],
                    weekday=format_weekday(patient["next_session"]),
                    time=format_time(patient["next_session"]),
                )
            )
        elif need == "changed":
            lines += [_describe_change(change) for change in patient["changes"]]
        else:
            words = say(told)
            lines.append(words[0].upper() + words[1:])
    return lines


def _describe_change(change: dict[str, Any]) -> str:
    fell = change["change"] < 0
    words = {
        ("pain", True): _("Pain fell"),
        ("pain", False): _("Pain rose"),
        ("stress", True): _("Stress fell"),
        ("stress", False): _("Stress rose"),
    }[(change["what"], fell)]
    return _("{words} by {points} in two weeks (95% interval {low} to {high})").format(
        words=words,
        points=format_signed(abs(change["change"])).lstrip("+"),
        low=format_signed(change["low"]),
        high=format_signed(change["high"]),
    )


def _patient(patient: dict[str, Any]) -> None:
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        simulated = _(" · simulated") if patient["simulated"] else ""
        lines = [f"**{escape_markdown(patient['name'])}**{simulated}"]
        if not patient["agreed"]:
            left.markdown(lines[0])
            left.caption(_describe_missing_consent(patient["keeping"]))
            return
        lines += [escape_markdown(words) for words in _reasons(patient)]
        left.markdown("  \n".join(lines))
        facts = [
            f"{title} {format_day_and_time(patient[key])}"
            for title, key in (
                (_("next meeting"), "next_session"),
                (_("last rating"), "last_rating"),
                (_("last heartbeat"), "last_beat"),
            )
            if patient[key]
        ]
        left.caption(" · ".join(facts) or _("Nothing yet."))
        if right.button(_("Open"), key=f"open-{patient['id']}", width="stretch"):
            st.session_state["patient"] = patient["id"]
            switch_to("patient")


def _describe_missing_consent(keeping: str) -> str:
    if keeping == "unanswered":
        return _("Has not agreed yet that Ebbtide keeps their data, and that you see them.")
    if keeping == "agreed":
        return _("Has not agreed yet that you see their data.")
    return _("Has taken back that Ebbtide keeps their data, or the time agreed to is over.")


PAGE = Page(
    run=caseload_page,
    title=N_("Caseload"),
    icon=":material/groups:",
    slug="caseload",
    roles={"therapist"},
)
