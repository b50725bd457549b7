"""Many straps, one disk: flushed together, and retried while the disk is full."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebbtide.beats import Activity, Notification, Origin, Stream, new_id
from ebbtide.timestamps import SECOND
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.connection_history import ConnectionRecord
from ingest.outbox.database import OutboxWriteError
from ingest.outbox.outbox import Entry, Outbox

START = 1_790_000_000 * SECOND


def entry(second: int) -> Entry:
    time_ns = START + second * SECOND
    return Entry(b"\x10\x3c\x00\x04", Notification(0, time_ns + 5, 60, (1024,), (time_ns,), True))


def streams(outbox: Outbox, count: int) -> list[str]:
    made = [Stream(new_id(), Origin.SIMULATED, f"strap {n}", START) for n in range(count)]
    for stream in made:
        outbox.open_stream(stream, "me")
    return [stream.id for stream in made]


def test_each_strap_gets_its_own_sequence_numbers(tmp_path: Path) -> None:
    async def append(writer: BatchWriter, ids: list[str]) -> list[list[int]]:
        async def strap(stream_id: str) -> list[int]:
            return [await writer.append(stream_id, [entry(second)]) for second in range(1, 30)]

        return await asyncio.gather(*(strap(stream_id) for stream_id in ids))

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        ids = streams(outbox, 20)
        with BatchWriter(outbox) as writer:
            numbers = asyncio.run(append(writer, ids))
        assert numbers == [list(range(1, 30))] * 20
        assert [state.beats_waiting for state in outbox.states()] == [29] * 20


def test_invalid_entry_of_one_strap_does_not_affect_others(tmp_path: Path) -> None:
    async def append(writer: BatchWriter, ids: list[str]) -> list[object]:
        jobs = [writer.append(stream_id, [entry(1)]) for stream_id in ids]
        jobs.append(writer.append(ids[0], [entry(0)]))  # back in time
        jobs.append(writer.append("no such stream", [entry(1)]))
        return await asyncio.gather(*jobs, return_exceptions=True)

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        ids = streams(outbox, 5)
        with BatchWriter(outbox) as writer:
            results = asyncio.run(append(writer, ids))
    assert results[:5] == [1] * 5
    assert isinstance(results[5], ValueError)
    assert isinstance(results[6], KeyError)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)],
            check=False,
            capture_output=True,
        ).returncode
    )
    if not mounted:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_is_reported_and_retried(small_disk: Path) -> None:
    async def fill(writer: BatchWriter, stream_id: str) -> int:
        written = 0
        while True:
            written += 1
            waiting = asyncio.ensure_future(writer.append(stream_id, [entry(written)]))
            while not waiting.done():
                await asyncio.sleep(0.005)
                if writer.problem is not None:
                    assert "Make room" in writer.problem
                    assert not waiting.done()  # what is not on the disk does not count as written
                    (small_disk / "ballast").unlink()
                    assert await asyncio.wait_for(waiting, 10) == written
                    assert writer.problem is None
                    return written

    (small_disk / "ballast").write_bytes(b"x" * 500_000)
    with Outbox(small_disk / "outbox.sqlite") as outbox:
        (stream_id,) = streams(outbox, 1)
        with BatchWriter(outbox, retry_s=0.05) as writer:
            written = asyncio.run(asyncio.wait_for(fill(writer, stream_id), 60))
            assert asyncio.run(writer.append(stream_id, [entry(written + 1)])) == written + 1
    with Outbox(small_disk / "outbox.sqlite") as outbox:
        assert outbox.check() == []
        notifications, _ = outbox.waiting(stream_id, 100_000)
        assert [n.sequence for n in notifications] == list(range(1, written + 2))


def test_closing_while_the_disk_is_full_raises(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        (stream_id,) = streams(outbox, 1)
        (pages,) = outbox._database.connection.execute("PRAGMA page_count").fetchone()
        outbox._database.connection.execute(
            f"PRAGMA max_page_count = {pages}"
        )  # SQLite's own "disk full"

        async def append(writer: BatchWriter) -> None:
            waiting = asyncio.ensure_future(
                writer.append(stream_id, [entry(second) for second in range(1, 3000)])
            )
            while writer.problem is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            began = time.monotonic()
            await asyncio.to_thread(writer.__exit__)
            assert time.monotonic() - began < 5
            with pytest.raises(OutboxWriteError, match="safe"):
                await waiting

        asyncio.run(append(BatchWriter(outbox, retry_s=0.05).__enter__()))


def test_activity_is_stored_once_and_deleted_when_uploaded(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        (stream_id,) = streams(outbox, 1)
        spans = [Activity(START + n * 5 * SECOND, 10.0 + n) for n in range(4)]
        outbox.add_activity(stream_id, spans[:3])
        outbox.add_activity(stream_id, spans[1:])
        assert outbox.waiting_activity(stream_id, 10) == spans
        outbox.acknowledge_activity(stream_id, spans[1].start_ns)
        assert outbox.waiting_activity(stream_id, 10) == spans[2:]


def test_connection_history_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.outbox.connection_history._MAX_CONNECTIONS", 3)
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        for n in range(6):
            outbox.connections.add("me", ConnectionRecord("strap", n, n + 1, "link lost"))
        assert [record.connected_ns for record in outbox.connections.all()] == [3, 4, 5]


def test_outbox_of_an_earlier_version_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox(path) as outbox:
        (stream_id,) = streams(outbox, 1)
        outbox.append(stream_id, [entry(1)])
        for column in ("beats_acknowledged", "paused"):
            outbox._database.connection.execute(f"ALTER TABLE streams DROP COLUMN {column}")
    with Outbox(path) as outbox:
        state = outbox.state(stream_id)
        assert (state.beats_waiting, state.paused) == (1, False)
