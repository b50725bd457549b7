"""The programme: the plan, and its five tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.breathing import render_breathing_exercise
from dashboard.components.forms import select_row
from dashboard.components.guided_practice import (
    SAVOURING,
    SOMATIC_TRACKING,
    render_guided_practice,
)
from dashboard.components.keeping import render_keeping_first
from dashboard.components.plain import escape_markdown
from dashboard.components.speech import render_read_aloud
from dashboard.i18n import texts
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import format_day, format_number
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client


def programme_page() -> None:
    """Render the plan and the tools, once a clinician has ruled out a physical cause."""
    if render_keeping_first():
        return
    st.title(_("Programme"))
    api = client()
    programme = api.programme()
    if programme["physical_cause_ruled_out"] is None:
        st.write(
            _(
                "The programme begins when a clinician has ruled out a physical cause. "
                "Until then you may rate and wear the strap."
            )
        )
        page_link("before", _("Before you begin"))
        return
    if programme["started"] is None:
        st.write(
            _(
                "Eight meetings in about four weeks, and a little practice at home. "
                "Everything here is an offer: take what helps, leave what does not."
            )
        )
        if st.button(_("Begin"), type="primary"):
            api.put_programme(started=True)
            st.rerun()
        return
    _plan(api, programme)
    tools: dict[str, Callable[[dict[str, Any]], None]] = {
        _("How pain works"): _readings,
        _("Understanding my pain"): _understanding,
        _("Somatic tracking"): lambda programme: render_guided_practice(SOMATIC_TRACKING),
        _("Lowering stress"): _stress,
        _("Pleasant sensations"): _pleasant,
        _(SAVOURING.title): lambda programme: render_guided_practice(SAVOURING),
    }
    tool = st.radio(_("Tool"), list(tools), label_visibility="collapsed", horizontal=True)
    st.divider()
    tools[tool](programme)


def _plan(api: Any, programme: dict[str, Any]) -> None:
    title, words = texts.STEPS[programme["next_step"]]
    week = programme["week"]
    st.write(
        _("Week {week} of about four.").format(week=week)
        if week <= 4
        else _("{week} weeks since you began.").format(week=week)
    )
    st.markdown(f"**{_(title)}.** {_(words)}")
    homework = api.homework()
    if homework:
        st.markdown(
            _("From your last meeting: *{homework}*").format(
                homework=escape_markdown(homework[-1]["homework"])
            )
        )
    with st.expander(_("The plan. It bends")):
        rows = [
            {
                _("Meeting"): item["number"],
                _("When"): format_day(item["held"])
                if item["held"]
                else _("about {day}").format(day=format_day(item["suggested"])),
            }
            for item in programme["sessions"]
        ]
        st.table(pd.DataFrame(rows).set_index(_("Meeting")))
        later = ", ".join(
            _("{months} months ({due})").format(months=item["months"], due=format_day(item["due"]))
            for item in programme["follow_ups"]
        )
        st.caption(_("A look back after {later}.").format(later=later))
    for item in programme["follow_ups"]:
        if item["is_open"]:
            st.info(
                _(
                    "It is about {months} months since your last meeting. A few ratings this "
                    "week, and *My course* shows how it is now."
                ).format(months=item["months"])
            )


def _readings(programme: dict[str, Any]) -> None:
    st.subheader(_("How pain works"))
    api = client()
    for name in programme["readings"]:
        title, paragraphs = texts.READINGS[name]
        read = name in programme["read"]
        with st.expander(
            _("{title} · read").format(title=_(title)) if read else _(title),
            expanded=name == programme["next_reading"],
        ):
            render_read_aloud(name, [_(paragraph) for paragraph in paragraphs])
            if not read and st.button(_("I have read it"), key=f"read-{name}"):
                api.mark_read(name)
                st.rerun()


def _understanding(programme: dict[str, Any]) -> None:
    st.subheader(_("Understanding my pain"))
    st.write(
        _(
            "What came together with pain, what you feared, and what happened then? "
            "A word or two, when you like. Over time it shows what goes with harder "
            "days, and what does not."
        )
    )
    _add(("trigger", "fear"))
    found = client().patterns()
    rows = [row for row in found["patterns"] if row["kind"] in ("trigger", "fear", "stressor")]
    if not rows:
        st.caption(_("Nothing noted yet."))
        return
    if found["missing"] is not None:
        st.caption(
            _("What goes with harder days is not known yet: {missing}.").format(
                missing=say(found["missing"])
            )
        )
    for row in rows[:20]:
        kind = _(texts.NOTE_KINDS[row["kind"]])
        st.markdown(f"**{escape_markdown(row['words'])}** ({kind}): {_pattern(row)}")
    st.caption(_(texts.PATTERNS_CAUTION))
    _remove(("trigger", "fear", "stressor"))


def _pattern(row: dict[str, Any]) -> str:
    times = _("once") if row["noted"] == 1 else _("{noted} times").format(noted=row["noted"])
    if row["harder"] is None:
        return _("noted {times}.").format(times=times)
    sure = _(
        "a difference of {difference} points in a hundred, 95% interval {low} to {high}"
    ).format(
        difference=format_number(100 * row["difference"], 0),
        low=format_number(100 * row["low"], 0),
        high=format_number(100 * row["high"], 0),
    )
    ending = (
        _("That is {sure}.").format(sure=sure)
        if row["clear"]
        else _("We cannot tell whether it differs ({sure}).").format(sure=sure)
    )
    return _(
        "you noted this in {harder} of {harder_days} harder days, and in {other} "
        "of {other_days} other days. {ending}"
    ).format(
        harder=row["harder"],
        harder_days=row["harder_days"],
        other=row["other"],
        other_days=row["other_days"],
        ending=ending,
    )


def _stress(programme: dict[str, Any]) -> None:
    st.subheader(_("Lowering stress"))
    render_breathing_exercise()
    st.divider()
    st.write(_("What was stressful, and what helped?"))
    _add(("stressor", "helped"))
    _list(("stressor", "helped"))


def _pleasant(programme: dict[str, Any]) -> None:
    st.subheader(_("Pleasant sensations"))
    st.write(
        _(
            "A warm cup, a stretch, a breeze, a laugh. The brain finds what it looks "
            "for; it may look for these, too. Collect them here. They wait for you "
            "on harder days."
        )
    )
    _add(("pleasant",))
    _list(("pleasant",))


def _add(kinds: tuple[str, ...]) -> None:
    with st.form(f"add-{kinds[0]}", clear_on_submit=True, border=False):
        kind = kinds[0]
        if len(kinds) > 1:
            kind = st.radio(
                _("What is it?"),
                kinds,
                format_func=lambda name: _(texts.NOTE_KINDS[name]),
                horizontal=True,
            )
        words = st.text_input(
            _(texts.NOTE_KINDS[kinds[0]]) if len(kinds) == 1 else _("In a word or two"),
            max_chars=300,
        )
        if st.form_submit_button(_("Keep")) and words.strip():
            client().note(kind, words)
            st.rerun()


def _list(kinds: tuple[str, ...]) -> None:
    found = [note for note in client().notes() if note["kind"] in kinds][::-1]
    for note in found[:30]:
        st.markdown(
            _("- {words} · :gray[{kind}, {about}]").format(
                words=escape_markdown(note["words"]),
                kind=_(texts.NOTE_KINDS[note["kind"]]),
                about=format_day(note["about"]),
            )
        )
    _remove(kinds)


def _remove(kinds: tuple[str, ...]) -> None:
    found = [note for note in client().notes() if note["kind"] in kinds][::-1]
    if not found:
        return
    with st.expander(_("Remove something")):
        note = select_row(
            _("Which"), found[:50], lambda note: f"{note['words']} ({format_day(note['about'])})"
        )
        if st.button(_("Remove it"), key=f"remove-{kinds[0]}"):
            client().delete_note(note["id"])
            st.rerun()


PAGE = Page(
    run=programme_page,
    title=N_("Programme"),
    icon=":material/spa:",
    slug="programme",
    roles={"patient"},
)
