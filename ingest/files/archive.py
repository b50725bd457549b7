"""Zips of several recordings: the files in them that may hold beats, unpacked within bounds."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ebbtide.errors import EbbtideError
from ingest.files.other_files import SeveralFilesError, refuse_other

#: Endings of files in a folder or a zip that are tried; a file that is named may have any.
RECORDING_ENDINGS = frozenset(
    {".csv", ".db", ".edf", ".fit", ".hrm", ".json", ".txt", ".xml", ".zip"}
)
MAX_MEMBERS = 1000
MAX_MEMBER_BYTES = 200_000_000  # as of the one file in a zip (``registry``)
MAX_UNPACKED_BYTES = 500_000_000
_CHUNK_BYTES = 1 << 20


def recordings_in(path: Path) -> list[str]:
    """Name the files of a zip that are read one by one; none for any other file.

    A Health export and a zip of one file are read whole; of a zip without recordings, the reader
    says what it is.
    """
    if not zipfile.is_zipfile(path):
        return []
    try:
        refuse_other(path, b"PK\x03\x04")
    except SeveralFilesError:
        with zipfile.ZipFile(path) as archive:
            files = [item.filename for item in archive.infolist() if not item.is_dir()]
    except EbbtideError:
        return []
    else:
        return []
    found = [
        name
        for name in files
        if PurePosixPath(name).suffix.lower() in RECORDING_ENDINGS
        and not name.startswith("__MACOSX/")
        and not PurePosixPath(name).name.startswith(".")
    ]
    polar = [
        name
        for name in found
        if PurePosixPath(name).name.startswith(("training-session-", "ppi_samples_"))
    ]
    found = polar or found  # the rest of a Polar account is no recording
    if len(found) > MAX_MEMBERS:
        raise EbbtideError(
            f"{path} holds {len(found)} files; {MAX_MEMBERS} are read at a time.",
            "Put fewer of them into a zip.",
        )
    return sorted(found)


def unpack(path: Path, names: list[str], folder: Path) -> list[Path]:
    """Unpack files of a zip into ``folder``, each into one of its own under its plain name.

    What it writes is counted, whatever the zip says of itself. Raises EbbtideError.
    """
    unpacked: list[Path] = []
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for number, name in enumerate(names):
                target = folder / str(number) / PurePosixPath(name.replace("\\", "/")).name
                target.parent.mkdir(parents=True)
                size = 0
                with archive.open(name) as packed, target.open("xb") as out:
                    while chunk := packed.read(_CHUNK_BYTES):
                        size += len(chunk)
                        total += len(chunk)
                        if size > MAX_MEMBER_BYTES or total > MAX_UNPACKED_BYTES:
                            raise EbbtideError(
                                f"{path} is larger than {MAX_UNPACKED_BYTES // 1_000_000} MB when "
                                f"unpacked, or {name} than {MAX_MEMBER_BYTES // 1_000_000} MB.",
                                "Put fewer files into a zip.",
                            )
                        out.write(chunk)
                unpacked.append(target)
    except (OSError, RuntimeError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise EbbtideError(f"{path} cannot be unpacked: {error}.", "Unpack it yourself.") from error
    return unpacked
