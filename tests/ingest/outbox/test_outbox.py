import sqlite3
from pathlib import Path

import pytest

from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from ingest.outbox.acknowledged import Retention
from ingest.outbox.outbox import Entry, Outbox

START = 1_790_000_000 * SECOND


def entry(second: int, gap: Gap | None = None) -> Entry:
    time = START + second * SECOND
    return Entry(b"\x10\x3c\x00\x04", Notification(0, time + 5, 60, (1024,), (time,), True), gap)


def stream() -> Stream:
    return Stream(new_id(), Origin.SIMULATED, "a strap", START)


def test_waiting_returns_what_was_appended(tmp_path: Path) -> None:
    gap = Gap(0, START, START + SECOND, GapReason.LINK_LOST)
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        state = outbox.open_stream(stream(), "me")
        assert outbox.append(state.stream.id, [entry(1), entry(2, gap)]) == 2
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        notifications, gaps = outbox.waiting(state.stream.id, 10)
        assert [n.sequence for n in notifications] == [1, 2]
        assert notifications[0].rr_ticks == (1024,)
        assert notifications[1].beat_times_ns == (START + 2 * SECOND,)
        assert gaps == [Gap(2, START, START + SECOND, GapReason.LINK_LOST)]
        found = outbox.find_stream("me", Origin.SIMULATED, "a strap")
        assert found is not None
        assert (found.last_sequence, found.beats_kept, found.waiting) == (2, 2, 2)
        assert found.last_beat_ns == START + 2 * SECOND


def test_acknowledge_deletes_only_what_the_api_has(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        state = outbox.open_stream(stream(), "me")
        outbox.append(state.stream.id, [entry(second) for second in range(1, 6)])
        outbox.acknowledge(state.stream.id, 3)
        outbox.acknowledge(state.stream.id, 2)  # a late, older answer takes nothing back
        notifications, _ = outbox.waiting(state.stream.id, 10)
        assert [n.sequence for n in notifications] == [4, 5]
        assert outbox.state(state.stream.id).waiting == 2
        assert outbox.append(state.stream.id, [entry(6)]) == 6


def test_acknowledge_refuses_more_than_was_written(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        state = outbox.open_stream(stream(), "me")
        outbox.append(state.stream.id, [entry(1)])
        with pytest.raises(EbbtideError, match="old copy"):
            outbox.acknowledge(state.stream.id, 7)
        assert len(outbox.waiting(state.stream.id, 10)[0]) == 1


def test_append_writes_nothing_of_a_batch_that_goes_back_in_time(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        state = outbox.open_stream(stream(), "me")
        with pytest.raises(ValueError, match="not after"):
            outbox.append(state.stream.id, [entry(2), entry(1)])
        assert outbox.waiting(state.stream.id, 10) == ([], [])
        assert outbox.state(state.stream.id).last_sequence == 0


def test_append_is_flushed_to_the_disk(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        (synchronous,) = outbox._database.connection.execute("PRAGMA synchronous").fetchone()
        (mode,) = outbox._database.connection.execute("PRAGMA journal_mode").fetchone()
    assert (synchronous, mode) == (2, "wal")


def test_file_that_is_no_outbox_raises(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_text("not a database, only words " * 100)
    with pytest.raises(EbbtideError, match=r"outbox\.sqlite cannot be opened"):
        Outbox(path)


def test_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        state = outbox.open_stream(stream(), "me")
        outbox.append(state.stream.id, [entry(1)])
        (pages,) = outbox._database.connection.execute("PRAGMA page_count").fetchone()
        outbox._database.connection.execute(
            f"PRAGMA max_page_count = {pages}"
        )  # SQLite's own "disk full"
        with pytest.raises(EbbtideError, match="Make room"):
            outbox.append(state.stream.id, [entry(second) for second in range(2, 2000)])
        outbox._database.connection.execute("PRAGMA max_page_count = 1000000")
        assert outbox.append(state.stream.id, [entry(2)]) == 2
    with sqlite3.connect(tmp_path / "outbox.sqlite") as db:
        assert db.execute("SELECT count(*) FROM notifications").fetchone() == (2,)
    db.close()


_BEFORE = """
CREATE TABLE streams (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, origin TEXT NOT NULL, source TEXT NOT NULL,
    created_ns INTEGER NOT NULL, ticks_per_second INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL DEFAULT 0, last_beat_ns INTEGER,
    acknowledged INTEGER NOT NULL DEFAULT 0, beats_kept INTEGER NOT NULL DEFAULT 0,
    announced INTEGER NOT NULL DEFAULT 0, beats_acknowledged INTEGER NOT NULL DEFAULT 0,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE notifications (
    stream_id TEXT NOT NULL REFERENCES streams (id), sequence INTEGER NOT NULL,
    received_ns INTEGER NOT NULL, payload BLOB NOT NULL, heart_rate_bpm INTEGER NOT NULL,
    contact INTEGER, energy_kj INTEGER, rr_ticks BLOB NOT NULL, beat_times_ns BLOB NOT NULL,
    PRIMARY KEY (stream_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE activity (
    stream_id TEXT NOT NULL REFERENCES streams (id), start_ns INTEGER NOT NULL,
    mad_mg REAL NOT NULL, PRIMARY KEY (stream_id, start_ns)
) STRICT, WITHOUT ROWID;
INSERT INTO streams VALUES ('s', 'me', 'simulated', 'a strap', 5, 1024, 3, 9, 2, 3, 1, 2, 0);
INSERT INTO notifications VALUES ('s', 3, 9, x'10', 60, 1, NULL, x'0004', x'0900000000000000');
INSERT INTO activity VALUES ('s', 7, 1.5);
"""


def test_an_outbox_of_the_version_before_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(_BEFORE)
    db.close()
    for _ in range(2):
        with Outbox(path) as outbox:
            (state,) = outbox.states()
            assert (state.waiting, state.beats_waiting, state.beats_lost) == (1, 1, 0)
            assert [item.sequence for item in outbox.waiting("s", 10)[0]] == [3]
            assert [span.start_ns for span in outbox.waiting_activity("s", 10)] == [7]
    with Outbox(path) as outbox:
        outbox.acknowledge("s", 3, 1)
        outbox.acknowledge_activity("s", 7, 1)
        assert outbox.append("s", [entry(1)]) == 4
        assert [item.sequence for item in outbox.waiting("s", 10)[0]] == [4]
        assert outbox.waiting_activity("s", 10) == []


@pytest.mark.parametrize(("days", "megabytes", "left"), [(0, 300, 0), (30, 0, 0), (30, 300, 5)])
def test_what_the_api_has_is_held_within_its_limits(
    tmp_path: Path, days: int, megabytes: int, left: int
) -> None:
    keep = Retention(days, megabytes)
    with Outbox(tmp_path / "outbox.sqlite", keep) as outbox:
        state = outbox.open_stream(stream(), "me")
        outbox.append(state.stream.id, [entry(second) for second in range(1, 9)])
        outbox.acknowledge(state.stream.id, 5, 1)
        assert outbox.acknowledged.held_bytes() > 5 * 14
        assert outbox.acknowledged.prune("me", keep) == 5 - left
        assert [item.sequence for item in outbox.waiting(state.stream.id, 9)[0]] == [6, 7, 8]
        rows = outbox._database.fetch("SELECT count(*) FROM notifications")
        assert rows == [(left + 3,)]
        assert (outbox.acknowledged.held_bytes() == 0) is (left == 0)


def test_a_removed_stream_goes_on_as_another_with_what_came_later(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        state = outbox.open_stream(stream(), "me")
        gap = Gap(0, START, START + SECOND, GapReason.LINK_LOST)
        outbox.append(state.stream.id, [entry(1), entry(2), entry(3), entry(4, gap), entry(5)])
        outbox.acknowledge(state.stream.id, 2, 1)
        outbox.comparison.follow_removal(state.stream.id, START + 3 * SECOND + 100)
        (later,) = outbox.states()
        assert later.stream.id != state.stream.id
        found, gaps = outbox.waiting(later.stream.id, 9)
        assert [item.beat_times_ns for item in found] == [
            (START + second * SECOND,) for second in (4, 5)
        ]
        assert ([item.sequence for item in found], gaps) == ([1, 2], [])
        # The recorder still has the id of the one that was removed.
        assert outbox.append(state.stream.id, [entry(6)]) == 3
        (later,) = outbox.states()
        assert later.beats_waiting == 3
        again = outbox.find_stream("me", Origin.SIMULATED, "a strap")
        assert again is not None and again.stream.id == later.stream.id
