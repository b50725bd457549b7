"""The files of an export, whether it is a zip, an unpacked folder or one file, each read as bytes.

Nothing is unpacked but what needs a file of its own (a database, a zip in the zip), and that is
bounded: what is written is counted, whatever the zip says of itself.
"""

from __future__ import annotations

import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ebbtide.errors import EbbtideError
from ingest.files.encoded_text import decode

_ENDINGS = frozenset({".csv", ".db", ".fit", ".json", ".xml", ".zip"})
_HEAD_BYTES = 4096
_CHUNK_BYTES = 1 << 20
MAX_MEMBERS = 200_000
#: What reading a damaged zip raises: of the disk, of the zip, and of each compression.
DAMAGE = (
    *(OSError, RuntimeError, NotImplementedError, KeyError, EOFError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
#: Of a file that is held in memory, and of one that is unpacked.
MAX_HELD_BYTES = 300_000_000
MAX_UNPACKED_BYTES = 8_000_000_000
#: Of all that is unpacked of one zip: a database is packed to a tenth, a zip in a zip not at all.
MAX_RATIO = 50
_SMALL_BYTES = 100_000_000  # what may be unpacked of any zip


class UnpackedSizeError(EbbtideError):
    """An export that unpacks to more than any export does: it is read no further, as nothing."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an export: its path in it, and its first bytes."""

    name: str
    size: int
    head: bytes

    @property
    def text(self) -> str:
        """Its first bytes as text, whatever the encoding."""
        return decode(self.head)[0].lstrip("\ufeff")

    @property
    def is_json(self) -> bool:
        """Whether it begins as JSON does."""
        return self.text.lstrip()[:1] in ("{", "[")

    @property
    def base(self) -> str:
        """Its name without folders."""
        return PurePosixPath(self.name).name


class Members:
    """The files of an export that may hold nights, in order of their names."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self.path = path
        self._archive = archive
        packed = path.stat().st_size if archive is not None else 0
        self._left = min(MAX_UNPACKED_BYTES, max(_SMALL_BYTES, MAX_RATIO * packed))
        self.all = self._list()

    def _list(self) -> list[Member]:
        found = []
        if self._archive is not None:
            for item in self._archive.infolist():
                if not item.is_dir() and _is_candidate(item.filename):
                    found.append((item.filename, item.file_size))
        elif self.path.is_dir():
            for inside in self.path.rglob("*"):
                name = inside.relative_to(self.path).as_posix()
                if inside.is_file() and _is_candidate(name):
                    found.append((name, inside.stat().st_size))
        else:
            found.append((self.path.name, self.path.stat().st_size))
        if len(found) > MAX_MEMBERS:
            raise EbbtideError(
                f"{self.path} holds {len(found)} files; {MAX_MEMBERS} are read at a time.",
                "Put fewer of them into a zip.",
            )
        members = []
        for name, size in sorted(found):
            members.append(Member(name, size, self._read(name, _HEAD_BYTES)))
        return members

    def _read(self, name: str, size: int) -> bytes:
        try:
            with self.open_name(name) as file:
                return file.read(size)
        except DAMAGE as error:
            raise EbbtideError(
                f"{name} in {self.path} is damaged: {error}.", "Export it again."
            ) from error

    @property
    def size(self) -> int:
        """Bytes of all, unpacked."""
        return sum(member.size for member in self.all)

    def packed_size(self, member: Member) -> int:
        """Bytes that a file takes in the zip; of one in no zip its own."""
        if self._archive is None:
            return member.size
        return self._archive.getinfo(member.name).compress_size

    def open_name(self, name: str) -> IO[bytes]:
        """Open a file by its path in the export. Raises EbbtideError."""
        try:
            if self._archive is not None:
                return self._archive.open(name)
            return (self.path / name if self.path.is_dir() else self.path).open("rb")
        except DAMAGE as error:
            raise EbbtideError(
                f"{name} in {self.path} cannot be read: {error}.", "Export it again."
            ) from error

    def read(self, member: Member) -> bytes:
        """All bytes of a file that is held in memory. Raises EbbtideError for one too large."""
        data = self._read(member.name, MAX_HELD_BYTES + 1)
        if len(data) > MAX_HELD_BYTES:
            raise EbbtideError(
                f"{member.name} is larger than {MAX_HELD_BYTES // 1_000_000} MB.",
                "Export a shorter time.",
            )
        self._count(len(data))
        return data

    def read_text(self, member: Member) -> str:
        """The text of a file that is held in memory, whatever its encoding. Raises EbbtideError."""
        return decode(self.read(member))[0].lstrip("\ufeff")

    def find(self, member: Member, words: Collection[str]) -> str | None:
        """The first of the ``words`` in a file of up to 300 MB, which is read piece by piece."""
        marks = [word.encode() for word in words]
        longest = max(map(len, marks))
        end = b""
        try:
            with self.open_name(member.name) as file:
                for _ in range(MAX_HELD_BYTES // _CHUNK_BYTES):
                    chunk = file.read(_CHUNK_BYTES)
                    if not chunk:
                        break
                    text = (end + chunk).replace(b"\x00", b"")
                    found = [(text.find(mark), mark) for mark in marks if mark in text]
                    if found:
                        return min(found)[1].decode()
                    end = text[-longest:]
        except DAMAGE:
            return None
        return None

    def _count(self, size: int) -> None:
        """Count what was unpacked: a zip of zeros costs a processor hours, though no memory."""
        if self._archive is None:
            return
        self._left -= size
        if self._left < 0:
            raise UnpackedSizeError(
                f"{self.path} is more than {MAX_RATIO} times as large unpacked, or "
                f"than {MAX_UNPACKED_BYTES // 1_000_000_000} GB, as no export is.",
                "Export a shorter time; do not open a file that somebody else made.",
            )

    @contextmanager
    def as_file(self, member: Member) -> Iterator[Path]:
        """A file of the disk with the content of ``member``; a copy where it is in a zip."""
        if self._archive is None:
            yield self.path / member.name if self.path.is_dir() else self.path
            return
        with tempfile.TemporaryDirectory(prefix="ebbtide-nights-") as folder:
            target = Path(folder) / member.base
            self._unpack(member.name, target)
            yield target

    def _unpack(self, name: str, target: Path) -> None:
        """Copy a file of the zip. All of them together fill the disk so far and no further."""
        try:
            with self.open_name(name) as source, target.open("xb") as out:
                while chunk := source.read(_CHUNK_BYTES):
                    self._count(len(chunk))
                    out.write(chunk)
        except DAMAGE as error:
            raise EbbtideError(
                f"{name} cannot be unpacked: {error}.", "Export it again."
            ) from error


@contextmanager
def open_members(path: Path) -> Iterator[Members]:
    """Open an export. Raises EbbtideError where it cannot be read."""
    try:
        if path.is_dir() or not zipfile.is_zipfile(path):
            yield Members(path, None)
            return
        with zipfile.ZipFile(path) as archive:
            yield Members(path, archive)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise EbbtideError(
            f"{path} cannot be read: {error}.", "Check the name of the file, or export it again."
        ) from error


def _is_candidate(name: str) -> bool:
    plain = PurePosixPath(name)
    return (
        plain.suffix.lower() in _ENDINGS
        and not name.startswith("__MACOSX/")
        and not plain.name.startswith(".")
    )
