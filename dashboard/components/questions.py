"""One question at a time, and what follows when the answers are saved."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.plain import escape_markdown
from dashboard.i18n.formatting import format_day
from dashboard.i18n.language import _, reader_locale
from dashboard.page_shell import page_link
from dashboard.session import client

_SECONDS_A_QUESTION = 10  # rounded up to minutes, for a person who reads with care


def render_questions_open() -> None:
    """Render one quiet line where questionnaires may be answered now."""
    try:
        due = client().questionnaires_due()
        known = client().questionnaires()["questionnaires"] if due else []
    except ApiError:
        return
    if not due:
        return
    wanted = {item["questionnaire"] for item in due}
    count = sum(len(item["items"]) for item in known if item["id"] in wanted)
    minutes = -(-count * _SECONDS_A_QUESTION // 60)
    st.caption(
        _(
            "{count} questions of the programme are open, about {minutes} min. They can wait."
        ).format(count=count, minutes=minutes)
    )
    page_link("questions", _("Answer a few questions"))


def render_questions() -> None:
    """Render the next questionnaire that is due; or the words after one was saved."""
    saved = st.session_state.get("questions_saved")
    if saved is not None:
        _render_saved(saved)
        return
    found = client().questionnaires()
    known = {item["id"]: item for item in found["questionnaires"]}
    due = [item for item in client().questionnaires_due() if item["questionnaire"] in known]
    if not due:
        st.write(_("Nothing is open now. Questions come with the steps of the programme."))
        _forget()
        return
    first = due[0]
    questionnaire = known[first["questionnaire"]]
    of = [questionnaire["id"], questionnaire["version"]]
    if st.session_state.get("questions_of") != of:
        _forget()
        st.session_state["questions_of"] = of
        st.session_state["questions_id"] = str(uuid.uuid4())
        st.session_state["questions_at"] = 0
        st.session_state["questions_answers"] = {}
    _render_question(questionnaire, first, found["help"])


def _render_question(
    questionnaire: dict[str, Any], due: dict[str, Any], help_words: list[str]
) -> None:
    items, at = questionnaire["items"], st.session_state["questions_at"]
    answers: dict[str, int] = st.session_state["questions_answers"]
    item = items[at]
    language = _choose_language(questionnaire)
    st.caption(
        _("{name}: question {number} of {count}").format(
            name=questionnaire["short_name"], number=at + 1, count=len(items)
        )
    )
    st.progress(at / len(items))
    st.write(escape_markdown(questionnaire["instruction"][language]))
    note = questionnaire["note"].get(language)
    if note:
        st.caption(escape_markdown(note))
    if len(items) > 1:
        st.markdown(f"**{escape_markdown(item['text'][language])}**")
    options = item["options"] or questionnaire["options"]
    words = {option["value"]: option["text"][language] for option in options}
    values = list(words)
    before = answers.get(item["id"])
    chosen = st.radio(
        item["text"][language],
        values,
        index=None if before is None else values.index(before),
        format_func=lambda value: words[value],
        key=f"question-{questionnaire['id']}-{item['id']}",
        label_visibility="collapsed",
    )
    if chosen is not None:
        answers[item["id"]] = chosen
    if _is_concern(questionnaire, item["id"], chosen):
        render_help(help_words)
    is_last = at + 1 == len(items)
    left, right = st.columns(2)
    if left.button(_("Back"), disabled=at == 0, width="stretch"):
        st.session_state["questions_at"] = at - 1
        st.rerun()
    label = _("Save") if is_last else (_("Next") if chosen is not None else _("Leave out"))
    if right.button(
        label, type="primary", disabled=is_last and not answers, width="stretch", key="question-on"
    ):
        if is_last:
            _save(questionnaire, answers, language)
        else:
            st.session_state["questions_at"] = at + 1
        st.rerun()
    if due["closes"] is not None:
        day = format_day(datetime.fromisoformat(due["closes"]))
        st.caption(_("Open until {day}. What you leave out stays empty.").format(day=day))


def _is_concern(questionnaire: dict[str, Any], item: str, chosen: int | None) -> bool:
    return chosen is not None and any(
        concern["item"] == item and chosen >= concern["at_least"]
        for concern in questionnaire["concerns"]
    )


def render_help(words: list[str]) -> None:
    """Render the words of help, in a frame and without a colour of alarm."""
    with st.container(border=True):
        for line in words:
            st.write(_(line))


def _choose_language(questionnaire: dict[str, Any]) -> str:
    """Choose the reader's language where the questionnaire is in it, or else its first."""
    there: list[str] = list(questionnaire["instruction"])
    locale = reader_locale()
    for name in (f"{locale.language}-{locale.territory}", locale.language):
        if name in there:
            return name
    return there[0]


def _save(questionnaire: dict[str, Any], answers: dict[str, int], language: str) -> None:
    # The version that was read: a newer file may have come meanwhile.
    saved = client().answer(
        questionnaire["id"],
        answers,
        id=st.session_state["questions_id"],
        definition_version=questionnaire["version"],
        language=language,
    )
    _forget()
    st.session_state["questions_saved"] = {"name": questionnaire["short_name"], **saved}


def _render_saved(saved: dict[str, Any]) -> None:
    if saved["help"]:
        render_help(saved["help"])
    st.write(_("Saved. Thank you."))
    for score in saved["scores"]:
        if score["value"] is None:
            st.caption(_("There is no result, as questions were left out."))
    if st.button(_("Go on"), type="primary", width="stretch"):
        del st.session_state["questions_saved"]
        st.rerun()
    page_link("today", _("To Today"))


def _forget() -> None:
    for key in ("questions_of", "questions_id", "questions_at", "questions_answers"):
        st.session_state.pop(key, None)
