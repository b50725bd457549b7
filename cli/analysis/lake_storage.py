"""The files of a data lake, in a folder or an object store: each appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs

from ebbtide._files import make_private_folder
from ebbtide.errors import EbbtideError

# Readers of folders (Arrow, DuckDB, Spark) leave names out that begin with a dot.
_LOCK, _SPOOL, _PART = ".ebbtide-lock", ".ebbtide-spool", ".ebbtide-part"
_CHUNK_BYTES = 1 << 20
# "s3:/bucket" would be a folder of that name; one letter is a disk of Windows.
_ONE_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!//)")


class Storage:
    """The files under ``address``: a path, or a URI such as ``s3://bucket/lake``.

    Raises EbbtideError, saying what to do, in place of OSError.
    """

    def __init__(self, address: str) -> None:
        self._fs, self._root = _open(address)
        self.address = address or self._root
        self.folder = Path(self._root) if isinstance(self._fs, fs.LocalFileSystem) else None
        with self._opening():
            if self.folder is not None:
                make_private_folder(self.folder)
            else:
                self._require_bucket()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other run of this computer into the folder. An object store has no such lock."""
        from filelock import FileLock, Timeout

        if self.folder is None:
            yield
            return
        lock = FileLock(self.folder / _LOCK, timeout=0)
        with self._opening():
            try:
                lock.acquire()
            except Timeout as error:
                raise EbbtideError(
                    f"Another run writes into {self.address}.", "Run it again when that has ended."
                ) from error
        try:
            self._remove_leftovers()
            yield
        finally:
            lock.release()

    def spool_folder(self) -> str | None:
        """Where rows may wait: beside the lake, so that a run which is killed leaves them where the
        next one deletes them; None for the computer's folder of temporary files.
        """
        if self.folder is None:
            return None
        spool = self.folder / _SPOOL
        with self._writing(_SPOOL):
            spool.mkdir(mode=0o700, exist_ok=True)
        return str(spool)

    def names(self) -> list[str]:
        """The names at the top, without those that begin with a dot."""
        with self._opening():
            selector = fs.FileSelector(self._root, allow_not_found=True)
            found = [info.base_name for info in self._fs.get_file_info(selector)]
        return [name for name in found if not name.startswith(".")]

    def sizes(self, folder: str) -> dict[str, int]:
        """The files below a folder, by their path under the address, and how large they are."""
        with self._opening():
            selector = fs.FileSelector(
                f"{self._root}/{folder}", allow_not_found=True, recursive=True
            )
            found = self._fs.get_file_info(selector)
        begin = len(self._root) + 1
        return {i.path[begin:]: int(i.size) for i in found if i.type == fs.FileType.File}

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""
        with self._opening():
            if not self._is_there(name):
                return None
            with self._fs.open_input_stream(f"{self._root}/{name}") as file:
                return bytes(file.read())

    def write(self, content: bytes, name: str) -> None:
        """Write a file, or put it in the place of the one that is there."""
        with self._writing(name), self._whole(name) as out:
            out.write(content)

    def put(self, file: Path, name: str) -> None:
        """Copy a file of the disk, in place of the one that is there."""
        with self._writing(name), file.open("rb") as source, self._whole(name) as out:
            while chunk := source.read(_CHUNK_BYTES):
                out.write(chunk)

    def delete(self, name: str) -> None:
        """Delete a file if it is there, and the folders that it leaves empty."""
        target = f"{self._root}/{name}"
        with self._writing(name):
            if not self._is_there(name):
                return
            self._fs.delete_file(target)
            # The folders too: stores keep an empty object in the place of each.
            for folder in (target.rsplit("/", 1)[0], target.rsplit("/", 2)[0]):
                if not self._fs.get_file_info(fs.FileSelector(folder, allow_not_found=True)):
                    self._fs.delete_dir(folder)

    @contextmanager
    def _whole(self, name: str) -> Iterator[Any]:
        """A file that gets its name when it is complete.

        A stream to an object store would complete the object also where an error closes it.
        """
        target = f"{self._root}/{name}"
        if self.folder is not None:
            with _whole_on_disk(Path(target)) as out:
                yield out
            return
        part = f"{self._root}/{_PART}"
        try:
            with self._fs.open_output_stream(part) as out:
                yield out
            self._fs.move(part, target)
        except BaseException:
            with suppress(OSError):
                self._fs.delete_file(part)
            raise

    def _is_there(self, name: str) -> bool:
        return bool(self._fs.get_file_info(f"{self._root}/{name}").type == fs.FileType.File)

    def _require_bucket(self) -> None:
        bucket = self._root.split("/", 1)[0]
        if bucket and self._fs.get_file_info(bucket).type == fs.FileType.NotFound:
            raise OSError(f"there is no bucket {bucket}")

    def _remove_leftovers(self) -> None:
        """Delete the rows that a run which was killed had not put in their place."""
        if self.folder is None:
            return
        with self._writing(_SPOOL):
            if (self.folder / _SPOOL).exists():
                shutil.rmtree(self.folder / _SPOOL)
            for part in self.folder.rglob(f".*{_PART}"):
                part.unlink()

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:  # where a folder is to be
            raise EbbtideError(
                f"{self.address} is a file, and no folder.", "Name an empty folder."
            ) from error
        except OSError as error:
            raise EbbtideError(
                f"{self.address} cannot be opened: {error}.",
                "Check the address and what may open it.",
            ) from error

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EbbtideError(
                f"{name} cannot be written to {self.address}: {error}.",
                "Let this user write there, or free some space.",
            ) from error


@contextmanager
def _whole_on_disk(target: Path) -> Iterator[Any]:
    part = target.with_name(f".{target.name}{_PART}")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as out:
            yield out
            # Before the name: after a power cut the name may be there and the content not.
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _open(address: str) -> tuple[fs.FileSystem, str]:
    """The file system of an address, and the path in it. Raises EbbtideError."""
    if _ONE_SLASH.match(address):
        raise EbbtideError(
            f"{address} is neither a folder nor the address of a store.",
            "Write the address of a store with two slashes: s3://bucket/path.",
        )
    if "://" not in address:
        return fs.LocalFileSystem(), str(Path(address).expanduser().resolve())
    if not address.partition("://")[2].strip("/"):
        raise EbbtideError(
            f"{address} names no bucket.", "Name a folder, s3://bucket/path or gs://bucket/path."
        )
    try:
        system, root = fs.FileSystem.from_uri(address)
        return system, root.rstrip("/")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        fault: Exception = error
    try:
        import fsspec  # not installed with Ebbtide: of stores that Arrow does not know

        system, root = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError, OSError) as error:
        raise EbbtideError(
            f"{address} cannot be opened: {fault}.",
            "Name a folder, s3://bucket/path or gs://bucket/path; for other stores install fsspec "
            "and the store's package beside it.",
        ) from error
    return fs.PyFileSystem(fs.FSSpecHandler(system)), root.rstrip("/")
