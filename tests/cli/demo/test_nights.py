"""The sample patient's nights: stored for one person, named as simulated, with gaps."""

from __future__ import annotations

from datetime import date

import numpy as np

from api.services.nights import find_gaps
from cli.demo.clinic import ZONE, add_accounts, fill_records, last_day
from cli.demo.courses import COURSES, generate_days
from cli.demo.nights import SOURCE, generate_nights
from ebbtide.nights import local_date
from ebbtide.timestamps import HOUR
from store import Stores


def test_one_person_has_nights_and_the_others_none(stores: Stores) -> None:
    now_ns = stores.now()
    accounts = add_accounts(stores, "tide-1234-5678", now_ns)
    last = last_day(now_ns)
    for person, course in accounts.patients[:2]:
        fill_records(stores, person, course, accounts.therapist, last)
    (ada, _), (ben, _) = accounts.patients[:2]
    nights = [item.night for item in stores.nights.nights(ada.id)]
    assert 65 < len(nights) < 83 and nights[-1].day <= last.isoformat()
    assert {night.source for night in nights} == {SOURCE} and "simulated" in SOURCE
    assert all(night.end_ns < now_ns and night.values for night in nights)
    assert find_gaps(nights)
    assert stores.nights.nights(ben.id) == []


def test_nights_are_named_by_the_day_of_their_end_also_when_clocks_change() -> None:
    days = generate_days(COURSES[0], date(2026, 11, 20), ZONE, 1)
    nights = generate_nights(days, 36.0, 66.0, ZONE, np.random.default_rng(1))
    assert all(local_date(night.end_ns, night.offset_s) == night.day for night in nights)
    assert {night.offset_s for night in nights} == {3600, 7200}
    assert all(6 * HOUR < night.end_ns - night.start_ns < 8.1 * HOUR for night in nights)
    assert all(20 < night.rmssd_ms < 120 for night in nights if night.rmssd_ms)
    assert any(night.windows < night.steps for night in nights)
