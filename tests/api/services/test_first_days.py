"""How far the first days are: what counts, and that enough is what analytics says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.association.within_person import MIN_DAYS, MIN_RATINGS, within_person_link
from api.services.first_days import HeartSource, load_first_days
from api.services.imported_records import ParsedImport, SentHeartRate, import_parsed
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


def rates(
    stores: Stores, person: Person, start_ns: int, minutes: int, origin: Origin = Origin.STRAP
) -> None:
    stream = Stream(new_id(), origin, "a watch", start_ns)
    stores.beats.put_stream(person.subject_id, stream)
    times = range(start_ns, start_ns + minutes * MINUTE, 5 * SECOND)
    batch = [Notification(k, t, 60, (), ()) for k, t in enumerate(times, 1)]
    stores.beats.append(person.subject_id, stream.id, batch)


def import_rates(stores: Stores, person: Person, times: list[int], **more: object) -> None:
    sent = [SentHeartRate(time_ns, 60, "watch", **more) for time_ns in times]  # type: ignore[arg-type]
    import_parsed(stores, person, ParsedImport([], sent, []))


def test_a_device_without_heartbeats_counts_by_its_heart_rates(stores: Stores) -> None:
    """It was not seen at all, and its nights are no nights of heartbeats."""
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    midnight = stores.now() // DAY * DAY
    for ago in (3, 2):
        rates(stores, ada, midnight - ago * DAY + HOUR, 120)
    days = load_first_days(stores, ada)
    assert (days.heart, days.has_night, days.heart_days) == (HeartSource.RATES, False, 2)
    for k in range(MIN_RATINGS):
        rate(stores, ada, midnight - 20 * DAY + k * 12 * HOUR)
    assert load_first_days(stores, ada).has_answer
    assert not load_first_days(stores, ada).is_over
    rates(stores, ada, midnight - DAY, 10)
    days = load_first_days(stores, ada)
    assert (days.heart_days, days.is_over, days.has_night) == (3, True, False)


def test_a_strap_beside_a_watch_is_a_strap(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    begin = stores.now() // DAY * DAY - 5 * DAY
    rates(stores, ada, begin, 60)
    assert load_first_days(stores, ada).heart is HeartSource.RATES
    beats(stores, ada, begin + 2 * DAY, begin + 2 * DAY + MINUTE, Origin.PULSE)
    assert load_first_days(stores, ada).heart is HeartSource.RATES  # the file is not the device
    beats(stores, ada, begin + DAY, begin + DAY + MINUTE)
    days = load_first_days(stores, ada)
    assert (days.heart, days.heart_days) == (HeartSource.STRAP, 3)


def test_imported_heart_rates_count_unless_they_were_counted_by_hand(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    begin = stores.now() // DAY * DAY - 30 * DAY
    import_rates(stores, ada, [begin + DAY], modality="self-reported")
    days = load_first_days(stores, ada)
    assert (days.heart, days.heart_days) == (HeartSource.NONE, 0)
    import_rates(stores, ada, [begin + day * DAY + HOUR for day in (2, 3)])
    days = load_first_days(stores, ada)
    assert (days.heart, days.heart_days, days.has_night) == (HeartSource.FILE_RATES, 2, False)
    import_rates(stores, ada, [begin + day * DAY + HOUR for day in range(4, 20)])
    days = load_first_days(stores, ada)
    assert days.heart_days >= days.min_heart_days


def test_heart_rates_in_a_file_are_not_waited_for(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    now = stores.now()
    rates(stores, ada, now - 2 * DAY, 10, Origin.FILE)
    for k in range(MIN_RATINGS):
        rate(stores, ada, now - 20 * DAY + k * 12 * HOUR)
    days = load_first_days(stores, ada)
    assert (days.heart, days.heart_days) == (HeartSource.FILE_RATES, 1)
    assert days.is_over


def rate_apart(stores: Stores, person: Person, days: int, begin_ns: int) -> None:
    """One question for stress a day, and two hours later one for pain."""
    for day in range(days):
        at = begin_ns + day * DAY
        rate(stores, person, at, pain=None)
        rate(stores, person, at + 2 * HOUR, stress=None)


def test_who_is_asked_apart_is_told_what_pairs_there_are(stores: Stores) -> None:
    """Only ratings of both were counted, of which there would never be any."""
    clock = Clock(stores)
    stores = replace(stores, now=clock)
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    begin = stores.now() - 60 * DAY
    rate(stores, ada, begin - HOUR, pain=None)
    days = load_first_days(stores, ada)
    assert (days.ratings, days.rated, days.asked_apart) == (0, 1, True)
    rate_apart(stores, ada, 10, begin)
    clock.now_ns = begin + 10 * DAY
    days = load_first_days(stores, ada)
    assert (days.ratings, days.rated, days.asked_apart) == (10, 21, True)
    assert days.answer_from is not None
    assert days.answer_from - to_datetime(clock.now_ns) == to_datetime(20 * DAY) - to_datetime(0)
    rate_apart(stores, ada, 20, begin + 10 * DAY)
    days = load_first_days(stores, ada)
    assert days.ratings == MIN_RATINGS and days.has_answer


def test_a_rating_of_one_alone_now_and_then_is_no_other_way_of_asking(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone=ZONE)
    begin = stores.now() - 20 * DAY
    for k in range(12):
        rate(stores, ada, begin + k * 12 * HOUR, stress=None if k % 4 == 0 else 5)
    days = load_first_days(stores, ada)
    assert (days.ratings, days.asked_apart) == (9, False)
    rate_apart(stores, ada, 6, begin + 7 * DAY)  # from now on
    days = load_first_days(stores, ada)
    assert (days.ratings, days.asked_apart) == (6, True)
