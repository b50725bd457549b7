"""The files that were brought in, each of which can be taken out whole."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.nights import group_nights
from dashboard.components.plain import escape_markdown
from dashboard.i18n.formatting import format_long_day, format_time
from dashboard.i18n.language import _
from dashboard.session import to_own_clock

_ASKED = "take_out"  # keys in Streamlit's session state
_TAKEN_OUT = "taken_out"
_ALL = "brought_in_all"
_SHOWN = 10
# A stream of a file is named after it: "night.csv (RR intervals)", "Watch (Apple Health)".
_SOURCE = re.compile(r"(?P<file>.+) \((?P<kind>[^()]+)\)", re.DOTALL)
_HEALTH = "Apple Health"
_SEVERAL = ("Polar JSON", "Polar JSON, PPI")  # one file holds several recordings


def group_imports(streams: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join the recordings of each file that was brought in; the newest recording first.

    The store has no file, but the name of each recording: all of Apple Health's are one import,
    since each export holds those before. Of other formats a file is one recording, but for Polar's,
    where the name of the file joins them.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for stream in streams:
        found = _SOURCE.fullmatch(stream["source"])
        kind = "" if found is None else found["kind"]
        if stream["origin"] != "file" and not (
            stream["origin"] == "pulse" and kind.endswith(", PPI")
        ):
            continue
        if kind == _HEALTH:
            groups[kind, ""].append(stream)
        elif kind in _SEVERAL:
            groups[stream["source"], ""].append(stream)
        else:
            groups[stream["source"], stream["id"]].append(stream)
    return sorted((_join(group) for group in groups.values()), key=lambda one: one["end"] or "")[
        ::-1
    ]


def _join(streams: list[dict[str, Any]]) -> dict[str, Any]:
    sources = [_SOURCE.fullmatch(stream["source"]) for stream in streams]
    name, kind = streams[0]["source"], ""
    if sources[0] is not None:
        name, kind = sources[0]["file"], sources[0]["kind"]
    if kind == _HEALTH:
        name, kind = _HEALTH, ", ".join(sorted({one["file"] for one in sources if one is not None}))
    begins = [stream["first_beat"] for stream in streams if stream["first_beat"] is not None]
    ends = [stream["last_beat"] for stream in streams if stream["last_beat"] is not None]
    return {
        "key": min(stream["id"] for stream in streams),
        "ids": [stream["id"] for stream in streams],
        "name": name,
        "kind": kind.removesuffix(", PPI"),
        "begin": min(begins, default=None),
        "end": max(ends, default=None),
        "beats": sum(stream["beats"] for stream in streams),
        "rates": sum(stream.get("rates", 0) for stream in streams),
    }


def render_brought_in(api: Any) -> None:
    """Render the list, with a button each that asks once and takes the file out."""
    imports = _imported_nights(api) + group_imports(api.streams()["streams"])
    taken_out = st.session_state.pop(_TAKEN_OUT, None)
    if not imports and taken_out is None:
        return
    st.subheader(_("Brought in"))
    if taken_out is not None:
        st.success(
            _("{name} is taken out. You can bring it in again.").format(
                name=escape_markdown(taken_out)
            )
        )
    shown = imports if st.session_state.get(_ALL) else imports[:_SHOWN]
    for item in shown:
        _render_import(api, item)
    if len(shown) < len(imports) and st.button(
        _("Show all {count}").format(count=len(imports)), type="tertiary"
    ):
        st.session_state[_ALL] = True
        st.rerun()


def _imported_nights(api: Any) -> list[dict[str, Any]]:
    """All nights of a source are one entry: each export holds those before."""
    return [
        item
        | {
            "key": f"nights-{item['source']}",
            "name": item["source"],
            "kind": _("nights, all of them"),
        }
        for item in group_nights(api.night_list())
    ]


def _render_import(api: Any, item: dict[str, Any]) -> None:
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        name = escape_markdown(item["name"])
        kind = f" ({escape_markdown(item['kind'])})" if item["kind"] else ""
        left.markdown(f"**{name}**{kind}")
        # Escaped: a German date, "3. März", would else begin a list.
        left.caption(escape_markdown(_describe(item)))
        if st.session_state.get(_ASKED) != item["key"]:
            if right.button(_("Take out"), key=f"out-{item['key']}", width="stretch"):
                st.session_state[_ASKED] = item["key"]
                st.rerun()
            return
        st.write(
            _(
                "Take it out of Ebbtide, with all that was computed from it? The file on your own "
                "computer stays."
            )
        )
        yes, no = st.columns(2)
        if yes.button(
            _("Yes, take it out"), key=f"yes-{item['key']}", type="primary", width="stretch"
        ):
            _take_out(api, item)
        if no.button(_("Leave it"), key=f"no-{item['key']}", width="stretch"):
            del st.session_state[_ASKED]
            st.rerun()


def _describe(item: dict[str, Any]) -> str:
    if "nights" in item:
        return _("{count} nights, {first} to {last}").format(
            count=item["nights"],
            first=format_long_day(f"{item['first']}T12:00"),
            last=format_long_day(f"{item['last']}T12:00"),
        )
    if item["begin"] is None:
        return _("without heartbeats")
    begin, end = (to_own_clock(item[key]) for key in ("begin", "end"))
    if item.get("rates") and not item["beats"]:
        return _("{day}, {begin} to {end_day}, {end}, {rates} heart rates").format(
            day=format_long_day(begin),
            begin=format_time(begin),
            end_day=format_long_day(end),
            end=format_time(end),
            rates=item["rates"],
        )
    words = _("{day}, {begin} to {end}, {beats} heartbeats")
    if format_long_day(begin) != format_long_day(end):
        words = _("{day}, {begin} to {end_day}, {end}, {beats} heartbeats")
    return words.format(
        day=format_long_day(begin),
        begin=format_time(begin),
        end_day=format_long_day(end),
        end=format_time(end),
        beats=item["beats"],
    )


def _take_out(api: Any, item: dict[str, Any]) -> None:
    """Remove every recording of the file. One that is gone already is no failure."""
    for remove in (
        [partial(api.remove_nights, item["source"])]
        if "nights" in item
        else [partial(api.remove_stream, stream_id) for stream_id in item["ids"]]
    ):
        try:
            remove()
        except ApiError as error:
            if error.status not in (404, 410):
                raise
    st.session_state.pop(_ASKED, None)
    st.session_state[_TAKEN_OUT] = item["name"]
    st.rerun()
