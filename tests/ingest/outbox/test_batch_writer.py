"""Many straps, one disk: flushed together, and patient with a full disk."""

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
from ingest.outbox.outbox import ConnectionRecord, Entry, Outbox, OutboxWriteError

START = 1_790_000_000 * SECOND


def entry(second: int) -> Entry:
    time_ns = START + second * SECOND
    return Entry(b"\x10\x3c\x00\x04", Notification(0, time_ns + 5, 60, (1024,), (time_ns,), True))


def streams(outbox: Outbox, count: int) -> list[str]:
    made = [Stream(new_id(), Origin.SIMULATED, f"strap {n}", START) for n in range(count)]
    for stream in made:
        outbox.open_stream(stream, "me")
    return [stream.id for stream in made]


def test_each_strap_gets_its_own_numbers_back(tmp_path: Path) -> None:
    async def keep(keeper: BatchWriter, ids: list[str]) -> list[list[int]]:
        async def strap(stream_id: str) -> list[int]:
            return [await keeper.keep(stream_id, [entry(second)]) for second in range(1, 30)]

        return await asyncio.gather(*(strap(stream_id) for stream_id in ids))

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        ids = streams(outbox, 20)
        with BatchWriter(outbox) as keeper:
            numbers = asyncio.run(keep(keeper, ids))
        assert numbers == [list(range(1, 30))] * 20
        assert [state.beats_waiting for state in outbox.states()] == [29] * 20


def test_one_straps_mistake_costs_the_others_nothing(tmp_path: Path) -> None:
    async def keep(keeper: BatchWriter, ids: list[str]) -> list[object]:
        jobs = [keeper.keep(stream_id, [entry(1)]) for stream_id in ids]
        jobs.append(keeper.keep(ids[0], [entry(0)]))  # back in time
        jobs.append(keeper.keep("no such stream", [entry(1)]))
        return await asyncio.gather(*jobs, return_exceptions=True)

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        ids = streams(outbox, 5)
        with BatchWriter(outbox) as keeper:
            results = asyncio.run(keep(keeper, ids))
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


def test_a_full_disk_is_told_and_waited_for(small_disk: Path) -> None:
    async def fill(keeper: BatchWriter, stream_id: str) -> int:
        kept = 0
        while True:
            kept += 1
            waiting = asyncio.ensure_future(keeper.keep(stream_id, [entry(kept)]))
            while not waiting.done():
                await asyncio.sleep(0.005)
                if keeper.problem is not None:
                    assert "Make room" in keeper.problem
                    assert not waiting.done()  # what is not on the disk does not count as kept
                    (small_disk / "ballast").unlink()
                    assert await asyncio.wait_for(waiting, 10) == kept
                    assert keeper.problem is None
                    return kept

    (small_disk / "ballast").write_bytes(b"x" * 500_000)
    with Outbox(small_disk / "outbox.sqlite") as outbox:
        (stream_id,) = streams(outbox, 1)
        with BatchWriter(outbox, retry_s=0.05) as keeper:
            kept = asyncio.run(asyncio.wait_for(fill(keeper, stream_id), 60))
            assert asyncio.run(keeper.keep(stream_id, [entry(kept + 1)])) == kept + 1
    with Outbox(small_disk / "outbox.sqlite") as outbox:
        assert outbox.check() == []
        notifications, _ = outbox.waiting(stream_id, 100_000)
        assert [n.sequence for n in notifications] == list(range(1, kept + 2))


def test_ending_while_the_disk_is_full_says_so(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        (stream_id,) = streams(outbox, 1)
        (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
        outbox._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own "disk full"

        async def keep(keeper: BatchWriter) -> None:
            waiting = asyncio.ensure_future(
                keeper.keep(stream_id, [entry(second) for second in range(1, 3000)])
            )
            while keeper.problem is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            began = time.monotonic()
            await asyncio.to_thread(keeper.__exit__)
            assert time.monotonic() - began < 5
            with pytest.raises(OutboxWriteError, match="safe"):
                await waiting

        asyncio.run(keep(BatchWriter(outbox, retry_s=0.05).__enter__()))


def test_activity_is_kept_once_and_forgotten_when_uploaded(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        (stream_id,) = streams(outbox, 1)
        spans = [Activity(START + n * 5 * SECOND, 10.0 + n) for n in range(4)]
        outbox.add_activity(stream_id, spans[:3])
        outbox.add_activity(stream_id, spans[1:])
        assert outbox.waiting_activity(stream_id, 10) == spans
        outbox.delete_activity(stream_id, spans[1].start_ns)
        assert outbox.waiting_activity(stream_id, 10) == spans[2:]


def test_links_are_remembered_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.outbox.outbox._MOST_LINKS", 3)
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        for n in range(6):
            outbox.add_link("me", ConnectionRecord("strap", n, n + 1, "link lost"))
        assert [spell.connected_ns for spell in outbox.links()] == [3, 4, 5]


def test_an_outbox_of_an_earlier_ebbtide_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox(path) as outbox:
        (stream_id,) = streams(outbox, 1)
        outbox.append(stream_id, [entry(1)])
        for column in ("beats_acknowledged", "paused"):
            outbox._db.execute(f"ALTER TABLE streams DROP COLUMN {column}")
    with Outbox(path) as outbox:
        state = outbox.state(stream_id)
        assert (state.beats_waiting, state.paused) == (1, False)
