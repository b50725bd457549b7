"""Exports as files that were written once, so that ranges of them fit together.

A snapshot is bound to the token and the program that asked for it, has a tag made of its bytes, is
bounded by a quota, and ends when it was not used for a while.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ebbtide._files import make_private_folder
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from store import ExportPinStore, Stores
from store.models import ExportPin

# A HEAD within so many seconds of the last use of a snapshot belongs to the same reading, for at
# most so long.
_SAME_READING_S, _LONGEST_READING_S = 60.0, 300.0
_USED_EVERY_S = 10.0  # a shared pin is written at most so often
_CHUNK = 2**18
_STEP = 2**24  # of the room that is made for a file while it grows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file that is whole, and its tag without quotes."""

    path: Path
    tag: str


class Snapshots:
    """The snapshots in a folder, which processes share. Files: ``READER.CONTENT.BYTES.snapshot``
    (hashes), and ``READER.pin``, which names the one that a reading began with; in ``pins`` where
    processes of several machines, each with a folder of its own, may answer the same reader.
    """

    def __init__(
        self,
        folder: Path,
        quota_bytes: int,
        max_age_s: float,
        pins: ExportPinStore | None = None,
    ) -> None:
        self.folder = folder
        self._pins = pins
        self._quota = quota_bytes
        self._max_age_s = max_age_s

    @classmethod
    def from_settings(cls, settings: Settings, stores: Stores) -> Snapshots:
        """The snapshots of this machine."""
        return cls(
            settings.snapshots_dir,
            settings.export_snapshot_mb * 10**6,
            settings.export_snapshot_minutes * 60.0,
            stores.access if stores.is_on_server else None,
        )

    def find(self, reader: str, tag: str) -> Snapshot | None:
        """Find the one with this tag."""
        path = self.folder / f"{reader}.{tag.replace('-', '.')}.snapshot"
        return self._alive(path) if _is_tag(tag) else None

    def find_by_content(self, reader: str, content: str) -> Snapshot | None:
        """Find one of this content."""
        for path in self.folder.glob(f"{reader}.{content[:24]}.*.snapshot"):
            found = self._alive(path)
            if found is not None:
                return found
        return None

    def pinned(self, reader: str, *, begins: bool = False) -> Snapshot | None:
        """Find the one that the reading began with. ``begins``: a request that may begin another
        reading gets it only while the last one goes on.
        """
        pin = self._find_pin(reader, begins=begins)
        if pin is None:
            return None
        found = self._alive(self.folder / pin.name)
        if found is not None:
            self._use_pin(pin)
        return found

    def pinned_elsewhere(self, reader: str, *, begins: bool = False) -> str | None:
        """The tag of the one that the reading began with, which another machine may have written;
        None where pins are of this machine alone. ``begins``: as of ``pinned``.
        """
        pin = None if self._pins is None else self._find_pin(reader, begins=begins)
        return None if pin is None else _tag(pin.name)

    def pin(self, reader: str, snapshot: Snapshot) -> None:
        """Begin a reading with this one."""
        now_ns = time.time_ns()
        self._put_pin(ExportPin(reader, snapshot.path.name, now_ns, now_ns))

    def _find_pin(self, reader: str, *, begins: bool) -> ExportPin | None:
        """Find the pin; see ``pinned``."""
        if self._pins is not None:
            pin = self._pins.find_export_pin(reader)
        else:
            pin = _read_pin(self.folder, reader)
        now_ns = time.time_ns()
        if pin is None or now_ns - pin.used_ns > self._max_age_s * SECOND:
            return None
        if begins and (
            now_ns - pin.used_ns > _SAME_READING_S * SECOND
            or now_ns - pin.began_ns > _LONGEST_READING_S * SECOND
        ):
            return None
        return pin

    def _use_pin(self, pin: ExportPin) -> None:
        now_ns = time.time_ns()
        if self._pins is None:
            with suppress(OSError):
                os.utime(self.folder / f"{pin.reader}.pin")
        elif now_ns - pin.used_ns > _USED_EVERY_S * SECOND:
            self._put_pin(replace(pin, used_ns=now_ns))

    def _put_pin(self, pin: ExportPin) -> None:
        if self._pins is not None:
            expired_ns = pin.used_ns - round(self._max_age_s * SECOND)
            self._pins.put_export_pin(pin, expired_ns)
            return
        part = self.folder / f"{pin.reader}.{uuid.uuid4().hex}.part"
        with suppress(OSError):
            part.write_text(f"{pin.name} {pin.began_ns}")
            part.replace(self.folder / f"{pin.reader}.pin")

    def write(
        self, reader: str, content: str, chunks: Iterator[bytes], wait_s: float | None
    ) -> Snapshot | Iterator[bytes]:
        """Write the chunks into a snapshot. Where that takes longer than ``wait_s``, or would break
        the quota, returns all chunks instead, of which the rest is still to be made.
        """
        writing = _Writing(self, reader, content, chunks)
        deadline = None if wait_s is None else time.monotonic() + wait_s
        return writing.run(deadline)

    def make_room(self, size: int) -> bool:
        """Delete expired ones, and others, the longest unused first, until ``size`` bytes more are
        within the quota. False where that cannot be.
        """
        if size > self._quota:
            return False
        now, entries = time.time(), []
        for path in _files(self.folder):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            if now - stat.st_mtime > self._max_age_s:
                path.unlink(missing_ok=True)
            elif path.suffix == ".snapshot":
                entries.append((stat.st_mtime, stat.st_size, path))
        total = sum(entry[1] for entry in entries)
        for _, length, path in sorted(entries):
            if total + size <= self._quota:
                break
            path.unlink(missing_ok=True)
            total -= length
        return True

    def clear(self) -> None:
        """Delete all: someone's data must be in none, and an analyst's hold several people."""
        clear_snapshots(self.folder)

    def new_part(self, reader: str) -> Path:
        """Make the folder, private, and name a file in it that is not whole yet."""
        make_private_folder(self.folder)
        return self.folder / f"{reader}.{uuid.uuid4().hex}.part"

    def finish(self, part: Path, reader: str, content: str, digest: str) -> Snapshot:
        """Give a whole file its name."""
        path = self.folder / f"{reader}.{content[:24]}.{digest[:24]}.snapshot"
        part.replace(path)
        return Snapshot(path, f"{content[:24]}-{digest[:24]}")

    def _alive(self, path: Path) -> Snapshot | None:
        try:
            if time.time() - path.stat().st_mtime > self._max_age_s:
                path.unlink(missing_ok=True)
                return None
            os.utime(path)
        except OSError:
            return None
        return Snapshot(path, _tag(path.name))


class _Writing:
    """Write one snapshot, and give it up where it becomes too large."""

    def __init__(
        self, owner: Snapshots, reader: str, content: str, chunks: Iterator[bytes]
    ) -> None:
        self._owner, self._reader, self._content = owner, reader, content
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self._size = self._room = 0
        self._file: BinaryIO | None = None
        self._part = Path()

    def run(self, deadline: float | None) -> Snapshot | Iterator[bytes]:
        try:
            self._part = self._owner.new_part(self._reader)
            self._file = os.fdopen(
                os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b"
            )
        except OSError:  # no such disk: the export is still given
            return self._chunks
        try:
            for chunk in self._chunks:
                if not self._write(chunk):
                    return self._go_on(chunk)
                if deadline is not None and time.monotonic() > deadline:
                    return self._go_on(b"")
            found = self._finish()
        except BaseException:
            self._drop()
            raise
        if found is None:  # for want of a file, from the one that is open
            return self._go_on(b"")
        self._drop()
        return found

    def _write(self, chunk: bytes) -> bool:
        """False where there is no room; the chunk is not written then."""
        if self._file is None:
            return False
        if self._size + len(chunk) > self._room:
            needed = self._size + len(chunk)
            wanted = [size for size in (needed + _STEP, needed) if self._owner.make_room(size)]
            if not wanted:
                return False
            self._room = wanted[0]
        try:
            self._file.write(chunk)
        except OSError:  # a full disk
            return False
        self._digest.update(chunk)
        self._size += len(chunk)
        return True

    def _go_on(self, pending: bytes) -> Iterator[bytes]:
        """Yield what is written, and the rest as it is made; written on while there is room."""
        written = self._size
        file = self._file
        if file is None:
            return
        try:
            file.flush()
            for begin in range(0, written, _CHUNK):
                yield os.pread(file.fileno(), min(_CHUNK, written - begin), begin)
            is_written = not pending
            if pending:
                yield pending
            for chunk in self._chunks:
                is_written = is_written and self._write(chunk)
                yield chunk
            if is_written:
                self._finish()
        finally:
            self._drop()

    def _finish(self) -> Snapshot | None:
        """Give the file its name. None where it was deleted meanwhile, as all are when someone
        takes consent back: what was read of others can still be sent, but is not kept.
        """
        if self._file is not None:
            self._file.flush()
            if os.name == "nt":  # where no file that is open is renamed or deleted
                self._file.close()
                self._file = None
        digest = self._digest.hexdigest()
        try:
            return self._owner.finish(self._part, self._reader, self._content, digest)
        except FileNotFoundError:
            return None

    def _drop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._part.unlink(missing_ok=True)


def clear_snapshots(folder: Path | None) -> None:
    """Delete the exports that are being read or written, of all processes."""
    if folder is not None:
        for path in _files(folder):
            path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    ends = (".snapshot", ".pin", ".part")
    try:
        return [path for path in folder.iterdir() if path.suffix in ends]
    except FileNotFoundError:
        return []


def _read_pin(folder: Path, reader: str) -> ExportPin | None:
    """The pin in a file of this machine."""
    file = folder / f"{reader}.pin"
    try:
        name, began = file.read_text().split()
        return ExportPin(reader, name, int(began), file.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


def _tag(name: str) -> str:
    """The tag of a snapshot by the name of its file."""
    _, content, digest, _ = name.split(".")
    return f"{content}-{digest}"


def _is_tag(tag: str) -> bool:
    return len(tag) == 49 and all(letter in "0123456789abcdef-" for letter in tag)
