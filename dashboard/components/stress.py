"""The stress index in words, the guided rest, and a usual that changed."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.client import ApiError
from dashboard.i18n.formatting import calmer_parts, date_field_format, format_day, format_time
from dashboard.i18n.language import N_, _
from dashboard.session import client, current_account

_REST = "seated_rest"
_REST_KIND = "seated rest"
_REST_S = 300
_DAYS = 7  # in which a day with a value is looked for
_REASONS = {
    "illness": N_("I was ill, or still am"),
    "new strap": N_("I have another strap"),
    "other": N_("Something else changed"),
}


def without_rests(practices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out guided rests, which are readings of the heart and no practice."""
    return [item for item in practices if item["kind"] != _REST_KIND]


def render_today_index() -> None:
    """Render how calm the heart was today, or when there will be something to say."""
    account = current_account()
    if account is None:
        return
    zone = ZoneInfo(account["zone"])
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight - timedelta(days=_DAYS - 1)
    try:
        heart = client().trend(begin, midnight + timedelta(days=1), 3600)
        baseline = client().stress_baseline()
    except ApiError:
        return
    render_worked_out_anew(baseline)
    if not heart["days"]:
        return
    known = [item for item in heart["days"] if item["stress_index"]["value"] is not None]
    if not known:
        _render_what_comes(heart["days"][-1], baseline)
        return
    today = known[-1]
    parts = calmer_parts(today["stress_index"])
    if today["day"] == midnight.date().isoformat():
        words = _(
            "Today your heart was calmer than at {share} of 100 of your usual moments at these "
            "hours ({low} to {high})."
        )
        st.write(words.format(**parts))
    else:
        words = _(
            "On {day} your heart was calmer than at {share} of 100 of your usual moments at these "
            "hours ({low} to {high})."
        )
        st.write(words.format(day=format_day(f"{today['day']}T12:00:00+00:00"), **parts))
    if (kind := by_heart_rate_only(today["stress_index"])) is not None:
        st.caption(kind)
    rest = today["rest"]
    if rest is not None and rest["value"] is not None:
        st.write(
            _(
                "While you sat still it was calmer than at {share} of 100 of your usual moments at "
                "this hour ({low} to {high})."
            ).format(**calmer_parts(rest))
        )
    st.caption(
        _(
            "50 is usual. It is about the heart, not about how you feel: food, sleep, illness, "
            "talking and medicines move it, too."
        )
    )
    _render_hours(heart["buckets"], today["day"], zone)


def by_heart_rate_only(index: dict[str, Any]) -> str | None:
    """Say how much of an index is by a device's own heart rate; None where nothing is."""
    share = index["reported_share"]
    if not share:
        return None
    if share > 0.995:
        return _(
            "By heart rate only: the device sent no times between beats. Its interval is wider."
        )
    return _(
        "{percent} of it by heart rate only, where the device sent no times between beats."
    ).format(percent=f"{max(share, 0.01):.0%}")


def _render_hours(buckets: list[dict[str, Any]], day: str, zone: ZoneInfo) -> None:
    """Render the hours of a day that have a value, each with its interval."""
    rows = []
    for item in buckets:
        start = datetime.fromisoformat(item["start"]).astimezone(zone)
        if start.date().isoformat() != day or item["stress_index"]["value"] is None:
            continue
        parts = calmer_parts(item["stress_index"])
        rows.append(
            {
                _("From"): format_time(start),
                _("Calmer than, of 100 usual moments"): parts["share"],
                _("95% interval"): _("{low} to {high}").format(**parts),
            }
        )
    if rows:
        with st.expander(_("Hour by hour")):
            st.table(pd.DataFrame(rows).set_index(_("From")))


def _render_what_comes(today: dict[str, Any], baseline: dict[str, Any]) -> None:
    """Say what is coming and when; nothing where no heartbeats come at all."""
    left = baseline["min_days"] - baseline["worn_days"]
    if left > 0 and (baseline["worn_days"] or today["stress_index"]["known_share"]):
        st.caption(
            _(
                "From your third day with the strap this says how calm your heart is beside your "
                "usual at the same hour. Days so far: {days}."
            ).format(days=baseline["worn_days"])
        )


def render_worked_out_anew(baseline: dict[str, Any]) -> None:
    """Say once that earlier values are not what they were."""
    if not baseline["worked_out_anew"]:
        return
    st.info(
        _(
            "The way in which the stress index is worked out has changed. The values of yesterday "
            "and before were worked out anew, and may differ from what you saw."
        )
    )
    try:
        client().see_stress_baseline()
    except ApiError:
        return  # said again next time


def render_usual_changed() -> None:
    """Render the days on which the usual began anew, and a form to add one."""
    api = client()
    try:
        baseline = api.stress_baseline()
    except ApiError:
        return
    with st.expander(_("My usual changed")):
        st.write(
            _(
                "After an illness, or with another strap, your heart may not be comparable with "
                "before. From the day that you choose, your usual is learnt anew; after two days "
                "there are values again. Days before it stay as they are."
            )
        )
        with st.form("usual_changed", border=False):
            day = st.date_input(
                _("From"), value="today", max_value="today", format=date_field_format()
            )
            reason = st.selectbox(
                _("Why"), list(_REASONS), format_func=lambda name: _(_REASONS[name])
            )
            if st.form_submit_button(_("Learn my usual anew")) and isinstance(day, date):
                _change(lambda: api.start_stress_baseline(day.isoformat(), reason))
        for start in baseline["starts"]:
            words, button = st.columns([3, 1], vertical_alignment="center")
            words.write(
                _("Anew from {day}: {reason}").format(
                    day=format_day(f"{start['day']}T12:00:00+00:00"),
                    reason=_(_REASONS[start["reason"]]),
                )
            )
            if button.button(
                _("Remove"), key=f"usual-{start['day']}", help=_("As if it had not changed then")
            ):
                _change(lambda day=start["day"]: api.delete_stress_baseline(day))


def _change(change: Any) -> None:
    try:
        change()
    except ApiError as error:
        st.warning(str(error))
        return
    st.rerun()


def render_seated_rest() -> None:
    """Render the offer of five minutes of sitting still, or how long they still last."""
    began: datetime | None = st.session_state.get(_REST)
    if began is None:
        if _has_rested_today():
            return
        with st.container(border=True):
            st.write(
                _(
                    "Five minutes of sitting still give the clearest reading of the day. Sit, "
                    "breathe as you like."
                )
            )
            if st.button(_("Sit for five minutes"), key="rest_begin"):
                st.session_state[_REST] = datetime.now(UTC)
                st.rerun()
        return
    _render_resting(began)


@st.fragment(run_every=5)
def _render_resting(began: datetime) -> None:
    left = _REST_S - (datetime.now(UTC) - began).total_seconds()
    with st.container(border=True):
        if left > 0:
            words = _("Sit, breathe as you like. About {minutes} min left.")
            st.write(words.format(minutes=-(-int(left) // 60)))
            if st.button(_("End"), key="rest_end", help=_("Nothing is stored then")):
                del st.session_state[_REST]
                st.rerun()
            return
    del st.session_state[_REST]
    end = began + timedelta(seconds=_REST_S)
    rest = {"kind": _REST_KIND, "start": began.isoformat(), "end": end.isoformat()}
    try:
        client().put_practice(str(uuid.uuid4()), rest)
    except ApiError as error:
        st.warning(str(error))
        return
    st.rerun()


def _has_rested_today() -> bool:
    account = current_account()
    if account is None:
        return True
    zone = ZoneInfo(account["zone"])
    today = datetime.now(zone).date()
    try:
        practices = client().practices()
    except ApiError:
        return True
    return any(
        item["kind"] == _REST_KIND
        and datetime.fromisoformat(item["start"]).astimezone(zone).date() == today
        for item in practices
    )
