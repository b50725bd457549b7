"""The files that ``ebbtide import`` reads: those named, and those in folders and zips."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.language import say_error
from ebbtide.errors import EbbtideError
from ingest.files.archive import RECORDING_ENDINGS, recordings_in, unpack


@dataclass(frozen=True, slots=True)
class ImportSource:
    """A file to read, and its name for people: of one in a zip, its place in it.

    ``error``: why a zip could not be unpacked.
    """

    path: Path
    name: str
    error: str | None = None


def find_files(paths: list[Path]) -> list[Path]:
    """The files, and those in folders with the endings of recordings, in order of their names."""
    files = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(
            item
            for item in path.rglob("*")
            if item.is_file() and item.suffix.lower() in RECORDING_ENDINGS and item.name[:1] != "."
        )
        if not inside:
            raise EbbtideError(
                f"The folder {path} holds no recording ({', '.join(sorted(RECORDING_ENDINGS))}).",
                "Name the files.",
            )
        files += inside
    return files


def count_recordings(files: Sequence[Path]) -> int:
    """Count the files and those in zips, without unpacking."""
    return sum(max(1, len(_names_in(path))) for path in files)


def open_sources(files: Sequence[Path]) -> Iterator[ImportSource]:
    """Yield the files one by one. A zip is unpacked when it is its turn, and removed after it, so
    that no more than one takes space; what it may take is bounded by ``unpack``.
    """
    for path in files:
        try:
            names = _names_in(path)
        except EbbtideError as error:
            yield ImportSource(path, str(path), say_error(error))
            continue
        if not names:
            yield ImportSource(path, str(path))
            continue
        with tempfile.TemporaryDirectory(prefix="ebbtide-import-") as folder:
            try:
                parts = unpack(path, names, Path(folder))
            except EbbtideError as error:
                yield ImportSource(path, str(path), say_error(error))
                continue
            for name, part in zip(names, parts, strict=True):
                yield ImportSource(part, f"{path}: {name}")


def _names_in(path: Path) -> list[str]:
    return recordings_in(path) if path.is_file() else []
