"""A store that is set back to an older backup under straps that record: no beat is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from api import create_app
from api.services.erasure import erase_person
from cli.demo.run import run_until_one_fails
from cli.server.thread import ApiThread
from ebbtide.beats import Activity, Origin
from ebbtide.settings import Settings
from ebbtide.timestamps import FOREVER, SECOND
from ingest.files.importer import import_recordings
from ingest.files.registry import open_recording
from ingest.outbox.acknowledged import Retention
from ingest.outbox.api_client import ErasedError, IngestClient
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.outbox.uploader import Uploader
from ingest.recorder import Recorder
from ingest.straps.simulated import notifications
from ingest.straps.strap import RawNotification, SignalBreak
from store import Stores, open_stores
from store.maintenance import create_backup, restore
from tests.ingest.files.test_formats import EXAMPLES
from tests.support.accounts import PASSWORD, add_account
from tests.support.ingester_process import LoggedStrap
from tests.support.ports import free_port

START = 1_790_000_000 * SECOND
STRAPS = 3


class Server:
    """An API over the embedded store, on one port, which can be stopped and set back."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.port = free_port()
        self._running = ExitStack()
        self.stores: Stores
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def files(self) -> list[Path]:
        return [self.settings.beats_file, self.settings.records_file]

    def start(self) -> None:
        self.stores = open_stores(self.settings)
        self._running.enter_context(ApiThread(create_app(self.stores), self.port))

    def stop(self) -> None:
        self._running.close()

    def backup(self, folder: Path) -> Path:
        return create_backup(self.files, folder, "now").folder

    def set_back(self, backup: Path, aside: str) -> None:
        """Stop, restore as ``ebbtide restore --replace`` does, and start again."""
        self.stop()
        restore(backup, self.files, aside, replace=True)
        self.start()

    def sign_in(self) -> tuple[str, str, str]:
        """Token of a device, account and subject of a new person."""
        person = add_account(self.stores, "ada@example.org")
        answer = httpx.post(
            f"{self.url}/v1/sign-in",
            json={"email": "ada@example.org", "password": PASSWORD, "device": "a machine"},
        )
        return answer.json()["token"], person.id, person.subject_id


@pytest.fixture
def server(settings: Settings) -> Server:
    made = Server(settings)
    yield made  # type: ignore[misc]
    made.stop()


def logs(seconds: int) -> list[list[tuple[int, bytes]]]:
    """What each strap sends: intervals of its own, about one a second."""
    found = []
    for strap in range(STRAPS):
        run = [800 + 37 * strap + 11 * (k % 17) + k % 5 for k in range(seconds)]
        events = notifications([run], START)
        found.append([event for event in events if not isinstance(event, SignalBreak)])
    return found


class NamedStrap(LoggedStrap):
    """A strap of the log, with a name and a moment at which it waits for the test."""

    origin = Origin.SIMULATED

    def __init__(
        self, name: str, log: list[tuple[int, bytes]], at: Callable[[int], Awaitable[None]]
    ) -> None:
        super().__init__(log, 0)
        self.name = name  # type: ignore[misc]
        self._at = at

    async def events(self):  # type: ignore[no-untyped-def]
        for number, (arrival, payload) in enumerate(self._log):
            await self._at(number)
            yield RawNotification(payload, arrival, arrival)


def assert_each_beat_once(server: Server, subject: str, outbox_beats: int) -> None:
    beats = server.stores.beats.read(subject, *FOREVER)
    assert len(beats) == outbox_beats
    for index in range(len(beats.streams)):
        times = beats.time_ns[beats.stream == index]
        assert len(set(times.tolist())) == len(times)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["restore", "copy of the disk"])
def test_a_restore_under_recording_straps_loses_and_doubles_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("ingest.outbox.uploader._COMPARE_S", 0.5)
    monkeypatch.setattr("ingest.outbox.uploader._MAX_WAIT_S", 1.0)
    token, account, subject = server.sign_in()
    strap_logs = logs(900)
    backup: list[Path] = []

    async def record(outbox: Outbox, writer: BatchWriter) -> None:
        async with IngestClient(server.url, token) as client:
            uploader = Uploader(outbox, client, account)
            # A stream that is over before the backup, and one that began after it.
            finished = Recorder(NamedStrap("finished", strap_logs[0][:50], _go_on), writer, account)
            await finished.run()
            outbox.add_activity(finished.stream_ids[0], [Activity(START, 3.5)])
            await uploader.upload_waiting()

            async def act(number: int) -> None:
                await asyncio.sleep(0.002)
                if number == 200:
                    await uploader.upload_waiting()
                    if kind == "restore":
                        backup.append(await asyncio.to_thread(server.backup, tmp_path / "backup"))
                    else:  # a snapshot of the disk, of which the server knows nothing
                        await asyncio.to_thread(server.stop)
                        shutil.copytree(server.settings.data_dir, tmp_path / "backup")
                        backup.append(tmp_path / "backup")
                        await asyncio.to_thread(server.start)
                    late = NamedStrap("late", strap_logs[1][:60], _go_on)
                    await Recorder(late, writer, account).run()
                if number == 500:
                    # All was acknowledged by a store that is lost now.
                    await until(lambda: sum(s.acknowledged for s in outbox.states()) > 900)
                    if kind == "restore":
                        await asyncio.to_thread(server.set_back, backup[0], "old")
                    else:
                        await asyncio.to_thread(server.stop)
                        for file in server.files:
                            shutil.copyfile(backup[0] / file.name, file)
                            for rest in ("-wal", "-shm"):
                                file.with_name(file.name + rest).unlink(missing_ok=True)
                        await asyncio.to_thread(server.start)

            async def all_straps() -> None:
                recorders = [
                    Recorder(
                        NamedStrap(f"strap {k}", log, act if k == 0 else _slowly), writer, account
                    )
                    for k, log in enumerate(strap_logs)
                ]
                await asyncio.gather(*(recorder.run() for recorder in recorders))
                # Without a person, within a minute.
                await until(
                    lambda: (
                        not any(state.waiting for state in outbox.states())
                        and stored_beats() == sum(s.beats_kept for s in outbox.states())
                    )
                )
                raise Done

            def stored_beats() -> int:
                return sum(item.beats for item in server.stores.beats.coverage(subject))

            try:
                await run_until_one_fails(all_straps(), uploader.run(every_s=0.02))
            except Done:
                return

    with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
        asyncio.run(record(outbox, writer))
        states = outbox.states()
        assert len(states) == 2 + STRAPS
        assert all(state.beats_lost == 0 for state in states)
        assert_each_beat_once(server, subject, sum(state.beats_kept for state in states))
        assert server.stores.beats.gaps(subject, *FOREVER) == []
        assert server.stores.beats.activity(subject, *FOREVER) == [Activity(START, 3.5)]


class Done(Exception):  # noqa: N818
    """Ends the recording."""


async def _go_on(number: int) -> None:
    del number


async def _slowly(number: int) -> None:
    del number
    await asyncio.sleep(0.002)


def upload(server: Server, token: str, account: str, outbox: Outbox, keep: Retention) -> None:
    async def run() -> None:
        async with IngestClient(server.url, token) as client:
            await Uploader(outbox, client, account, keep=keep).upload_waiting()

    asyncio.run(run())


def test_what_the_outbox_has_let_go_is_a_gap_with_its_reason(
    server: Server, tmp_path: Path
) -> None:
    token, account, subject = server.sign_in()
    (log, *_) = logs(400)
    nothing, all_of_it = Retention(0, 0), Retention(30, 300)

    def record(outbox: Outbox, begin: int, end: int) -> None:
        async def run() -> None:
            with BatchWriter(outbox) as writer:
                await Recorder(NamedStrap("a", log[begin:end], _go_on), writer, account).run()

        asyncio.run(run())

    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        record(outbox, 0, 100)
        upload(server, token, account, outbox, all_of_it)
        backup = server.backup(tmp_path / "backup")
        record(outbox, 100, 200)
        upload(server, token, account, outbox, nothing)
        record(outbox, 200, 300)
        upload(server, token, account, outbox, all_of_it)
        (before,) = server.stores.beats.coverage(subject)
        server.set_back(backup, "old")
        record(outbox, 300, len(log))
        upload(server, token, account, outbox, all_of_it)
        (state,) = outbox.states()
        (after,) = server.stores.beats.coverage(subject)
        assert (state.waiting, after.acknowledged) == (0, state.last_sequence)
        assert before.beats < state.beats_kept
        assert 0 < state.beats_lost == state.beats_kept - after.beats < 120
        lost = [
            gap.gap
            for gap in server.stores.beats.gaps(subject, *FOREVER)
            if gap.gap.reason == "lost at a restore"
        ]
        assert len(lost) == 1
        beats = server.stores.beats.read(subject, *FOREVER)
        within = (beats.time_ns > lost[0].start_ns) & (beats.time_ns < lost[0].end_ns)
        assert not within.any()
        first = beats.time_ns.searchsorted(lost[0].end_ns)
        assert not beats.follows[first]


def test_an_import_after_a_restore_brings_the_beats_back(server: Server, tmp_path: Path) -> None:
    token, account, subject = server.sign_in()
    file = open_recording(EXAMPLES / "fit.fit", zone="UTC")
    for keep in (Retention(30, 300), Retention(0, 0)):
        backup = server.backup(tmp_path / f"backup-{keep.days}")
        with Outbox(tmp_path / f"outbox-{keep.days}.sqlite") as outbox:
            import_recordings(file, outbox, account)
            upload(server, token, account, outbox, keep)
            assert server.stores.beats.coverage(subject)[0].beats == file.beats
            server.set_back(backup, f"old-{keep.days}")
            assert server.stores.beats.coverage(subject) == []
            upload(server, token, account, outbox, keep)
            if keep.days == 0:  # let go: the outbox does not say any more that the beats are there
                assert [state.beats_lost for state in outbox.states()] == [file.beats]
                done = import_recordings(file, outbox, account)
                assert (done.new_beats, done.known_beats) == (file.beats, 0)
                upload(server, token, account, outbox, keep)
            assert server.stores.beats.coverage(subject)[0].beats == file.beats
            assert sum(state.beats_lost for state in outbox.states()) == 0
            server.set_back(backup, f"older-{keep.days}")


def test_a_backup_lets_the_outbox_delete_what_it_covers(server: Server, tmp_path: Path) -> None:
    token, account, _ = server.sign_in()
    file = open_recording(EXAMPLES / "fit.fit", zone="UTC")
    keep = Retention(30, 300)
    with Outbox(tmp_path / "outbox.sqlite") as outbox:
        import_recordings(file, outbox, account)
        upload(server, token, account, outbox, keep)
        held = outbox.acknowledged.held_bytes()
        upload(server, token, account, outbox, keep)
        assert outbox.acknowledged.held_bytes() == held > 0
        server.backup(tmp_path / "backup")
        upload(server, token, account, outbox, keep)
        assert outbox.acknowledged.held_bytes() == 0
        assert outbox._database.fetch("SELECT count(*) FROM notifications") == [(0,)]


def test_an_erasure_empties_every_outbox(server: Server, tmp_path: Path) -> None:
    token, account, _ = server.sign_in()
    file = open_recording(EXAMPLES / "fit.fit", zone="UTC")
    path = tmp_path / "outbox.sqlite"
    with Outbox(path) as outbox:
        import_recordings(file, outbox, account, name="secret-walk.fit")
        upload(server, token, account, outbox, Retention())
        source = outbox.states()[0].stream.source.encode()
        erase_person(server.stores, "ada@example.org")
        with pytest.raises(ErasedError):
            upload(server, token, account, outbox, Retention())
        assert outbox.states() == []
        with pytest.raises(Exception, match="was erased"):
            import_recordings(file, outbox, account)
    content = path.read_bytes()
    assert source not in content
    assert b"secret-walk" not in content
