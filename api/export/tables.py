"""Data as tables: the rows of a person in parts, so that a month of beats takes no more memory
than a day.

A part is a UTC day of beats, a month of windows, or all ratings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import Span, without_beats
from analytics.hrv.relative_stress import METHOD as STRESS_INDEX_METHOD
from analytics.hrv.relative_stress import StressIndex
from analytics.programme import score_answers
from api.export.columns import COLUMNS, Table, table_schema
from api.export.decision_points import decision_point_columns, load_decision_points
from api.export.night_rows import load_nights, night_columns, night_id
from api.schemas.hrv import STRESS_INDEX_VERSION
from api.schemas.link import LinkReport
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import METRICS, MONTH_DAYS, STORED_METHOD, load_daily_hrv
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.imported_records import heart_rate_days, load_heart_rates
from api.services.inputs import day_fingerprints, local_day_and_hour
from api.services.link_report import (
    REPORT_METHODS,
    ReportPlan,
    load_planned_json,
    plan_report,
)
from api.services.rating_windows import index_before, report_inputs
from api.services.stress_baseline import baseline_starts, load_practices_s
from api.services.stress_days import GAP_WORDS
from ebbtide._lazy import lazy_module
from ebbtide.beats import Origin
from ebbtide.questionnaires import QuestionnaireLibrary
from ebbtide.timestamps import DAY, FOREVER, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import ImportedHeartRate, Person, PlacedGap, Prompt, QuestionnaireResponse, Rating

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")

_BEFORE_NS = 70 * SECOND  # longer than any interval: `follows` of a first beat needs the one before
_HIGHEST = 2**63 - 1
_LAYOUT = 4  # of the columns: whoever has an older export gets a new one


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one group, a person or a kind of row: those with positions in [first, last].

    ``position`` and ``tie`` are the columns by which the rows are ordered, and which no two rows of
    a group share; without ``position`` it is the number of the row in a list of fixed order. What a
    correction may change is no part of an order where that can be had.
    """

    group: str
    rows: Callable[[], pa.RecordBatch]
    position: str | None
    tie: str | None = None
    first: int = 0
    last: int = _HIGHEST

    def positions(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """The position of each row."""
        if self.position is None:
            return np.arange(len(batch), dtype=np.int64)
        return np.asarray(batch[self.position].to_numpy(zero_copy_only=False), dtype=np.int64)

    def ties(self, batch: pa.RecordBatch) -> list[str]:
        """What orders rows of the same position."""
        if self.tie is None:
            return [""] * len(batch)
        return [str(word) for word in batch[self.tie].to_pylist()]


def table_parts(
    table: Table, stores: Stores, cache: AnalysisCache, subject: ExportSubject, query: ExportQuery
) -> Iterator[Part]:
    """Yield the parts of a person's own rows, in order. A part reads its rows when it is called."""
    schema, person = table_schema(table, False), subject.person

    def build_table(columns: Callable[[], dict[str, Any]]) -> Callable[[], pa.RecordBatch]:
        return lambda: build_batch(schema, columns(), subject)

    def part(
        columns: Callable[[], dict[str, Any]],
        position: str | None,
        tie: str | None = None,
        within: ExportQuery | None = None,
    ) -> Part:
        whole = (0, _HIGHEST)
        first, last = whole if within is None else (within.start_ns, within.end_ns - 1)
        return Part(subject.name, build_table(columns), position, tie, first, last)

    if table is Table.BEATS:
        for day in _days(stores, person, query):
            inside = _within(query, day, 1)
            columns = partial(beat_columns, stores, subject, inside.start_ns, inside.end_ns)
            yield part(columns, "time_ns", "stream", inside)
    elif table is Table.HRV:
        days = _days(stores, person, query)
        for month in sorted({day // MONTH_DAYS * MONTH_DAYS for day in days}):
            of_month = frozenset(day for day in days if month <= day < month + MONTH_DAYS)
            inside = _within(query, month, MONTH_DAYS)
            yield part(
                partial(_hrv, stores, cache, person, inside, of_month), "start_ns", None, inside
            )
    elif table is Table.RATINGS:
        yield part(partial(_ratings, stores, person, query), "about_ns", "rating")
    elif table is Table.SESSIONS:
        yield part(partial(_sessions, stores, person, query), "number")
    elif table is Table.HEART_RATES:
        for inside in _rate_ranges(stores, person, query):
            yield part(partial(_rates, stores, person, inside), "time_ns", "rate", inside)
    elif table is Table.SCORES:
        yield part(partial(_answers, stores, cache, person, query), "about_ns", "answer")
    elif table is Table.PROMPTS:
        yield part(partial(_prompts, stores, person, query), "planned_ns", "prompt")
    elif table is Table.DECISION_POINTS:
        columns = partial(_decision_points, stores, person, query)
        yield part(columns, "planned_ns", "decision_point")
    elif table is Table.STRESS_BEFORE:
        yield part(partial(_stress_before, stores, cache, person, query), "about_ns", "rating")
    elif table is Table.GAPS:
        yield part(partial(_gaps, stores, subject, query), "start_ns", "gap")
    elif table is Table.NIGHTS:
        yield part(partial(_nights, stores, person, query), "end_ns", "night")
    else:
        yield part(partial(_link, stores, cache, person, query), None)


def _within(query: ExportQuery, day: int, days: int) -> ExportQuery:
    return replace(
        query,
        start_ns=max(query.start_ns, day * DAY),
        end_ns=min(query.end_ns, (day + days) * DAY),
    )


def table_fingerprint(
    table: Table, stores: Stores, subject: ExportSubject, query: ExportQuery
) -> str:
    """Name the content of a person's rows of a table, without computing them."""
    person = subject.person
    content: object
    if table is Table.BEATS:
        content = _day_names(stores, person, query.start_ns, query.end_ns)
    elif table is Table.HRV:  # the baseline may lie outside the range
        days = _day_names(stores, person, 0, query.end_ns)
        content = (days, STORED_METHOD, *_index_inputs(stores, person))
    elif table is Table.RATINGS:
        content = stores.records.ratings_fingerprint(person.id)
    elif table is Table.SESSIONS:
        sessions = stores.records.sessions(person.id)
        content = [(item.number, item.version, item.held_ns) for item in sessions]
    elif table is Table.HEART_RATES:
        content = (_rates_content(stores, person, query), person.simulated)
    elif table is Table.SCORES:
        content = stores.programme.responses(person.id, since_ns=0)
    elif table is Table.PROMPTS:
        content = _load_prompts(stores, person, query)
    elif table is Table.DECISION_POINTS:
        content = load_decision_points(stores, person, query)
    elif table is Table.NIGHTS:
        content = load_nights(stores, person, query)
    elif table is Table.GAPS:
        content = _day_names(stores, person, query.start_ns, query.end_ns)
    else:
        ratings = stores.records.ratings_fingerprint(person.id)
        days = _day_names(stores, person, *FOREVER)
        content = (ratings, days, REPORT_METHODS, *_index_inputs(stores, person))
    words = repr((_LAYOUT, person.id, query, content))
    return hashlib.sha256(words.encode()).hexdigest()


def _index_inputs(stores: Stores, person: Person) -> tuple[object, ...]:
    """What a stress index depends on beside beats."""
    practices = load_practices_s(stores, person).tolist()
    return STRESS_INDEX_METHOD, baseline_starts(stores, person), practices


def _day_names(stores: Stores, person: Person, start_ns: int, end_ns: int) -> list[tuple[int, str]]:
    return sorted(day_fingerprints(stores, person, start_ns, end_ns).items())


def _days(stores: Stores, person: Person, query: ExportQuery) -> list[int]:
    """The UTC days of the range with beats or heart rates that changed since ``since_ns``."""
    days = set(day_fingerprints(stores, person, query.start_ns, query.end_ns))
    if query.since_ns is not None:
        imported = stores.records.heart_rate_days(person.id, query.start_ns, query.end_ns)
        changed = {day for day, (_, came_ns) in imported.items() if came_ns >= query.since_ns}
        days &= changed | set(stores.beats.changed_days(person.subject_id, query.since_ns))
    return sorted(days)


def beat_columns(
    stores: Stores, subject: ExportSubject, start_ns: int, end_ns: int
) -> dict[str, Any]:
    """Read the beats in [start_ns, end_ns), true times, in the order of a cursor."""
    beats = stores.beats.read(subject.person.subject_id, start_ns - _BEFORE_NS, end_ns)
    ids = [_id(subject, stream.id) for stream in beats.streams]
    first = int(np.searchsorted(beats.time_ns, start_ns))
    order = order_positions(beats.time_ns[first:], beats.stream[first:], ids)
    rows: NDArray[np.intp] | slice = slice(first, None) if order is None else first + order
    contact = beats.contact[rows]
    return {
        "time_ns": beats.time_ns[rows],
        "rr_ticks": beats.rr_ticks[rows],
        "ticks_per_second": beats.ticks_per_second[rows],
        "follows": beats.follows[rows],
        "contact": pa.array(contact > 0, mask=contact < 0),
        "stream": _dictionary(beats.stream[rows], ids),
        "origin": _dictionary(beats.stream[rows], [str(stream.origin) for stream in beats.streams]),
    }


def order_positions(
    time_ns: NDArray[np.int64], which: NDArray[np.integer[Any]], ids: list[str]
) -> NDArray[np.intp] | None:
    """The order by time and then id, as a cursor has it; None where they are in it.

    Only beats of two straps at the same moment are not: those come from a store by time.
    """
    if not np.any(time_ns[1:] == time_ns[:-1]):
        return None
    rank = np.argsort(np.argsort(ids))
    return np.lexsort((rank[which], time_ns))


def _hrv(
    stores: Stores,
    cache: AnalysisCache,
    person: Person,
    query: ExportQuery,
    days: frozenset[int],
) -> dict[str, Any]:
    daily = load_daily_hrv(stores, person, query.start_ns, query.end_ns)
    baseline = cache.baselines.load(stores, person)
    index = baseline.judge(daily.to_stress_index_input(person.zone))
    rows = np.isin(daily.start_ns // DAY, sorted(days))
    _, hour = local_day_and_hour(daily.start_ns[rows], person.zone)
    return {
        "start_ns": daily.start_ns[rows],
        "usable": np.isfinite(daily.mean_hr_bpm[rows]),
        "local_hour": hour,
        **{name: null_nan(getattr(daily, name)[rows]) for name in METRICS},
        "reported_rate": daily.reported[rows],
        **window_index_columns(index, rows),
    }


def index_columns(
    value: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    missing: list[str | None],
) -> dict[str, Any]:
    """Make the columns of a stress index."""
    return {
        "stress_index": null_nan(value),
        "stress_index_low": null_nan(low),
        "stress_index_high": null_nan(high),
        "stress_index_version": [STRESS_INDEX_VERSION] * len(value),
        "stress_index_missing": pa.array(missing, pa.string()).dictionary_encode(),
    }


def window_index_columns(index: StressIndex, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Make the columns of the stress index of windows."""
    missing = [
        None if index.missing_reason[row] is None else str(index.missing_reason[row])
        for row in np.flatnonzero(rows).tolist()
    ]
    return {
        **index_columns(index.value[rows], index.low[rows], index.high[rows], missing),
        "stress_index_own_low": null_nan(index.own_low[rows]),
        "stress_index_own_high": null_nan(index.own_high[rows]),
        "baseline_days": index.baseline_days[rows],
        "known_minutes": index.known_minutes[rows],
    }


def _stress_before(
    stores: Stores, cache: AnalysisCache, person: Person, query: ExportQuery
) -> dict[str, Any]:
    ratings = stores.records.ratings(person.id, query.start_ns, query.end_ns)
    ratings.sort(key=lambda rating: (rating.about_ns, rating.id))
    return own_stress_before(stores, cache, person, ratings)


def own_stress_before(
    stores: Stores, cache: AnalysisCache, person: Person, ratings: list[Rating]
) -> dict[str, Any]:
    """Make a row of each of these ratings, in their order, by all that is known of their days: the
    windows of a day tell of each other, and a value must not depend on which rows were asked for.
    """
    if not ratings:
        return stress_before_columns(stores, cache, person, [])
    moments = [rating.about_ns for rating in ratings]
    # In any zone their days end within a day and a half.
    around = stores.records.ratings(person.id, min(moments) - 2 * DAY, max(moments) + 2 * DAY)
    around.sort(key=lambda rating: (rating.about_ns, rating.id))
    columns = stress_before_columns(stores, cache, person, around)
    places = {rating.id: place for place, rating in enumerate(around)}
    chosen = [places[rating.id] for rating in ratings if rating.id in places]
    rows: dict[str, Any] = pa.table(columns).take(chosen).to_pydict()
    return rows


def stress_before_columns(
    stores: Stores, cache: AnalysisCache, person: Person, ratings: list[Rating]
) -> dict[str, Any]:
    """Make a row of each of these ratings, in their order, as if there were no others."""
    days = day_fingerprints(stores, person, *FOREVER)
    rated, _ = cache.windows.load(stores, person, cache.baselines, ratings, Span.MINUTES_30, days)
    found = index_before(rated, report_inputs(rated)[1]) if ratings else None
    if found is None:
        found = without_beats(len(ratings)).index
    simulated = Origin.SIMULATED in rated.origins
    return {
        "rating": [rating.id for rating in ratings],
        "about_ns": [rating.about_ns for rating in ratings],
        **index_columns(found.value, found.low, found.high, found.missing_reason),
        "simulated": [simulated or rating.simulated for rating in ratings],
    }


def _gaps(stores: Stores, subject: ExportSubject, query: ExportQuery) -> dict[str, Any]:
    found = stores.beats.gaps(subject.person.subject_id, query.start_ns, query.end_ns)
    return gap_columns([item for item in found if query.start_ns <= item.gap.start_ns], subject)


def gap_columns(found: list[PlacedGap], subject: ExportSubject) -> dict[str, Any]:
    """Make the columns of gaps, in the order of a cursor."""
    rows = sorted(
        (
            item.gap.start_ns,
            f"{_id(subject, item.stream_id)}-{item.gap.start_ns}-{item.gap.sequence}",
            item,
        )
        for item in found
    )
    gaps = [item.gap for *_, item in rows]
    return {
        "gap": [name for _, name, _ in rows],
        "start_ns": [gap.start_ns for gap in gaps],
        "seconds": [(gap.end_ns - gap.start_ns) / SECOND for gap in gaps],
        "reason": pa.array([str(gap.reason) for gap in gaps], pa.string()).dictionary_encode(),
        "words": pa.array([GAP_WORDS[gap.reason] for gap in gaps], pa.string()).dictionary_encode(),
        "stream": pa.array(
            [_id(subject, item.stream_id) for *_, item in rows], pa.string()
        ).dictionary_encode(),
    }


def _ratings(stores: Stores, person: Person, query: ExportQuery) -> dict[str, Any]:
    ratings = stores.records.ratings(
        person.id, query.start_ns, query.end_ns, since_ns=query.since_ns
    )
    ratings.sort(key=lambda rating: (rating.about_ns, rating.id))  # as a cursor names them
    local = [to_datetime(rating.about_ns, rating.zone) for rating in ratings]
    return rating_columns(ratings, [moment.hour + moment.minute / 60 for moment in local])


def rating_columns(ratings: list[Rating], local_hours: list[float]) -> dict[str, Any]:
    """Make the columns of ratings."""

    def column(of: Callable[[Rating], object]) -> list[object]:
        return [of(rating) for rating in ratings]

    return {
        "rating": column(lambda r: r.id),
        "version": column(lambda r: r.version),
        "about_ns": column(lambda r: r.about_ns),
        "entered_ns": column(lambda r: r.entered_ns),
        "zone": column(lambda r: r.zone),
        "local_hour": local_hours,
        "pain": column(lambda r: r.pain),
        "stress": column(lambda r: r.stress),
        "pleasant": column(lambda r: r.pleasant),
        "simulated": column(lambda r: r.simulated),
        "withdrawn": column(lambda r: r.withdrawn),
        "note": column(lambda r: r.note),
        "pleasant_note": column(lambda r: r.pleasant_note),
        "prompt": column(lambda r: r.prompt_id),
    }


def _sessions(stores: Stores, person: Person, query: ExportQuery) -> dict[str, Any]:
    sessions = [
        item
        for item in stores.records.sessions(person.id)
        if query.start_ns <= item.held_ns < query.end_ns
        and (query.since_ns is None or item.changed_ns >= query.since_ns)
    ]
    sessions.sort(key=lambda item: item.number)  # which, unlike its time, never changes
    return {
        "number": [item.number for item in sessions],
        "held_ns": [item.held_ns for item in sessions],
        "version": [item.version for item in sessions],
    }


def _rate_ranges(stores: Stores, person: Person, query: ExportQuery) -> list[ExportQuery]:
    """The days with imported heart rates that changed since ``since_ns``, by time: a year may have
    millions. What earlier versions stored as streams is read at once.
    """
    days, has_earlier = heart_rate_days(stores, person, query.start_ns, query.end_ns)
    if has_earlier:
        return [query]
    since = query.since_ns or 0
    changed = sorted(day for day, (_, came_ns) in days.items() if came_ns >= since)
    return [_within(query, day, 1) for day in changed]


def _rates_content(stores: Stores, person: Person, query: ExportQuery) -> object:
    """Name the imported heart rates of the range without reading them."""
    days, has_earlier = heart_rate_days(stores, person, query.start_ns, query.end_ns)
    return _load_rates(stores, person, query) if has_earlier else sorted(days.items())


def _load_rates(stores: Stores, person: Person, query: ExportQuery) -> list[ImportedHeartRate]:
    """The imported heart rates in the order of a cursor: time, then id."""
    since = query.since_ns or 0
    rates = load_heart_rates(stores, person, query.start_ns, query.end_ns)
    return sorted(
        (rate for rate in rates if rate.entered_ns >= since),
        key=lambda rate: (rate.time_ns, rate.id),
    )


def _rates(stores: Stores, person: Person, query: ExportQuery) -> dict[str, Any]:
    return rate_columns(_load_rates(stores, person, query), person)


def rate_columns(rates: list[ImportedHeartRate], person: Person) -> dict[str, Any]:
    """Make the columns of imported heart rates of a person."""
    return {
        "rate": [rate.id for rate in rates],
        "time_ns": [rate.time_ns for rate in rates],
        "bpm": [rate.bpm for rate in rates],
        "device": [rate.device or None for rate in rates],
        "modality": [rate.modality for rate in rates],
        "activity": [rate.activity for rate in rates],
        "status": [rate.status for rate in rates],
        "simulated": [rate.simulated or person.simulated for rate in rates],
    }


def _answers(
    stores: Stores, cache: AnalysisCache, person: Person, query: ExportQuery
) -> dict[str, Any]:
    found = [
        item
        for item in stores.programme.responses(person.id, query.since_ns)
        if query.start_ns <= item.about_ns < query.end_ns
    ]
    return answer_columns(found, cache.questionnaires, lambda own_id: own_id)


def answer_columns(
    responses: list[QuestionnaireResponse],
    library: QuestionnaireLibrary,
    name_of: Callable[[str], str],
) -> dict[str, Any]:
    """Make a row of each item and each score; ``name_of``: what the id of a row is written as.

    Rows are in the order of a cursor: time, then id.
    """
    rows = []
    for response in responses:
        for kind, item, value in _answer_values(response, library):
            rows.append((name_of(f"{response.id}-{kind}-{item}"), kind, item, value, response))
    rows.sort(key=lambda row: (row[4].about_ns, row[0]))

    def column(of: Callable[[QuestionnaireResponse], object]) -> list[object]:
        return [of(row[4]) for row in rows]

    return {
        "answer": [row[0] for row in rows],
        "response": column(lambda r: name_of(r.id)),
        "version": column(lambda r: r.version),
        "about_ns": column(lambda r: r.about_ns),
        "entered_ns": column(lambda r: r.entered_ns),
        "zone": column(lambda r: r.zone),
        "questionnaire": column(lambda r: r.questionnaire),
        "definition_version": column(lambda r: r.definition_version),
        "language": column(lambda r: r.language),
        "occasion": column(lambda r: r.occasion),
        "planned_by": column(lambda r: r.planned_by),
        "kind": [row[1] for row in rows],
        "item": [row[2] for row in rows],
        "value": [row[3] for row in rows],
        "simulated": column(lambda r: r.simulated),
        "withdrawn": column(lambda r: r.withdrawn),
    }


def _answer_values(
    response: QuestionnaireResponse, library: QuestionnaireLibrary
) -> list[tuple[str, str, float | None]]:
    """List kind, item and value: every item of the questionnaire, also those left out."""
    values = response.values
    found = library.find(response.questionnaire, response.definition_version)
    if found is None:
        return [("item", item, float(value)) for item, value in values.items()]
    rows: list[tuple[str, str, float | None]] = [
        ("item", item.id, float(values[item.id]) if item.id in values else None)
        for item in found.items
    ]
    try:
        scores = score_answers(found, values)
    except ValueError:  # the file was changed under the same version
        return [("item", item, float(value)) for item, value in values.items()]
    for score in scores:
        rows.append(("score", score.id, score.value))
        if score.t_score is not None:
            rows.append(("t_score", score.id, score.t_score))
    return rows


def _load_prompts(stores: Stores, person: Person, query: ExportQuery) -> list[Prompt]:
    """The prompts whose time has come, in the order of a cursor: nobody reads when they will be
    asked.
    """
    end_ns = min(query.end_ns, stores.now() + 1)
    since = query.since_ns or 0
    return [
        prompt
        for prompt in stores.prompts.prompts(person.id, query.start_ns, end_ns)
        if prompt.changed_ns >= since
    ]


def _prompts(stores: Stores, person: Person, query: ExportQuery) -> dict[str, Any]:
    prompts = _load_prompts(stores, person, query)
    local = [to_datetime(prompt.planned_ns, prompt.zone) for prompt in prompts]
    return prompt_columns(prompts, [moment.hour + moment.minute / 60 for moment in local])


def prompt_columns(prompts: list[Prompt], local_hours: list[float]) -> dict[str, Any]:
    """Make the columns of prompts."""

    def minutes(end_ns: int | None, start_ns: int | None) -> float | None:
        if end_ns is None or start_ns is None:
            return None
        return float(max(0, end_ns - start_ns) // MINUTE)

    return {
        "prompt": [item.id for item in prompts],
        "planned_ns": [item.planned_ns for item in prompts],
        "local_hour": local_hours,
        **{
            name: [getattr(item, name) for item in prompts]
            for name in ("reason", "chance", "asks", "slot", "skip_reason", "ways", "simulated")
        },
        "state": [str(item.state) for item in prompts],
        "sent_after_min": [minutes(item.sent_ns, item.planned_ns) for item in prompts],
        "delivered": [True if item.delivered_ns is not None else None for item in prompts],
        "opened_after_min": [minutes(item.opened_ns, item.sent_ns) for item in prompts],
        "answered_after_min": [minutes(item.answered_ns, item.sent_ns) for item in prompts],
        "answered": [item.answered_ns is not None for item in prompts],
        "put_off": [item.put_off_ns is not None for item in prompts],
        "let_go": [item.let_go_ns is not None for item in prompts],
    }


def _decision_points(stores: Stores, person: Person, query: ExportQuery) -> dict[str, Any]:
    rows = load_decision_points(stores, person, query)
    local = [to_datetime(row.point.planned_ns, row.point.zone) for row in rows]
    return decision_point_columns(rows, [moment.hour + moment.minute / 60 for moment in local])


def _nights(stores: Stores, person: Person, query: ExportQuery) -> dict[str, Any]:
    nights = [item.night for item in load_nights(stores, person, query)]
    return night_columns(nights, [night_id(one) for one in nights], simulated=person.simulated)


def _link(
    stores: Stores, cache: AnalysisCache, person: Person, query: ExportQuery
) -> dict[str, Any]:
    plan = plan_report(stores, person, query.start_ns, query.end_ns, query.span)
    return link_columns(stores, cache, plan)


def link_columns(stores: Stores, cache: AnalysisCache, plan: ReportPlan) -> dict[str, Any]:
    """Make the rows of a person's link report."""
    report = LinkReport.model_validate_json(load_planned_json(stores, cache, plan))
    rows = [report.stress, *report.others]
    own = [name for name in COLUMNS[Table.LINK] if name not in ("method", "simulated")]
    return {
        **{name: [getattr(row, name) for row in rows] for name in own},
        "method": [report.method] * len(rows),
        "simulated": [report.simulated] * len(rows),
    }


def build_batch(
    schema: pa.Schema, columns: dict[str, Any], subject: ExportSubject
) -> pa.RecordBatch:
    """Make the rows of a part from its columns; timestamps from their nanoseconds."""
    count = len(next(iter(columns.values())))
    if subject.research is not None:
        columns["person"] = _dictionary(np.zeros(count, np.int32), [subject.name])
    arrays = [
        _array(columns[field.name], field.type) if field.name in columns else None
        for field in schema
    ]
    for index, field in enumerate(schema):
        if arrays[index] is None:  # a timestamp, of the same 64 bits as its nanoseconds
            arrays[index] = arrays[schema.get_field_index(f"{field.name}_ns")].cast(field.type)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    return pa.array(values, type=kind)


def _dictionary(which: NDArray[np.int32], names: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(which, pa.int32()), pa.array(names, pa.string()))


def null_nan(values: NDArray[np.float64]) -> pa.Array:
    """Mark NaN as null."""
    return pa.array(values, mask=~np.isfinite(values))


def _id(subject: ExportSubject, own_id: str) -> str:
    """An id as exported: analysts get one made of it, so that it leads to no other data."""
    return own_id if subject.research is None else subject.research.hide_id(own_id)
