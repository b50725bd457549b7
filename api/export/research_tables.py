"""The same tables for analysts: rows on the clock of ``api.services.research_identity``, and only
those of weeks that are released.

Everything that an answer depends on is what is released: rows, cursors, tags and the ends of
batches. See ``api.services.research_rows``; beats are rounded down to a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.relative_stress import METHOD as STRESS_INDEX_METHOD
from analytics.hrv.windows import METHOD as WINDOWS_METHOD
from api.export.columns import COLUMNS, Table, table_schema
from api.export.decision_points import decision_point_columns
from api.export.night_rows import night_columns
from api.export.tables import (
    Part,
    answer_columns,
    beat_columns,
    build_batch,
    gap_columns,
    link_columns,
    null_nan,
    order_positions,
    prompt_columns,
    rate_columns,
    rating_columns,
    stress_before_columns,
    window_index_columns,
)
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import METRICS, MONTH_DAYS
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.link_report import REPORT_METHODS, plan_report_of
from api.services.research_identity import GRID
from api.services.research_rows import ReleasedRows
from api.services.research_windows import load_research_windows
from ebbtide._lazy import lazy_module
from ebbtide.timestamps import DAY, HOUR, MILLISECOND, MINUTE
from store import Stores

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
else:
    pa = lazy_module("pyarrow")
    pc = lazy_module("pyarrow.compute")

_LAYOUT = 5  # of the columns: whoever has an older export gets a new one
_DECIMALS = 4  # of a link: with all digits, the times behind it could be searched for

IntArray = NDArray[np.int64]


def research_parts(
    table: Table, stores: Stores, cache: AnalysisCache, subject: ExportSubject, query: ExportQuery
) -> Iterator[Part]:
    """Yield the parts of one person's rows, in order: days of the analysts' clock, or all rows."""
    rows = ReleasedRows(stores, subject, query)
    schema = table_schema(table, True)

    def part(
        columns: Callable[[], dict[str, Any]], position: str | None, tie: str | None = None
    ) -> Part:
        return Part(subject.name, lambda: build_batch(schema, columns(), subject), position, tie)

    if table is Table.BEATS:
        for day in sorted(rows.days()):
            made = part(partial(_beats, rows, day), "time_ns", "stream")
            yield replace(made, first=day * DAY, last=(day + 1) * DAY - 1)
    elif table is Table.HRV:
        days = rows.days()
        for month in sorted({day // MONTH_DAYS * MONTH_DAYS for day in days}):
            some = {day: days[day] for day in days if month <= day < month + MONTH_DAYS}
            made = part(partial(_hrv, rows, cache, some), "start_ns")
            yield replace(made, first=month * DAY, last=(month + MONTH_DAYS) * DAY - 1)
    elif table is Table.RATINGS:
        yield part(partial(_ratings, rows), "about_ns", "rating")
    elif table is Table.SESSIONS:
        yield part(partial(_sessions, rows), "number")
    elif table is Table.HEART_RATES:
        yield part(partial(_rates, rows), "time_ns", "rate")
    elif table is Table.SCORES:
        yield part(partial(_answers, rows, cache), "about_ns", "answer")
    elif table is Table.PROMPTS:
        yield part(partial(_prompts, rows), "planned_ns", "prompt")
    elif table is Table.DECISION_POINTS:
        yield part(partial(_decision_points, rows), "planned_ns", "decision_point")
    elif table is Table.STRESS_BEFORE:
        yield part(partial(research_stress_before, rows, cache), "about_ns", "rating")
    elif table is Table.GAPS:
        yield part(partial(_gaps, rows), "start_ns", "gap")
    elif table is Table.NIGHTS:
        yield part(partial(_nights, rows), "end_ns", "night")
    else:
        yield part(partial(_link, rows, cache), None)


def research_fingerprint(
    table: Table, stores: Stores, subject: ExportSubject, query: ExportQuery
) -> str:
    """Name the content of a person's rows: of what is released alone, and with a key, since the
    name is part of an answer and could be compared with guesses.
    """
    rows = ReleasedRows(stores, subject, query)
    content: object
    if table is Table.BEATS:
        content = sorted(rows.days().items())
    elif table is Table.HRV:  # the baseline may lie outside the range
        content = (
            sorted(rows.days()),
            sorted(rows.released_days.items()),
            WINDOWS_METHOD,
            STRESS_INDEX_METHOD,
            rows.baseline_content(),
        )
    elif table is Table.RATINGS:
        # Not by id and version: what an import completes has the version that it had.
        content = rows.ratings()
    elif table is Table.SESSIONS:
        content = [(item.number, item.version, day) for item, day in rows.sessions()]
    elif table is Table.HEART_RATES:
        content = (rows.heart_rates(), subject.person.simulated)
    elif table is Table.SCORES:
        content = rows.responses()
    elif table is Table.PROMPTS:
        content = rows.prompts()
    elif table is Table.DECISION_POINTS:
        content = _decision_points(rows)
    elif table is Table.NIGHTS:
        content = rows.nights()
    elif table is Table.GAPS:
        content = rows.gaps()
    else:
        content = (
            rows.true_ratings(),
            sorted(rows.released_days.items()),
            REPORT_METHODS,
            rows.baseline_content(),
        )
    # The range as it was given: its end, limited to that of what is released, could be found by
    # bisection.
    words = repr((_LAYOUT, table, query.span, query.start_ns, query.end_ns, content))
    return rows.identity.hide_content(words)


def _beats(rows: ReleasedRows, day: int) -> dict[str, Any]:
    start, end = rows.clock.true_range(day)
    columns = beat_columns(rows.stores, rows.subject, start, end)
    moved, inside = rows.move(columns["time_ns"], MILLISECOND)
    inside &= (moved >= day * DAY) & (moved < (day + 1) * DAY)
    chosen = np.flatnonzero(inside)
    columns = {name: _take(values, chosen) for name, values in columns.items()}
    columns["time_ns"] = moved[chosen]
    streams = columns["stream"]
    which = np.asarray(streams.indices)
    order = order_positions(columns["time_ns"], which, streams.dictionary.to_pylist())
    if order is not None:
        columns = {name: _take(values, order) for name, values in columns.items()}
    if rows.clock.begins_week(day):
        # The beats before the first of a week are not exported: nothing follows on them.
        codes = np.asarray(columns["stream"].indices)
        firsts = np.unique(codes, return_index=True)[1]
        columns["follows"] = columns["follows"].copy()
        columns["follows"][firsts] = False
    return columns


def _hrv(rows: ReleasedRows, cache: AnalysisCache, days: dict[int, str]) -> dict[str, Any]:
    person = rows.subject.person
    found = load_research_windows(rows.stores, cache.research, person, rows.clock, days)
    chosen = found.at((found.start_ns >= rows.start) & (found.start_ns < rows.end))
    index = rows.baseline(cache.research).judge(chosen.to_stress_index_input("UTC"))
    return {
        "start_ns": chosen.start_ns,
        "usable": np.isfinite(chosen.mean_hr_bpm),
        "local_hour": _hours(chosen.start_ns),
        **{name: null_nan(getattr(chosen, name)) for name in METRICS},
        "reported_rate": chosen.reported,
        **window_index_columns(index, np.ones(len(chosen.start_ns), np.bool_)),
    }


def research_stress_before(rows: ReleasedRows, cache: AnalysisCache) -> dict[str, Any]:
    """Make the columns of the stress index before each rating, on the analysts' clock."""
    # Of all that is released, whatever the range: the index is that of the true times.
    ratings = rows.true_ratings()
    moved, inside = rows.move(np.array([r.about_ns for r in ratings], dtype=np.int64), GRID)
    columns = stress_before_columns(rows.stores, cache, rows.subject.person, ratings)
    columns["about_ns"] = moved
    columns["rating"] = [rows.identity.hide_id(own_id) for own_id in columns["rating"]]
    order = np.lexsort((np.array(columns["rating"], dtype=str), moved))
    chosen = order[inside[order]]
    columns = {name: _take(values, chosen) for name, values in columns.items()}
    for name in ("stress_index", "stress_index_low", "stress_index_high"):
        columns[name] = pc.round(columns[name], ndigits=_DECIMALS)
    return columns


def _gaps(rows: ReleasedRows) -> dict[str, Any]:
    return gap_columns(rows.gaps(), rows.subject)


def _ratings(rows: ReleasedRows) -> dict[str, Any]:
    ratings = rows.ratings()
    hours = _hours(np.array([rating.about_ns for rating in ratings], dtype=np.int64))
    return rating_columns(ratings, hours.tolist())


def _sessions(rows: ReleasedRows) -> dict[str, Any]:
    sessions = rows.sessions()
    return {
        "number": [item.number for item, _ in sessions],
        "held_ns": [day for _, day in sessions],
        "version": [item.version for item, _ in sessions],
    }


def _rates(rows: ReleasedRows) -> dict[str, Any]:
    return rate_columns(rows.heart_rates(), rows.subject.person)


def _answers(rows: ReleasedRows, cache: AnalysisCache) -> dict[str, Any]:
    return answer_columns(rows.responses(), cache.questionnaires, rows.identity.hide_id)


def _prompts(rows: ReleasedRows) -> dict[str, Any]:
    prompts = rows.prompts()
    hours = _hours(np.array([prompt.planned_ns for prompt in prompts], dtype=np.int64))
    return prompt_columns(prompts, hours.tolist())


def _nights(rows: ReleasedRows) -> dict[str, Any]:
    found = rows.nights()
    return night_columns(
        [night for _, night in found], [name for name, _ in found], simulated=rows.is_simulated()
    )


def _decision_points(rows: ReleasedRows) -> dict[str, Any]:
    moments = rows.moments()
    hours = _hours(np.array([row.point.planned_ns for row in moments], dtype=np.int64))
    return decision_point_columns(moments, hours.tolist())


def _link(rows: ReleasedRows, cache: AnalysisCache) -> dict[str, Any]:
    # The stress index before a rating rests on days before it: on none that is not released.
    person, span = rows.subject.person, rows.query.span
    plan = plan_report_of(rows.stores, person, rows.true_ratings(), span)
    columns = link_columns(rows.stores, cache, plan)
    floats = [name for name, column in COLUMNS[Table.LINK].items() if column.kind == pa.float64()]
    return columns | {
        name: [None if value is None else round(value, _DECIMALS) for value in columns[name]]
        for name in floats
    }


def _hours(moved: IntArray) -> NDArray[np.float64]:
    return (moved % DAY // MINUTE) / (HOUR / MINUTE)


def _take(values: Any, rows: NDArray[np.intp]) -> Any:
    if isinstance(values, list):
        return [values[row] for row in rows.tolist()]
    return values.take(pa.array(rows)) if isinstance(values, pa.Array) else values[rows]
