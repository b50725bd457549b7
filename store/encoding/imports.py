"""How a record of another system and one that is stored become one. Pure.

Joining is idempotent, commutative and associative where neither contradicts the other, so that the
order in which records arrive does not matter. Where they contradict, only a correction that was
issued later replaces a value; all else raises ConflictError.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from store.models.imports import (
    STATUSES,
    ImportedHeartRate,
    ImportedRating,
    heart_rate_id,
    is_correction,
    pack_identifiers,
    unpack_identifiers,
)

_Value = TypeVar("_Value", str, int, float)


class ConflictError(ValueError):
    """Two records that cannot both be true. Its text says why."""


def join_heart_rates(stored: ImportedHeartRate, sent: ImportedHeartRate) -> ImportedHeartRate:
    """Join two reports of one heart rate. Raises ConflictError."""
    if stored.time_ns != sent.time_ns:
        raise ConflictError("the same identifier is stored of another moment")
    base = stored
    if stored.bpm != sent.bpm:
        if not is_correction(sent.status, sent.issued_ns, stored.issued_ns):
            if is_correction(stored.status, stored.issued_ns, sent.issued_ns):
                raise ConflictError(f"a later correction is stored: {stored.bpm:g} beats/min")
            raise ConflictError(
                f"{stored.bpm:g} beats/min of the same device and moment are stored; another value"
                " is taken as a correction only with status corrected or amended, issued later"
            )
        base = replace(stored, bpm=sent.bpm)
    device = _either(stored.device or None, sent.device or None, "device") or ""
    return replace(
        base,
        id=heart_rate_id(stored.person_id, device, stored.time_ns),
        device=device,
        simulated=stored.simulated or sent.simulated,
        modality=_either(stored.modality, sent.modality, "modality"),
        activity=_either(stored.activity, sent.activity, "activity"),
        status=max(stored.status, sent.status, key=STATUSES.index),
        issued_ns=_latest(stored.issued_ns, sent.issued_ns),
        identifiers=join_identifiers(stored.identifiers, sent.identifiers),
    )


def join_ratings(stored: ImportedRating, sent: ImportedRating) -> ImportedRating:
    """Join two parts of one rating. Raises ConflictError."""
    if stored.about_ns != sent.about_ns:
        raise ConflictError("the same identifier is stored of another moment")
    return replace(
        stored,
        zone=_either(stored.zone, sent.zone, "zone"),
        pain=_either(stored.pain, sent.pain, "pain"),
        stress=_either(stored.stress, sent.stress, "stress"),
        pleasant=_either(stored.pleasant, sent.pleasant, "pleasant sensation"),
        note=_either(stored.note, sent.note, "note"),
        pleasant_note=_either(stored.pleasant_note, sent.pleasant_note, "note"),
        simulated=stored.simulated or sent.simulated,
        status=max(stored.status, sent.status, key=STATUSES.index),
        issued_ns=_latest(stored.issued_ns, sent.issued_ns),
        identifiers=join_identifiers(stored.identifiers, sent.identifiers),
    )


def correct_rating(stored: ImportedRating, sent: ImportedRating) -> ImportedRating:
    """Replace what a correction that was issued later says otherwise. Raises ConflictError."""
    if not is_correction(sent.status, sent.issued_ns, stored.issued_ns):
        if is_correction(stored.status, stored.issued_ns, sent.issued_ns):
            raise ConflictError("a later correction is stored")
        raise ConflictError(
            "it says something else than the rating that is stored; that is taken as a correction"
            " only with status corrected or amended, issued later"
        )

    def either(name: str) -> object:
        value = getattr(sent, name)
        return getattr(stored, name) if value is None else value

    names = ("zone", "pain", "stress", "pleasant", "note", "pleasant_note", "issued_ns")
    return replace(
        stored,
        **{name: either(name) for name in names},  # type: ignore[arg-type]
        about_ns=sent.about_ns,
        simulated=stored.simulated or sent.simulated,
        status=max(stored.status, sent.status, key=STATUSES.index),
        identifiers=join_identifiers(stored.identifiers, sent.identifiers),
    )


def join_identifiers(stored: str | None, sent: str | None) -> str | None:
    """Join two columns of identifiers."""
    return pack_identifiers([*unpack_identifiers(stored), *unpack_identifiers(sent)])


def _either(stored: _Value | None, sent: _Value | None, name: str) -> _Value | None:
    if stored is None or sent is None or stored == sent:
        return sent if stored is None else stored
    raise ConflictError(f"the same is stored with another {name}")


def _latest(stored: int | None, sent: int | None) -> int | None:
    return max((moment for moment in (stored, sent) if moment is not None), default=None)
