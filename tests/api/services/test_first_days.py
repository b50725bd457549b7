"""How far the first days are: what counts, and that enough is what analytics says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.association.within_person import MIN_DAYS, MIN_RATINGS, within_person_link
from api.services.first_days import HeartSource, load_first_days
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Person, Rating
from tests.support.accounts import add_account
from tests.support.clock import Clock

ZONE = "Europe/Berlin"


def rate(stores: Stores, person: Person, about_ns: int, **changes: object) -> None:
    made = Rating(new_id(), 1, person.id, about_ns, about_ns + SECOND, ZONE, 4, 5, None, False)
    stores.records.add_rating(replace(made, **changes))  # type: ignore[arg-type]


def beats(
    stores: Stores, person: Person, start_ns: int, end_ns: int, origin: Origin = Origin.STRAP
) -> None:
    stream = Stream(new_id(), origin, "Polar H10", start_ns)
    stores.beats.put_stream(person.subject_id, stream)
    times = range(start_ns, end_ns, SECOND)
    batch = [Notification(k, t + 9, 60, (1024,), (t,), True) for k, t in enumerate(times, 1)]
    stores.beats.append(person.subject_id, stream.id, batch)


@pytest.mark.parametrize(("count", "every_h"), [(30, 6), (29, 6), (30, 4), (31, 6)])
def test_enough_is_what_the_link_takes_for_enough(stores: Stores, count: int, every_h: int) -> None:
    """The link itself is asked with the same ratings."""
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    rng = np.random.default_rng(24)
    begin = stores.now() - 20 * DAY
    at = begin + np.arange(count) * every_h * HOUR
    for time_ns in at.tolist():
        rate(stores, ada, time_ns)
    days = load_first_days(stores, ada)
    link = within_person_link(at, rng.normal(4, 1, count), rng.normal(5, 1, count))
    is_enough = count >= MIN_RATINGS and (count - 1) * every_h >= 24 * MIN_DAYS
    assert (link.missing_reason is None) is is_enough
    assert days.has_answer is days.is_over is is_enough


def test_what_is_withdrawn_does_not_count(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    now = stores.now()
    rate(stores, ada, now - DAY)
    rate(stores, ada, now - MINUTE, withdrawn=True)
    days = load_first_days(stores, ada)
    assert (days.ratings, days.days, days.heart) == (1, 0, HeartSource.NONE)
    assert days.answer_from is None  # one rating has no pace


def test_the_answer_is_expected_at_the_pace_so_far(stores: Stores) -> None:
    clock = Clock(stores)
    stores = replace(stores, now=clock)
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    begin = stores.now()
    for k in range(6):  # two a day
        rate(stores, ada, begin + k * 12 * HOUR)
    clock.now_ns = begin + 3 * DAY
    days = load_first_days(stores, ada)
    assert days.answer_from == to_datetime(begin + 15 * DAY)
    clock.now_ns = begin + 100 * DAY  # a long pause: no date is said
    assert load_first_days(stores, ada).answer_from is None


@pytest.mark.parametrize(
    ("from_h", "minutes", "has_night"),
    [(23, 70, True), (12, 70, False), (23, 40, False), (2, 70, True)],
)
def test_a_night_is_an_hour_of_beats_at_night_where_the_person_is(
    stores: Stores, from_h: int, minutes: int, has_night: bool
) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    local = to_datetime(stores.now() - 3 * DAY, ZONE).replace(
        hour=from_h, minute=0, second=0, microsecond=0
    )
    start = round(local.timestamp()) * SECOND
    beats(stores, ada, start, start + minutes * MINUTE)
    days = load_first_days(stores, ada)
    assert days.has_night is has_night
    assert days.heart is HeartSource.STRAP
    assert not days.is_over


def test_a_file_is_no_strap(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    now = stores.now()
    beats(stores, ada, now - DAY, now - DAY + MINUTE, Origin.PULSE)
    assert load_first_days(stores, ada).heart is HeartSource.FILE
