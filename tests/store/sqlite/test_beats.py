"""The embedded store of beats: its file, several processes, older files."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, SECOND
from store.encoding import beat_block
from store.maintenance.sqlite_check import IntegrityReport, _blocks
from store.sqlite.beats import SqliteBeatStore
from tests.support.beats import FOREVER, START, a_stream, made


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
    with pytest.raises(EbbtideError, match=r"beats\.sqlite is damaged.*ebbtide restore"):
        SqliteBeatStore(path)


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


def test_heart_rates_of_a_file_of_the_version_before_are_found(tmp_path: Path) -> None:
    path = tmp_path / "beats.sqlite"
    store = SqliteBeatStore(path)
    of_rates, of_beats = a_stream(store), a_stream(store)
    rates = [Notification(n, START + n * SECOND, 70, (), ()) for n in range(1, 50)]
    store.append("subject", of_rates, rates)
    store.append("subject", of_beats, made(1, 5))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DROP INDEX blocks_with_rates")
        for name in ("rates", "rates_start_ns", "rates_end_ns"):
            db.execute(f"ALTER TABLE blocks DROP COLUMN {name}")
    store = SqliteBeatStore(path)
    found = store.rates("subject", *FOREVER)
    assert found.time_ns.tolist() == [item.received_ns for item in rates]
    store.append("subject", of_rates, [Notification(50, START + 50 * SECOND, 71, (), ())])
    assert store.rates("subject", *FOREVER).bpm.tolist() == [70.0] * 49 + [71.0]
    assert len(store.read("subject", *FOREVER)) == 5
    store.close()
    store = SqliteBeatStore(path)  # once
    assert len(store.rates("subject", *FOREVER)) == 50
    store.close()
    report = IntegrityReport()
    with closing(sqlite3.connect(path)) as db:
        _blocks(db, report, None)
    assert report.problems == []


def test_a_file_of_the_version_before_gets_a_generation(tmp_path: Path) -> None:
    path = tmp_path / "beats.sqlite"
    store = SqliteBeatStore(path)
    stream = a_stream(store)
    store.append("subject", stream, made(1, 50))
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE generation; DROP TABLE removed;")
    store = SqliteBeatStore(path)
    first = store.generation()
    assert (len(first.id), first.counter, first.covered) == (32, 1, 0)
    assert store.append("subject", stream, made(51, 60)) == 60
    assert store.remove_stream("subject", stream, 5) == 60
    store.close()
    store = SqliteBeatStore(path)
    assert store.generation() == first
    store.close()


def test_beats_are_stored_while_a_purge_waits_for_a_reader(tmp_path: Path) -> None:
    """A checkpoint that waits holds SQLite's write lock: for as long as another process read, every
    upload waited.
    """
    file = tmp_path / "beats.sqlite"
    store = SqliteBeatStore(file)
    store.put_stream("ada", Stream(new_id(), Origin.STRAP, "s", 1))
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM streams").fetchone()
    purge = threading.Thread(target=store.purge)
    purge.start()
    waits_s = []
    begin = time.monotonic()
    while time.monotonic() - begin < 1.5:
        before = time.monotonic()
        store.put_stream("ada", Stream(new_id(), Origin.STRAP, "s", 1))
        store.coverage("ada")
        waits_s.append(time.monotonic() - before)
        time.sleep(0.05)
    assert purge.is_alive()
    reader.execute("COMMIT")
    reader.close()
    purge.join(20)
    assert not purge.is_alive()
    store.close()
    assert max(waits_s) < 1.0  # it was until the reader ended
    assert len(waits_s) > 3
