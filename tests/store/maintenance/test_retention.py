"""Older backups are deleted, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from store.maintenance import remove_old_backups


def make(parent: Path, name: str, *, finished: bool = True, age_s: float = 0) -> Path:
    folder = parent / name
    folder.mkdir()
    (folder / "records.sqlite").write_bytes(b"health data")
    if finished:
        (folder / "backup.json").write_text("{}")
    at = time.time() - age_s
    os.utime(folder, (at, at))
    return folder


def test_the_newest_stay(tmp_path: Path) -> None:
    made = [make(tmp_path, f"ebbtide-backup-2026-11-{day:02}T03-30-00") for day in range(1, 6)]
    assert remove_old_backups(tmp_path, 2) == made[:3]
    assert [path.exists() for path in made] == [False, False, False, True, True]
    assert remove_old_backups(tmp_path, 2) == []


def test_what_is_not_a_backup_named_by_the_time_stays(tmp_path: Path) -> None:
    (tmp_path / "ebbtide-erased.jsonl").write_text("{}\n")
    own = make(tmp_path, "before-the-upgrade")
    elsewhere = make(tmp_path, "disk")
    link = tmp_path / "ebbtide-backup-2020-01-01T00-00-00"
    link.symlink_to(elsewhere)
    newest = make(tmp_path, "ebbtide-backup-2026-11-27T03-30-00")
    assert remove_old_backups(tmp_path, 1) == []
    assert own.is_dir()
    assert link.is_dir()
    assert newest.is_dir()


def test_a_killed_backup_goes_after_a_day(tmp_path: Path) -> None:
    """Nothing else would ever delete it; one that is being made now is younger."""
    killed = make(tmp_path, "ebbtide-backup-2026-11-20T03-30-00", finished=False, age_s=90_000)
    copies = make(
        tmp_path, "ebbtide-backup-2026-11-20T03-30-00.being-made", finished=False, age_s=90_000
    )
    being_made = make(tmp_path, "ebbtide-backup-2026-11-27T03-30-00.being-made", finished=False)
    assert set(remove_old_backups(tmp_path, 14)) == {killed, copies}
    assert being_made.is_dir()
