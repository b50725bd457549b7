"""The errors of the stores, all of which are EbbtideErrors.

StoreError
├── StoreUnavailableError     the store does not answer, or its disk is full
├── DamagedStoreError         stored data cannot be read
├── RevisionError             the tables cannot be brought to the newest revision
├── UnknownStreamError        no such stream of this subject
├── StreamTakenError          the stream's id is in use
├── RemovedStreamError        the person removed the stream
├── BeatsOutOfOrderError      beats are not later than those before them
├── ErasedSubjectError        the subject was erased
├── ConsentMissingError       the person does not agree to keeping now
├── EmailTakenError           the address has an account
├── RatingConflictError       the rating's id or version is in use
├── SessionConflictError      the session has a newer version
└── NotesConflictError        the session's notes have a newer version
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import exc

from ebbtide.errors import EbbtideError


class StoreError(EbbtideError):
    """Base class of what a store refuses or cannot do."""


class StoreUnavailableError(StoreError):
    """The store does not answer now, or its disk is full. Nothing was acknowledged: try again."""


class DamagedStoreError(StoreError):
    """What the store says it has cannot be read."""


class RevisionError(StoreError):
    """The tables cannot be brought to the newest revision."""


class UnknownStreamError(StoreError):
    """There is no such stream of this subject."""


class StreamTakenError(StoreError):
    """The id is in use for another stream."""


class RemovedStreamError(StoreError):
    """The person removed the stream at ``removed_ns``, and its id is refused until readmitted."""

    def __init__(self, stream_id: str, removed_ns: int) -> None:
        super().__init__(
            f"The recording {stream_id} was removed.", "Import its file again, if it is wanted."
        )
        self.removed_ns = removed_ns


class BeatsOutOfOrderError(StoreError):
    """Beats of a stream are not later than those of lower sequence numbers."""


class ErasedSubjectError(StoreError):
    """The subject was erased, and its id is refused from then on."""


class ConsentMissingError(StoreError):
    """The person does not agree that their data are kept, now."""


class EmailTakenError(StoreError):
    """The address belongs to another account."""


class RatingConflictError(StoreError):
    """The rating's id is in use, or the version to correct is not the newest."""


class SessionConflictError(StoreError):
    """The session was changed by another request meanwhile."""


class NotesConflictError(StoreError):
    """The session's notes were changed by another request meanwhile."""


# What the drivers raise when a store does not answer or its disk is full: nothing was acknowledged.
UNAVAILABLE: tuple[type[Exception], ...] = (
    StoreUnavailableError,
    sqlite3.OperationalError,
    exc.OperationalError,
    exc.InterfaceError,
    exc.TimeoutError,
)


def cannot_open(path: Path, error: Exception) -> StoreError:
    """What to say of a file of the embedded store that cannot be opened, and what to do."""
    original = getattr(error, "orig", None) or error  # SQLAlchemy's own text is longer
    is_damaged = isinstance(original, sqlite3.DatabaseError) and not isinstance(
        original, sqlite3.OperationalError
    )
    if is_damaged:
        return DamagedStoreError(
            f"The store {path} is damaged: {original}.",
            "Stop the program, keep a copy of the file, and put your newest backup in its place: "
            "ebbtide restore FOLDER --replace",
        )
    return StoreUnavailableError(
        f"The store {path} cannot be opened: {original}.",
        "Check that the folder can be written and that the disk is not full, "
        "or set EBBTIDE_DATA_DIR to another folder.",
    )
