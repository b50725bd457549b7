"""Answers to questionnaires as CSV, in the form of exports of REDCap and of m-Path.

REDCap: a row a repeat of an instrument (``redcap_repeat_instrument``), fields ``<id>_<item>``,
``<id>_timestamp`` on the local clock, ``<id>_complete`` 2. m-Path: separated by semicolons, the
first columns as in its exports (mpathr 1.0), times in seconds since 1970 UTC, items
``<id>_<item>_multipleChoice_likert``. Columns ``ebbtide_*`` are ours: with them nothing is lost.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from analytics.programme import Occasion, check_answers
from api.services.questionnaires import ImportedAnswers, ScoredResponse
from ebbtide.errors import EbbtideError
from ebbtide.questionnaires import Questionnaire, QuestionnaireLibrary
from ebbtide.timestamps import (
    EARLIEST,
    MINUTE,
    SECOND,
    from_datetime,
    to_datetime,
    utc_offset_s,
    validate_zone,
)
from store import Stores
from store.errors import ResponseConflictError
from store.models import Person, QuestionnaireResponse

# Each row is a transaction of its own: 5,000 took 38 s on two busy cores.
MAX_ROWS = 1_000
MAX_CELL_CHARACTERS = 100_000
_OURS = ("ebbtide_id", "ebbtide_version", "ebbtide_zone", "ebbtide_occasion", "ebbtide_language")
REDCAP_COLUMNS = ("record_id", "redcap_repeat_instrument", "redcap_repeat_instance")
MPATH_COLUMNS = (
    *("connectionId", "code", "alias", "scheduledBeepId", "sentBeepId", "questionListName"),
    *("timeStampScheduled", "timeStampSent", "timeStampStart", "timeStampStop"),
    *("timeZoneOffset", "deltaUTC"),
)
MISSING = frozenset({"", "na", "nan"})
_MPATH_ITEM = "_multipleChoice_likert"
_HOUR_S = 3600
_NO_VALUE = re.compile(r"_(index|string|basic|open)$")


@dataclass(frozen=True, slots=True)
class CsvReport:
    """What came of an import; of ``skipped`` rows, the number from 0 and the reason."""

    stored: int
    new: int
    skipped: list[tuple[int, str]]


def write_csv(found: Sequence[ScoredResponse], form: str, record: str) -> str:
    """Write answers whose questionnaire is here; ``record``: the person's id in the file."""
    rows = [item for item in found if item.questionnaire is not None]
    columns = list(MPATH_COLUMNS if form == "m-path" else REDCAP_COLUMNS)
    asked: dict[str, Questionnaire] = {}
    for item in rows:
        assert item.questionnaire is not None
        asked.setdefault(item.questionnaire.id, item.questionnaire)
    for questionnaire in asked.values():
        columns += _columns_of(questionnaire, form)
    columns += _OURS
    file = io.StringIO()
    writer = csv.DictWriter(
        *(file, columns),
        restval="",
        delimiter=";" if form == "m-path" else ",",
        lineterminator="\n",
        extrasaction="ignore",
    )
    writer.writeheader()
    repeats: dict[str, int] = {}
    for item in rows:
        name = item.response.questionnaire
        repeats[name] = repeats.get(name, 0) + 1
        head = _mpath_head(item, record) if form == "m-path" else _redcap_head(item, record)
        if form == "redcap":
            head["redcap_repeat_instance"] = str(repeats[name])
        writer.writerow(head | _item_cells(item, form) | _own_cells(item.response))
    return file.getvalue()


def read_rows(text: str, form: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read the columns and all rows of a file, before anything of it is stored: one that is refused
    leaves nothing. Raises ValueError.
    """
    reader = csv.DictReader(
        io.StringIO(text.removeprefix("\ufeff")), delimiter=";" if form == "m-path" else ","
    )
    try:
        rows = list(islice(reader, MAX_ROWS + 1))
    except csv.Error as error:
        raise ValueError(f"is no CSV: {error}") from error
    if len(rows) > MAX_ROWS:
        raise ValueError(f"has more than {MAX_ROWS:,} rows: send it in parts")
    # Not csv.field_size_limit: it is of the whole process, and scipy and frictionless lift it.
    for number, row in enumerate(rows):
        if any(len(cell) > MAX_CELL_CHARACTERS for cell in _cells(row)):
            raise ValueError(
                f"is no CSV: row {number + 1} has a cell of more than "
                f"{MAX_CELL_CHARACTERS:,} characters"
            )
    return list(reader.fieldnames or []), rows


def _cells(row: Mapping[str | None, str | list[str] | None]) -> Iterator[str]:
    """Give the cells of a row; those beyond the columns stand together under None."""
    for value in row.values():
        yield from value if isinstance(value, list) else [value or ""]


def import_csv(
    stores: Stores, person: Person, library: QuestionnaireLibrary, text: str, form: str
) -> CsvReport:
    """Store the answers of a file. Idempotent. Raises ValueError for one that is no such table."""
    columns, rows = read_rows(text, form)
    by_column = _find_item_columns(columns, library)
    if not by_column:
        raise ValueError("has no column of a questionnaire that is here, such as gad7_1")
    stored, new = 0, 0
    skipped: list[tuple[int, str]] = []
    known = {item.id for item in stores.programme.responses(person.id)}
    for number, row in enumerate(rows):
        answers: dict[str, dict[str, int]] = {}
        try:
            for column, (name, item_id) in by_column.items():
                cell = (row.get(column) or "").strip()
                if cell.lower() not in MISSING:
                    answers.setdefault(name, {})[item_id] = whole_number(cell, column)
            for name, values in answers.items():
                made = _response(row, name, values, library, person, stores.now(), form)
                if made.id not in known:
                    stores.programme.add_response(made)
                    known.add(made.id)
                    new += 1
                stored += 1
        except (ValueError, ResponseConflictError) as error:
            skipped.append((number, str(error)))
    return CsvReport(stored, new, skipped)


def _columns_of(questionnaire: Questionnaire, form: str) -> list[str]:
    items = [f"{questionnaire.id}_{item.id}" for item in questionnaire.items]
    scores = [f"{questionnaire.id}_{score.id}" for score in questionnaire.scores]
    if form == "m-path":
        return [name + _MPATH_ITEM for name in items]
    stamp, complete = f"{questionnaire.id}_timestamp", f"{questionnaire.id}_complete"
    return [stamp, *items, *(f"{name}_score" for name in scores), complete]


def _redcap_head(item: ScoredResponse, record: str) -> dict[str, str]:
    response = item.response
    name = response.questionnaire
    local = to_datetime(response.about_ns, response.zone)
    scores = {
        f"{name}_{score.id}_score": f"{score.value:g}"
        for score in item.scores
        if score.value is not None
    }
    return {
        "record_id": record,
        "redcap_repeat_instrument": name,
        f"{name}_timestamp": local.strftime("%Y-%m-%d %H:%M:%S"),
        f"{name}_complete": "2",
        **scores,
    }


def _mpath_head(item: ScoredResponse, record: str) -> dict[str, str]:
    response = item.response
    seconds = utc_offset_s(response.about_ns, response.zone)
    at = str(response.about_ns // SECOND)
    return {
        "connectionId": record,
        "alias": record,
        "scheduledBeepId": "-1",
        "questionListName": response.questionnaire,
        "timeStampStart": at,
        "timeStampStop": at,
        "timeZoneOffset": str(seconds),
        "deltaUTC": f"{seconds / _HOUR_S:g}",
    }


def _item_cells(item: ScoredResponse, form: str) -> dict[str, str]:
    ending = _MPATH_ITEM if form == "m-path" else ""
    name = item.response.questionnaire
    return {f"{name}_{key}{ending}": str(value) for key, value in item.response.values.items()}


def _own_cells(response: QuestionnaireResponse) -> dict[str, str]:
    return {
        "ebbtide_id": response.id,
        "ebbtide_version": str(response.definition_version),
        "ebbtide_zone": response.zone,
        "ebbtide_occasion": response.occasion,
        "ebbtide_language": response.language,
    }


def _find_item_columns(
    columns: Sequence[str], library: QuestionnaireLibrary
) -> dict[str, tuple[str, str]]:
    """Find which columns hold which items: ``gad7_1``, and m-Path's ``gad7_1_sliderPos``."""
    names = {
        f"{questionnaire.id}_{item.id}": (questionnaire.id, item.id)
        for questionnaire in library.newest
        for item in questionnaire.items
    }
    found = {}
    for column in columns:
        if _NO_VALUE.search(column):
            continue
        stem = column
        while stem and stem not in names:
            stem = stem.rpartition("_")[0]
        ending = column.removeprefix(stem)
        if stem and (not ending or re.fullmatch(r"_[A-Za-z]+(_likert)?", ending)):
            if ending == "_score":
                continue
            found[column] = names[stem]
    return found


def _response(
    row: Mapping[str, str],
    name: str,
    values: Mapping[str, int],
    library: QuestionnaireLibrary,
    person: Person,
    now_ns: int,
    form: str,
) -> QuestionnaireResponse:
    version = (row.get("ebbtide_version") or "").strip()
    found = library.find(name, int(version) if version.isdecimal() else None)
    if found is None:
        raise ValueError(f"version {version} of {name} is not here")
    check_answers(found, values)
    try:
        zone = validate_zone((row.get("ebbtide_zone") or "").strip() or person.zone)
    except EbbtideError as error:
        raise ValueError(str(error)) from error
    about = _seconds_of(row) if form == "m-path" else _local_of(row, name, zone)
    if not EARLIEST <= about <= now_ns + MINUTE:
        raise ValueError("its time lies in the future, or before the year 2000")
    own_id = (row.get("ebbtide_id") or "").strip()
    occasion = (row.get("ebbtide_occasion") or "").strip()
    if occasion and occasion not in {str(item) for item in Occasion}:
        raise ValueError(f"ebbtide_occasion is {occasion!r}")
    language = (row.get("ebbtide_language") or "").strip() or found.languages[0]
    if language not in found.languages:
        raise ValueError(f"{name} is not in the language {language!r}")
    return ImportedAnswers(values, about, zone, occasion, language, own_id or None).to_response(
        found, person, now_ns
    )


def _seconds_of(row: Mapping[str, str]) -> int:
    for column in ("timeStampStop", "timeStampStart", "timeStampSent"):
        cell = (row.get(column) or "").strip()
        if cell.lower() not in MISSING:
            return whole_number(cell, column) * SECOND
    raise ValueError("it has no timeStampStop, timeStampStart or timeStampSent")


def _local_of(row: Mapping[str, str], name: str, zone: str) -> int:
    cell = (row.get(f"{name}_timestamp") or row.get("timestamp") or "").strip()
    if not cell:
        raise ValueError(f"it has no {name}_timestamp")
    return parse_local_time(cell, f"{name}_timestamp", zone)


def parse_local_time(cell: str, column: str, zone: str) -> int:
    """Parse a time on the clock of a zone, or one with an offset (UTC ns). Raises ValueError."""
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{column} is {cell!r}, not such as 2026-11-24 08:00") from None
    moment = moment.replace(tzinfo=ZoneInfo(zone)) if moment.tzinfo is None else moment
    return from_datetime(moment.astimezone(UTC))


def whole_number(cell: str, column: str) -> int:
    """Parse a whole number. Raises ValueError, naming the column."""
    try:
        number = float(cell)
    except ValueError:
        raise ValueError(f"{column} is {cell!r}, not a number") from None
    if number != number // 1 or abs(number) > 2**40:
        raise ValueError(f"{column} is {cell!r}, not a whole number")
    return int(number)
