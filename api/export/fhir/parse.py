"""Parse FHIR Observations into ratings and heart rates. What cannot be understood for certain is
skipped with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from api.export.fhir import terms
from api.export.fhir.devices import device_of, devices_of
from api.export.fhir.subjects import SubjectCheck, check_subjects
from api.export.fhir.values import (
    UNREADABLE,
    describe_skipped,
    parse_number,
    parse_time,
    require_heart_rate,
    require_length,
    require_storable,
    require_text,
)
from api.services.imported_records import (
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
from store.models.imports import (
    CORRECTIONS,
    MODALITIES,
    STATUSES,
    canonical_uri,
    is_correction,
    uuid_identifier,
)

# Ways to write beats a minute in UCUM, where what is in braces has no meaning (section 2.4, 12).
_BEATS = r"\{(heart ?)?beats?\}"
_RATE_CODE = re.compile(rf"(1|{_BEATS})?/min|({_BEATS}\.)?min-1", re.IGNORECASE)
_RATE_WORDS = re.compile(
    rf"(heart ?)?beats?(/| per )min(ute)?|bpm|{_RATE_CODE.pattern}", re.IGNORECASE
)
_SCORE_CODE = re.compile(r"\{score\}|1|\{nrs\}", re.IGNORECASE)
_SCORE_WORDS = re.compile(_SCORE_CODE.pattern + "|score|points?", re.IGNORECASE)
_VALUES = ("valueQuantity", "valueInteger", "valueString", "valueCodeableConcept", "valueRange")
# Elements that change what a value means or whom it is about, none of which is read.
_MODIFIERS = ("modifierExtension", "dataAbsentReason", "hasMember", "implicitRules", "focus")


def parse_bundle(
    document: Any,
    person_id: str = "",
    alias: str | None = None,
    refused: Mapping[int, str] = MappingProxyType({}),
) -> ParsedImport:
    """Parse the ratings and heart rates of a Bundle, or of one Observation, of this person, who is
    called ``alias`` in it. Entries that cannot be read, or are ``refused`` for a reason, are
    returned as skipped. Raises ValueError for a document that is no FHIR at all, or of two
    patients.
    """
    entries = list_entries(document)
    check = check_subjects(entries, person_id, alias)
    devices = devices_of(entries)
    groups: dict[str, list[SentRating]] = {}
    rates: list[SentHeartRate] = []
    skipped: list[SkippedEntry] = []
    for number, entry in enumerate(entries):
        if number in refused:
            skipped.append(SkippedEntry(number, refused[number]))
            continue
        try:
            require_storable(entry)
            _parse_entry(entry, number, check, groups, rates, devices)
        except UNREADABLE as error:
            skipped.append(SkippedEntry(number, describe_skipped(error)))
    ratings: list[SentRating] = []
    for parts in groups.values():
        try:
            ratings += _join_parts(parts)
        except ValueError as error:
            skipped += [SkippedEntry(part.entries[0], str(error)) for part in parts]
    if len(ratings) > MAX_RATINGS:
        raise ValueError(
            f"has {len(ratings):,} ratings; at most {MAX_RATINGS:,} are taken at once: send it in"
            " parts"
        )
    ratings.sort(key=_version_order)
    rates.sort(key=_version_order)
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


def _parse_entry(
    entry: Any,
    number: int,
    check: SubjectCheck,
    groups: dict[str, list[SentRating]],
    rates: list[SentHeartRate],
    devices: Mapping[str, str],
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
    if resource.get("status") not in STATUSES:
        raise ValueError(f"its status is {resource.get('status')}")
    for name in _MODIFIERS:
        if name in resource:
            raise ValueError(f"its {name} may change what it means, and is not read")
    if not isinstance(resource.get("subject", {}), dict):
        raise ValueError("its subject is no Reference")
    identifiers = [_identifier(item) for item in resource.get("identifier", [])]
    if any(system in (terms.WINDOW_ID, terms.INDEX_ID) for system, _ in identifiers):
        raise ValueError("a figure that Ebbtide worked out: it is made again from the beats")
    if any(system == terms.NIGHT_ID for system, _ in identifiers):
        raise ValueError("a night of a watch or ring: nights come in by the device's own export")
    codes = {
        coding.get("code")
        for coding in resource["code"].get("coding", [])
        if terms.LEGACY.get(coding.get("system"), coding.get("system")) in (terms.LOINC, terms.OURS)
    }
    value, quantity = _value_of(resource)
    names = [name for code, name in terms.RATED.items() if code in codes]
    if len(names) + (terms.HEART_RATE in codes) > 1:
        raise ValueError("its codes are of different things")
    if terms.HEART_RATE in codes:
        rates.append(_heart_rate(resource, number, value, quantity, identifiers, devices))
        return
    if not names:
        raise ValueError("its code is none that Ebbtide reads")
    part = _rating_part(resource, number, names[0], value, quantity, identifiers)
    groups.setdefault(part.key, []).append(part)


def _value_of(resource: Mapping[str, Any]) -> tuple[float, Mapping[str, Any]]:
    _require_one(resource, _VALUES)
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
    devices: Mapping[str, str],
) -> SentHeartRate:
    bpm = require_heart_rate(value)
    _require_unit(quantity, _RATE_CODE, _RATE_WORDS, "heart rate in {}, not in /min")
    if quantity.get("code") is None and quantity.get("unit") is None:
        raise ValueError("a heart rate without a unit")
    words: dict[str, str] = {}
    for component in resource.get("component", []):
        codings = component["code"].get("coding", [])
        code = next((c.get("code") for c in codings if c.get("system") == terms.OURS), None)
        if code not in (terms.ACTIVITY, terms.MODALITY):
            raise ValueError("it has a component that is not read")
        if "modifierExtension" in component:
            raise ValueError("it has a component with a modifierExtension, which is not read")
        words[code] = require_length(require_text(component["valueString"], code), MAX_WORDS, code)
    if words.get(terms.MODALITY) not in (None, *MODALITIES):
        raise ValueError(f"its modality is {words[terms.MODALITY]}")
    return SentHeartRate(
        _time_of(resource),
        bpm,
        device_of(resource, devices),
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
    _require_unit(quantity, _SCORE_CODE, _SCORE_WORDS, "a rating in {}, not a score")
    if resource.get("component"):
        raise ValueError("it has a component that is not read")
    about = _time_of(resource)
    own = [value for system, value in identifiers if system == terms.RATING_ID]
    note = " ".join(require_text(i["text"], "note") for i in resource.get("note", [])) or None
    if note is not None:
        require_length(note, MAX_NOTE, "note")
    values: dict[str, Any] = {name: int(value)}
    if note is not None:
        values["pleasant_note" if name == "pleasant" else "note"] = note
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


def _version_order(sent: SentRating | SentHeartRate) -> tuple[bool, int]:
    """Order what corrects after what it corrects."""
    return sent.status in CORRECTIONS, sent.issued_ns or 0


def _join_parts(parts: list[SentRating]) -> list[SentRating]:
    """Join the parts of one rating; the same part twice is no contradiction. A correction that says
    something else than what was issued before it is another version. Raises ValueError.
    """
    first, *others = sorted(parts, key=_version_order)
    versions = [first]
    for part in others:
        try:
            versions[-1] = _join_part(versions[-1], part)
        except ValueError:
            if not is_correction(part.status, part.issued_ns, versions[-1].issued_ns):
                raise
            versions.append(part)
    return versions


def _join_part(joined: SentRating, part: SentRating) -> SentRating:
    if part.about_ns != joined.about_ns:
        raise ValueError("it has another time than the rest of its rating")
    (name,) = part.names
    values = {}
    for what in (name, "note", "pleasant_note", "zone"):
        old, new = getattr(joined, what), getattr(part, what)
        if None not in (old, new) and old != new:
            raise ValueError(f"two ratings of {name} are of this moment, with another {what}")
        values[what] = old if new is None else new
    issued = [at for at in (joined.issued_ns, part.issued_ns) if at is not None]
    return replace(
        joined,
        **values,
        is_simulated=joined.is_simulated or part.is_simulated,
        status=max(joined.status, part.status, key=STATUSES.index),
        issued_ns=max(issued, default=None),
        identifiers=tuple(sorted({*joined.identifiers, *part.identifiers})),
        entries=(*joined.entries, *part.entries),
        names=(*joined.names, *part.names),
    )


def _require_unit(
    quantity: Mapping[str, Any], codes: re.Pattern[str], words: re.Pattern[str], problem: str
) -> None:
    """Raise ValueError for a unit that is another one; the code counts, or the word without it."""
    code, unit = quantity.get("code"), quantity.get("unit")
    if quantity.get("system", terms.UCUM) != terms.UCUM:
        raise ValueError(f"its unit is of {quantity['system']}, not of UCUM")
    said, pattern = (unit, words) if code is None else (code, codes)
    if said is not None and not (isinstance(said, str) and pattern.fullmatch(said)):
        raise ValueError(problem.format(said))


def _identifier(item: Mapping[str, Any]) -> tuple[str, str]:
    system = require_text(item.get("system", ""), "identifier's system")
    value = require_text(item["value"], "identifier")
    if not value.strip():  # would be the same as any other without a value
        raise ValueError("its identifier is empty")
    return terms.LEGACY.get(system, system), canonical_uri(value)


def _normalise(identifiers: list[tuple[str, str]], own_system: str) -> tuple[str, ...]:
    """The identifiers in the form that Open mHealth's have too: UUIDs as URIs."""
    found = {
        uuid_identifier(value) if system == own_system else f"{system}|{value}"
        for system, value in identifiers
        if system != own_system or not value.isdigit()  # earlier versions sent the moment
    }
    return tuple(require_length(item, MAX_IDENTIFIER, "identifier") for item in sorted(found))


def _require_one(resource: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Raise ValueError where a value is given in two forms, of which one would be guessed."""
    several = [name for name in names if name in resource]
    if len(several) > 1:
        raise ValueError(f"it has both {several[0]} and {several[1]}")


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
    _require_one(resource, ("effectiveDateTime", "effectiveInstant"))
    text = resource.get("effectiveDateTime") or resource.get("effectiveInstant")
    if not isinstance(text, str):
        raise ValueError("it has no effectiveDateTime")
    return parse_time(text)


def _zone_of(resource: Mapping[str, Any]) -> str | None:
    for extension in (resource.get("_effectiveDateTime") or {}).get("extension", []):
        if extension.get("url") == terms.ZONE_EXTENSION:
            return str(extension.get("valueCode"))
    return None
