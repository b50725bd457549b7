"""Data as tables: the columns of each, and the rows of a person in parts, so that a month of beats
takes no more memory than a day.

A part is a UTC day of beats, a month of windows, or all ratings. Cursors rest on rows having the
same order each time.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.hrv.stress_index import METHOD as STRESS_INDEX_METHOD
from analytics.hrv.stress_index import stress_index
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import METRICS, STORED_METHOD, load_daily_hrv
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.imported_records import load_heart_rates
from api.services.inputs import local_day_and_hour
from api.services.link_report import load_report
from ebbtide.timestamps import DAY, FOREVER, SECOND, to_datetime
from store import Stores
from store.models import Person, Rating

_MONTH_DAYS = 28  # of windows that are read at a time
_BEFORE_NS = 70 * SECOND  # longer than any interval: `follows` of a first beat needs the one before
_PA_TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one person. ``key`` increases from part to part."""

    key: str
    rows: Callable[[], pa.RecordBatch]


class Table(StrEnum):
    """What there is in bulk."""

    BEATS = "beats"
    HRV = "hrv"
    RATINGS = "ratings"
    SESSIONS = "sessions"
    LINK = "link"


def table_schema(table: Table, pseudonymous: bool) -> pa.Schema:
    """The columns of a table. Analysts get ``person`` first, and neither zone nor free text."""
    fields = [pa.field(name, kind) for name, kind in _COLUMNS[table].items()]
    if pseudonymous:
        fields = [pa.field("person", _PA_TEXT), *(f for f in fields if f.name != "zone")]
    return pa.schema(fields)


def table_parts(
    table: Table, stores: Stores, cache: AnalysisCache, subject: ExportSubject, query: ExportQuery
) -> Iterator[Part]:
    """Yield the parts of one person's rows, in order. A part reads its rows when it is called."""
    real = subject.to_real_time(query)
    schema = table_schema(table, subject.pseudonym is not None)

    def build_table(columns: Callable[[], dict[str, Any]]) -> Callable[[], pa.RecordBatch]:
        return lambda: _batch(schema, columns(), subject)

    if table is Table.BEATS:
        for day in _days(stores, subject.person, real):
            part = replace(
                real,
                start_ns=max(real.start_ns, day * DAY),
                end_ns=min(real.end_ns, (day + 1) * DAY),
            )
            yield Part(_key(day), build_table(lambda part=part: _beats(stores, subject, part)))  # type: ignore[misc]
    elif table is Table.HRV:
        days = _days(stores, subject.person, real)
        for first in sorted({day // _MONTH_DAYS * _MONTH_DAYS for day in days}):
            inside = frozenset(day for day in days if first <= day < first + _MONTH_DAYS)
            part = replace(
                real,
                start_ns=max(real.start_ns, first * DAY),
                end_ns=min(real.end_ns, (first + _MONTH_DAYS) * DAY),
            )
            yield Part(
                _key(first),
                build_table(partial(_hrv, stores, cache, subject, part, inside)),
            )
    elif table is Table.RATINGS:
        yield Part("ratings", build_table(lambda: _ratings(stores, subject, real)))
    elif table is Table.SESSIONS:
        yield Part("sessions", build_table(lambda: _sessions(stores, subject, real)))
    else:
        yield Part("link", build_table(lambda: _link(stores, cache, subject, real)))


def table_fingerprint(
    table: Table, stores: Stores, subject: ExportSubject, query: ExportQuery
) -> str:
    """Name the content of a person's rows of a table, without computing them."""
    person, real = subject.person, subject.to_real_time(query)
    ratings = stores.records.ratings_fingerprint(person.id)
    sessions = [
        (item.number, item.version, item.held_ns) for item in stores.records.sessions(person.id)
    ]
    beats = stores.beats.day_fingerprints(person.subject_id, real.start_ns, real.end_ns)
    inputs: dict[Table, list[object]] = {
        Table.BEATS: [sorted(beats.items())],
        # The baseline may lie outside the range.
        Table.HRV: [
            sorted(stores.beats.day_fingerprints(person.subject_id, 0, real.end_ns).items()),
            STORED_METHOD,
            STRESS_INDEX_METHOD,
        ],
        Table.RATINGS: [ratings],
        Table.SESSIONS: [sessions],
        Table.LINK: [
            ratings,
            sorted(stores.beats.day_fingerprints(person.subject_id, *FOREVER).items()),
        ],
    }
    content = repr((person.id, subject.pseudonym, query, inputs[table]))
    return hashlib.sha256(content.encode()).hexdigest()


def _key(day: int) -> str:
    return f"{day:06d}"


def _days(stores: Stores, person: Person, real: ExportQuery) -> list[int]:
    """The UTC days of the range that have beats, and that changed since ``since_ns``."""
    days = set(stores.beats.day_fingerprints(person.subject_id, real.start_ns, real.end_ns))
    if real.since_ns is not None:
        days &= set(stores.beats.changed_days(person.subject_id, real.since_ns))
    return sorted(days)


_COLUMNS: dict[Table, dict[str, pa.DataType]] = {
    Table.BEATS: {
        "time_ns": pa.int64(),
        "rr_ticks": pa.int32(),
        "ticks_per_second": pa.int32(),
        "follows": pa.bool_(),
        "contact": pa.bool_(),
        "stream": _PA_TEXT,
        "origin": _PA_TEXT,
    },
    Table.HRV: {
        "start_ns": pa.int64(),
        "usable": pa.bool_(),
        "local_hour": pa.float64(),
        **dict.fromkeys(METRICS, pa.float64()),
        "stress_index": pa.float64(),
        "stress_index_low": pa.float64(),
        "stress_index_high": pa.float64(),
    },
    Table.RATINGS: {
        "rating": pa.string(),
        "version": pa.int32(),
        "about_ns": pa.int64(),
        "entered_ns": pa.int64(),
        "zone": _PA_TEXT,
        "local_hour": pa.float64(),
        "pain": pa.int8(),
        "stress": pa.int8(),
        "pleasant": pa.int8(),
        "simulated": pa.bool_(),
        "withdrawn": pa.bool_(),
    },
    Table.SESSIONS: {"number": pa.int32(), "held_ns": pa.int64(), "version": pa.int32()},
    Table.LINK: {
        "key": pa.string(),
        "title": pa.string(),
        "estimate": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "p_value": pa.float64(),
        "p_adjusted": pa.float64(),
        "autocorrelation": pa.float64(),
        "n": pa.int32(),
        "unit": pa.string(),
        "verdict": pa.string(),
        "sentence": pa.string(),
        "missing": pa.string(),
        "method": pa.string(),
        "simulated": pa.bool_(),
    },
}


def _beats(stores: Stores, subject: ExportSubject, real: ExportQuery) -> dict[str, Any]:
    beats = stores.beats.read(subject.person.subject_id, real.start_ns - _BEFORE_NS, real.end_ns)
    rows = slice(int(np.searchsorted(beats.time_ns, real.start_ns)), None)
    contact = beats.contact[rows]
    return {
        "time_ns": beats.time_ns[rows] - subject.shift_ns,
        "rr_ticks": beats.rr_ticks[rows],
        "ticks_per_second": beats.ticks_per_second[rows],
        "follows": beats.follows[rows],
        "contact": pa.array(contact > 0, mask=contact < 0),
        "stream": _dictionary(
            beats.stream[rows], [_id(subject, stream.id) for stream in beats.streams]
        ),
        "origin": _dictionary(beats.stream[rows], [str(stream.origin) for stream in beats.streams]),
    }


def _hrv(
    stores: Stores,
    cache: AnalysisCache,
    subject: ExportSubject,
    real: ExportQuery,
    days: frozenset[int],
) -> dict[str, Any]:
    daily = load_daily_hrv(stores, subject.person, real.start_ns, real.end_ns)
    index = stress_index(
        cache.baselines.load(stores, subject.person),
        daily.to_stress_index_input(subject.person.zone),
    )
    rows = np.isin(daily.start_ns // DAY, sorted(days))
    _, hour = local_day_and_hour(daily.start_ns[rows], subject.person.zone)
    return {
        "start_ns": daily.start_ns[rows] - subject.shift_ns,
        "usable": np.isfinite(daily.mean_hr_bpm[rows]),
        "local_hour": hour,
        **{name: _null_nan(getattr(daily, name)[rows]) for name in METRICS},
        "stress_index": _null_nan(index.value[rows]),
        "stress_index_low": _null_nan(index.low[rows]),
        "stress_index_high": _null_nan(index.high[rows]),
    }


def _ratings(stores: Stores, subject: ExportSubject, real: ExportQuery) -> dict[str, Any]:
    ratings = stores.records.ratings(
        subject.person.id, real.start_ns, real.end_ns, since_ns=real.since_ns
    )
    local = [to_datetime(rating.about_ns, rating.zone) for rating in ratings]

    def column(of: Callable[[Rating], object]) -> list[object]:
        return [of(rating) for rating in ratings]

    return {
        "rating": column(lambda r: _id(subject, r.id)),
        "version": column(lambda r: r.version),
        "about_ns": column(lambda r: r.about_ns - subject.shift_ns),
        "entered_ns": column(lambda r: r.entered_ns - subject.shift_ns),
        "zone": column(lambda r: r.zone),
        "local_hour": [moment.hour + moment.minute / 60 for moment in local],
        "pain": column(lambda r: r.pain),
        "stress": column(lambda r: r.stress),
        "pleasant": column(lambda r: r.pleasant),
        "simulated": column(lambda r: r.simulated),
        "withdrawn": column(lambda r: r.withdrawn),
    }


def _sessions(stores: Stores, subject: ExportSubject, real: ExportQuery) -> dict[str, Any]:
    sessions = [
        item
        for item in stores.records.sessions(subject.person.id)
        if real.start_ns <= item.held_ns < real.end_ns
        and (real.since_ns is None or item.changed_ns >= real.since_ns)
    ]
    return {
        "number": [item.number for item in sessions],
        "held_ns": [item.held_ns - subject.shift_ns for item in sessions],
        "version": [item.version for item in sessions],
    }


def _link(
    stores: Stores, cache: AnalysisCache, subject: ExportSubject, real: ExportQuery
) -> dict[str, Any]:
    report = load_report(stores, cache, subject.person, real.start_ns, real.end_ns, real.span)
    rows = [report.stress, *report.others]
    own = [name for name in _COLUMNS[Table.LINK] if name not in ("method", "simulated")]
    return {
        **{name: [getattr(row, name) for row in rows] for name in own},
        "method": [report.method] * len(rows),
        "simulated": [report.simulated] * len(rows),
    }


def _batch(schema: pa.Schema, columns: dict[str, Any], subject: ExportSubject) -> pa.RecordBatch:
    count = len(next(iter(columns.values())))
    if subject.pseudonym is not None:
        columns["person"] = _dictionary(np.zeros(count, np.int32), [subject.pseudonym.pseudonym])
    return pa.RecordBatch.from_arrays(
        [_array(columns[field.name], field.type) for field in schema], schema=schema
    )


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    return pa.array(values, type=kind)


def _dictionary(which: NDArray[np.int32], names: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(which, pa.int32()), pa.array(names, pa.string()))


def _null_nan(values: NDArray[np.float64]) -> pa.Array:
    """Mark NaN as null."""
    return pa.array(values, mask=~np.isfinite(values))


def _id(subject: ExportSubject, own_id: str) -> str:
    """An id as exported: analysts get one made of it, so that it leads to no other data."""
    if subject.pseudonym is None:
        return own_id
    return str(uuid.uuid5(uuid.UUID(subject.pseudonym.pseudonym), own_id))


def observation_parts(
    stores: Stores,
    cache: AnalysisCache,
    person: Person,
    query: ExportQuery,
    *,
    with_ratings: bool = True,
) -> Iterator[Part]:
    """Yield what FHIR and Open mHealth are made of: ratings, then HRV windows, then imported heart
    rates (``time_ns``, ``bpm``).
    """
    subject = ExportSubject(person)
    if with_ratings:
        for part in table_parts(Table.RATINGS, stores, cache, subject, query):
            yield Part(f"1/{part.key}", part.rows)
    for part in table_parts(Table.HRV, stores, cache, subject, query):
        yield Part(f"2/{part.key}", part.rows)
    yield Part("3/rates", partial(_heart_rates, stores, person, query))


def _heart_rates(stores: Stores, person: Person, query: ExportQuery) -> pa.RecordBatch:
    rates = load_heart_rates(stores, person, query.start_ns, query.end_ns)
    return pa.RecordBatch.from_pydict(
        {
            "time_ns": pa.array([rate.time_ns for rate in rates], pa.int64()),
            "bpm": pa.array([rate.bpm for rate in rates], pa.float64()),
        }
    )
