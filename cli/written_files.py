"""Files that a command writes: never in the place of another without ``--force``."""

from __future__ import annotations

from pathlib import Path

from ebbtide.errors import EbbtideError


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise EbbtideError where something has that name, and ``force`` was not given."""
    if path.is_dir():
        raise EbbtideError(f"{path} is a folder.", "Name a file in it.")
    if not force and (path.exists() or path.is_symlink()) and not _is_device(path):
        raise EbbtideError(
            f"{path} is there already.", "Choose another name, or give --force to overwrite it."
        )


def _is_device(path: Path) -> bool:
    """/dev/stdout, a pipe: writing to it replaces nothing."""
    return path.exists() and not path.is_file()
