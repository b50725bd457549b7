"""The files of the app, and one version of all of them together."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ebbtide.errors import EbbtideError

STATIC = Path(__file__).with_name("static")
INDEX, SERVICE_WORKER = "index.html", "service-worker.js"
# Lines of the service worker in which the version and the list of files are put.
_VERSION_LINE, _FILES_LINE = 'const VERSION = "development";', "const FILES = [];"
_VERSION_CHARACTERS = 16  # of a hash in hexadecimal, 64 bits: it tells versions apart, no more
_GZIP_LEVEL = 9  # once a process

# Of what is in the folder, only this is served: an editor's copy is not.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSED = frozenset({".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"})


@dataclass(frozen=True, slots=True)
class AppFile:
    """One file. ``path``: below ``/app/``; ``compressed``: with gzip, None where that gains
    nothing.
    """

    path: str
    media_type: str
    content: bytes
    compressed: bytes | None

    @property
    def sha256(self) -> str:
        """The hash of the content in base64, as ``integrity`` takes it."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


@dataclass(frozen=True, slots=True)
class AppFiles:
    """All files by path. ``version`` changes with any of them."""

    version: str
    files: Mapping[str, AppFile]


def load_files(folder: Path = STATIC) -> AppFiles:
    """Read the files of the app, and put version and list into its service worker.

    A worker of one version caches the files of that list, each with its hash: files of two versions
    are never mixed. Raises EbbtideError where the worker has no place for them.
    """
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _MEDIA_TYPES and not path.name.startswith(".")
    }
    files = {path: _make_file(path, content) for path, content in found.items()}
    listed = [
        {"path": path, "sha256": file.sha256}
        for path, file in files.items()
        if path != SERVICE_WORKER
    ]
    # With the worker as it is in the folder: a change of it alone is another version, too.
    every = json.dumps([(path, file.sha256) for path, file in files.items()])
    version = hashlib.sha256(every.encode()).hexdigest()[:_VERSION_CHARACTERS]
    worker = files.get(SERVICE_WORKER)
    if worker is not None:
        text = worker.content.decode()
        for line in (_VERSION_LINE, _FILES_LINE):
            if text.count(line) != 1:
                raise EbbtideError(
                    f"{SERVICE_WORKER} of the app for phones has no line {line}",
                    "Install Ebbtide again: its files are not whole.",
                )
        text = text.replace(_VERSION_LINE, f"const VERSION = {json.dumps(version)};")
        text = text.replace(_FILES_LINE, f"const FILES = {json.dumps(listed)};")
        files[SERVICE_WORKER] = _make_file(SERVICE_WORKER, text.encode())
    return AppFiles(version, files)


def _make_file(path: str, content: bytes) -> AppFile:
    suffix = Path(path).suffix
    compressed = None
    if suffix in _COMPRESSED:
        compressed = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        if len(compressed) >= len(content):
            compressed = None
    return AppFile(path, _MEDIA_TYPES[suffix], content, compressed)
