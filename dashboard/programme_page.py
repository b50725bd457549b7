"""The programme: the plan, and its five tools."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import texts
from dashboard.breathing import breathing
from dashboard.choosing import chosen
from dashboard.frame import link_to
from dashboard.person import client
from dashboard.tracking import tracking

_KINDS = {
    "trigger": "Came together with pain",
    "fear": "A fear or worry",
    "stressor": "Something stressful",
    "helped": "Something that helped",
    "pleasant": "Something pleasant",
}


def programme_page() -> None:
    """Until a clinician has said so, the programme waits."""
    st.title("Programme")
    api = client()
    shown = api.programme()
    if shown["physical_cause_ruled_out"] is None:
        st.write(
            "The programme begins when a clinician has ruled out a physical cause. Until then you "
            "may rate and wear the strap."
        )
        link_to("before", "Before you begin")
        return
    if shown["started"] is None:
        st.write(
            "Eight meetings in about four weeks, and a little practice at home. Everything here is "
            "an offer: take what helps, leave what does not."
        )
        if st.button("Begin", type="primary"):
            api.put_programme(started=True)
            st.rerun()
        return
    _plan(api, shown)
    tools: dict[str, Callable[[dict[str, Any]], None]] = {
        "How pain works": _readings,
        "Understanding my pain": _understanding,
        "Somatic tracking": lambda _: tracking(),
        "Lowering stress": _stress,
        "Pleasant sensations": _pleasant,
    }
    tool = st.radio("Tool", list(tools), label_visibility="collapsed", horizontal=True)
    st.divider()
    tools[tool](shown)


def _plan(api: Any, shown: dict[str, Any]) -> None:
    title, words = texts.STEPS[shown["next_step"]]
    week = shown["week"]
    st.write(f"Week {week} of about four." if week <= 4 else f"{week} weeks since you began.")
    st.markdown(f"**{title}.** {words}")
    homework = api.homework()
    if homework:
        st.markdown(f"From your last meeting: *{homework[-1]['homework']}*")
    with st.expander("The plan. It bends"):
        rows = [
            {
                "Meeting": item["number"],
                "When": _day(item["held"]) if item["held"] else f"about {_day(item['suggested'])}",
            }
            for item in shown["sessions"]
        ]
        st.table(pd.DataFrame(rows).set_index("Meeting"))
        later = ", ".join(
            f"{item['months']} months ({_day(item['due'])})" for item in shown["follow_ups"]
        )
        st.caption(f"A look back after {later}.")
    for item in shown["follow_ups"]:
        if item["is_open"]:
            st.info(
                f"It is about {item['months']} months since your last meeting. A few ratings this "
                "week, and *My course* shows how it is now."
            )


def _readings(shown: dict[str, Any]) -> None:
    st.subheader("How pain works")
    api = client()
    for name in shown["readings"]:
        title, paragraphs = texts.READINGS[name]
        read = name in shown["read"]
        with st.expander(
            f"{title} {'· read' if read else ''}", expanded=name == shown["next_reading"]
        ):
            for paragraph in paragraphs:
                st.write(paragraph)
            if not read and st.button("I have read it", key=f"read-{name}"):
                api.mark_read(name)
                st.rerun()


def _understanding(_: dict[str, Any]) -> None:
    st.subheader("Understanding my pain")
    st.write(
        "What came together with pain, what you feared, and what happened then? A word or two, "
        "when you like. Over time it shows what goes with harder days, and what does not."
    )
    _add(("trigger", "fear"))
    found = client().patterns()
    rows = [row for row in found["patterns"] if row["kind"] in ("trigger", "fear", "stressor")]
    if not rows:
        st.caption("Nothing noted yet.")
        return
    if found["missing"] is not None:
        st.caption(f"What goes with harder days is not known yet: {found['missing']}.")
    for row in rows[:20]:
        st.markdown(f"**{row['words']}** ({_KINDS[row['kind']].lower()}): {_pattern(row)}")
    st.caption(texts.PATTERNS_CAUTION)
    _remove(("trigger", "fear", "stressor"))


def _pattern(row: dict[str, Any]) -> str:
    times = "once" if row["noted"] == 1 else f"{row['noted']} times"
    if row["harder"] is None:
        return f"noted {times}."
    sure = (
        f"a difference of {100 * row['difference']:.0f} points in a hundred, 95% interval "
        f"{100 * row['low']:.0f} to {100 * row['high']:.0f}"
    )
    ending = f"That is {sure}." if row["clear"] else f"We cannot tell whether it differs ({sure})."
    return (
        f"you noted this in {row['harder']} of {row['harder_days']} harder days, and in "
        f"{row['other']} of {row['other_days']} other days. {ending}"
    )


def _stress(_: dict[str, Any]) -> None:
    st.subheader("Lowering stress")
    breathing()
    st.divider()
    st.write("What was stressful, and what helped?")
    _add(("stressor", "helped"))
    _list(("stressor", "helped"))


def _pleasant(_: dict[str, Any]) -> None:
    st.subheader("Pleasant sensations")
    st.write(
        "A warm cup, a stretch, a breeze, a laugh. The brain finds what it looks for; it may look "
        "for these, too. Collect them here. They wait for you on harder days."
    )
    _add(("pleasant",))
    _list(("pleasant",))


def _add(kinds: tuple[str, ...]) -> None:
    with st.form(f"add-{kinds[0]}", clear_on_submit=True, border=False):
        kind = kinds[0]
        if len(kinds) > 1:
            kind = st.radio(
                "What is it?", kinds, format_func=lambda name: _KINDS[name], horizontal=True
            )
        words = st.text_input(
            _KINDS[kinds[0]] if len(kinds) == 1 else "In a word or two", max_chars=300
        )
        if st.form_submit_button("Keep") and words.strip():
            client().note(kind, words)
            st.rerun()


def _list(kinds: tuple[str, ...]) -> None:
    found = [note for note in client().notes() if note["kind"] in kinds][::-1]
    for note in found[:30]:
        st.markdown(
            f"- {note['words']} · :gray[{_KINDS[note['kind']].lower()}, {_day(note['about'])}]"
        )
    _remove(kinds)


def _remove(kinds: tuple[str, ...]) -> None:
    found = [note for note in client().notes() if note["kind"] in kinds][::-1]
    if not found:
        return
    with st.expander("Remove something"):
        note = chosen("Which", found[:50], lambda one: f"{one['words']} ({_day(one['about'])})")
        if st.button("Remove it", key=f"remove-{kinds[0]}"):
            client().forget_note(note["id"])
            st.rerun()


def _day(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%-d %b")
