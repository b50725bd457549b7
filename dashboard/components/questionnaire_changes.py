"""Questionnaires of a patient, for their therapist: answers that need care, and change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.components.plain import escape_markdown
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day, format_number
from dashboard.i18n.language import _


def render_concerns(found: dict[str, Any]) -> None:
    """Render the answers to ask about, first of all; nothing where there are none."""
    for concern in found["concerns"]:
        _render_concern(concern)


def render_questionnaire_changes(found: dict[str, Any]) -> None:
    """Render a line for each questionnaire, or that there are no answers."""
    if not found["changes"]:
        st.write(_("None was answered yet."))
        return
    for change in found["changes"]:
        st.write(escape_markdown(_change_words(change)))
        if change["smallest_source"]:
            st.caption(
                escape_markdown(
                    _("A change of {points} or more matters to people: {source}.").format(
                        points=format_number(change["smallest"]), source=change["smallest_source"]
                    )
                )
            )
    st.caption(say(found["caution"]))


def _render_concern(concern: dict[str, Any]) -> None:
    words = _("{day}, {name}, question {item}: “{text}” was answered “{answer}”.").format(
        day=format_day(datetime.fromisoformat(concern["about"])),
        name=concern["questionnaire"],
        item=concern["item"],
        text=concern["text"],
        answer=concern["answer"],
    )
    if not concern["is_latest"]:
        st.caption(escape_markdown(_("Earlier:") + " " + words))
        return
    with st.container(border=True):
        st.markdown(_("**Please ask about this.**") + " " + escape_markdown(words))
        st.caption(
            _(
                "The patient saw words of help and emergency numbers at once. Nobody was told but "
                "you, on this page. One answer is no diagnosis: ask, and follow the way your "
                "clinic has for this."
            )
        )


def _change_words(change: dict[str, Any]) -> str:
    when = format_day(datetime.fromisoformat(change["last_about"]))
    if change["last_words"]:
        return _("{name} ({measures}): “{answer}” on {day}.").format(
            name=change["name"], measures=change["measures"], answer=change["last_words"], day=when
        )
    if change["change"] is None:
        last = "–" if change["last"] is None else format_number(change["last"])
        return _("{name} ({measures}): {last} on {day}. {missing}").format(
            name=change["name"],
            measures=change["measures"],
            last=last,
            day=when,
            missing=say(change["missing"]),
        )
    verdict = {
        (True, True): _("better, by as much as matters or more"),
        (True, False): _("better, by less than matters"),
        (False, True): _("worse, by as much as matters or more"),
        (False, False): _("worse, by less than matters"),
        (True, None): _("better"),
        (False, None): _("worse"),
    }.get((change["better"], change["matters"]), _("the same"))
    return _("{name} ({measures}): {first} on {before}, {last} on {day}: {verdict}.").format(
        name=change["name"],
        measures=change["measures"],
        first=format_number(change["first"]),
        before=format_day(datetime.fromisoformat(change["first_about"])),
        last=format_number(change["last"]),
        day=when,
        verdict=verdict,
    )
