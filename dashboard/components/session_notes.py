"""A therapist's notes of a meeting and the homework, stored as they are written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.i18n.formatting import format_time
from dashboard.i18n.language import _

_FIELDS = ("notes", "homework")


def render_session_notes(api: Any, sessions: list[dict[str, Any]]) -> None:
    """Render notes and homework of a meeting; what is written is stored when a field is left."""
    saved = {row["number"]: row for row in api.session_notes()}
    now = datetime.now(UTC)
    held = [s["number"] for s in sessions if datetime.fromisoformat(s["held"]) <= now]
    numbers = sorted({*(s["number"] for s in sessions), *saved, 1})
    number = st.selectbox(
        _("Meeting"), numbers, index=numbers.index(max(held)) if held else 0, key="notes-meeting"
    )
    place = f"{st.session_state.get('patient')}-{number}"
    row = saved.get(number, {"notes": "", "homework": "", "version": 0})
    versions = st.session_state.setdefault("notes-versions", {})
    versions.setdefault(place, row["version"])
    for name, label, hint in (
        ("notes", _("Notes, for you"), _("The patient does not see them.")),
        ("homework", _("Homework, which the patient sees"), _("It is on their programme page.")),
    ):
        st.text_area(
            label,
            row[name],
            key=f"{name}-{place}",
            help=hint,
            max_chars=5_000,
            on_change=_store,
            args=(api, number, place, dict(row)),
        )
    st.caption(
        st.session_state.get(f"notes-said-{place}") or _("Saved by itself when you leave a field.")
    )


def _store(api: Any, number: int, place: str, row: dict[str, Any]) -> None:
    """Store both fields in place of the version that was read. What another wrote meanwhile is not
    overwritten: what was written here stays in the field, to be copied.
    """
    texts = [str(st.session_state.get(f"{name}-{place}", row[name])) for name in _FIELDS]
    versions = st.session_state["notes-versions"]
    try:
        stored = api.put_session_notes(number, *texts, versions[place])
    except ApiError as error:
        st.session_state[f"notes-said-{place}"] = _("Not saved: {error}").format(error=error)
        return
    versions[place] = stored["version"]
    zone = datetime.fromisoformat(stored["changed"]).tzinfo
    st.session_state[f"notes-said-{place}"] = _("Saved at {time}.").format(
        time=format_time(datetime.now(zone))
    )
