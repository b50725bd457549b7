"""Reminders: to be asked at moments of the day, in hours that suit, by ways that suit."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.client import ApiError
from dashboard.components.prompt import render_compliance, weekday_names
from dashboard.i18n.formatting import date_field_format, format_long_day, format_time, format_zone
from dashboard.i18n.language import N_, _
from dashboard.page_shell import Page, page_link
from dashboard.session import client


def reminders_page() -> None:
    """Render whether to be reminded, when, how, and how many prompts were answered."""
    st.title(_("Reminders"))
    api = client()
    found = api.reminders()
    if not found["enabled"]:
        _render_begin(api, found)
        return
    _render_now(api, found)
    _render_proposal(api, found)
    st.subheader(_("When"))
    _render_when(api, found)
    st.subheader(_("How"))
    _render_how(api, found)
    with st.expander(_("How it went")):
        render_compliance(found["compliance"], is_own=True)
    st.divider()
    page_link("offers", _("Practice by lot: what does a practice do for me?"))
    if st.button(_("End reminders")):
        _change(api, enabled=False)


def _render_begin(api: Any, found: dict[str, Any]) -> None:
    st.write(
        _(
            "You can be asked at random moments of the day how it is. That tells more than ratings "
            "on hard days alone: 56 ratings give half a chance of seeing a connection that is "
            "there, 112 give four in five."
        )
    )
    st.write(
        _(
            "Never at night, never within an hour of the last one, and any can be left out. "
            "A notification says nothing of pain."
        )
    )
    if st.button(_("Remind me"), type="primary", width="stretch"):
        # Reminders that were ended, or a programme without ratings, begin with two a day.
        a_day = found["random_a_day"] + len(found["fixed_min"])
        _change(api, enabled=True, **({} if a_day else {"random_a_day": 2}))


def _render_now(api: Any, found: dict[str, Any]) -> None:
    today = datetime.now(ZoneInfo(found["zone"])).date()
    pauses = [
        (date.fromisoformat(item["first"]), date.fromisoformat(item["last"]))
        for item in found["pauses"]
    ]
    now = [last for first, last in pauses if first <= today <= last]
    a_day = found["random_a_day"] + len(found["fixed_min"])
    if now:
        st.info(_("A pause until {day}.").format(day=format_long_day(_noon(max(now)))))
        if st.button(_("Go on today"), width="stretch"):
            _pause(api, 0)
        return
    st.write(
        _("On: {count} a day, by the clock of {zone}.").format(
            count=a_day, zone=format_zone(found["zone"])
        )
    )
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    if left.button(_("Not today"), width="stretch"):
        _pause(api, 1)
    with right.popover(_("Holidays"), width="stretch"):
        until = st.date_input(
            _("No questions until"),
            today + timedelta(days=7),
            min_value=today,
            format=date_field_format(),
        )
        if st.button(_("Pause")):
            _pause(api, (until - today).days + 1)


def _render_proposal(api: Any, found: dict[str, Any]) -> None:
    burst = found["burst"]
    if burst is None:
        return
    with st.container(border=True):
        words = _(
            "Your therapist proposes {count} questions a day from {days} days before a meeting to "
            "as many after it."
        )
        st.write(words.format(count=burst["a_day"], days=burst["days"]))
        if burst["agreed"]:
            st.caption(_("You agreed. You can change your mind at any time."))
            if st.button(_("No more of these")):
                _change(api, burst_agreed=False)
        elif st.button(_("I agree")):
            _change(api, burst_agreed=True)


def _render_when(api: Any, found: dict[str, Any]) -> None:
    with st.form("when", border=False):
        random_a_day = st.slider(_("At random moments, a day"), 0, 6, found["random_a_day"])
        fixed = st.multiselect(
            _("At fixed times, a day"),
            list(range(420, 1320, 30)),
            [minute for minute in found["fixed_min"] if minute % 30 == 0],
            format_func=_clock,
            placeholder=_("Choose"),
        )
        hours = []
        with st.expander(_("Hours of each weekday")):
            # A day at a time: seven below each other fill three screens of a phone.
            days = zip(
                st.tabs(weekday_names("abbreviated")), weekday_names(), found["hours"], strict=True
            )
            for tab, name, item in days:
                start, end = (540, 1200) if item is None else (item["start_min"], item["end_min"])
                with tab:
                    chosen = st.slider(
                        name,
                        time(7, 0),
                        time(21, 59),
                        (_as_time(start), _as_time(end)),
                        step=timedelta(minutes=30),
                        format="HH:mm",
                    )
                    is_on = st.checkbox(
                        _("Questions on {day}").format(day=name),
                        item is not None,
                        key=f"on-{name}",
                    )
                hours.append(
                    {"start_min": _as_minutes(chosen[0]), "end_min": _as_minutes(chosen[1])}
                    if is_on
                    else None
                )
        follow_up = st.checkbox(
            _("Also 20 minutes after a practice"), found["follow_up_min"] is not None
        )
        by_heart = st.checkbox(
            _("Also when my heart is faster than usual at that hour, or calm after a practice"),
            found["by_heart"],
            help=_(
                "At most twice a day, beside the random questions, while you wear a strap. These "
                "ratings are kept and shown. The answer leaves them out: your heart chose them, so "
                "they are not like the others."
            ),
        )
        asks_apart = st.checkbox(
            _("Ask for pain and stress at different moments"),
            found["asks_apart"],
            help=_(
                "Of two random questions one asks for pain and the other, one to three hours "
                "away, for stress. A draw decides which comes first. A habit of one moment then "
                "cannot look like a connection. An answer takes longer that way."
            ),
        )
        if st.form_submit_button(_("Keep")):
            _change(
                api,
                random_a_day=random_a_day,
                fixed_min=sorted(fixed),
                hours=hours,
                follow_up_min=20 if follow_up else 0,
                by_heart=by_heart,
                asks_apart=asks_apart,
            )
    st.caption(
        _("Each question can be answered for {minutes} minutes, and put off once.").format(
            minutes=found["window_min"]
        )
    )


def _render_how(api: Any, found: dict[str, Any]) -> None:
    if found["browsers"]:
        names = ", ".join(item["name"] for item in found["browsers"])
        st.write(_("Notifications: {names}.").format(names=names))
    else:
        st.write(
            _("Notifications: open the app on your phone (My devices), and there More, Remind me.")
        )
    if "mail" in found["ways"]:
        mail = st.toggle(
            _("By mail, with a link for one answer that needs no password"), found["mail"]
        )
        if mail != found["mail"]:
            _change(api, mail=mail)
    if "desktop" in found["ways"]:
        desktop = st.toggle(_("On the screen of this computer"), found["desktop"])
        if desktop != found["desktop"]:
            _change(api, desktop=desktop)
    words = st.toggle(_("Notifications may say what they are about"), found["shows_words"])
    if words != found["shows_words"]:
        _change(api, shows_words=words)
    with st.expander(_("In my calendar")):
        path = st.session_state.pop("calendar_path", None)
        if path is not None:
            st.write(
                _("Subscribe to this address in your calendar. Whoever has it sees the times.")
            )
            st.code(str(api.url).rstrip("/") + path, wrap_lines=True)
        if st.button(_("New address") if found["has_calendar"] else _("Make an address")):
            st.session_state["calendar_path"] = api.new_calendar()
            st.rerun()
        if found["has_calendar"] and st.button(_("End the address")):
            api.end_calendar()
            st.rerun()


def _change(api: Any, **changes: Any) -> None:
    try:
        api.put_reminders(**changes)
    except ApiError as error:
        st.warning(str(error))
        return
    st.rerun()


def _pause(api: Any, days: int) -> None:
    api.pause_reminders(days)
    st.rerun()


def _clock(minute: int) -> str:
    return format_time(datetime.combine(date.min, time(minute // 60, minute % 60)))


def _as_time(minute: int) -> time:
    return time(21, 59) if minute >= 1320 else time(minute // 60, minute % 60)


def _as_minutes(moment: time) -> int:
    minute = moment.hour * 60 + moment.minute
    return 1320 if minute >= 1319 else minute


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12, 0))


PAGE = Page(
    run=reminders_page,
    title=N_("Reminders"),
    icon=":material/notifications:",
    slug="reminders",
    roles={"patient"},
)
