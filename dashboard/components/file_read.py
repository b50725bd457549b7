"""What was read of one file, and the questions that only its owner can answer."""

from __future__ import annotations

import re
from datetime import datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from dashboard.components.plain import escape_markdown
from dashboard.i18n.formatting import (
    date_field_format,
    format_day_and_time,
    format_long_day,
    format_number,
    format_time,
)
from dashboard.i18n.language import N_, _
from dashboard.i18n.reading_texts import say_of_file
from dashboard.session import current_account

_UNITS = {
    "ms": N_("milliseconds"),
    "s": N_("seconds"),
    "us": N_("microseconds"),
    "1/min": N_("beats a minute"),
}
# How much a beat at 75 a minute is, which tells a person the unit of the numbers in their file.
_USUAL = {"ms": 800, "s": 0.8, "us": 800_000, "1/1024": 820, "1/256": 205, "1/100": 80}
_OTHER_UNITS = ("1/1024", "1/256")
_SAMPLING_RATES = (128, 130, 250, 256, 500, 512, 1000)
_QUANTITIES = {
    "RR": N_("time from beat to beat"),
    "PPI": N_("time from pulse to pulse, of an optical sensor"),
    "heart rate": N_("heart rate, without times between beats"),
}
_QUESTIONS = {
    "column": N_("Which column has the time from one heartbeat to the next?"),
    "unit": N_("What is it counted in?"),
    "decimal": N_("What is the comma?"),
    "zone": N_("In which time zone was it recorded?"),
    "start": N_("When did it begin?"),
}
_DECIMALS = {
    ",": N_("a decimal sign, as in 0,8"),
    ".": N_("the border of two columns"),
}


def is_keepable(file: dict[str, Any]) -> bool:
    """Whether a file has heartbeats or nights that are new, and nothing about it is open."""
    is_other = file["same"] is None or file["item"]["again"]
    return file["what"] is None and is_new(file) and is_other


def is_new(file: dict[str, Any]) -> bool:
    """Whether the store lacks some of it."""
    return bool(file["new_beats"] or file.get("new_nights"))


def render_read_file(file: dict[str, Any], *, is_folded: bool) -> dict[str, str] | None:
    """Render one file; return what its owner has chosen, where it is to be read again."""
    name = escape_markdown(file["item"]["name"])
    if is_folded:
        with st.expander(f"{name}: {_summary(file)}"):
            return _render(file)
    with st.container(border=True):
        st.markdown(f"**{name}**")
        return _render(file)


def _summary(file: dict[str, Any]) -> str:
    if file["what"] is not None:
        is_question = file["asks"] and not file["shows_remedy"]
        return _("a question") if is_question else _("not read")
    if not is_new(file):
        return _("here already")
    if file.get("rates") and not file["beats"]:
        return _("{rates} heart rates").format(rates=file["rates"])
    if not file["beats"]:
        return _("{nights} nights").format(nights=file["nights"])
    return _("{beats} heartbeats").format(beats=file["beats"])


def _render(file: dict[str, Any]) -> dict[str, str] | None:
    if file["what"] is not None:
        st.write(escape_markdown(file["what"]))
        if file["shows_remedy"]:
            st.write(escape_markdown(file["remedy"] or ""))
        if not file["asks"]:
            return None
        return _ask(file, file["asks"], is_optional=file["shows_remedy"])
    st.markdown(_table(file))
    for words in (*file["notes"], *file["problems"]):
        st.caption(escape_markdown(say_of_file(words)))
    if file["problem_count"] > len(file["problems"]):
        more = file["problem_count"] - len(file["problems"])
        st.caption(_("... and {count} more.").format(count=more))
    if not is_new(file):
        st.write(
            _("These heartbeats are here already.")
            if file["beats"]
            else _("These heart rates are here already.")
            if file.get("rates")
            else _("These nights are here already.")
        )
        return None
    if file["same"] is not None:
        st.write(escape_markdown(file["same"]))
        file["item"]["again"] = st.checkbox(
            _("It is another recording: keep it as well"), key=f"again-{file['item']['path']}"
        )
    with st.expander(_("Something is not right")):
        st.caption(_("Change what is wrong, and it is read again. The rest may stay empty."))
        return _ask(file, {name: () for name in _QUESTIONS}, is_optional=True)


def _table(file: dict[str, Any]) -> str:
    """What was read as what, as a table of two columns, which a narrow screen holds too."""
    zone = ZoneInfo(file["zone"])
    begin, end = (datetime.fromisoformat(file[key]).astimezone(zone) for key in ("begin", "end"))
    read_as = file["read_as"]
    rows = [(_("Kind of file"), file["format"])]
    if read_as is not None:
        quantity = _QUANTITIES.get(read_as["quantity"])
        what = read_as["quantity"] if quantity is None else _(quantity)
        rows += [
            (_("Column"), _("{column}: {what}").format(column=read_as["column"], what=what)),
            (_("Counted in"), _describe_unit(read_as["unit"])),
        ]
    rows.append((_("Time zone"), file["zone"].replace("_", " ")))
    if file["beats"]:
        rows += [
            (_("First heartbeat"), f"{format_long_day(begin)}, {format_time(begin)}"),
            (_("Last heartbeat"), f"{format_long_day(end)}, {format_time(end)}"),
            (_("Heartbeats"), str(file["beats"])),
        ]
    elif file.get("rates"):
        rows += [
            (_("First heart rate"), f"{format_long_day(begin)}, {format_time(begin)}"),
            (_("Last heart rate"), f"{format_long_day(end)}, {format_time(end)}"),
            (_("Heart rates"), str(file["rates"])),
        ]
    if file.get("nights"):
        rows += _night_rows(file, begin, end)
    if 0 < file["new_beats"] < file["beats"]:
        rows.append((_("New of these"), str(file["new_beats"])))
    if file["devices"] > 1:
        rows.append((_("Recordings"), str(file["devices"])))
    read, read_as_words = _("Read"), _("as")
    lines = [f"| {read} | {read_as_words} |", "| --- | --- |"]
    lines += [f"| {escape_markdown(left)} | {escape_markdown(right)} |" for left, right in rows]
    return "\n".join(lines)


def _night_rows(file: dict[str, Any], begin: datetime, end: datetime) -> list[tuple[str, str]]:
    """What is known of nights: how many, from when to when where there are no heartbeats."""
    rows = [(_("Nights"), str(file["nights"]))]
    if not file["beats"]:
        rows += [
            (_("First night, from"), f"{format_long_day(begin)}, {format_time(begin)}"),
            (_("Last night, to"), f"{format_long_day(end)}, {format_time(end)}"),
        ]
    if file["unworn_nights"]:
        rows.append((_("Not worn or not measured"), str(file["unworn_nights"])))
    if 0 < file["new_nights"] < file["nights"]:
        rows.append((_("Nights that are new"), str(file["new_nights"])))
    return rows


def _describe_unit(unit: str) -> str:
    if unit in _UNITS:
        return _(_UNITS[unit])
    rate = re.fullmatch(r"samples@(\d+(?:\.\d+)?)", unit)
    if rate is not None:
        return _("samples of an ECG, {rate} a second").format(rate=rate[1])
    return _("{part} of a second").format(part=unit)


def _describe_unit_usually(unit: str) -> str:
    words, usual = _describe_unit(unit), _USUAL.get(unit)
    if usual is None:
        return words
    return _("{unit} (numbers around {usual})").format(
        unit=words, usual=format_number(usual, 1 if usual < 1 else 0)
    )


def _ask(
    file: dict[str, Any], asks: dict[str, Any], *, is_optional: bool = False
) -> dict[str, str] | None:
    """Ask in words; return all that was chosen of the file by now, once it is to be read again."""
    path = file["item"]["path"]
    given: dict[str, str] = dict(file["item"]["choice"])
    with st.form(f"choose-{path}", border=False):
        for name in _QUESTIONS:
            if name in asks:
                answer = _render_question(name, tuple(asks[name]), path, is_optional=is_optional)
                if answer:
                    given[name] = answer
        is_sent = st.form_submit_button(_("Read it again") if is_optional else _("Go on"))
    if not is_sent:
        return None
    if given == file["item"]["choice"]:
        st.write(_("Please choose one first."))
        return None
    return given


def _render_question(
    name: str, readings: tuple[str, ...], path: str, *, is_optional: bool
) -> str | None:
    """Render one question; None where it was left open."""
    question, key = _(_QUESTIONS[name]), f"{name}-{path}"
    if name == "start" and not readings:
        return _ask_start(question, key)
    if name == "unit":
        every = (*_UNITS, *_OTHER_UNITS, *(f"samples@{rate}" for rate in _SAMPLING_RATES))
        return _select(question, readings, every, _describe_unit_usually, key)
    if name == "decimal":
        return _select(question, readings, tuple(_DECIMALS), _describe_decimal, key)
    if name == "zone":
        account = current_account() or {}
        zones = _zones()
        index = None if is_optional else zones.index(account.get("zone", "UTC"))
        chosen: str | None = st.selectbox(question, zones, index=index, key=key, placeholder="")
        return chosen
    if name == "start":
        return _select(question, readings, (), _describe_moment, key)
    if readings:
        return _select(question, readings, (), str, key)
    return st.text_input(question, key=key, placeholder=_("its name, or its number from the left"))


def _select(
    question: str, readings: tuple[str, ...], every: tuple[str, ...], describe: Any, key: str
) -> str | None:
    """A choice between the readings there are, of which none is taken for granted."""
    chosen: str | None
    if 0 < len(readings) <= 4:
        chosen = st.radio(question, readings, index=None, format_func=describe, key=key)
    else:
        options = readings or every
        chosen = st.selectbox(
            question, options, index=None, format_func=describe, key=key, placeholder=""
        )
    return chosen


def _ask_start(question: str, key: str) -> str | None:
    left, right = st.columns(2)
    day = left.date_input(
        question, value=None, key=f"day-{key}", max_value="today", format=date_field_format()
    )
    moment: time | None = right.time_input(_("At"), value=None, key=f"time-{key}", step=60)
    if day is None or moment is None:
        return None
    return datetime.combine(day, moment).isoformat()


def _describe_decimal(mark: str) -> str:
    return _(_DECIMALS[mark])


def _describe_moment(text: str) -> str:
    return format_day_and_time(text)


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
