"""The folder in which a backup is tried: it holds health data, and is never left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ebbtide.errors import EbbtideError

_NAME = "trying-a-backup"


@contextmanager
def trial_folder(data_dir: Path) -> Iterator[Path]:
    """Make an empty, private folder on the disk of the stores, and delete it at the end.

    Raises EbbtideError where another backup is being tried.
    """
    place = data_dir / _NAME
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(_lock_of(place), timeout=0):
            shutil.rmtree(place, ignore_errors=True)  # of a trial that was killed
            place.mkdir(mode=0o700)
            try:
                yield place
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except Timeout as error:
        raise EbbtideError(
            "Another backup is being tried with this data folder.", "Wait until that is done."
        ) from error


def remove_stopped_trial(data_dir: Path) -> None:
    """Delete what a trial that was killed left: whoever was erased since may be in it. One that is
    under way is left alone; it deletes its own.
    """
    place = data_dir / _NAME
    if not place.exists():
        return
    try:
        with FileLock(_lock_of(place), timeout=0):
            shutil.rmtree(place, ignore_errors=True)
    except Timeout:
        return


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")
