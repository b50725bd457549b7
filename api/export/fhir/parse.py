"""Parse FHIR Observations into ratings and heart rates. What cannot be understood for certain is
skipped with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from api.export.fhir import terms
from api.export.fhir.subjects import SubjectCheck, check_subjects
from api.http.text import PROBLEM, find_unstorable
from api.services.imported_records import (
    MAX_DEVICE,
    MAX_IDENTIFIER,
    MAX_NOTE,
    MAX_RATINGS,
    MAX_WORDS,
    ParsedImport,
    SentHeartRate,
    SentRating,
    SkippedEntry,
    require_few,
)
from ebbtide.timestamps import EARLIEST, LATEST, from_datetime
from store.models.imports import uuid_identifier

# What an entry of any shape can raise while it is read.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)
_STATUSES = ("final", "amended", "corrected")
_RATE_UNITS = ("/min", "{beats}/min", "{Beats}/min")
_RATE_WORDS = ("beats/minute", "beats/min", "beats per minute", "bpm", "/min", "{beats}/min")
_SCORE_UNITS = ("{score}", "1", "{NRS}", "{nrs}")
# Elements that change what a value means, none of which is read.
_MODIFIERS = ("modifierExtension", "dataAbsentReason", "hasMember")


@dataclass(slots=True)
class _Rating:
    """The parts of a rating that were found so far."""

    parts: list[tuple[int, str, SentRating]] = field(default_factory=list)


def parse_bundle(document: Any, person_id: str = "", alias: str | None = None) -> ParsedImport:
    """Parse the ratings and heart rates of a Bundle, or of one Observation, of this person, who is
    called ``alias`` in it. Entries that cannot be read are returned as skipped. Raises ValueError
    for a document that is no FHIR at all, or of two patients.
    """
    entries = list_entries(document)
    check = check_subjects(entries, person_id, alias)
    groups: dict[str, _Rating] = {}
    rates: list[SentHeartRate] = []
    skipped: list[SkippedEntry] = []
    for number, entry in enumerate(entries):
        try:
            require_storable(entry)
            _parse_entry(entry, number, check, groups, rates)
        except UNREADABLE as error:
            skipped.append(SkippedEntry(number, describe_skipped(error)))
    if len(groups) > MAX_RATINGS:
        raise ValueError(
            f"has {len(groups):,} ratings; at most {MAX_RATINGS:,} are taken at once: send it in"
            " parts"
        )
    ratings = []
    for group in groups.values():
        try:
            ratings.append(_join_parts(group))
        except ValueError as error:
            skipped += [SkippedEntry(number, str(error)) for number, _, _ in group.parts]
    return ParsedImport(ratings, rates, sorted(skipped, key=lambda item: item.entry))


def list_entries(document: Any) -> list[Any]:
    """List the entries of a Bundle, or of one Observation. Raises ValueError."""
    kind = document.get("resourceType") if isinstance(document, dict) else None
    if kind not in ("Bundle", "Observation"):
        raise ValueError("is neither a FHIR Bundle nor an Observation")
    if kind == "Observation":
        return [{"resource": document}]
    entries = document.get("entry") or []
    if not isinstance(entries, list):
        raise ValueError("entry of the Bundle is not a list")
    require_few(entries)
    return entries


def require_storable(entry: Any) -> None:
    """Raise ValueError for an entry with text that no store can hold."""
    at = find_unstorable(entry, "it")
    if at is not None:
        raise ValueError(f"it {PROBLEM.rstrip('.')}")


def describe_skipped(error: Exception) -> str:
    """Why an entry was skipped."""
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    if isinstance(error, ValueError):
        return str(error)
    return f"it has another form than it should ({error})"


def parse_time(text: str) -> int:
    """Parse an ISO 8601 time with a zone to UTC ns. Raises ValueError where it cannot be."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("its time has no zone")
    try:
        instant_ns = from_datetime(moment)
    except OverflowError:  # beyond the year 9999 in UTC
        instant_ns = LATEST
    if not EARLIEST <= instant_ns < LATEST:
        raise ValueError("its time is not of this century")
    return instant_ns


def parse_number(value: Any) -> float:
    """Parse a number. Raises ValueError for a text or a truth value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("its value is no number")
    return value


def require_heart_rate(value: float) -> float:
    """Return a heart rate in beats/min. Raises ValueError where it cannot be one."""
    if not 0 < value < 400:
        raise ValueError(f"a heart rate of {value} cannot be")
    return float(value)


def require_length(text: str, most: int, name: str) -> str:
    """Return a text that is not too long for its column. Raises ValueError."""
    if len(text) > most:
        raise ValueError(f"its {name} is longer than {most} characters")
    return text


def _parse_entry(
    entry: Any,
    number: int,
    check: SubjectCheck,
    groups: dict[str, _Rating],
    rates: list[SentHeartRate],
) -> None:
    resource = entry["resource"]
    kind = resource["resourceType"]
    if kind in ("Patient", "Device"):
        return
    if kind != "Observation":
        raise ValueError(f"{kind} is not read, only Observation")
    reason = check.reason_against(resource)
    if reason is not None:
        raise ValueError(reason)
    if resource.get("status") not in _STATUSES:
        raise ValueError(f"its status is {resource.get('status')}")
    for name in _MODIFIERS:
        if name in resource:
            raise ValueError(f"its {name} may change what it means, and is not read")
    if not isinstance(resource.get("subject", {}), dict):
        raise ValueError("its subject is no Reference")
    identifiers = [_identifier(item) for item in resource.get("identifier", [])]
    if any(system == terms.WINDOW_ID for system, _ in identifiers):
        raise ValueError("a figure that Ebbtide worked out: it is made again from the beats")
    codes = {
        coding.get("code")
        for coding in resource["code"].get("coding", [])
        if terms.LEGACY.get(coding.get("system"), coding.get("system")) in (terms.LOINC, terms.OURS)
    }
    value, quantity = _value_of(resource)
    if terms.HEART_RATE in codes:
        rates.append(_heart_rate(resource, number, value, quantity, identifiers))
        return
    names = [name for code, name in terms.RATED.items() if code in codes]
    if len(names) != 1:
        raise ValueError("its code is none that Ebbtide reads")
    part = _rating_part(resource, number, names[0], value, quantity, identifiers)
    groups.setdefault(part.key, _Rating()).parts.append((number, names[0], part))


def _value_of(resource: Mapping[str, Any]) -> tuple[float, Mapping[str, Any]]:
    if "valueInteger" in resource:
        return parse_number(resource["valueInteger"]), {"code": "{score}"}
    quantity = resource["valueQuantity"]
    value = parse_number(quantity["value"])
    if "comparator" in quantity:
        raise ValueError(f"it is {quantity['comparator']} {value}, not a value")
    return value, quantity


def _heart_rate(
    resource: Mapping[str, Any],
    number: int,
    value: float,
    quantity: Mapping[str, Any],
    identifiers: list[tuple[str, str]],
) -> SentHeartRate:
    bpm = require_heart_rate(value)
    _require_unit(quantity, _RATE_UNITS, _RATE_WORDS, "heart rate in {}, not in /min")
    if quantity.get("code") is None and quantity.get("unit") is None:
        raise ValueError("a heart rate without a unit")
    words: dict[str, str] = {}
    for component in resource.get("component", []):
        codings = component["code"].get("coding", [])
        code = next((c.get("code") for c in codings if c.get("system") == terms.OURS), None)
        if code not in (terms.ACTIVITY, terms.MODALITY):
            raise ValueError("it has a component that is not read")
        words[code] = require_length(str(component["valueString"]), MAX_WORDS, code)
    if words.get(terms.MODALITY) not in (None, "sensed", "self-reported"):
        raise ValueError(f"its modality is {words[terms.MODALITY]}")
    return SentHeartRate(
        _time_of(resource),
        bpm,
        _device_of(resource),
        _is_test_data(resource),
        words.get(terms.MODALITY),
        words.get(terms.ACTIVITY),
        resource["status"],
        _issued(resource),
        _normalise(identifiers, terms.RATE_ID),
        number,
    )


def _rating_part(
    resource: Mapping[str, Any],
    number: int,
    name: str,
    value: float,
    quantity: Mapping[str, Any],
    identifiers: list[tuple[str, str]],
) -> SentRating:
    if quantity.get("code", quantity.get("unit")) == "mm":
        raise ValueError("it is in mm of a scale of 100 mm, not from 0 to 10")
    if not 0 <= value <= 10 or value != int(value):
        raise ValueError("a rating is a whole number from 0 to 10")
    _require_unit(
        quantity, _SCORE_UNITS, (*_SCORE_UNITS, "score", "points"), "a rating in {}, not a score"
    )
    if resource.get("component"):
        raise ValueError("it has a component that is not read")
    about = _time_of(resource)
    own = [value for system, value in identifiers if system == terms.RATING_ID]
    note = " ".join(str(item["text"]) for item in resource.get("note", [])) or None
    if note is not None:
        if name == "stress":
            raise ValueError("it has a note, which ratings of stress cannot have")
        require_length(note, MAX_NOTE, "note")
    values: dict[str, Any] = {name: int(value)}
    if note is not None:
        values["note" if name == "pain" else "pleasant_note"] = note
    return SentRating(
        own[0] if own else f"at {about}",
        about,
        _zone_of(resource),
        is_simulated=_is_test_data(resource),
        status=resource["status"],
        issued_ns=_issued(resource),
        identifiers=_normalise(identifiers, terms.RATING_ID),
        own_id=own[0] if own else None,
        entries=(number,),
        names=(name,),
        **values,
    )


def _join_parts(group: _Rating) -> SentRating:
    """Join the parts of one rating; the same part twice is no contradiction. Raises ValueError."""
    joined = group.parts[0][2]
    for _, name, part in group.parts[1:]:
        if part.about_ns != joined.about_ns:
            raise ValueError("it has another time than the rest of its rating")
        values = {}
        for what in (name, "note", "pleasant_note", "zone"):
            old, new = getattr(joined, what), getattr(part, what)
            if None not in (old, new) and old != new:
                raise ValueError(f"two ratings of {name} are of this moment, with another {what}")
            values[what] = old if new is None else new
        joined = replace(
            joined,
            **values,
            is_simulated=joined.is_simulated or part.is_simulated,
            status=max(joined.status, part.status, key=_STATUSES.index),
            issued_ns=max(
                (at for at in (joined.issued_ns, part.issued_ns) if at is not None), default=None
            ),
            identifiers=tuple(sorted({*joined.identifiers, *part.identifiers})),
            entries=(*joined.entries, *part.entries),
            names=(*joined.names, *part.names),
        )
    return joined


def _require_unit(
    quantity: Mapping[str, Any], codes: tuple[str, ...], words: tuple[str, ...], problem: str
) -> None:
    """Raise ValueError for a unit that is another one; the code counts, or the word without it."""
    code, unit = quantity.get("code"), quantity.get("unit")
    if quantity.get("system", terms.UCUM) != terms.UCUM:
        raise ValueError(f"its unit is of {quantity['system']}, not of UCUM")
    if code is not None:
        if code not in codes:
            raise ValueError(problem.format(code))
    elif unit is not None and unit not in words:
        raise ValueError(problem.format(unit))


def _identifier(item: Mapping[str, Any]) -> tuple[str, str]:
    system = item.get("system") or ""
    return terms.LEGACY.get(system, system), str(item["value"])


def _normalise(identifiers: list[tuple[str, str]], own_system: str) -> tuple[str, ...]:
    """The identifiers in the form that Open mHealth's have too: UUIDs as URIs."""
    found = {
        uuid_identifier(value) if system == own_system else f"{system}|{value}"
        for system, value in identifiers
        if system != own_system or not value.isdigit()  # earlier versions sent the moment
    }
    return tuple(require_length(item, MAX_IDENTIFIER, "identifier") for item in sorted(found))


def _device_of(resource: Mapping[str, Any]) -> str:
    device = resource.get("device") or {}
    identifier = device.get("identifier") or {}
    text = device.get("display") or identifier.get("value") or device.get("reference") or ""
    return require_length(str(text), MAX_DEVICE, "device")


def _is_test_data(resource: Mapping[str, Any]) -> bool:
    return any(
        label.get("code") == terms.TEST_DATA["code"]
        for label in (resource.get("meta") or {}).get("security", [])
    )


def _issued(resource: Mapping[str, Any]) -> int | None:
    return None if resource.get("issued") is None else parse_time(resource["issued"])


def _time_of(resource: Mapping[str, Any]) -> int:
    for name in ("effectivePeriod", "effectiveTiming"):
        if name in resource:
            raise ValueError(f"it is of a while ({name}), not of a moment")
    text = resource.get("effectiveDateTime") or resource.get("effectiveInstant")
    if not isinstance(text, str):
        raise ValueError("it has no effectiveDateTime")
    return parse_time(text)


def _zone_of(resource: Mapping[str, Any]) -> str | None:
    for extension in (resource.get("_effectiveDateTime") or {}).get("extension", []):
        if extension.get("url") == terms.ZONE_EXTENSION:
            return str(extension.get("valueCode"))
    return None
