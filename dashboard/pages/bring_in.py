"""Bring in a file: what a watch or an app recorded; what was brought in, and taking it out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.components.brought_in import render_brought_in
from dashboard.components.file_job import MAX_FILES, MAX_UPLOAD_MB, FileJob, Spool
from dashboard.components.file_read import is_keepable, is_new, render_read_file
from dashboard.components.keeping import render_keeping_first
from dashboard.components.plain import escape_markdown
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.pages.trend import SPANS, USUAL_SPAN
from dashboard.session import client, current_account

_STATE = "bring_in"  # keys in Streamlit's session state
_UPLOADER = "bring_in_uploader"
_MANY = 3  # files; of more, each is folded
_SHOWN = 30
_MINUTE_S = 60


def bring_in_page() -> None:
    """Render the step that this session is at, and the list of what was brought in."""
    api = client()
    if render_keeping_first():
        render_brought_in(api)
        return
    st.title(_("Bring in a file"))
    state = st.session_state.setdefault(_STATE, {"step": "choose"})
    if state["step"] == "choose":
        _choose(api, state)
    elif state["step"] == "read":
        _read(api, state)
    else:
        _progress()
    if state["step"] == "choose":
        render_brought_in(api)


def _choose(api: Any, state: dict[str, Any]) -> None:
    _say_what_was_kept(state)
    st.write(
        _(
            "What a watch or an app recorded: FIT (Garmin), Polar, Apple Health, a CSV or text file"
            " of heartbeats, nights of a watch or ring (Fitbit, Oura, WHOOP, Samsung, Health"
            " Connect), or a zip of these."
        )
    )
    number = st.session_state.setdefault(_UPLOADER, 0)
    _write_uploader_words()
    files = st.file_uploader(
        _("Your file"),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MB,
        key=f"{_UPLOADER}-{number}",
    )
    st.caption(_("First you see what is in it. It is kept when you say so, and not before."))
    if state.get("problem"):
        st.info(state["problem"])
    if not files:
        return
    st.session_state[_UPLOADER] = number + 1
    state.clear()
    if len(files) > MAX_FILES or sum(file.size for file in files) > MAX_UPLOAD_MB * 1_000_000:
        problem = _(
            "That is more than {files} files or {size} MB at once. Please bring in fewer; one large"
            " file goes with the command *ebbtide import*."
        )
        _free(files)
        state |= {
            "step": "choose",
            "problem": problem.format(files=MAX_FILES, size=MAX_UPLOAD_MB),
        }
    else:
        spool = Spool()
        items = spool.add((file.name, file.getbuffer()) for file in files)
        _free(files)
        state |= {"step": "reading", "spool": spool, "files": []}
        _start(api, state, "read", items)
    st.rerun()


def _write_uploader_words() -> None:
    """Put the uploader's own words, which Streamlit has in English alone, into the reader's."""
    field, shown = '[data-testid="stFileUploader"]', '[data-testid="stMarkdownContainer"]'
    button, note = f"{field} section button {shown}", f"{field} section > div:last-child span"
    choose = json.dumps(_("Choose a file"), ensure_ascii=False)  # CSS has other escapes than JSON
    drop = json.dumps(
        _("or drop it here, up to {size} MB").format(size=MAX_UPLOAD_MB), ensure_ascii=False
    )
    st.html(
        # Not hidden: checkers of accessibility take a button's name from its text alone.
        f"<style>{button} p {{ font-size: 0; }} {button}::after {{ content: {choose}; }}"
        f"{note} {{ font-size: 0; }} {note}::after {{ content: {drop}; font-size: .9rem; }}</style>"
    )


def _free(files: list[Any]) -> None:
    """Have Streamlit let go of files, which it holds in memory until the session ends."""
    context = get_script_run_ctx()
    if context is None or not isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        return  # tests of Streamlit have another
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def _start(api: Any, state: dict[str, Any], action: str, items: list[dict[str, Any]]) -> None:
    account = current_account() or {}
    state["job"] = FileJob(
        state["spool"],
        {
            "action": action,
            "items": items,
            "api_url": api.url,
            "token": api.token,
            "account": account.get("id", ""),
            "zone": account.get("zone", "UTC"),
        },
    )


@st.fragment(run_every=0.7)
def _progress() -> None:
    state = st.session_state.get(_STATE, {})
    job = state.get("job")
    if job is None:
        st.rerun()
    if not job.is_running:
        _take_answer(state, job)
        st.rerun()
    st.progress(job.fraction, text=_describe_progress(job))
    if st.button(_("Stop")):
        job.stop()
        is_keeping = state["step"] == "keeping"
        _reset(state)
        if is_keeping:
            state["problem"] = _(
                "Stopped. What had arrived by then is in the list below, and can be taken out."
            )
        st.rerun()


def _describe_progress(job: FileJob) -> str:
    words = {
        "wait": _("Other files are read first. A moment, please."),
        "read": _("Reading {name}"),
        "keep": _("Keeping {name}"),
    }[job.step].format(name=escape_markdown(job.name))
    left = job.seconds_left
    if left is None:
        return words
    if left < _MINUTE_S:
        return _("{what}: less than a minute left").format(what=words)
    return _("{what}: about {minutes} min left").format(what=words, minutes=round(left / _MINUTE_S))


def _take_answer(state: dict[str, Any], job: FileJob) -> None:
    """Go on to the next step with what the reader answered."""
    del state["job"]
    if job.answer is None:
        if state["step"] == "keeping":
            state["step"] = "read"
            state["problem"] = _(
                "Not everything has arrived. {why} You can say *Keep these* again: nothing is "
                "stored twice."
            ).format(why=escape_markdown(job.error or ""))
        else:
            _reset(state)
            why = job.error or _("Reading it took too long, or too much memory.")
            state["problem"] = _("{why} Please try another export of it, or fewer files.").format(
                why=escape_markdown(why)
            )
    elif state["step"] == "keeping":
        ends = [file["end"] for file in state["files"] if is_keepable(file)]
        _reset(state)
        state["kept"] = {**job.answer, "end": max(ends)}
    else:
        by_path = {file["item"]["path"]: file for file in state["files"]}
        by_path |= {file["item"]["path"]: file for file in job.answer["files"]}
        state |= {"step": "read", "files": list(by_path.values())}


def _read(api: Any, state: dict[str, Any]) -> None:
    """Render what was read, and ask whether to keep it."""
    files = state["files"]
    if all(file["what"] is not None and file["asks"] for file in files):
        st.subheader(_("A question first"))
    elif all(file["what"] is not None for file in files):
        st.subheader(_("This could not be read"))
    else:
        st.subheader(_("This is what I read"))
    # First what is open, then what can be kept.
    ordered = sorted(files, key=lambda file: (not file["asks"], not is_keepable(file)))
    for file in ordered[:_SHOWN]:
        choice = render_read_file(file, is_folded=len(files) > _MANY)
        if choice is not None:
            state["step"] = "reading"
            _start(api, state, "read", [{**file["item"], "choice": choice}])
            st.rerun()
    if len(files) > _SHOWN:
        st.caption(_("... and {count} more files.").format(count=len(files) - _SHOWN))
    if state.get("problem"):
        st.info(state["problem"])
    wanted = [file["item"] for file in files if is_keepable(file)]
    if not wanted:
        if all(file["what"] is None and not is_new(file) for file in files):
            st.write(_("All of it is here already. There is nothing to do."))
        if st.button(_("Choose another file")):
            _reset(state)
            st.rerun()
        return
    if len(wanted) < len(files):
        st.write(_("{some} of {all} files would be kept.").format(some=len(wanted), all=len(files)))
    left, right = st.columns(2)
    if left.button(_("Keep these"), type="primary", width="stretch"):
        state.pop("problem", None)
        state["step"] = "keeping"
        _start(api, state, "keep", wanted)
        st.rerun()
    if right.button(_("Not these"), width="stretch"):
        _reset(state)
        st.rerun()


def _say_what_was_kept(state: dict[str, Any]) -> None:
    """Say what was kept, and where it is to be seen from when on."""
    kept = state.get("kept")
    if kept is None:
        return
    with st.container(border=True):
        if kept.get("new_nights"):
            st.write(_("Kept: {nights} nights. Thank you.").format(nights=kept["new_nights"]))
        if kept.get("new_rates"):
            st.write(_("Kept: {rates} heart rates. Thank you.").format(rates=kept["new_rates"]))
        if kept["new_beats"]:
            st.write(_("Kept: {beats} heartbeats. Thank you.").format(beats=kept["new_beats"]))
        elif not kept.get("new_rates"):
            return
        age = datetime.now(UTC) - datetime.fromisoformat(kept["end"])
        span = next((name for name, days in SPANS.items() if age.days < days), None)
        if span is None:
            st.write(
                _(
                    "They are older than *My trend* goes back. They are in *My data*, to download, "
                    "and with your ratings of that time in *My link*."
                )
            )
            return
        if age.days < SPANS[USUAL_SPAN]:
            st.write(_("*My trend* shows them now."))
        else:
            st.write(_("*My trend* shows them now, where you choose {span}.").format(span=_(span)))
        st.write(_("*My link* counts them when you next open it, if you rated at that time."))
        page_link("trend", _("To my trend"))


def _reset(state: dict[str, Any]) -> None:
    spool = state.get("spool")
    state.clear()
    state["step"] = "choose"
    if spool is not None:
        spool.delete()


PAGE = Page(
    run=bring_in_page,
    title=N_("Bring in a file"),
    icon=":material/upload_file:",
    slug="files",
    roles={"patient"},
)
