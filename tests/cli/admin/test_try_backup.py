"""``ebbtide store try-backup``: a real restore, into a folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from ebbtide.settings import Settings
from store import ErasureLedger, open_stores
from store.maintenance import remove_stopped_trial, trial_folder
from tests.support.accounts import add_account
from tests.support.clinic import fill


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    with closing(open_stores(Settings(data_dir=folder))) as stores:
        fill(stores, add_account(stores, "ada@example.org"), days=2)
    return folder


def _ebbtide(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EBBTIDE_DATA_DIR": str(data), "COLUMNS": "300"}
    command = [sys.executable, "-m", "ebbtide", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


def _trial(data: Path, backup: Path) -> Any:
    return ErasureLedger.from_settings(Settings(data_dir=data)).read().trials.get(backup)


def test_a_backup_is_tried_and_the_store_stays(data: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    assert _ebbtide(data, "backup", str(backup)).returncode == 0
    done = _ebbtide(data, "store", "try-backup", str(backup), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    checked = json.loads(_ebbtide(data, "store", "check", "--json").stdout)
    assert found["people"] == 1 and found["ratings"] == checked["ratings"] > 0
    assert found["beats"] == checked["beats"]
    assert not found["problems"]
    assert not (data / "trying-a-backup").exists()
    assert _trial(data, backup).is_whole


def test_one_at_a_time_and_what_a_killed_one_left_goes_at_the_next_start(data: Path) -> None:
    left = data / "trying-a-backup"
    with trial_folder(data) as place:
        assert place == left
        (place / "beats.sqlite").write_bytes(b"somebody's")
        done = _ebbtide(data, "store", "try-backup", str(data))
        assert done.returncode == 1 and "Another backup is being tried" in done.stderr
        remove_stopped_trial(data)
        assert (place / "beats.sqlite").exists()  # it is under way
    assert not left.exists()
    left.mkdir()
    (left / "beats.sqlite").write_bytes(b"of one that was killed")
    settings = Settings(data_dir=data)
    app = create_app(open_stores(settings), settings)

    async def start_and_end() -> None:
        async with app.router.lifespan_context(app):
            assert not left.exists()

    asyncio.run(start_and_end())


def test_a_damaged_backup_is_said_and_noted(data: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    assert _ebbtide(data, "backup", str(backup)).returncode == 0
    file = backup / Settings(data_dir=data).records_file.name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    done = _ebbtide(data, "store", "try-backup", str(backup))
    assert done.returncode == 1 and "is not as it was when it was made" in done.stderr
    assert not _trial(data, backup).is_whole
    assert not (data / "trying-a-backup").exists()
