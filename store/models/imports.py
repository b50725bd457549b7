"""What comes from other systems: heart rates without intervals, ratings, and the outcomes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Each replaces those before it: a correction replaces what it corrects.
STATUSES = ("final", "amended", "corrected")
CORRECTIONS = STATUSES[1:]
SELF_REPORTED = "self-reported"
MODALITIES = ("sensed", SELF_REPORTED)


@dataclass(frozen=True, slots=True)
class ImportedHeartRate:
    """A heart rate without the intervals behind it, and where it comes from.

    ``device``: what measured it, in the sender's words, empty where the sender names none;
    ``modality``: one of MODALITIES; ``activity``: what the person did, in the words of
    Open mHealth; ``issued_ns``: when the sender made it available; ``identifiers``: a JSON list of
    the sender's, as "system|value"; ``entered_ns``: when this row was last changed here.
    """

    id: str
    person_id: str
    time_ns: int
    bpm: float
    device: str = ""
    simulated: bool = False
    modality: str | None = None
    activity: str | None = None
    status: str = "final"
    issued_ns: int | None = None
    identifiers: str | None = None
    entered_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class HeartRateColumns:
    """Heart rates of other systems as arrays of shape (n,), by time. ``device``: a place in
    ``devices``, which are as the senders name them.
    """

    time_ns: NDArray[np.int64]
    bpm: NDArray[np.float64]
    device: NDArray[np.int32]
    simulated: NDArray[np.bool_]
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportedRating:
    """A rating of another system, or a part of one: pain and stress may come one by one.

    ``id``: under which it is stored unless ``own_id`` is a rating of this person, or one of the
    ``identifiers`` was stored before. ``zone`` is None where the sender names none.
    """

    id: str
    person_id: str
    about_ns: int
    zone: str | None = None
    pain: int | None = None
    stress: int | None = None
    pleasant: int | None = None
    note: str | None = None
    pleasant_note: str | None = None
    simulated: bool = False
    status: str = "final"
    issued_ns: int | None = None
    identifiers: str | None = None
    entered_ns: int = 0
    own_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of one of them: its id here, whether anything of it was new, and why it was not
    stored. A part of a rating that waits has ``waiting_for``: what of it must come.
    """

    record_id: str | None
    is_new: bool = False
    reason: str | None = None
    waiting_for: str | None = None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The outcomes, in the order of what was sent. ``is_stored`` is false when all was refused
    since one of them could not be stored.
    """

    ratings: list[ImportOutcome]
    heart_rates: list[ImportOutcome]
    is_stored: bool = True


def is_correction(status: str, issued_ns: int | None, before_ns: int | None) -> bool:
    """Whether a record of this status corrects one that was issued at ``before_ns``."""
    return (
        status in CORRECTIONS
        and issued_ns is not None
        and (before_ns is None or issued_ns > before_ns)
    )


def heart_rate_id(person_id: str, device: str, time_ns: int) -> str:
    """Make the id of a heart rate: one device has one heart rate at a moment."""
    return str(uuid.uuid5(uuid.UUID(person_id), f"heart rate {time_ns} {device}"))


def pack_identifiers(identifiers: Iterable[str]) -> str | None:
    """Encode identifiers for their column, each once and in order."""
    unique = sorted(set(identifiers))
    return json.dumps(unique, ensure_ascii=False) if unique else None


def unpack_identifiers(packed: str | None) -> list[str]:
    """Decode the identifiers of a column."""
    return [] if packed is None else [str(item) for item in json.loads(packed)]


def uuid_identifier(value: str) -> str:
    """Make an identifier of a UUID: a URI (RFC 9562, section 4) of the system of URIs."""
    return f"urn:ietf:rfc:3986|urn:uuid:{value}"


def canonical_uri(uri: str) -> str:
    """Write the UUID of a URI in lower case: both forms name the same (RFC 9562, section 4)."""
    prefix, text = uri[:9].lower(), uri[9:]
    if prefix != "urn:uuid:":
        return uri
    try:
        return prefix + str(uuid.UUID(text))
    except ValueError:
        return uri


def foreign_identifiers(packed: str | None, own_id: str) -> str | None:
    """Leave out the identifier that a record has here: it may come back with what was exported."""
    own = uuid_identifier(own_id)
    return pack_identifiers(item for item in unpack_identifiers(packed) if item != own)
