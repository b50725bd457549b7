"""Prompts as a calendar with alarms (RFC 5545), for people who want nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.programme.prompt_plan import draw_day, local_date, offer_times
from api.services.offers.moments import times_on
from api.services.offers.plans import load_active
from api.services.reminders.turn import plan_of
from api.services.reminders.ways import NEUTRAL_TEXT, WORDS_TEXTS
from ebbtide._lazy import lazy_module
from ebbtide.i18n import translator
from ebbtide.timestamps import MINUTE, to_datetime
from store import Stores
from store.models import ReminderPlan

if TYPE_CHECKING:
    import icalendar
else:
    icalendar = lazy_module("icalendar")

DAYS_AHEAD = 60
_LASTS = timedelta(minutes=5)


def calendar_of(
    stores: Stores, plan: ReminderPlan, address: str | None = None, days: int = DAYS_AHEAD
) -> bytes:
    """The moments of a plan from today on, the same that the service draws; times in UTC, which
    every calendar shows by the clock of where it is. ``address``: of the page to answer on.
    """
    now = stores.now()
    person = stores.records.person(plan.person_id)
    _ = translator("" if person is None else person.language)
    found = icalendar.Calendar()
    found.add("prodid", "-//Ebbtide//Reminders//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", "Ebbtide")
    found.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    if not plan.enabled:
        return bytes(found.to_ical())
    wished, zone = plan_of(plan), plan.zone
    sessions = tuple(
        local_date(item.held_ns, zone) for item in stores.records.sessions(plan.person_id)
    )
    offers = load_active(stores, plan.person_id)
    today = local_date(now, zone)
    for offset in range(days):
        day = today + timedelta(days=offset)
        times = times_on(offers, day)
        drawn = draw_day(wished, day, zone, f"{plan.seed}/v{plan.version}", sessions, times)
        for item in (*drawn, *offer_times(wished, times, day, zone)):
            if item.at_ns < max(plan.changed_ns, now - wished.window_min * MINUTE):
                continue
            event = icalendar.Event()
            event.add("uid", f"{day.isoformat()}-{item.slot}-v{plan.version}@ebbtide")
            event.add("dtstamp", to_datetime(plan.changed_ns))
            event.add("dtstart", to_datetime(item.at_ns))
            event.add("duration", _LASTS)
            event.add("summary", _(WORDS_TEXTS[item.asks] if plan.shows_words else NEUTRAL_TEXT))
            event.add("transp", "TRANSPARENT")
            event.add("class", "PRIVATE")
            if address is not None:
                event.add("url", address)
            alarm = icalendar.Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", _(NEUTRAL_TEXT))
            alarm.add("trigger", timedelta(0))
            event.add_component(alarm)
            found.add_component(event)
    return bytes(found.to_ical())
