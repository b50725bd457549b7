"""One's data as tables: what columns each has, and the rows of a person, part by part, so that a
month of beats takes no more memory than a day.

A table knows its parts before it reads them: a part is a UTC day of beats, a month of windows, or
all ratings. Rows have the same order each time, which is what cursors rest on.
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

from analytics.association.hrv_before_rating import Span
from analytics.hrv.stress_index import METHOD as STRESS_INDEX_METHOD
from analytics.hrv.stress_index import stress_index
from api.routes.analysis.link import load_report
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import METRICS, STORED_METHOD, load_daily_hrv
from api.services.stress_index_input import local_day_and_hour
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, EARLIEST, LATEST, SECOND, to_datetime
from store import Stores
from store.models import Person, Pseudonym, Rating

_PIECE = 28  # days of windows that are read at once
_BEFORE = (
    70 * SECOND
)  # longer than any interval: so that the first beat of a day knows its neighbour
_PA_TEXT = pa.dictionary(pa.int32(), pa.string())


class Table(StrEnum):
    """What there is in bulk."""

    BEATS = "beats"
    HRV = "hrv"
    RATINGS = "ratings"
    SESSIONS = "sessions"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """What is asked for: [start_ns, end_ns), and only what changed from ``since_ns`` on."""

    start_ns: int
    end_ns: int
    since_ns: int | None = None
    span: Span = Span.MINUTES_30


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """Whose rows, and under which name: the person's own, or for analysts a pseudonym, with all
    times moved back by ``shift_ns``.
    """

    person: Person
    pseudonym: Pseudonym | None = None

    @property
    def shift_ns(self) -> int:
        """By how much times are moved back."""
        return 0 if self.pseudonym is None else self.pseudonym.shift_ns

    def real(self, wanted: ExportQuery) -> ExportQuery:
        """The range that was asked for, in real time. All there is stays all there is."""
        start, end = wanted.start_ns, wanted.end_ns
        return replace(
            wanted,
            start_ns=start if start <= EARLIEST else start + self.shift_ns,
            end_ns=min(end + self.shift_ns, LATEST),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one person. ``key`` grows from part to part."""

    key: str
    rows: Callable[[], pa.RecordBatch]


def table_schema(table: Table, pseudonymous: bool) -> pa.Schema:
    """The columns of a table. Analysts get ``person`` first, no zone, and no ids or free words."""
    fields = [pa.field(name, kind) for name, kind in _COLUMNS[table].items()]
    if pseudonymous:
        fields = [pa.field("person", _PA_TEXT), *(f for f in fields if f.name != "zone")]
    return pa.schema(fields)


def table_parts(
    table: Table, stores: Stores, known: AnalysisCache, whom: ExportSubject, wanted: ExportQuery
) -> Iterator[Part]:
    """The parts of one person's rows, in order."""
    real = whom.real(wanted)
    schema = table_schema(table, whom.pseudonym is not None)

    def build_table(columns: Callable[[], dict[str, Any]]) -> Callable[[], pa.RecordBatch]:
        return lambda: _batch(schema, columns(), whom)

    if table is Table.BEATS:
        for day in _days(stores, whom.person, real):
            part = replace(
                real,
                start_ns=max(real.start_ns, day * DAY),
                end_ns=min(real.end_ns, (day + 1) * DAY),
            )
            yield Part(_key(day), build_table(lambda part=part: _beats(stores, whom, part)))  # type: ignore[misc]
    elif table is Table.HRV:
        days = _days(stores, whom.person, real)
        for first in sorted({day // _PIECE * _PIECE for day in days}):
            inside = frozenset(day for day in days if first <= day < first + _PIECE)
            part = replace(
                real,
                start_ns=max(real.start_ns, first * DAY),
                end_ns=min(real.end_ns, (first + _PIECE) * DAY),
            )
            yield Part(
                _key(first),
                build_table(partial(_hrv, stores, known, whom, part, inside)),
            )
    elif table is Table.RATINGS:
        yield Part("ratings", build_table(lambda: _ratings(stores, whom, real)))
    elif table is Table.SESSIONS:
        yield Part("sessions", build_table(lambda: _sessions(stores, whom, real)))
    else:
        yield Part("link", build_table(lambda: _link(stores, known, whom, real)))


def table_fingerprint(
    table: Table, stores: Stores, whom: ExportSubject, wanted: ExportQuery
) -> str:
    """What changes whenever the person's rows of a table change, without working them out."""
    person, real = whom.person, whom.real(wanted)
    ratings = stores.records.ratings_fingerprint(person.id)
    sessions = [
        (item.number, item.version, item.held_ns) for item in stores.records.sessions(person.id)
    ]
    beats = stores.beats.day_fingerprints(person.subject_id, real.start_ns, real.end_ns)
    facts: dict[Table, list[object]] = {
        Table.BEATS: [sorted(beats.items())],
        # The first fortnight, which is compared with, may lie outside the range.
        Table.HRV: [
            sorted(stores.beats.day_fingerprints(person.subject_id, 0, real.end_ns).items()),
            STORED_METHOD,
            STRESS_INDEX_METHOD,
        ],
        Table.RATINGS: [ratings],
        Table.SESSIONS: [sessions],
        Table.LINK: [
            ratings,
            sorted(stores.beats.day_fingerprints(person.subject_id, 0, 2**62).items()),
        ],
    }
    words = repr((person.id, whom.pseudonym, wanted, facts[table]))
    return hashlib.sha256(words.encode()).hexdigest()


def _key(day: int) -> str:
    return f"{day:06d}"


def _days(stores: Stores, person: Person, real: ExportQuery) -> list[int]:
    """The UTC days of the range that have beats (and changed, where that is asked)."""
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


def _beats(stores: Stores, whom: ExportSubject, real: ExportQuery) -> dict[str, Any]:
    found = stores.beats.read(whom.person.subject_id, real.start_ns - _BEFORE, real.end_ns)
    rows = slice(int(np.searchsorted(found.time_ns, real.start_ns)), None)
    contact = found.contact[rows]
    return {
        "time_ns": found.time_ns[rows] - whom.shift_ns,
        "rr_ticks": found.rr_ticks[rows],
        "ticks_per_second": found.ticks_per_second[rows],
        "follows": found.follows[rows],
        "contact": pa.array(contact > 0, mask=contact < 0),
        "stream": _named(found.stream[rows], [_id(whom, stream.id) for stream in found.streams]),
        "origin": _named(found.stream[rows], [str(stream.origin) for stream in found.streams]),
    }


def _hrv(
    stores: Stores,
    known: AnalysisCache,
    whom: ExportSubject,
    real: ExportQuery,
    days: frozenset[int],
) -> dict[str, Any]:
    found = load_daily_hrv(stores, whom.person, real.start_ns, real.end_ns)
    index = stress_index(known.histories.of(stores, whom.person), found.hearts(whom.person.zone))
    rows = np.isin(found.start_ns // DAY, sorted(days))
    _, hour = local_day_and_hour(found.start_ns[rows], whom.person.zone)
    return {
        "start_ns": found.start_ns[rows] - whom.shift_ns,
        "usable": np.isfinite(found.mean_hr_bpm[rows]),
        "local_hour": hour,
        **{name: _known(getattr(found, name)[rows]) for name in METRICS},
        "stress_index": _known(index.value[rows]),
        "stress_index_low": _known(index.low[rows]),
        "stress_index_high": _known(index.high[rows]),
    }


def _ratings(stores: Stores, whom: ExportSubject, real: ExportQuery) -> dict[str, Any]:
    found = stores.records.ratings(
        whom.person.id, real.start_ns, real.end_ns, since_ns=real.since_ns
    )
    local = [to_datetime(rating.about_ns, rating.zone) for rating in found]

    def column(of: Callable[[Rating], object]) -> list[object]:
        return [of(rating) for rating in found]

    return {
        "rating": column(lambda r: _id(whom, r.id)),
        "version": column(lambda r: r.version),
        "about_ns": column(lambda r: r.about_ns - whom.shift_ns),
        "entered_ns": column(lambda r: r.entered_ns - whom.shift_ns),
        "zone": column(lambda r: r.zone),
        "local_hour": [moment.hour + moment.minute / 60 for moment in local],
        "pain": column(lambda r: r.pain),
        "stress": column(lambda r: r.stress),
        "pleasant": column(lambda r: r.pleasant),
        "simulated": column(lambda r: r.simulated),
        "withdrawn": column(lambda r: r.withdrawn),
    }


def _sessions(stores: Stores, whom: ExportSubject, real: ExportQuery) -> dict[str, Any]:
    found = [
        item
        for item in stores.records.sessions(whom.person.id)
        if real.start_ns <= item.held_ns < real.end_ns
        and (real.since_ns is None or item.changed_ns >= real.since_ns)
    ]
    return {
        "number": [item.number for item in found],
        "held_ns": [item.held_ns - whom.shift_ns for item in found],
        "version": [item.version for item in found],
    }


def _link(
    stores: Stores, known: AnalysisCache, whom: ExportSubject, real: ExportQuery
) -> dict[str, Any]:
    report = load_report(stores, known, whom.person, real.start_ns, real.end_ns, real.span)
    rows = [report.stress, *report.others]
    own = [name for name in _COLUMNS[Table.LINK] if name not in ("method", "simulated")]
    return {
        **{name: [getattr(row, name) for row in rows] for name in own},
        "method": [report.method] * len(rows),
        "simulated": [report.simulated] * len(rows),
    }


def _batch(schema: pa.Schema, columns: dict[str, Any], whom: ExportSubject) -> pa.RecordBatch:
    count = len(next(iter(columns.values())))
    if whom.pseudonym is not None:
        columns["person"] = _named(np.zeros(count, np.int32), [whom.pseudonym.pseudonym])
    return pa.RecordBatch.from_arrays(
        [_array(columns[field.name], field.type) for field in schema], schema=schema
    )


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    return pa.array(values, type=kind)


def _named(which: NDArray[np.int32], names: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(which, pa.int32()), pa.array(names, pa.string()))


def _known(values: NDArray[np.float64]) -> pa.Array:
    """NaN is no number: it is null."""
    return pa.array(values, mask=~np.isfinite(values))


def _id(whom: ExportSubject, kept: str) -> str:
    """An id as it is told: analysts get another, which leads nowhere, and always the same."""
    if whom.pseudonym is None:
        return kept
    return str(uuid.uuid5(uuid.UUID(whom.pseudonym.pseudonym), kept))


def resolve_origins(stores: Stores, person: Person) -> set[Origin]:
    """Where a person's beats come from."""
    return {item.stream.origin for item in stores.beats.coverage(person.subject_id)}
