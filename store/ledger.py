"""The ledger of erasures: a file outside of the store, from which they are carried out again.

Each line is a JSON object: when the ledger began, an erasure that begins, one that is finished, a
backup that was made. Ids are hashed and nobody is named. Lines are only appended, each with its own
flush to the disk, and before the erasure begins: a process that is killed in between leaves a line
to go on from. Copies of the ledger lie beside the backups.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ebbtide._files import make_private
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

NAME_BESIDE_BACKUPS = "ebbtide-erased.jsonl"


class ErasureScope(StrEnum):
    """What was erased: the account and everything, or the data of an account that stays."""

    EVERYTHING = "everything"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class LedgerErasure:
    """One erasure. ``subject``, ``account``: hashes of ids (``hash_id``); ``tokens``: hashes of the
    tokens of the person's devices, and when they end.
    """

    id: str
    at_ns: int
    subject: str
    account: str = ""
    scope: ErasureScope = ErasureScope.EVERYTHING
    tokens: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerBackup:
    """A backup that this installation made."""

    folder: Path
    made_ns: int


@dataclass(frozen=True, slots=True)
class LedgerTrial:
    """The last time that a backup was put back into a folder of its own, to try it. ``is_whole``:
    all of it could be read there.
    """

    at_ns: int
    is_whole: bool


@dataclass(slots=True)
class LedgerContent:
    """What the lines say. ``since_ns``: from when on every erasure is in it; None for no ledger."""

    since_ns: int | None = None
    erasures: dict[str, LedgerErasure] = field(default_factory=dict)
    _by_subject: dict[str, LedgerErasure] = field(default_factory=dict, repr=False)
    _by_account: dict[str, LedgerErasure] = field(default_factory=dict, repr=False)
    finished: set[str] = field(default_factory=set)
    backups: dict[Path, LedgerBackup] = field(default_factory=dict)
    trials: dict[Path, LedgerTrial] = field(default_factory=dict)

    @property
    def unfinished(self) -> list[LedgerErasure]:
        """The erasures that were stopped in between."""
        return [item for item in self.erasures.values() if item.id not in self.finished]

    def add_erasure(self, erasure: LedgerErasure) -> None:
        """Add one line."""
        self.erasures[erasure.id] = erasure
        there = self._by_subject.get(erasure.subject)
        if there is None or _certainty(erasure) >= _certainty(there):
            self._by_subject[erasure.subject] = erasure
        if erasure.account and erasure.scope is ErasureScope.EVERYTHING:
            self._by_account[erasure.account] = erasure

    def find(self, subject_id: str, account_id: str = "") -> LedgerErasure | None:
        """Find how this subject or account was erased. A line that names the account comes before
        one that was adopted from another machine without it.
        """
        noted = self._by_account.get(hash_id(account_id)) if account_id else None
        return noted or self._by_subject.get(hash_id(subject_id))

    def covers(self, at_ns: int) -> bool:
        """Whether every erasure from this moment on is in the ledger."""
        return self.since_ns is not None and self.since_ns <= at_ns


class ErasureLedger:
    """The ledger in the first of ``places`` that can be written; all of them are read."""

    def __init__(self, *places: Path) -> None:
        self._places = places

    @classmethod
    def from_settings(cls, settings: Settings) -> ErasureLedger:
        """The ledger that is set; else beside the data folder, or in it where that is not writable.

        Beside it: whoever puts back an older copy of the folder does not put back the ledger.
        """
        if settings.erasure_ledger is not None:
            return cls(settings.erasure_ledger)
        folder = settings.data_dir.absolute()
        return cls(folder.with_name(f"{folder.name}-erased.jsonl"), folder / "erased.jsonl")

    @property
    def place(self) -> Path:
        """Where it is, or would be written."""
        for path in self._places:
            if path.exists():
                return path
        return self._places[0]

    def read(self, beside: Sequence[Path] = ()) -> LedgerContent:
        """Read all places, and the copies in the folders ``beside`` and beside known backups."""
        content = LedgerContent()
        for path in self._places:
            _read_into(content, path)
        folders = {backup.folder.parent for backup in content.backups.values()}
        since_ns = content.since_ns
        for folder in sorted({*folders, *beside}):
            _read_into(content, folder / NAME_BESIDE_BACKUPS)
        if since_ns is not None:  # backups of another installation may lie in the same folder
            content.since_ns = since_ns
        return content

    def begin(self, since_ns: int) -> None:
        """Note that every erasure from ``since_ns`` on is in the ledger, where no line says so."""
        if self.read().since_ns is None:
            self._append({"kind": "ledger", "since_ns": since_ns})

    def begin_erasure(
        self,
        subject_id: str,
        account_id: str = "",
        at_ns: int = 0,
        scope: ErasureScope = ErasureScope.EVERYTHING,
        tokens: Iterable[tuple[str, int]] = (),
    ) -> LedgerErasure:
        """Note an erasure before it begins. Raises LedgerError when it cannot be written."""
        erasure = LedgerErasure(
            uuid.uuid4().hex,
            at_ns,
            hash_id(subject_id),
            hash_id(account_id) if account_id else "",
            scope,
            tuple(tokens),
        )
        self._append(
            {
                "kind": "erasure",
                "id": erasure.id,
                "at_ns": erasure.at_ns,
                "subject": erasure.subject,
                "account": erasure.account,
                "scope": str(erasure.scope),
                "tokens": [list(token) for token in erasure.tokens],
            }
        )
        return erasure

    def finish_erasure(self, erasure: LedgerErasure, at_ns: int) -> None:
        """Note that nothing of it is left to do."""
        self._append({"kind": "finished", "id": erasure.id, "at_ns": at_ns})

    def add_backup(self, folder: Path, made_ns: int) -> None:
        """Note a backup, and bring the copy of the ledger beside it up to date."""
        folder = folder.absolute()
        self._append({"kind": "backup", "folder": str(folder), "made_ns": made_ns})
        with suppress(OSError):
            self._complete(folder.parent / NAME_BESIDE_BACKUPS)

    def add_trial(self, folder: Path, at_ns: int, *, is_whole: bool) -> None:
        """Note that a backup was put back into a folder of its own, to try it."""
        place = str(folder.absolute())
        self._append({"kind": "trial", "folder": place, "at_ns": at_ns, "whole": is_whole})

    def add_missing(self, copy: Path) -> None:
        """Append the lines of a copy that are not here, but for when it began."""
        there = {_format(line) for path in self._places for line in _lines(path)}
        for line in _lines(copy):
            if line.get("kind") != "ledger" and _format(line) not in there:
                self._append(line)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out that carry out erasures; appending waits for nobody."""
        place = self.place
        try:
            make_private(place)
            file = os.open(place, os.O_RDWR)
        except OSError as error:
            raise _unwritable(place, error) from error
        try:
            _lock(file)
            yield
        finally:
            os.close(file)  # and with it the lock

    def _append(self, line: dict[str, Any]) -> None:
        """Append to the first place that can be written, and to the copies beside backups."""
        problem: OSError | None = None
        for path in self._places:
            try:
                _append_line(path, line)
                break
            except OSError as error:
                problem = error
        else:
            assert problem is not None
            raise _unwritable(self._places[0], problem) from problem
        # Of the whole ledger, only lines of backups are parsed here: it is read at each append.
        noted = LedgerContent()
        for path in self._places:
            _read_into(noted, path, only='"backup"')
        for folder in {backup.folder.parent for backup in noted.backups.values()}:
            if folder.is_dir():
                with suppress(OSError):
                    self._complete(folder / NAME_BESIDE_BACKUPS)

    def _complete(self, copy: Path) -> None:
        """Append the lines that a copy lacks; a disk may have been away for a while."""
        there = set(_texts(copy))
        for path in self._places:
            for text in _texts(path):
                if text in there:
                    continue
                line = _parse(text)
                if line is not None and _format(line) not in there:
                    _append_line(copy, line)


class LedgerError(EbbtideError):
    """The ledger cannot be read or written."""


def hash_id(value: str) -> str:
    """Hash an id. Ids are random (122 bits), so that neither salt nor a slow hash is needed."""
    return hashlib.sha256(f"ebbtide:{value}".encode()).hexdigest()


def _certainty(erasure: LedgerErasure) -> int:
    """Rank lines of one subject: the account of a person who withdrew must not be deleted because
    of an adopted line, which may be a guess.
    """
    if erasure.account:
        return 2
    return 1 if erasure.scope is ErasureScope.DATA else 0


def _append_line(path: Path, line: dict[str, Any]) -> None:
    is_new = not path.exists()
    make_private(path)
    # A part of a line, of a process that was killed while it wrote, ends at the line break before.
    data = ("\n" + _format(line) + "\n").encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _format(line: dict[str, Any]) -> str:
    return json.dumps(line, separators=(",", ":"))


def _texts(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise LedgerError(
            f"The ledger of erasures {path} cannot be read: {error.strerror or error}.",
            "Let this user read it, or set EBBTIDE_ERASURE_LEDGER.",
        ) from error


def _parse(text: str) -> dict[str, Any] | None:
    """None for the begin of a line whose writer was killed, and for other damage."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # the latter of lists, a thousand deep
        return None
    return content if isinstance(content, dict) else None


def _lines(path: Path, only: str = "") -> list[dict[str, Any]]:
    """The whole lines, of those with the word ``only``."""
    found = [_parse(text) for text in _texts(path) if only in text]
    return [line for line in found if line is not None]


def _read_into(content: LedgerContent, path: Path, only: str = "") -> None:
    for line in _lines(path, only):
        # A line of a newer Ebbtide, or a damaged one: int() of Infinity is an OverflowError.
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            _read_line(content, line)


def _read_line(content: LedgerContent, line: dict[str, Any]) -> None:
    if line["kind"] == "ledger":
        since = int(line["since_ns"])
        if content.since_ns is None or since < content.since_ns:
            content.since_ns = since
    elif line["kind"] == "erasure":
        content.add_erasure(
            LedgerErasure(
                id=str(line["id"]),
                at_ns=int(line["at_ns"]),
                subject=str(line["subject"]),
                account=str(line["account"]),
                scope=ErasureScope(line["scope"]),
                tokens=tuple((str(token), int(end)) for token, end in line["tokens"]),
            )
        )
    elif line["kind"] == "finished":
        content.finished.add(str(line["id"]))
    elif line["kind"] == "trial":
        tried, at_ns = Path(line["folder"]), int(line["at_ns"])
        before = content.trials.get(tried)
        if before is None or before.at_ns <= at_ns:
            content.trials[tried] = LedgerTrial(at_ns, line["whole"] is True)
    elif line["kind"] == "backup":
        folder = Path(line["folder"])
        # Of a relative one, the copy would be written wherever the process was started.
        if not folder.is_absolute() or b"\0" in os.fsencode(folder):
            return
        content.backups[folder] = LedgerBackup(folder, int(line["made_ns"]))


def _unwritable(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"The ledger of erasures {path} cannot be written: {error.strerror or error}. Nothing was "
        "erased.",
        "Make room, let this user write there, or set EBBTIDE_ERASURE_LEDGER to another file.",
    )


if sys.platform != "win32":
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
else:  # Windows has no flock: carrying out twice changes nothing

    def _lock(file: int) -> None:
        del file
