"""Files of health data are read by their owner alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ebbtide import _files
from ebbtide._files import make_private, write_private_json
from ebbtide._sqlite import open_sqlite
from ebbtide.settings import Settings
from ingest.straps.ecg_file import EcgFile
from store import open_stores
from store.maintenance import create_backup, restore
from store.sql.upgrade import upgrade

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes of files")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def usual_umask() -> None:
    os.umask(0o022)


def test_a_database_and_its_log_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "beats.sqlite"
    with closing(open_sqlite(path)) as db:
        db.execute("CREATE TABLE t (x)")
        assert mode(path) == mode(tmp_path / "new" / "beats.sqlite-wal") == 0o600
        assert mode(path.parent) == 0o700
    assert sorted(item.name for item in path.parent.iterdir()) == ["beats.sqlite"]


def test_one_from_an_earlier_version_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("PRAGMA journal_mode=WAL")
        earlier.execute("CREATE TABLE t (x)")
        assert mode(path) == 0o644
        open_sqlite(path).close()
        assert mode(path) == mode(tmp_path / "records.sqlite-wal") == 0o600
        assert mode(tmp_path) != 0o600  # the folder may be others' too


def test_a_lock_outlasts_another_opening(tmp_path: Path) -> None:
    path = tmp_path / "beats.sqlite"
    with closing(open_sqlite(path)) as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("BEGIN IMMEDIATE")
        make_private(path)
        code = (
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=0);"
            "db.execute('BEGIN IMMEDIATE')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
        )
        assert "locked" in done.stderr


def test_what_a_command_writes_is_private(tmp_path: Path) -> None:
    file = tmp_path / "rr.txt"
    file.write_text("\n".join(["800", "810", "790"] * 100))
    out = tmp_path / "windows.csv"
    subprocess.run(
        [sys.executable, "-m", "ebbtide", "hrv", str(file), "--window", "60", "--output", str(out)],
        check=True,
    )
    assert mode(out) == 0o600


def test_on_windows_the_access_control_list_names_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exact command; it was not run on Windows here."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(_files, "_IS_POSIX", False)
    monkeypatch.setattr(_files, "_restricted", set())
    monkeypatch.setattr(_files.subprocess, "run", run)
    monkeypatch.setenv("USERNAME", "ada")
    monkeypatch.setenv("USERDOMAIN", "CLINIC")
    monkeypatch.setenv("SYSTEMROOT", r"C:\Windows")
    file = tmp_path / "data" / "beats.sqlite"
    make_private(file)
    make_private(file)  # once a process
    program = r"C:\Windows\System32\icacls.exe"
    assert commands == [
        [program, str(file.parent), "/inheritance:r", "/grant:r", r"CLINIC\ada:(OI)(CI)F", "/q"],
        [program, str(file), "/inheritance:r", "/grant:r", r"CLINIC\ada:F", "/q"],
    ]
    commands.clear()
    for _ in range(2):  # the file is another each time
        write_private_json(file.with_name("sign-ins.json"), {})
    assert [command[1:] for command in commands] == [
        [str(file.with_name("sign-ins.new")), "/inheritance:r", "/grant:r", r"CLINIC\ada:F", "/q"]
    ] * 2


def test_recordings_of_an_ecg_are_private(tmp_path: Path) -> None:
    """They were 0644 in 0755."""
    file = EcgFile(tmp_path / "ecg", "Polar H10")
    file.close()
    assert mode(file.path) == 0o600
    assert mode(file.path.parent) == 0o700


def test_the_copy_of_an_upgrade_and_what_is_restored_are_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    open_stores(settings).close()
    files = [settings.beats_file, settings.records_file]
    create_backup(files, tmp_path / "backup", "now")
    restore(tmp_path / "backup", files, "before", replace=True)
    settings.records_file.unlink()
    older = create_engine(f"sqlite:///{settings.records_file}")
    with older.begin() as db:
        upgrade(db, "0014")
    older.dispose()
    open_stores(settings).close()
    (aside,) = settings.data_dir.glob("*.revision-0014")
    for path in (*settings.data_dir.iterdir(), *(tmp_path / "backup").iterdir(), aside):
        assert mode(path) == 0o600, path
