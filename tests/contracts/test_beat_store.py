from __future__ import annotations

import multiprocessing
import sqlite3
import struct
import time
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, MILLISECOND, SECOND
from ingest.timing.beat_clock import BeatClock
from store import BeatStore
from store.encoding import beat_block
from store.errors import (
    BeatsOutOfOrderError,
    ErasedSubjectError,
    StreamTakenError,
    UnknownStreamError,
)
from store.influx.client import InfluxServer
from store.models import DailyWindows, StreamCoverage
from store.sqlite.beats import SqliteBeatStore
from tests.support.influx import InfluxServerProcess, open_influx_beats
from tests.support.postgres import PostgresServer

START = 1_790_000_000 * SECOND
FOREVER = (START - SECOND, START + 10**9 * SECOND)


def made(first: int, last: int) -> list[Notification]:
    """One beat a second; sequence n is n seconds after the start."""
    return [
        Notification(
            n,
            START + n * SECOND + 7,
            60 + n % 5,
            (1000 + n % 50,),
            (START + n * SECOND,),
            (None, True, False)[n % 3],
            n % 7 or None,
        )
        for n in range(first, last + 1)
    ]


@pytest.fixture
def store(beat_store: BeatStore) -> BeatStore:
    return beat_store


def a_stream(store: BeatStore, subject: str = "subject") -> str:
    stream = Stream(new_id(), Origin.STRAP, "a strap", START)
    store.put_stream(subject, stream)
    return stream.id


notification_lists = st.lists(
    st.builds(
        lambda received, rate, beats, contact, energy: Notification(
            0,
            received,
            rate,
            tuple(ticks for ticks, _ in beats),
            tuple(time for _, time in beats),
            contact,
            energy,
        ),
        st.integers(0, 2**62),
        st.integers(0, 0xFFFF),
        st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**62)), max_size=9),
        st.sampled_from([None, True, False]),
        st.none() | st.integers(0, 0xFFFF),
    ),
    max_size=20,
)


@given(notification_lists)
def test_beats_alone_are_the_beats_of_the_block(notifications: list[Notification]) -> None:
    data = beat_block.encode(beat_block.from_notifications(notifications))
    whole, alone = beat_block.decode(data), beat_block.decode(data, beats_alone=True)
    for name in ("time_ns", "rr_ticks", "rr_count", "contact"):
        assert getattr(whole, name).tolist() == getattr(alone, name).tolist()


@given(notification_lists)
def test_a_block_gives_back_what_went_in(notifications: list[Notification]) -> None:
    block = beat_block.decode(beat_block.encode(beat_block.from_notifications(notifications)))
    assert block.received_ns.tolist() == [n.received_ns for n in notifications]
    assert block.heart_rate_bpm.tolist() == [n.heart_rate_bpm for n in notifications]
    assert block.rr_ticks.tolist() == [t for n in notifications for t in n.rr_ticks]
    assert block.time_ns.tolist() == [t for n in notifications for t in n.beat_times_ns]
    assert [{-1: None}.get(e, e) for e in block.energy_kj.tolist()] == [
        n.energy_kj for n in notifications
    ]
    assert [(True if c == 1 else False if c == 0 else None) for c in block.contact.tolist()] == [
        n.contact for n in notifications
    ]


def test_a_damaged_block_is_an_error_and_not_other_beats() -> None:
    data = beat_block.encode(beat_block.from_notifications(made(1, 50)))
    for damaged in (data[:5], data[:-9], b"\x63" + data[1:]):
        with pytest.raises(ValueError, match=r"damaged|not known"):
            beat_block.decode(damaged)


def test_blocks_of_version_1_are_read() -> None:
    notifications = made(1, 50)
    block = beat_block.from_notifications(notifications)
    # As version 1 packed it.
    columns = (
        np.diff(block.received_ns, prepend=np.int64(0)),
        block.heart_rate_bpm,
        block.contact,
        block.energy_kj,
        block.rr_count,
        np.diff(block.time_ns, prepend=np.int64(0)),
        block.rr_ticks,
    )
    planes = [
        np.ascontiguousarray(c).view(np.uint8).reshape(-1, c.itemsize).T.tobytes() for c in columns
    ]
    data = struct.pack("<BxxxII", 1, 50, 50) + zlib.compress(b"".join(planes), 6)
    assert beat_block.to_notifications(1, beat_block.decode(data)) == notifications


def test_blocks_are_compact(recordings: Path) -> None:
    """As the recorder places and keeps the beats of a strap whose clock is 20 ppm off."""
    rng = np.random.default_rng(1)
    ticks = np.round(np.loadtxt(recordings / "pyhrv_nni_long.txt")[:4096] * 1.024).astype(int)
    clock, time, notifications = BeatClock(1024), float(START), []
    for i, rr in enumerate(ticks.tolist()):
        time += rr * SECOND / 1024 * 1.00002
        received = int(time + (8 + rng.exponential(12)) * MILLISECOND)
        beats = clock.place((rr,), received).beat_times_ns
        rate = round(61440 / float(np.mean(ticks[max(0, i - 7) : i + 1])))
        received -= received % MILLISECOND
        notifications.append(Notification(i + 1, received, rate, (rr,), beats, True))
    data = beat_block.encode(beat_block.from_notifications(notifications))
    assert len(data) / len(ticks) < 3
    assert beat_block.to_notifications(1, beat_block.decode(data)) == notifications


def test_beats_come_back_in_order_with_their_ticks(store: BeatStore) -> None:
    stream = a_stream(store)
    assert store.append("subject", stream, made(1, 100)) == 100
    beats = store.read("subject", *FOREVER)
    assert beats.time_ns.tolist() == [START + n * SECOND for n in range(1, 101)]
    assert beats.rr_ticks.tolist() == [1000 + n % 50 for n in range(1, 101)]
    assert beats.contact.tolist() == [(-1, 1, 0)[n % 3] for n in range(1, 101)]
    assert beats.follows.tolist() == [False] + [True] * 99
    assert beats.origins == {Origin.STRAP}


def test_ranges_are_half_open(store: BeatStore) -> None:
    stream = a_stream(store)
    store.append("subject", stream, made(1, 100))
    beats = store.read("subject", START + 10 * SECOND, START + 20 * SECOND)
    assert beats.time_ns.tolist() == [START + n * SECOND for n in range(10, 20)]
    assert not beats.follows[0]
    assert len(store.read("subject", START + 200 * SECOND, START + 300 * SECOND)) == 0


batches = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 20)), min_size=1, max_size=30)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=batches)
def test_any_order_and_any_repetition_keeps_each_beat_once(
    sent: list[tuple[int, int]], beat_store: BeatStore
) -> None:
    store, subject = beat_store, new_id()  # one store for all examples
    stream = a_stream(store, subject)
    kept: set[int] = set()
    for first, count in sent:
        acknowledged = store.append(subject, stream, made(first, first + count - 1))
        kept |= set(range(first, first + count))
        missing = next(n for n in range(1, 200) if n not in kept)
        assert acknowledged == missing - 1
    beats = store.read(subject, *FOREVER)
    assert beats.time_ns.tolist() == [START + n * SECOND for n in sorted(kept)]
    # A beat after a hole does not follow the one before the hole.
    expected = [n - 1 in kept for n in sorted(kept)]
    assert beats.follows.tolist() == expected
    (coverage,) = store.coverage(subject)
    assert coverage.beats == len(kept)


def test_what_was_kept_first_stays(store: BeatStore) -> None:
    stream = a_stream(store)
    store.append("subject", stream, made(1, 3))
    other = [Notification(n.sequence, 1, 1, (1,), (n.beat_times_ns[0] + 5,)) for n in made(1, 3)]
    store.append("subject", stream, other)
    assert store.read("subject", *FOREVER).rr_ticks.tolist() == [1001, 1002, 1003]


def test_a_gap_ends_the_run_of_beats(store: BeatStore) -> None:
    stream = a_stream(store)
    gap = Gap(4, START + 3 * SECOND, START + 3 * SECOND + 5, GapReason.CONTACT_LOST)
    store.append("subject", stream, made(1, 6), [gap])
    store.append("subject", stream, made(1, 6), [gap])
    assert store.read("subject", *FOREVER).follows.tolist() == [
        False,
        True,
        True,
        False,
        True,
        True,
    ]
    assert [g.gap for g in store.gaps("subject", *FOREVER)] == [gap]


def test_of_two_straps_at_once_each_follows_its_own(store: BeatStore) -> None:
    first, second = a_stream(store), a_stream(store)
    store.append("subject", first, made(1, 3))
    shifted = [
        Notification(n.sequence, n.received_ns, 60, n.rr_ticks, (n.beat_times_ns[0] + 5,))
        for n in made(1, 3)
    ]
    store.append("subject", second, shifted)
    beats = store.read("subject", *FOREVER)
    assert (beats.stream[1:] != beats.stream[:-1]).all()
    assert beats.follows.tolist() == [False] * 2 + [True] * 4


def test_subjects_are_apart(store: BeatStore) -> None:
    stream = a_stream(store, "one")
    store.append("one", stream, made(1, 3))
    with pytest.raises(UnknownStreamError):
        store.append("two", stream, made(4, 5))
    with pytest.raises(StreamTakenError):
        store.put_stream("two", Stream(stream, Origin.STRAP, "a strap", START))
    assert len(store.read("two", *FOREVER)) == 0
    assert store.coverage("two") == []


def test_erased_is_gone_from_the_file(tmp_path: Path) -> None:
    store = SqliteBeatStore(tmp_path / "beats.sqlite")
    stream = a_stream(store, "one")
    other = a_stream(store, "two")
    store.append("one", stream, made(1, 500))
    store.append("two", other, made(1, 5))
    data = beat_block.encode(beat_block.from_notifications(made(1, 500)))
    marker = data[40:80]
    assert marker in (tmp_path / "beats.sqlite-wal").read_bytes()
    assert store.erase("one") == 500
    assert len(store.read("one", *FOREVER)) == 0
    assert store.coverage("one") == []
    assert len(store.read("two", *FOREVER)) == 5
    for file in tmp_path.iterdir():
        assert marker not in file.read_bytes()
        assert stream.encode() not in file.read_bytes()
    store.close()


def _append_all(path: Path, stream: str, batches: Sequence[tuple[int, int]]) -> None:
    store = SqliteBeatStore(path)
    for first, last in batches:
        store.append("subject", stream, made(first, last))
    store.close()


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "beats.sqlite"
    store = SqliteBeatStore(path)
    stream = a_stream(store)
    # All send the same overlapping batches, each in another order.
    batches = [(n * 10 + 1, n * 10 + 15) for n in range(40)]
    orders = [batches, batches[::-1], batches[20:] + batches[:20], batches[::2] + batches[1::2]]
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_append_all, args=(path, stream, order)) for order in orders]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    times = store.read("subject", *FOREVER).time_ns.tolist()
    assert times == [START + n * SECOND for n in range(1, 406)]
    assert store.append("subject", stream, made(1, 1)) == 405
    store.close()


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "beats.sqlite"
    path.write_text("only words " * 200)
    with pytest.raises(EbbtideError, match=r"beats\.sqlite cannot be opened"):
        SqliteBeatStore(path)


def test_what_is_derived_is_known_by_its_content(store: BeatStore) -> None:
    stream = a_stream(store)
    store.append("subject", stream, made(1, 5))
    day = START // DAY
    (content,) = store.day_fingerprints("subject", *FOREVER).values()
    assert set(store.day_fingerprints("subject", *FOREVER)) == {day}
    assert store.day_fingerprints("subject", START - 2 * DAY, START - DAY) == {}
    assert store.day_fingerprints("nobody", *FOREVER) == {}
    held = a_day(content, 3)
    store.store_windows("subject", "method 1", {day: held})
    same(store.stored_windows("subject", "method 1", ["rmssd_ms"], day, day), {day: held})
    assert store.stored_fingerprints("subject", "method 1", day, day) == {day: content}
    assert store.stored_fingerprints("subject", "method 2", day, day) == {}
    assert store.stored_windows("subject", "method 2", ["rmssd_ms"], day, day) == {}
    assert store.stored_windows("other", "method 1", ["rmssd_ms"], day, day) == {}
    # More beats, and movement, are another content; the same upload again is not.
    store.append("subject", stream, made(1, 5))
    assert store.day_fingerprints("subject", *FOREVER) == {day: content}
    store.append("subject", stream, made(6, 7))
    second = store.day_fingerprints("subject", *FOREVER)[day]
    store.append_activity("subject", stream, [Activity(START, 5.0)])
    third = store.day_fingerprints("subject", *FOREVER)[day]
    assert len({content, second, third}) == 3
    # In the place of what there was: of starts that are no more, of figures that are no more.
    anew = a_day(third, 2)
    store.store_windows("subject", "method 1", {day: anew})
    same(store.stored_windows("subject", "method 1", ["rmssd_ms"], day, day), {day: anew})
    store.store_windows("subject", "method 2", {day: held})
    assert store.stored_windows("subject", "method 1", ["rmssd_ms"], day, day) == {}
    same(store.stored_windows("subject", "method 2", ["rmssd_ms"], day, day), {day: held})


def test_days_that_changed_since_are_known(store: BeatStore) -> None:
    stream = a_stream(store)
    store.append("subject", stream, made(1, 5))
    day = START // DAY
    assert store.changed_days("subject", 0) == [day]
    assert store.changed_days("other", 0) == []
    between = time.time_ns()
    assert store.changed_days("subject", between) == []
    later = a_stream(store)
    store.append(
        "subject",
        later,
        [
            Notification(n, START, 60, (900,), (START + n * 2 * DAY,))  # of days apart
            for n in (1, 2)
        ],
    )
    assert store.changed_days("subject", between) == [day + 2, day + 3, day + 4]
    between = time.time_ns()
    store.append("subject", stream, made(1, 5))  # nothing new
    assert store.changed_days("subject", between) == []
    store.append("subject", stream, made(6, 7))
    assert store.changed_days("subject", between) == [day]


def test_a_file_from_before_it_was_noted_when_a_block_was_kept_opens(tmp_path: Path) -> None:
    store = SqliteBeatStore(tmp_path / "beats.sqlite")
    stream = a_stream(store)
    store.append("subject", stream, made(1, 5))
    store.close()
    with closing(sqlite3.connect(tmp_path / "beats.sqlite", isolation_level=None)) as db:
        db.execute("ALTER TABLE blocks DROP COLUMN kept_ns")
    store = SqliteBeatStore(tmp_path / "beats.sqlite")
    assert len(store.read("subject", *FOREVER)) == 5
    assert store.changed_days("subject", 1) == []
    store.append("subject", stream, made(6, 7))
    assert store.changed_days("subject", 1) == [START // DAY]
    store.close()


def test_windows_are_in_influxdb_too_for_others_to_draw(
    influxdb: InfluxServerProcess, postgres: PostgresServer
) -> None:
    address = influxdb.address(influxdb.fresh_database())
    store = open_influx_beats(address, postgres.fresh_database())
    server = InfluxServer(address)
    asked = "SELECT rmssd_ms FROM hrv_5min WHERE \"subject\" = 'subject'"
    day = START // DAY
    store.store_windows("subject", "method", {day: a_day("a", 3)})
    assert server.rows(asked) == [
        [start, value]
        for start, value in zip(
            a_day("a", 3).start_ns.tolist(),
            a_day("a", 3).figures["rmssd_ms"].tolist(),
            strict=True,
        )
        if value == value
    ]
    store.store_windows("subject", "method", {day: a_day("b", 2)})
    assert [row[1] for row in server.rows(asked)] == [30.25]
    server.close()
    store.close()


def a_day(content: str, windows: int) -> DailyWindows:
    """Windows of the day of START; the first has no figure."""
    starts = START + np.arange(windows) * windows * 60 * SECOND
    rmssd = np.arange(windows) + 30.25
    rmssd[0 if windows > 2 else -1] = np.nan
    return DailyWindows(content, starts, {"rmssd_ms": rmssd})


def same(found: dict[int, DailyWindows], expected: dict[int, DailyWindows]) -> None:
    assert found.keys() == expected.keys()
    for day, held in expected.items():
        assert found[day].content == held.content
        assert found[day].start_ns.tolist() == held.start_ns.tolist()
        np.testing.assert_array_equal(found[day].figures["rmssd_ms"], held.figures["rmssd_ms"])


def test_nothing_derived_outlives_its_subject(store: BeatStore) -> None:
    stream = a_stream(store)
    store.append("subject", stream, made(1, 5))
    day = START // DAY
    store.store_windows("subject", "method", {day: a_day("a", 3)})
    store.erase("subject")
    assert store.stored_windows("subject", "method", ["rmssd_ms"], 0, day) == {}
    store.store_windows("subject", "method", {day: a_day("worked out while it was erased", 3)})
    assert store.stored_windows("subject", "method", ["rmssd_ms"], 0, day) == {}
    assert store.day_fingerprints("subject", *FOREVER) == {}


def test_erased_stays_erased(store: BeatStore) -> None:
    stream, other = a_stream(store, "one"), a_stream(store, "two")
    store.append("one", stream, made(1, 500), [Gap(4, START, START + 1, GapReason.PAUSED)])
    store.append_activity("one", stream, [Activity(START, 5.0)])
    store.append("two", other, made(1, 5))
    assert store.subjects() == ["one", "two"]
    assert store.erase("one") == 500
    for found in (store.coverage("one"), store.gaps("one", *FOREVER), store.read("one", *FOREVER)):
        assert len(found) == 0
    assert store.activity("one", *FOREVER) == []
    assert (store.subjects(), store.erased()) == (["two"], ["one"])
    assert len(store.read("two", *FOREVER)) == 5
    # What was on its way brings nothing back.
    with pytest.raises(UnknownStreamError):
        store.append("one", stream, made(1, 5))
    with pytest.raises(ErasedSubjectError):
        a_stream(store, "one")
    assert store.erase("one") == 0


def test_notifications_come_back_as_they_were_sent(store: BeatStore) -> None:
    stream = a_stream(store)
    sent = made(1, 30)
    sent[4] = Notification(5, sent[4].received_ns, 61, (), (), False, 9)  # none of its beats
    sent[9] = replace(sent[9], rr_ticks=(700, 701), beat_times_ns=_two(sent[9]), energy_kj=None)
    store.append("subject", stream, sent[:12])
    store.append("subject", stream, sent[20:])
    found: list[Notification] = []
    while more := store.notifications("subject", stream, found[-1].sequence if found else 0):
        found += more
    assert found == sent[:12] + sent[20:]
    assert store.notifications("subject", stream, 29) == sent[29:]
    assert store.read("subject", *FOREVER).rr_ticks.tolist().count(701) == 1
    with pytest.raises(UnknownStreamError):
        store.notifications("other", stream, 0)


def _two(item: Notification) -> tuple[int, int]:
    return item.beat_times_ns[0] - SECOND // 3, item.beat_times_ns[0]


def test_movement_is_kept_once(store: BeatStore) -> None:
    stream, other = a_stream(store), a_stream(store)
    spans = [Activity(START + k * 5 * SECOND, 3.5 + k) for k in range(6)]
    store.append_activity("subject", stream, spans[:4])
    store.append_activity("subject", stream, [replace(spans[3], mad_mg=99.0), *spans[4:]])
    assert store.stream_activity("subject", stream) == spans
    store.append_activity("subject", other, [Activity(START, 1.0), Activity(START + 1, 8.0)])
    assert store.activity("subject", *FOREVER)[:2] == [Activity(START, 3.5), Activity(START + 1, 8)]
    assert store.activity("subject", START + 5 * SECOND, START + 15 * SECOND) == spans[1:3]
    with pytest.raises(UnknownStreamError):
        store.append_activity("other", stream, spans)


def test_beats_that_are_not_later_are_refused(store: BeatStore) -> None:
    stream = a_stream(store)
    store.append("subject", stream, made(1, 5))
    store.append("subject", stream, made(11, 15))
    early = [replace(item, beat_times_ns=(START + 5 * SECOND,)) for item in made(6, 6)]
    late = [replace(item, beat_times_ns=(START + 11 * SECOND,)) for item in made(10, 10)]
    for wrong in (early, late):
        with pytest.raises(BeatsOutOfOrderError):
            store.append("subject", stream, wrong)
    assert store.append("subject", stream, made(6, 10)) == 15
    assert len(store.read("subject", *FOREVER)) == 15


def test_coverage_and_registering_twice(store: BeatStore) -> None:
    stream = Stream(new_id(), Origin.FILE, 'a "file", with = signs', START, 1000)
    store.put_stream("subject", stream)
    store.put_stream("subject", stream)
    (empty,) = store.coverage("subject")
    assert empty == StreamCoverage(stream, 0, 0, None, None)
    store.append("subject", stream.id, made(2, 4))
    (some,) = store.coverage("subject")
    assert some == StreamCoverage(stream, 0, 3, START + 2 * SECOND, START + 4 * SECOND)
    with pytest.raises(StreamTakenError):
        store.put_stream("subject", replace(stream, source="another"))
    store.check()
