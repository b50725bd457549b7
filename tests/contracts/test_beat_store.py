"""The contract of a store of beats, on every engine."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, SECOND
from store import BeatStore
from store.errors import (
    BeatsOutOfOrderError,
    ErasedSubjectError,
    RemovedStreamError,
    StreamTakenError,
    UnknownStreamError,
)
from store.models import (
    StreamCoverage,
)
from tests.support.beats import FOREVER, START, a_day, a_stream, assert_same_days, made


def test_beats_come_back_in_order_with_their_ticks(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    assert beat_store.append("subject", stream, made(1, 100)) == 100
    beats = beat_store.read("subject", *FOREVER)
    assert beats.time_ns.tolist() == [START + n * SECOND for n in range(1, 101)]
    assert beats.rr_ticks.tolist() == [1000 + n % 50 for n in range(1, 101)]
    assert beats.contact.tolist() == [(-1, 1, 0)[n % 3] for n in range(1, 101)]
    assert beats.follows.tolist() == [False] + [True] * 99
    assert beats.origins == {Origin.STRAP}


def test_ranges_are_half_open(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, made(1, 100))
    beats = beat_store.read("subject", START + 10 * SECOND, START + 20 * SECOND)
    assert beats.time_ns.tolist() == [START + n * SECOND for n in range(10, 20)]
    assert not beats.follows[0]
    assert len(beat_store.read("subject", START + 200 * SECOND, START + 300 * SECOND)) == 0


batches = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 20)), min_size=1, max_size=30)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=batches)
def test_any_order_and_any_repetition_stores_each_beat_once(
    sent: list[tuple[int, int]], beat_store: BeatStore
) -> None:
    beat_store, subject = beat_store, new_id()  # one store for all examples
    stream = a_stream(beat_store, subject)
    stored: set[int] = set()
    for first, count in sent:
        acknowledged = beat_store.append(subject, stream, made(first, first + count - 1))
        stored |= set(range(first, first + count))
        missing = next(n for n in range(1, 200) if n not in stored)
        assert acknowledged == missing - 1
    beats = beat_store.read(subject, *FOREVER)
    assert beats.time_ns.tolist() == [START + n * SECOND for n in sorted(stored)]
    # A beat after a hole does not follow the one before the hole.
    expected = [n - 1 in stored for n in sorted(stored)]
    assert beats.follows.tolist() == expected
    (coverage,) = beat_store.coverage(subject)
    assert coverage.beats == len(stored)


def test_append_keeps_first_version(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, made(1, 3))
    other = [Notification(n.sequence, 1, 1, (1,), (n.beat_times_ns[0] + 5,)) for n in made(1, 3)]
    beat_store.append("subject", stream, other)
    assert beat_store.read("subject", *FOREVER).rr_ticks.tolist() == [1001, 1002, 1003]


def test_a_gap_ends_the_run_of_beats(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    gap = Gap(4, START + 3 * SECOND, START + 3 * SECOND + 5, GapReason.CONTACT_LOST)
    beat_store.append("subject", stream, made(1, 6), [gap])
    beat_store.append("subject", stream, made(1, 6), [gap])
    assert beat_store.read("subject", *FOREVER).follows.tolist() == [
        False,
        True,
        True,
        False,
        True,
        True,
    ]
    assert [g.gap for g in beat_store.gaps("subject", *FOREVER)] == [gap]


def test_of_two_straps_at_once_each_follows_its_own(beat_store: BeatStore) -> None:
    first, second = a_stream(beat_store), a_stream(beat_store)
    beat_store.append("subject", first, made(1, 3))
    shifted = [
        Notification(n.sequence, n.received_ns, 60, n.rr_ticks, (n.beat_times_ns[0] + 5,))
        for n in made(1, 3)
    ]
    beat_store.append("subject", second, shifted)
    beats = beat_store.read("subject", *FOREVER)
    assert (beats.stream[1:] != beats.stream[:-1]).all()
    assert beats.follows.tolist() == [False] * 2 + [True] * 4


def test_subjects_are_apart(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store, "one")
    beat_store.append("one", stream, made(1, 3))
    with pytest.raises(UnknownStreamError):
        beat_store.append("two", stream, made(4, 5))
    with pytest.raises(StreamTakenError):
        beat_store.put_stream("two", Stream(stream, Origin.STRAP, "a strap", START))
    assert len(beat_store.read("two", *FOREVER)) == 0
    assert beat_store.coverage("two") == []


def test_windows_are_stored_with_the_fingerprint_of_their_content(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, made(1, 5))
    day = START // DAY
    (content,) = beat_store.day_fingerprints("subject", *FOREVER).values()
    assert set(beat_store.day_fingerprints("subject", *FOREVER)) == {day}
    assert beat_store.day_fingerprints("subject", START - 2 * DAY, START - DAY) == {}
    assert beat_store.day_fingerprints("no subject", *FOREVER) == {}
    windows = a_day(content, 3)
    beat_store.store_windows("subject", "method 1", {day: windows})
    assert_same_days(
        beat_store.stored_windows("subject", "method 1", ["rmssd_ms"], day, day), {day: windows}
    )
    assert beat_store.stored_fingerprints("subject", "method 1", day, day) == {day: content}
    assert beat_store.stored_fingerprints("subject", "method 2", day, day) == {}
    assert beat_store.stored_windows("subject", "method 2", ["rmssd_ms"], day, day) == {}
    assert beat_store.stored_windows("other", "method 1", ["rmssd_ms"], day, day) == {}
    # More beats, and movement, are another content; the same upload again is not.
    beat_store.append("subject", stream, made(1, 5))
    assert beat_store.day_fingerprints("subject", *FOREVER) == {day: content}
    beat_store.append("subject", stream, made(6, 7))
    second = beat_store.day_fingerprints("subject", *FOREVER)[day]
    beat_store.append_activity("subject", stream, [Activity(START, 5.0)])
    third = beat_store.day_fingerprints("subject", *FOREVER)[day]
    assert len({content, second, third}) == 3
    # In the place of what there was: also starts and metrics that the new ones lack.
    anew = a_day(third, 2)
    beat_store.store_windows("subject", "method 1", {day: anew})
    assert_same_days(
        beat_store.stored_windows("subject", "method 1", ["rmssd_ms"], day, day), {day: anew}
    )
    beat_store.store_windows("subject", "method 2", {day: windows})
    assert beat_store.stored_windows("subject", "method 1", ["rmssd_ms"], day, day) == {}
    assert_same_days(
        beat_store.stored_windows("subject", "method 2", ["rmssd_ms"], day, day), {day: windows}
    )


def test_changed_days_are_listed(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, made(1, 5))
    day = START // DAY
    assert beat_store.changed_days("subject", 0) == [day]
    assert beat_store.changed_days("other", 0) == []
    between = time.time_ns()
    assert beat_store.changed_days("subject", between) == []
    later = a_stream(beat_store)
    beat_store.append(
        "subject",
        later,
        [
            Notification(n, START, 60, (900,), (START + n * 2 * DAY,))  # of days apart
            for n in (1, 2)
        ],
    )
    assert beat_store.changed_days("subject", between) == [day + 2, day + 3, day + 4]
    between = time.time_ns()
    beat_store.append("subject", stream, made(1, 5))  # nothing new
    assert beat_store.changed_days("subject", between) == []
    beat_store.append("subject", stream, made(6, 7))
    assert beat_store.changed_days("subject", between) == [day]


def test_nothing_derived_outlives_its_subject(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, made(1, 5))
    day = START // DAY
    beat_store.store_windows("subject", "method", {day: a_day("a", 3)})
    beat_store.erase("subject")
    assert beat_store.stored_windows("subject", "method", ["rmssd_ms"], 0, day) == {}
    beat_store.store_windows("subject", "method", {day: a_day("computed while it was erased", 3)})
    assert beat_store.stored_windows("subject", "method", ["rmssd_ms"], 0, day) == {}
    assert beat_store.day_fingerprints("subject", *FOREVER) == {}


def test_erased_stays_erased(beat_store: BeatStore) -> None:
    stream, other = a_stream(beat_store, "one"), a_stream(beat_store, "two")
    beat_store.append("one", stream, made(1, 500), [Gap(4, START, START + 1, GapReason.PAUSED)])
    beat_store.append_activity("one", stream, [Activity(START, 5.0)])
    beat_store.append("two", other, made(1, 5))
    assert beat_store.subjects() == ["one", "two"]
    assert beat_store.erase("one") == 500
    for found in (
        beat_store.coverage("one"),
        beat_store.gaps("one", *FOREVER),
        beat_store.read("one", *FOREVER),
    ):
        assert len(found) == 0
    assert beat_store.activity("one", *FOREVER) == []
    assert (beat_store.subjects(), beat_store.erased()) == (["two"], ["one"])
    assert len(beat_store.read("two", *FOREVER)) == 5
    # What was on its way brings nothing back.
    with pytest.raises(UnknownStreamError):
        beat_store.append("one", stream, made(1, 5))
    with pytest.raises(ErasedSubjectError):
        a_stream(beat_store, "one")
    assert beat_store.erase("one") == 0


def test_notifications_come_back_as_they_were_sent(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    sent = made(1, 30)
    sent[4] = Notification(5, sent[4].received_ns, 61, (), (), False, 9)  # none of its beats
    sent[9] = replace(sent[9], rr_ticks=(700, 701), beat_times_ns=_two(sent[9]), energy_kj=None)
    beat_store.append("subject", stream, sent[:12])
    beat_store.append("subject", stream, sent[20:])
    found: list[Notification] = []
    while more := beat_store.notifications("subject", stream, found[-1].sequence if found else 0):
        found += more
    assert found == sent[:12] + sent[20:]
    assert beat_store.notifications("subject", stream, 29) == sent[29:]
    assert beat_store.read("subject", *FOREVER).rr_ticks.tolist().count(701) == 1
    with pytest.raises(UnknownStreamError):
        beat_store.notifications("other", stream, 0)


def _two(item: Notification) -> tuple[int, int]:
    return item.beat_times_ns[0] - SECOND // 3, item.beat_times_ns[0]


def test_movement_is_stored_once(beat_store: BeatStore) -> None:
    stream, other = a_stream(beat_store), a_stream(beat_store)
    spans = [Activity(START + k * 5 * SECOND, 3.5 + k) for k in range(6)]
    beat_store.append_activity("subject", stream, spans[:4])
    beat_store.append_activity("subject", stream, [replace(spans[3], mad_mg=99.0), *spans[4:]])
    assert beat_store.stream_activity("subject", stream) == spans
    beat_store.append_activity("subject", other, [Activity(START, 1.0), Activity(START + 1, 8.0)])
    assert beat_store.activity("subject", *FOREVER)[:2] == [
        Activity(START, 3.5),
        Activity(START + 1, 8),
    ]
    assert beat_store.activity("subject", START + 5 * SECOND, START + 15 * SECOND) == spans[1:3]
    with pytest.raises(UnknownStreamError):
        beat_store.append_activity("other", stream, spans)


def test_beats_that_are_not_later_are_refused(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, made(1, 5))
    beat_store.append("subject", stream, made(11, 15))
    early = [replace(item, beat_times_ns=(START + 5 * SECOND,)) for item in made(6, 6)]
    late = [replace(item, beat_times_ns=(START + 11 * SECOND,)) for item in made(10, 10)]
    for wrong in (early, late):
        with pytest.raises(BeatsOutOfOrderError):
            beat_store.append("subject", stream, wrong)
    assert beat_store.append("subject", stream, made(6, 10)) == 15
    assert len(beat_store.read("subject", *FOREVER)) == 15


def test_coverage_and_registering_twice(beat_store: BeatStore) -> None:
    stream = Stream(new_id(), Origin.FILE, 'a "file", with = signs', START, 1000)
    beat_store.put_stream("subject", stream)
    beat_store.put_stream("subject", stream)
    (empty,) = beat_store.coverage("subject")
    assert empty == StreamCoverage(stream, 0, 0, 0, None, None)
    beat_store.append("subject", stream.id, made(2, 4))
    (some,) = beat_store.coverage("subject")
    assert some == StreamCoverage(stream, 0, 4, 3, START + 2 * SECOND, START + 4 * SECOND)
    with pytest.raises(StreamTakenError):
        beat_store.put_stream("subject", replace(stream, source="another"))
    beat_store.check()


def test_a_stream_belongs_to_one_subject(beat_store: BeatStore) -> None:
    stream = Stream(new_id(), Origin.STRAP, "a strap", START)
    beat_store.put_stream("one", stream)
    beat_store.append("one", stream.id, made(1, 3))
    assert len(beat_store.read("o", *FOREVER)) == 0


def test_a_removed_stream_is_gone_with_its_windows_and_refused(beat_store: BeatStore) -> None:
    stream, other = a_stream(beat_store), a_stream(beat_store)
    for one in (stream, other):
        beat_store.append(
            "subject", one, made(1, 100), [Gap(9, START, START + 1, GapReason.PAUSED)]
        )
        beat_store.append_activity("subject", one, [Activity(START, 1.0)])
    day = START // DAY
    beat_store.store_windows(
        "subject", "method", {day: a_day("content", 3), day + 9: a_day("other", 3)}
    )
    before = beat_store.day_fingerprints("subject", *FOREVER)
    with pytest.raises(UnknownStreamError):
        beat_store.remove_stream("somebody else", stream, 5)
    assert beat_store.remove_stream("subject", stream, START + DAY) == 100
    assert [item.stream.id for item in beat_store.coverage("subject")] == [other]
    assert len(beat_store.read("subject", *FOREVER)) == 100
    assert len(beat_store.gaps("subject", *FOREVER)) == 1
    assert list(beat_store.stored_fingerprints("subject", "method", day, day + 9)) == [day + 9]
    assert beat_store.day_fingerprints("subject", *FOREVER) != before
    assert beat_store.changed_days("subject", START + DAY) == [day]
    (removed,) = beat_store.removed_streams("subject")
    assert (removed.stream_id, removed.removed_ns) == (stream, START + DAY)
    with pytest.raises(RemovedStreamError) as caught:
        beat_store.append("subject", stream, made(101, 110))
    assert caught.value.removed_ns == START + DAY
    with pytest.raises(RemovedStreamError):
        beat_store.put_stream("subject", Stream(stream, Origin.STRAP, "a strap", START))
    with pytest.raises(RemovedStreamError):
        beat_store.remove_stream("subject", stream, 6)
    beat_store.readmit_stream("subject", stream)
    beat_store.put_stream("subject", Stream(stream, Origin.STRAP, "a strap", START))
    assert beat_store.append("subject", stream, made(1, 3)) == 3
    assert beat_store.removed_streams("subject") == []


def test_a_generation_says_what_a_backup_covers_and_that_it_is_another(
    beat_store: BeatStore,
) -> None:
    first = beat_store.generation()
    assert first.covered < first.counter
    covered = beat_store.begin_backup()
    during = beat_store.generation()
    assert (covered, during.counter, during.covered) == (
        first.counter,
        first.counter + 1,
        first.covered,
    )
    beat_store.finish_backup(covered)
    beat_store.finish_backup(covered - 1)  # an older one that took longer takes nothing back
    after = beat_store.generation()
    assert (after.id, after.counter, after.covered) == (first.id, covered + 1, covered)
    beat_store.renew_generation()
    renewed = beat_store.generation()
    assert renewed.id != first.id
    assert renewed.counter > after.counter


def rated(first: int, last: int, *, contact: bool | None = None) -> list[Notification]:
    """Notifications of a device that sends heart rates and no intervals, one a second."""
    return [
        Notification(number, START + number * SECOND, 60 + number % 40, (), (), contact)
        for number in range(first, last + 1)
    ]


def test_heart_rates_without_intervals_are_found_by_their_time(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    assert len(beat_store.rates("subject", *FOREVER)) == 0
    beat_store.append("subject", stream, rated(1, 100))
    beat_store.append("subject", stream, rated(50, 160))  # in part again
    found = beat_store.rates("subject", *FOREVER)
    assert found.time_ns.tolist() == [START + n * SECOND for n in range(1, 161)]
    assert found.bpm.tolist() == [60 + n % 40 for n in range(1, 161)]
    assert [item.id for item in found.streams] == [stream]
    part = beat_store.rates("subject", START + 10 * SECOND, START + 20 * SECOND)
    assert part.time_ns.tolist() == [START + n * SECOND for n in range(10, 20)]
    assert len(beat_store.rates("subject", START + 161 * SECOND, START + DAY)) == 0
    assert len(beat_store.rates("other", *FOREVER)) == 0
    assert len(beat_store.read("subject", *FOREVER)) == 0
    (covered,) = beat_store.coverage("subject")
    assert (covered.beats, covered.rates) == (0, 160)
    assert (covered.first_ns, covered.last_ns) == (START + SECOND, START + 160 * SECOND)
    beat_store.erase("subject")
    assert len(beat_store.rates("subject", *FOREVER)) == 0


def test_heart_rates_are_found_before_between_and_after_beats(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    beat_store.append("subject", stream, rated(1, 9))
    beat_store.append("subject", stream, made(10, 19))
    beat_store.append("subject", stream, rated(20, 29))
    beat_store.append("subject", stream, rated(30, 39, contact=False))  # in the air
    beat_store.append("subject", stream, made(40, 49))
    found = beat_store.rates("subject", *FOREVER)
    seconds = [*range(1, 10), *range(20, 30)]
    assert found.time_ns.tolist() == [START + n * SECOND for n in seconds]
    assert len(beat_store.read("subject", *FOREVER)) == 20
    (covered,) = beat_store.coverage("subject")
    assert (covered.beats, covered.rates) == (20, 19)
    assert covered.first_ns == START + 10 * SECOND  # of beats, where there are any
    assert beat_store.append("subject", stream, made(50, 59)) == 59


def test_a_day_of_heart_rates_alone_has_a_fingerprint(beat_store: BeatStore) -> None:
    stream = a_stream(beat_store)
    day, before = START // DAY, time.time_ns()
    beat_store.append("subject", stream, rated(1, 9))
    first = beat_store.day_fingerprints("subject", *FOREVER)
    assert set(first) == {day}
    assert beat_store.changed_days("subject", before) == [day]
    assert beat_store.day_fingerprints("subject", START - 2 * DAY, START - DAY) == {}
    beat_store.append("subject", stream, rated(1, 9))
    assert beat_store.day_fingerprints("subject", *FOREVER) == first
    beat_store.append("subject", stream, rated(10, 19))
    second = beat_store.day_fingerprints("subject", *FOREVER)
    assert second.keys() == first.keys() and second != first
    beat_store.store_windows("subject", "method 1", {day: a_day(second[day], 3)})
    beat_store.remove_stream("subject", stream, time.time_ns())
    assert len(beat_store.rates("subject", *FOREVER)) == 0
    assert beat_store.day_fingerprints("subject", *FOREVER) == {}
    assert beat_store.stored_fingerprints("subject", "method 1", day, day) == {}
    (removed,) = beat_store.removed_streams("subject")
    assert (removed.start_ns, removed.end_ns) == (START + SECOND, START + 19 * SECOND + 1)
