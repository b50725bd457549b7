"""Open mHealth heart-rate 2.0 with the header of IEEE 1752.1-2021. Mappings only.

What the header has no property for travels as ``external_datasheets``: a type and an IRI. Words are
``data:`` URIs (RFC 2397), and a mark of simulation is the code of HL7 for test data.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from analytics.hrv.windows import WINDOW_NS
from api.export.fhir.pages import Key, records
from api.export.fhir.resources import Window, plain_number
from api.export.fhir.search import Search
from api.export.fhir.terms import HEART_RATE
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
    MAX_DEVICE,
    MAX_IDENTIFIER,
    MAX_WORDS,
    ParsedImport,
    SentHeartRate,
    SkippedEntry,
    require_few,
)
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import ImportedHeartRate, Person
from store.models.imports import (
    MODALITIES,
    STATUSES,
    canonical_uri,
    unpack_identifiers,
    uuid_identifier,
)

_SCHEMA = {"namespace": "omh", "name": "heart-rate", "version": "2.0"}
_SIMULATED = "http://terminology.hl7.org/CodeSystem/v3-ActReason#HTEST"
_WAS_SIMULATED = "urn:ebbtide:simulated"  # of earlier versions
_WORDS = "data:,"
_URN_UUID = uuid_identifier("")
_ACTIVITY = "temporal_relationship_to_physical_activity"
_SLEEP = "temporal_relationship_to_sleep"
_DECIMALS = 3


def window_point(window: Window, person_id: str, zone: str, simulated: bool) -> dict[str, Any]:
    """Map a usable window to a data point: the mean heart rate of five minutes."""
    start, end = window.start_ns, window.start_ns + WINDOW_NS
    sheets = [_sheet("user", f"urn:uuid:{person_id}")]
    if simulated:
        sheets.append(_sheet("simulated", _SIMULATED))
    return _point(
        str(uuid.uuid5(uuid.UUID(person_id), f"window {start}")),
        to_datetime(end, zone).isoformat(),
        "sensed",
        sheets,
        {
            "heart_rate": {
                "value": plain_number(round(window.hr or 0.0, _DECIMALS)),
                "unit": "beats/min",
            },
            "effective_time_frame": {
                "time_interval": {
                    "start_date_time": to_datetime(start, zone).isoformat(),
                    "end_date_time": to_datetime(end, zone).isoformat(),
                }
            },
            "descriptive_statistic": "average",
        },
    )


def heart_rate_point(rate: ImportedHeartRate, zone: str) -> dict[str, Any]:
    """Map a heart rate of another system to a data point, with the UUID that it has there."""
    identifiers = unpack_identifiers(rate.identifiers)
    uuids = [name.removeprefix(_URN_UUID) for name in identifiers if name.startswith(_URN_UUID)]
    point_id = next((name for name in uuids if _is_uuid(name)), rate.id)
    sheets = [_sheet("user", f"urn:uuid:{rate.person_id}")]
    sheets += [
        _sheet("identifier", _WORDS + quote(name))
        for name in identifiers
        if name != uuid_identifier(point_id)
    ]
    if rate.simulated:
        sheets.append(_sheet("simulated", _SIMULATED))
    if rate.device:
        sheets.append(_sheet("hardware", _WORDS + quote(rate.device)))
    if rate.status != "final":
        sheets.append(_sheet("status", _WORDS + rate.status))
    if rate.issued_ns is None:
        # The header must have a time of creation; without one, it is that of the measurement.
        sheets.append(_sheet("created", _WORDS + "unknown"))
    created_ns = rate.time_ns if rate.issued_ns is None else rate.issued_ns
    body: dict[str, Any] = {
        "heart_rate": {"value": plain_number(rate.bpm), "unit": "beats/min"},
        "effective_time_frame": {"date_time": to_datetime(rate.time_ns, zone).isoformat()},
    }
    if rate.activity is not None:
        body[_ACTIVITY] = rate.activity
    return _point(point_id, to_datetime(created_ns, zone).isoformat(), rate.modality, sheets, body)


def load_points(
    stores: Stores, person: Person, simulated: bool, search: Search, after: Key
) -> tuple[list[dict[str, Any]], str | None]:
    """Load the data points of a page after this key, and the cursor of the next page."""
    points: list[dict[str, Any]] = []
    last = after
    for key, record in records(stores, person, search, after):
        if key <= after:
            continue
        if len(points) == search.count:
            return points, last.encode()
        if isinstance(record, Window):
            points.append(window_point(record, person.id, person.zone, simulated))
        elif isinstance(record, ImportedHeartRate):
            points.append(heart_rate_point(record, person.zone))
        last = key
    return points, None


def heart_rate_search(start_ns: int, end_ns: int, count: int) -> Search:
    """The search of all heart rates in [start_ns, end_ns), in pages of this many."""
    return Search(codes=[[HEART_RATE]], start_ns=start_ns, end_ns=end_ns, count=count)


def parse_points(points: Any, person_id: str = "", alias: str | None = None) -> ParsedImport:
    """Parse the single heart rates of data points of this person, whose user id may be ``alias`` in
    them. Averages and the like are not the heart rate of a moment and are returned as skipped.
    Raises ValueError for what is no list of data points.
    """
    if isinstance(points, dict) and "data_points" in points:
        points = points["data_points"]
    if isinstance(points, dict):
        points = [points]
    if not isinstance(points, list):
        raise ValueError("is neither a data point nor a list of them")
    require_few(points)
    rates: list[SentHeartRate] = []
    skipped: list[SkippedEntry] = []
    for number, point in enumerate(points):
        try:
            require_storable(point)
            rates.append(_rate(point, number, (person_id, alias)))
        except UNREADABLE as error:
            skipped.append(SkippedEntry(number, describe_skipped(error)))
    return ParsedImport([], rates, skipped)


def _rate(point: Mapping[str, Any], entry: int, users: tuple[str, str | None]) -> SentHeartRate:
    header, body = point["header"], point["body"]
    name = header["schema_id"]["name"]
    if name != "heart-rate":
        raise ValueError(f"{name} is not read, only heart-rate")
    sheets = _sheets(header)
    for user in (header.get("user_id", users[0]), *sheets.get("user", [])):
        if user not in users:
            raise ValueError(
                f"its user is {user}, not the person who is signed in; if that is what they are"
                " called there, send it with ?subject="
            )
    if body.get("descriptive_statistic"):
        raise ValueError(f"it is {body['descriptive_statistic']} of a while, not a single value")
    if body.get(_SLEEP):
        raise ValueError(f"its {_SLEEP} is not read")
    rate = body["heart_rate"]
    if rate["unit"] != "beats/min":
        raise ValueError(f"heart rate in {rate['unit']}, not in beats/min")
    value = rate["value"]
    try:
        bpm = require_heart_rate(parse_number(value))
    except ValueError as error:
        raise ValueError("its value cannot be a heart rate") from error
    frame = body["effective_time_frame"]
    time = frame.get("date_time")
    if time is None or "time_interval" in frame:
        raise ValueError("it is of a while, not of a moment")
    modality = header.get("modality")
    if modality not in (None, *MODALITIES):
        raise ValueError(f"its modality is {modality}")
    activity = body.get(_ACTIVITY)
    if activity is not None and not isinstance(activity, str):
        raise ValueError(f"its {_ACTIVITY} is no text")
    status = sheets.get("status", ["final"])[0]
    if status not in STATUSES:
        raise ValueError(f"its status is {status}")
    created = header.get("source_creation_date_time")
    return SentHeartRate(
        parse_time(time),
        bpm,
        require_length(sheets.get("hardware", [""])[0], MAX_DEVICE, "device"),
        "simulated" in sheets,
        modality,
        None if activity is None else require_length(activity, MAX_WORDS, "activity"),
        status,
        None if created is None or "created" in sheets else parse_time(created),
        _identifiers(header, sheets),
        entry,
    )


def _identifiers(header: Mapping[str, Any], sheets: Mapping[str, list[str]]) -> tuple[str, ...]:
    found = [require_length(item, MAX_IDENTIFIER, "identifier") for item in sheets["identifier"]]
    point_id = header.get("uuid")
    if point_id is not None:
        if not _is_uuid(point_id):
            raise ValueError("its uuid is none")
        found.append(uuid_identifier(str(uuid.UUID(point_id))))
    return tuple(sorted(found))


def _sheets(header: Mapping[str, Any]) -> dict[str, list[str]]:
    """The datasheets that are read, by type, as words."""
    found: dict[str, list[str]] = {"identifier": []}
    for sheet in header.get("external_datasheets", []):
        reference = require_text(sheet["datasheet_reference"], "datasheet_reference")
        kind = sheet.get("datasheet_type")
        if reference in (_SIMULATED, _WAS_SIMULATED):
            found["simulated"] = [reference]
        elif kind == "user":
            found.setdefault(kind, []).append(canonical_uri(reference).removeprefix("urn:uuid:"))
        elif kind in ("identifier", "hardware", "status", "created"):
            is_words = reference.startswith(_WORDS)
            words = unquote(reference.removeprefix(_WORDS)) if is_words else reference
            found.setdefault(kind, []).append(words)
    return found


def _sheet(kind: str, reference: str) -> dict[str, str]:
    return {"datasheet_type": kind, "datasheet_reference": reference}


def _is_uuid(text: Any) -> bool:
    try:
        uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _point(
    point_id: str,
    created: str,
    modality: str | None,
    sheets: list[dict[str, str]],
    body: dict[str, Any],
) -> dict[str, Any]:
    header: dict[str, Any] = {
        "uuid": point_id,
        "schema_id": _SCHEMA,
        "source_creation_date_time": created,
    }
    if modality is not None:
        header["modality"] = modality
    if sheets:
        header["external_datasheets"] = sheets
    return {"header": header, "body": body}
