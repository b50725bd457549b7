"""Prompts and the ratings that answer them as CSV, in the form of exports of m-Path and of REDCap.

m-Path: a row a prompt, separated by semicolons, the first columns as in its exports (mpathr 1.0),
times in seconds since 1970 UTC, ``pain_sliderNeutralPos``. REDCap: a row a repeat of the instrument
``ratings``, times on the local clock, ``ratings_complete`` 2, or 0 where nothing was answered. A
rating that was volunteered has no times of a prompt. Columns ``ebbtide_*`` are ours.
"""

from __future__ import annotations

import csv
import io
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.programme.prompt_plan import Asks, PromptReason
from api.services.questionnaire_csv import (
    MISSING,
    MPATH_COLUMNS,
    REDCAP_COLUMNS,
    CsvReport,
    parse_local_time,
    read_rows,
    whole_number,
)
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import (
    EARLIEST,
    HOUR,
    MINUTE,
    SECOND,
    floor_to_microsecond,
    to_datetime,
    utc_offset_s,
    validate_zone,
)
from store import Stores
from store.errors import RatingConflictError
from store.models import Person, Prompt, PromptState, Rating

_NAME = "ratings"
_RATED = ("pain", "stress", "pleasant")
_MPATH_ENDING = "_sliderNeutralPos"
_TIMES = ("prompt_scheduled", "prompt_sent", "rating_timestamp")
_OURS = (
    *("ebbtide_prompt", "ebbtide_rating", "ebbtide_zone", "ebbtide_reason", "ebbtide_chance"),
    *("ebbtide_skip_reason", "ebbtide_asks"),
)
# Foreign files do not say how long a prompt could be answered.
_WINDOW_NS = 45 * MINUTE


@dataclass(frozen=True, slots=True)
class _Row:
    """A prompt, a rating, or both."""

    prompt: Prompt | None
    rating: Rating | None

    @property
    def zone(self) -> str:
        record = self.prompt or self.rating
        assert record is not None
        return record.zone

    @property
    def time_ns(self) -> int:
        if self.prompt is not None:
            return self.prompt.planned_ns
        assert self.rating is not None
        return self.rating.about_ns


def write_prompts_csv(
    prompts: Sequence[Prompt], ratings: Sequence[Rating], form: str, record: str
) -> str:
    """Write prompts whose time has come, and ratings; ``record``: the person's id in the file."""
    answers = {rating.prompt_id: rating for rating in ratings if rating.prompt_id is not None}
    rows = [_Row(prompt, answers.get(prompt.id)) for prompt in prompts]
    written = {prompt.id for prompt in prompts}
    rows += [_Row(None, rating) for rating in ratings if rating.prompt_id not in written]
    rows.sort(key=lambda row: row.time_ns)
    is_mpath = form == "m-path"
    rated = [name + (_MPATH_ENDING if is_mpath else "") for name in _RATED]
    columns = [*MPATH_COLUMNS, *rated] if is_mpath else [*REDCAP_COLUMNS, *_TIMES, *rated]
    columns += [*([] if is_mpath else [f"{_NAME}_complete"]), *_OURS]
    file = io.StringIO()
    writer = csv.DictWriter(
        *(file, columns), restval="", delimiter=";" if is_mpath else ",", lineterminator="\n"
    )
    writer.writeheader()
    for number, row in enumerate(rows, 1):
        head = _mpath_head(row, record) if is_mpath else _redcap_head(row, record, number)
        cells = {} if row.rating is None else _rated_cells(row.rating, rated)
        writer.writerow(head | cells | _own_cells(row))
    return file.getvalue()


def import_prompts_csv(stores: Stores, person: Person, text: str, form: str) -> CsvReport:
    """Store the prompts and ratings of a file. Idempotent. Raises ValueError for one that is no
    such table. ``stored`` and ``new`` count rows.
    """
    columns, rows = read_rows(text, form)
    by_name = {
        name: column
        for name in _RATED
        for column in columns
        if column in (name, name + _MPATH_ENDING, f"{name}_sliderPos")
    }
    if not {"pain", "stress"} <= by_name.keys():
        raise ValueError("has no columns of pain and stress, such as pain and stress")
    stored, new = 0, 0
    skipped: list[tuple[int, str]] = []
    for number, cells in enumerate(rows):
        try:
            row = _read_row(cells, by_name, person, stores.now(), form)
            is_new = row.prompt is not None and stores.prompts.import_prompt(row.prompt)
            rating = row.rating
            if rating is not None and stores.records.rating(person.id, rating.id) is None:
                stores.records.add_rating(rating)
                is_new = True
            stored, new = stored + 1, new + is_new
        except (ValueError, RatingConflictError) as error:
            skipped.append((number, str(error)))
    return CsvReport(stored, new, skipped)


def _mpath_head(row: _Row, record: str) -> dict[str, str]:
    seconds = utc_offset_s(row.time_ns, row.zone)
    prompt, rating = row.prompt, row.rating
    times = {
        "timeStampScheduled": None if prompt is None else prompt.planned_ns,
        "timeStampSent": None if prompt is None else prompt.sent_ns,
        "timeStampStart": None if rating is None else rating.about_ns,
        "timeStampStop": None if rating is None else rating.about_ns,
    }
    return {
        "connectionId": record,
        "alias": record,
        "scheduledBeepId": "-1",
        "questionListName": _NAME,
        **{name: "" if at is None else str(at // SECOND) for name, at in times.items()},
        "timeZoneOffset": str(seconds),
        "deltaUTC": f"{seconds * SECOND / HOUR:g}",
    }


def _redcap_head(row: _Row, record: str, number: int) -> dict[str, str]:
    prompt, rating = row.prompt, row.rating
    times = (
        None if prompt is None else prompt.planned_ns,
        None if prompt is None else prompt.sent_ns,
        None if rating is None else rating.about_ns,
    )
    return {
        "record_id": record,
        "redcap_repeat_instrument": _NAME,
        "redcap_repeat_instance": str(number),
        **{
            name: "" if at is None else f"{to_datetime(at, row.zone):%Y-%m-%d %H:%M:%S}"
            for name, at in zip(_TIMES, times, strict=True)
        },
        f"{_NAME}_complete": "0" if rating is None else "2",
    }


def _rated_cells(rating: Rating, columns: Sequence[str]) -> dict[str, str]:
    values = (rating.pain, rating.stress, rating.pleasant)
    return {
        column: str(value)
        for column, value in zip(columns, values, strict=True)
        if value is not None
    }


def _own_cells(row: _Row) -> dict[str, str]:
    prompt = row.prompt
    cells = {"ebbtide_zone": row.zone}
    if row.rating is not None:
        cells["ebbtide_rating"] = row.rating.id
    if prompt is not None:
        cells |= {
            "ebbtide_prompt": prompt.id,
            "ebbtide_reason": prompt.reason,
            "ebbtide_chance": repr(prompt.chance),
            "ebbtide_skip_reason": prompt.skip_reason or "",
            "ebbtide_asks": prompt.asks,
        }
    return cells


def _read_row(
    cells: Mapping[str, str], by_name: Mapping[str, str], person: Person, now_ns: int, form: str
) -> _Row:
    try:
        zone = validate_zone((cells.get("ebbtide_zone") or "").strip() or person.zone)
    except EbbtideError as error:
        raise ValueError(str(error)) from error
    names = ("timeStampScheduled", "timeStampSent", "timeStampStop") if form == "m-path" else _TIMES
    planned, sent, about = (_read_time(cells, name, zone, now_ns, form) for name in names)
    values: dict[str, int] = {}
    for name, column in by_name.items():
        cell = (cells.get(column) or "").strip()
        if cell.lower() not in MISSING:
            values[name] = whole_number(cell, column)
            if not 0 <= values[name] <= 10:
                raise ValueError(f"{column} is {cell}, not from 0 to 10")
    if values and not {"pain", "stress"} & values.keys():
        raise ValueError("it has neither pain nor stress")
    if values and about is None:
        raise ValueError(f"it has ratings and no {names[2]}")
    prompt = None
    if planned is not None or sent is not None:
        prompt = _read_prompt(cells, person, zone, planned, sent, about if values else None)
    rating = None
    if values and about is not None:
        own = (cells.get("ebbtide_rating") or "").strip()
        rating = Rating(
            _id_of(own, "ebbtide_rating", person, f"rating at {about}"),
            *(1, person.id, about, floor_to_microsecond(now_ns), zone),
            *(values.get("pain"), values.get("stress"), values.get("pleasant"), person.simulated),
            imported=True,
            prompt_id=None if prompt is None else prompt.id,
        )
    if prompt is None and rating is None:
        raise ValueError("it has neither a prompt nor a rating")
    return _Row(prompt, rating)


def _read_prompt(
    cells: Mapping[str, str],
    person: Person,
    zone: str,
    planned: int | None,
    sent: int | None,
    answered: int | None,
) -> Prompt:
    begun = sent if sent is not None else planned
    assert begun is not None
    why_not = (cells.get("ebbtide_skip_reason") or "").strip() or None
    if sent is None and why_not is None and answered is None:
        why_not = "the file does not say that it was sent"
    if answered is not None:
        if answered < begun:
            raise ValueError("its rating is of a time before the prompt")
        sent, why_not = begun, None
    reason = (cells.get("ebbtide_reason") or "").strip() or str(PromptReason.IMPORTED)
    if reason not in {str(item) for item in PromptReason}:
        raise ValueError(f"ebbtide_reason is {reason!r}")
    asks = (cells.get("ebbtide_asks") or "").strip() or str(Asks.BOTH)
    if asks not in {str(item) for item in Asks}:
        raise ValueError(f"ebbtide_asks is {asks!r}, not one of pain, stress and both")
    cell = (cells.get("ebbtide_chance") or "").strip()
    try:
        chance = float(cell) if cell else 1.0
    except ValueError:
        chance = math.nan
    if not 0 < chance <= 1:
        raise ValueError(f"ebbtide_chance is {cell}, not a probability")
    own = (cells.get("ebbtide_prompt") or "").strip()
    made = _id_of(own, "ebbtide_prompt", person, f"prompt at {begun}")
    end = begun + _WINDOW_NS if answered is None else max(begun + _WINDOW_NS, answered + SECOND)
    return Prompt(
        id=made,
        person_id=person.id,
        slot=f"imported-{made}",
        reason=reason,
        planned_ns=begun if planned is None else planned,
        zone=zone,
        chance=chance,
        plan_version=0,
        due_ns=begun,
        expires_ns=end,
        state=PromptState.SKIPPED if sent is None else PromptState.SENT,
        skip_reason=None if sent is not None else why_not,
        sent_ns=sent,
        simulated=person.simulated,
        asks=asks,
    )


def _read_time(
    cells: Mapping[str, str], name: str, zone: str, now_ns: int, form: str
) -> int | None:
    cell = (cells.get(name) or "").strip()
    if cell.lower() in MISSING:
        return None
    if form == "m-path":
        at = whole_number(cell, name) * SECOND
    else:
        at = parse_local_time(cell, name, zone)
    if not EARLIEST <= at <= now_ns + MINUTE:
        raise ValueError(f"{name} lies in the future, or before the year 2000")
    return at


def _id_of(own: str, name: str, person: Person, words: str) -> str:
    try:
        return str(uuid.UUID(own) if own else uuid.uuid5(uuid.UUID(person.id), words))
    except ValueError as error:
        raise ValueError(f"{name} is {own!r}, not an id of Ebbtide's") from error
