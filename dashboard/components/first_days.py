"""The first days as a path: what is there, what comes next, and when there is a first answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard.client import ApiError
from dashboard.i18n.formatting import format_day
from dashboard.i18n.language import _
from dashboard.session import client

_OVER = "first_days_over"  # key in the session: not asked again


def load_first_days() -> dict[str, Any] | None:
    """Load how far the first days are; None where that cannot be said now."""
    over: dict[str, Any] | None = st.session_state.get(_OVER)
    if over is not None:
        return over
    try:
        days = client().first_days()
    except ApiError:
        return None
    if days["is_over"]:
        st.session_state[_OVER] = days
    return days


def render_first_days(days: dict[str, Any]) -> None:
    """Render the path; nothing once there is enough."""
    if days["is_over"]:
        return
    with st.container(border=True):
        title = _("Your first days")
        st.markdown(f"**{title}**")
        steps = _rating_steps(days) + _heart_steps(days)
        now = next((k for k, (is_done, _words) in enumerate(steps) if not is_done), len(steps))
        lines = []
        for k, (is_done, words) in enumerate(steps):
            mark = _("Done") if is_done else _("Now") if k == now else _("Then")
            icon = ":material/check_circle:" if is_done else ":material/radio_button_unchecked:"
            lines.append(f"{icon} {mark}: {words}")
        st.markdown("  \n".join(lines))
        st.caption(_outlook(days))


def _rating_steps(days: dict[str, Any]) -> list[tuple[bool, str]]:
    enough = days["ratings"] >= days["min_ratings"]
    words = (
        _("{ratings} of {min_ratings} pairs: pain and stress, half an hour to four hours apart")
        if days["asked_apart"]
        else _("{ratings} of {min_ratings} ratings of pain and stress")
    )
    counted = words.format(
        ratings=min(days["ratings"], days["min_ratings"]), min_ratings=days["min_ratings"]
    )
    week = _("ratings over {min_days} days").format(min_days=days["min_days"])
    if 0 < days["days"] < days["min_days"]:  # whole days since the first rating
        week = _("ratings over {min_days} days, {days} so far").format(
            min_days=days["min_days"], days=days["days"]
        )
    return [
        (days["rated"] > 0, _("your first rating")),
        (days["days"] >= days["min_days"], week),
        (enough, counted),
        (days["has_answer"], _("a first answer on *My link*")),
    ]


def _heart_steps(days: dict[str, Any]) -> list[tuple[bool, str]]:
    """Return the steps of who has a strap, or a device that sends heart rates; nobody else is
    waited for to have one.
    """
    if days["heart"] == "rates":
        return _rate_only_steps(days)
    if days["heart"] != "strap":
        return []
    usual = _("{heart_days} of {min_heart_days} days with heartbeats, to learn your usual").format(
        heart_days=min(days["heart_days"], days["min_heart_days"]),
        min_heart_days=days["min_heart_days"],
    )
    return [
        (True, _("your first heartbeats")),
        (days["has_night"], _("a night with the strap, if you like")),
        (days["heart_days"] >= days["min_heart_days"], usual),
    ]


def _rate_only_steps(days: dict[str, Any]) -> list[tuple[bool, str]]:
    """Return the steps of whose device sends no heartbeats: no night, from which no HRV comes."""
    usual = _(
        "{heart_days} of {min_heart_days} days with a heart rate, to learn your usual"
    ).format(
        heart_days=min(days["heart_days"], days["min_heart_days"]),
        min_heart_days=days["min_heart_days"],
    )
    return [
        (True, _("your first heart rates")),
        (days["heart_days"] >= days["min_heart_days"], usual),
    ]


def _outlook(days: dict[str, Any]) -> str:
    words = []
    if days["answer_from"] is not None:
        words.append(
            _("At your pace there is a first answer around {day}.").format(
                day=format_day(datetime.fromisoformat(days["answer_from"]))
            )
        )
    elif not days["has_answer"] and days["asked_apart"]:
        words.append(
            _(
                "Two questions a day make one pair. With them that takes about {number} days."
            ).format(number=max(days["min_ratings"] - days["ratings"], 1))
        )
    elif not days["has_answer"]:
        words.append(
            _("With two ratings a day that takes about {number} days.").format(
                number=max(-(-(days["min_ratings"] - days["ratings"]) // 2), 1)
            )
        )
    words.append(_("There is no hurry. Days without a rating are fine and take nothing away."))
    if days["heart"] == "none":
        words.append(
            _(
                "Pain and stress need nothing but your ratings. A file of a watch, or a strap, can "
                "come any day."
            )
        )
    elif days["heart"] == "file":
        words.append(_("Heartbeats come from your files: bring in the next one when you like."))
    elif days["heart"] == "rates":
        words.append(
            _(
                "Your device sends a heart rate, but not each heartbeat. The stress index can "
                "use it, with a wider range. HRV cannot be computed from it."
            )
        )
    elif days["heart"] == "file of rates":
        words.append(
            _(
                "Your files have a heart rate, but not each heartbeat. The stress index can "
                "use it, with a wider range. HRV cannot be computed from it."
            )
        )
    return " ".join(words)
