"""Files that their owner alone can read."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any


def make_private(path: Path) -> None:
    """Create an empty file of mode 0600, or take the rights of others to one that is there.

    A new folder gets 0700. On Windows the folder's own rules hold.
    SQLite gives its write-ahead log the mode of the database. A folder that is there already stays
    as it is: it may be one that others need. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name != "posix":
        return
    if not path.exists():
        # Never opened by its own name: to close a file ends all locks that this process has on it,
        # SQLite's too (sqlite.org/howtocorrupt.html, 2.2).
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
        with suppress(OSError):  # there by now, or a file system without links
            os.link(name, path)
        Path(name).unlink()
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with suppress(FileNotFoundError, PermissionError):  # another owner's stays as it is
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def write_private_json(path: Path, content: Any, *, indent: int | None = None) -> None:
    """Write JSON with mode 0600 and rename it over ``path`` once it is on the disk.

    A reader sees the old content or the new, never a part. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=indent)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
