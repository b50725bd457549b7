import sqlite3
from pathlib import Path

import pytest

from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
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
