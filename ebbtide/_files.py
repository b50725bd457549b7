"""Files that their owner alone can read."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

_LOG = logging.getLogger("ebbtide.files")
_IS_POSIX = os.name == "posix"
_restricted: set[Path] = set()  # on Windows: by this process


def make_private(path: Path) -> None:
    """Create an empty file of mode 0600, or take the rights of others to one that is there.

    A new folder gets 0700. On Windows both get an access control list that names this user alone.
    SQLite gives its write-ahead log the mode of the database. A folder that is there already stays
    as it is: it may be one that others need. Raises OSError.
    """
    make_private_folder(path.parent)
    if not _IS_POSIX:
        path.touch()
        _restrict(path)
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
    make_private_folder(path.parent)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    if not _IS_POSIX:
        _restricted.discard(temporary)
        _restrict(temporary)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=indent)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def make_private_folder(folder: Path) -> None:
    """Create a folder of mode 0700, and its parents, where there is none. Raises OSError."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _IS_POSIX:
        _restrict(folder)


def icacls_command(path: Path) -> list[str]:
    """Return the command that lets this user alone use a file or folder on Windows.

    Inherited rights are removed; what is made in a folder inherits the new ones.
    """
    user = os.environ.get("USERNAME", "")
    domain = os.environ.get("USERDOMAIN")
    name = f"{domain}\\{user}" if domain else user
    rights = "(OI)(CI)F" if path.is_dir() else "F"
    program = f"{os.environ.get('SYSTEMROOT', 'C:' + chr(92) + 'Windows')}\\System32\\icacls.exe"
    return [program, str(path), "/inheritance:r", "/grant:r", f"{name}:{rights}", "/q"]


def _restrict(path: Path) -> None:
    """Set the access control list once a process. On a file system without any (FAT), a warning."""
    if path in _restricted:
        return
    _restricted.add(path)
    done = subprocess.run(icacls_command(path), capture_output=True, check=False)
    if done.returncode:
        _LOG.warning("others may be able to read %s: icacls ended with %d", path, done.returncode)
