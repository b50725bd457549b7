"""Files of health data are read by their owner alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ebbtide._files import make_private
from ebbtide._sqlite import open_sqlite

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
