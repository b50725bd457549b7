"""Looking after the embedded store: check, backup while running, restore, erase."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.services.erasure import erase_person
from ebbtide.beats import Gap, GapReason, Origin, Stream, new_id
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.errors import ErasedSubjectError
from store.maintenance import (
    IntegrityReport,
    check_sqlite,
    create_backup,
    restore,
)
from store.models import Rating, TherapySession
from tests.support.beats import FOREVER, START, made

SECOND = 1_000_000_000


@pytest.fixture
def filled(settings: Settings, stores: Stores, patient: object) -> Stores:
    """Two people with beats, a gap, ratings and a session each."""
    for email in ("ada@example.org", "eve@example.org"):
        patient(email)  # type: ignore[operator]
        person = stores.records.person_by_email(email)
        assert person is not None
        stream = new_id()
        stores.beats.put_stream(person.subject_id, Stream(stream, Origin.STRAP, "a strap", START))
        gap = Gap(400, START + 399 * SECOND, START + 400 * SECOND, GapReason.LINK_LOST)
        stores.beats.append(person.subject_id, stream, made(1, 600), [gap])
        stores.records.add_rating(
            Rating(new_id(), 1, person.id, START, START, "Europe/Berlin", 3, 4, None, False)
        )
        stores.records.add_session(TherapySession(new_id(), person.id, 1, START))
    return stores


def files(settings: Settings) -> list[Path]:
    return [settings.beats_file, settings.records_file]


def checked(settings: Settings) -> IntegrityReport:
    return check_sqlite(settings.beats_file, settings.records_file)


def test_a_whole_store_is_told_so(settings: Settings, filled: Stores) -> None:
    found = checked(settings)
    assert (found.people, found.ratings, found.streams, found.beats, found.gaps) == (
        2,
        2,
        2,
        1200,
        2,
    )
    assert found.problems == found.waiting == []


DAMAGE = [
    ("UPDATE blocks SET beats = beats + 1", "does not hold what it says"),
    ("UPDATE blocks SET end_ns = end_ns + 1", "not in the time it says"),
    ("UPDATE blocks SET data = zeroblob(40)", "cannot be read"),
    ("UPDATE gaps SET stream_id = stream_id || '?'", "belong to no stream"),
    ("UPDATE streams SET subject_id = 'nobody'", "belongs to nobody"),
    ("UPDATE gaps SET end_ns = start_ns - 1", "end before they start"),
    ("INSERT INTO erased SELECT DISTINCT subject_id FROM streams", "who was erased"),
    (
        "INSERT INTO blocks SELECT stream_id, 300, 900, beats, start_ns, end_ns, data, kept_ns,"
        " rates, rates_start_ns, rates_end_ns"
        " FROM blocks",
        "there twice",
    ),
]


@pytest.mark.parametrize(("change", "words"), DAMAGE)
def test_what_is_wrong_is_named(
    settings: Settings, filled: Stores, change: str, words: str
) -> None:
    with closing(sqlite3.connect(settings.beats_file, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute(change)
    assert any(words in problem for problem in checked(settings).problems)


def test_numbers_on_their_way_are_no_problem(settings: Settings, filled: Stores) -> None:
    person = filled.records.person_by_email("ada@example.org")
    assert person is not None
    (covered,) = filled.beats.coverage(person.subject_id)
    filled.beats.append(person.subject_id, covered.stream.id, made(700, 710))
    found = checked(settings)
    assert found.problems == []
    assert "601 to 699" in found.waiting[0]


@pytest.fixture
def writer(filled: Stores) -> Iterator[None]:
    """Beats are uploaded all the while."""
    person = filled.records.person_by_email("ada@example.org")
    assert person is not None
    (covered,) = filled.beats.coverage(person.subject_id)
    stop = threading.Event()

    def upload() -> None:
        at = 601
        while not stop.is_set():
            filled.beats.append(person.subject_id, covered.stream.id, made(at, at + 4))
            at += 5

    thread = threading.Thread(target=upload)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("writer")
def test_a_backup_while_somebody_uploads_is_whole(
    settings: Settings, filled: Stores, tmp_path: Path
) -> None:
    for turn in range(5):
        made_now = create_backup(files(settings), tmp_path / f"copy{turn}", "now")
        found = check_sqlite(*(made_now.folder / file.name for file in files(settings)))
        assert found.problems == found.waiting == []
        assert found.beats >= 1200


def test_a_backup_comes_back(settings: Settings, filled: Stores, tmp_path: Path) -> None:
    copy = create_backup(files(settings), tmp_path / "copy", "now").folder
    person = filled.records.person_by_email("ada@example.org")
    assert person is not None
    before = filled.beats.read(person.subject_id, *FOREVER).time_ns.tolist()
    (covered,) = filled.beats.coverage(person.subject_id)
    filled.beats.append(person.subject_id, covered.stream.id, made(601, 700))
    with pytest.raises(EbbtideError, match="already"):
        restore(copy, files(settings), "old")
    filled.beats.close()
    filled.records.close()
    stored = restore(copy, files(settings), "old", replace=True).put_aside
    assert [file.name for file in stored] == ["beats.sqlite.old", "records.sqlite.old"]
    again = open_stores(settings)
    assert again.beats.read(person.subject_id, *FOREVER).time_ns.tolist() == before
    assert len(again.records.ratings(person.id, 0, 2**62)) == 1
    again.beats.close()
    again.records.close()
    assert check_sqlite(*stored).people == 2
    assert checked(settings).problems == []


def test_a_restore_is_another_generation_and_keeps_what_was_removed_away(
    settings: Settings, filled: Stores, tmp_path: Path
) -> None:
    before = filled.beats.generation()
    copy = create_backup(files(settings), tmp_path / "copy", "now").folder
    after = filled.beats.generation()
    assert (after.id, after.covered) == (before.id, before.counter)
    people = [filled.records.person_by_email(f"{name}@example.org") for name in ("ada", "eve")]
    assert people[0] is not None and people[1] is not None
    (covered,) = filled.beats.coverage(people[0].subject_id)
    filled.beats.remove_stream(people[0].subject_id, covered.stream.id, START)
    erase_person(filled, "eve@example.org")
    filled.beats.close()
    filled.records.close()
    assert restore(copy, files(settings), "old", replace=True).erased_again == 1
    again = open_stores(settings)
    assert again.beats.generation().id != before.id
    assert again.beats.coverage(people[0].subject_id) == []
    assert again.beats.coverage(people[1].subject_id) == []
    assert again.records.person(people[1].id) is None
    again.beats.close()
    again.records.close()
    assert checked(settings).problems == []


def test_a_store_in_use_is_not_replaced(settings: Settings, filled: Stores, tmp_path: Path) -> None:
    copy = create_backup(files(settings), tmp_path / "copy", "now").folder
    holding = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom store import open_stores\nfrom ebbtide.settings import Settings\n"
            "stores = open_stores(Settings())\nstores.beats.check()\nprint('open', flush=True)\n"
            "sys.stdin.read()",
        ],
        env={**os.environ, "EBBTIDE_DATA_DIR": str(settings.data_dir)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holding.stdout is not None and holding.stdout.readline() == "open\n"
    filled.beats.close()
    filled.records.close()
    try:
        with pytest.raises(EbbtideError, match="in use"):
            restore(copy, files(settings), "old", replace=True)
    finally:
        holding.communicate("")
    assert checked(settings).beats == 1200


def test_bad_backups_are_refused(settings: Settings, filled: Stores, tmp_path: Path) -> None:
    copy = create_backup(files(settings), tmp_path / "copy", "now").folder
    with pytest.raises(EbbtideError, match="already"):
        create_backup(files(settings), copy, "now")
    with pytest.raises(EbbtideError, match="no store"):
        create_backup([tmp_path / "nothing.sqlite"], tmp_path / "other", "now")
    with pytest.raises(EbbtideError, match="no backup"):
        restore(tmp_path, files(settings), "old")
    data = (copy / "beats.sqlite").read_bytes()
    (copy / "beats.sqlite").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(EbbtideError, match="not as it was"):
        restore(copy, files(settings), "old", replace=True)
    (copy / "beats.sqlite").unlink()
    with pytest.raises(EbbtideError, match=r"has no beats\.sqlite"):
        restore(copy, files(settings), "old", replace=True)


def test_erased_is_gone_and_stays_gone(settings: Settings, filled: Stores) -> None:
    person = filled.records.person_by_email("ada@example.org")
    assert person is not None
    (covered,) = filled.beats.coverage(person.subject_id)
    assert any(b"ada@example.org" in file.read_bytes() for file in settings.data_dir.iterdir())
    found = erase_person(filled, "ada@example.org")
    assert (found.beats, found.ratings, found.sessions) == (600, 1, 1)
    # An upload that was on its way: neither its stream nor a new one brings anything back.
    with pytest.raises(EbbtideError):
        filled.beats.append(person.subject_id, covered.stream.id, made(601, 605))
    with pytest.raises(ErasedSubjectError):
        filled.beats.put_stream(person.subject_id, covered.stream)
    with pytest.raises(EbbtideError, match="no account"):
        erase_person(filled, "ada@example.org")
    assert checked(settings).problems == []
    assert checked(settings).people == 1
    lines = filled.records.audit()
    assert [line.action for line in lines] == ["erasure begun", "erased"]
    assert {line.subject for line in lines} == {person.subject_id}
    for file in settings.data_dir.iterdir():
        content = file.read_bytes()
        for trace in (b"ada@example.org", person.id.encode(), covered.stream.id.encode()):
            assert trace not in content, (file.name, trace)


def test_the_commands(settings: Settings, filled: Stores, tmp_path: Path) -> None:
    def ebbtide(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ebbtide", *arguments],
            env={**os.environ, "EBBTIDE_DATA_DIR": str(settings.data_dir)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    copy = tmp_path / "copy"
    said = json.loads(ebbtide("backup", str(copy), "--json").stdout)
    assert set(said["bytes"]) == {"beats.sqlite", "records.sqlite"}
    assert json.loads(ebbtide("store", "check", "--json").stdout)["beats"] == 1200
    assert "1200 beats" in ebbtide("store", "check").stdout
    (settings.data_dir / "records.sqlite.revision-0001").write_text("an older copy")
    done = ebbtide("erase", "ada@example.org", "--yes")
    assert "600 beats, 1 rating, 1 session; nothing is left" in " ".join(done.stdout.split())
    assert "records.sqlite.revision-0001" in done.stdout
    filled.beats.close()
    filled.records.close()
    assert ebbtide("restore", str(copy)).returncode == 1
    assert "What was there" in ebbtide("restore", str(copy), "--replace").stdout
    assert json.loads(ebbtide("store", "check", "--json").stdout)["people"] == 1
    with closing(sqlite3.connect(settings.beats_file, isolation_level=None)) as db:
        db.execute("UPDATE blocks SET beats = 1")
    bad = ebbtide("store", "check")
    assert bad.returncode == 1 and "Wrong:" in bad.stdout
