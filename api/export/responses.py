"""Tables as responses: negotiate the form, cut pages, take snapshots, honour conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import Depends, Query, Request
from fastapi.responses import Response

from analytics.association.hrv_before_rating import Span
from api.export.columns import Table, table_schema
from api.export.datapackage import describe_package
from api.export.encodings import MEDIA_TYPES, Format, encode_page, encode_table, plain_rows
from api.export.files import RangeRequest, snapshot_response
from api.export.research_tables import research_fingerprint, research_parts
from api.export.tables import Part, table_fingerprint, table_parts
from api.http.accept import negotiate
from api.http.etags import matches_etag
from api.http.pagination import Cursor, Keyset, decode_keyset, encode_keyset, hash_question
from api.http.problems import ProblemError, describe_problems, problem_response
from api.http.time_range import OptionalTimeRange, TimeRange, parse_timestamp
from api.services.cache.analysis import AnalysisCache
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.snapshots import Snapshots
from ebbtide._lazy import lazy_module
from ebbtide.timestamps import MINUTE, to_datetime
from store import Stores

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")

UNTIL = "Ebbtide-Until"
# An upload that is running during the query may commit with a slightly earlier time of change.
_MARGIN_NS = 10 * MINUTE
_ACCEPTED = {
    "application/json": Format.JSON,
    "text/csv": Format.CSV,
    "application/vnd.apache.parquet": Format.PARQUET,
    "application/vnd.apache.arrow.stream": Format.ARROW,
}
FILE_ENDS = {Format.CSV: "csv", Format.PARQUET: "parquet", Format.ARROW: "arrows"}
_PAGE_CONTENT: dict[str, Any] = {
    "application/json": {
        "schema": {
            "type": "object",
            "title": "TablePage",
            "properties": {
                "rows": {"type": "array", "items": {"type": "object"}},
                "next": {"type": ["string", "null"]},
                "until": {"type": "string"},
            },
            "required": ["rows", "next", "until"],
        },
    }
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE_CONTENT: dict[Format, dict[str, Any]] = {
    Format.CSV: {"text/csv": {"schema": {"type": "string"}}},
    Format.PARQUET: {"application/vnd.apache.parquet": _BINARY},
    Format.ARROW: {"application/vnd.apache.arrow.stream": _BINARY},
}
_UNTIL_HEADER = {
    UNTIL: {
        "description": "The `since` of your next increment",
        "schema": {"type": "string"},
        "example": "2026-11-24T08:20:00+00:00",
    }
}
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "You have it already (If-None-Match)"}
}
BULK_RESPONSES: dict[int | str, dict[str, Any]] = {
    **describe_problems(401, 403, 404, 406, 412, 416, 422),
    **_NOT_MODIFIED,
    206: {
        "description": "The part of a file that `Range` names",
        "content": {key: value for form in _FILE_CONTENT.values() for key, value in form.items()},
    },
    200: {
        "description": "The table. JSON comes in pages: `rows`, `next` (the `cursor` of the next "
        "page, null at the end) and `until`; the other forms come whole. `until`, and the header "
        "`Ebbtide-Until`, is the `since` of your next increment.",
        "headers": _UNTIL_HEADER,
        "content": {
            **_PAGE_CONTENT,
            **{key: value for form in _FILE_CONTENT.values() for key, value in form.items()},
        },
    },
}


def file_responses(form: Format) -> dict[int | str, dict[str, Any]]:
    """Describe the responses of a route that gives one form of file."""
    content = _FILE_CONTENT[form]
    return {
        **describe_problems(401, 403, 404, 412, 416, 422),
        **_NOT_MODIFIED,
        200: {"description": "The table", "headers": _UNTIL_HEADER, "content": content},
        206: {"description": "The part that `Range` names", "content": content},
    }


def package_responses(*, pseudonymous: bool = False) -> dict[int | str, dict[str, Any]]:
    """Describe the responses of a route that gives a Data Package."""
    example = describe_package([(Table.SESSIONS, "sessions.csv")], pseudonymous)
    return {
        **describe_problems(401, 403, 404),
        200: {
            "description": "A Frictionless Data Package (v2)",
            "content": {"application/json": {"example": example}},
        },
    }


@dataclass(frozen=True, slots=True)
class BulkQuery:
    """The query of a table: what, in which form, and which page. ``client`` names who sends it, by
    token and program, for the ranges of one download.
    """

    scope: ExportQuery
    form: Format
    limit: int
    cursor: Keyset | None
    if_none_match: str
    range: RangeRequest = field(default_factory=RangeRequest)
    since: str | None = None

    def with_form(self, form: Format) -> BulkQuery:
        """The same in another form."""
        return replace(self, form=form)


SPAN = Query(description="Of link: which heartbeats before each rating")


async def bulk_query(
    request: Request,
    time_range: OptionalTimeRange,
    format: Annotated[
        Format | None, Query(description="The form; that of the Accept header if left out")
    ] = None,
    since: Annotated[
        datetime | None,
        Query(
            description="Only what was added or changed from then on. Of beats and HRV: whole UTC "
            "days, to be put in the place of those you have; of ratings also those withdrawn"
        ),
    ] = None,
    span: Annotated[Span, SPAN] = Span.MINUTES_30,
    limit: Annotated[int, Query(ge=1, le=100_000, description="Rows of a page of JSON")] = 10_000,
    cursor: Cursor = None,
) -> BulkQuery:
    """The query of a table, from parameters and headers."""
    query = build_query(request, time_range, span, limit, cursor, format)
    if since is None:
        return query
    scope = replace(query.scope, since_ns=parse_timestamp(since, "query.since"))
    return replace(query, scope=scope, since=since.isoformat())


async def file_query(
    request: Request,
    time_range: OptionalTimeRange,
    since: Annotated[datetime | None, Query(description="Only what changed from then on")] = None,
    span: Annotated[Span, SPAN] = Span.MINUTES_30,
) -> BulkQuery:
    """The query of a table as a file, the form of which the route says."""
    query = build_query(request, time_range, span, 1, None, Format.PARQUET)
    if since is None:
        return query
    scope = replace(query.scope, since_ns=parse_timestamp(since, "query.since"))
    return replace(query, scope=scope, since=since.isoformat())


def build_query(
    request: Request,
    time_range: TimeRange,
    span: Span,
    limit: int,
    cursor: str | None,
    form: Format | None,
) -> BulkQuery:
    """Build the query of a table without ``since``."""
    return BulkQuery(
        ExportQuery(time_range.start_ns, time_range.end_ns, None, span),
        form or _negotiate(request.headers.get("accept", "")),
        limit,
        decode_keyset(cursor),
        request.headers.get("if-none-match", ""),
        RangeRequest.from_request(request),
    )


BulkQueryDep = Annotated[BulkQuery, Depends(bulk_query)]
FileQueryDep = Annotated[BulkQuery, Depends(file_query)]


def table_response(
    table: Table,
    stores: Stores,
    cache: AnalysisCache,
    subjects: list[ExportSubject],
    query: BulkQuery,
    snapshots: Snapshots,
    *,
    pseudonymous: bool = False,
    selection: object = None,
    encode_until: Callable[[int], str] = lambda until_ns: to_datetime(until_ns).isoformat(),
) -> Response:
    """Respond with a table of these people, in their order. ``selection``: who was to be in it and
    who wants it, which does not change while a caller reads; the people themselves if left out.

    ``encode_until`` writes the moment up to which the response is complete. All pages of a list
    have that of the first: what changes while a caller reads belongs to the next increment.
    """
    until = encode_until(stores.now() - _MARGIN_NS)
    people = [(subject.person.id, subject.name) for subject in subjects]
    list_question = hash_question(table, query.scope, selection or people, pseudonymous)
    if query.cursor is not None:
        query.cursor.require_question(list_question)
        until = query.cursor.until or until
    content = _fingerprint(table, stores, subjects, query)
    headers = {UNTIL: until, "Cache-Control": "private, no-cache", "Vary": "Accept"}

    def response_parts() -> Iterator[Part]:
        make_parts = research_parts if pseudonymous else table_parts
        for subject in subjects:
            yield from make_parts(table, stores, cache, subject, query.scope)

    if query.form is Format.JSON:
        headers["ETag"] = f'W/"{content[:24]}"'
        if matches_etag(query.if_none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if query.range.if_match and query.range.if_match.strip() != "*":
            return problem_response(412, "Pages have weak tags: If-Match never meets them.")
        first = Keyset("", 0, "", until, list_question)
        rows, following = page_response(response_parts(), query.limit, query.cursor, first)
        body = encode_page(rows, following, until)
        return Response(body, media_type=MEDIA_TYPES[query.form], headers=headers)
    name = f"ebbtide-{table}.{FILE_ENDS[query.form]}"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    schema = table_schema(table, pseudonymous)
    chunks = encode_table(query.form, schema, (part.rows() for part in response_parts()))
    # What a download without a validator may go on with: the same caller, the same question, about
    # the same people.
    question = repr((table, query.form, query.scope, people, pseudonymous))
    return snapshot_response(
        snapshots,
        question,
        content,
        chunks,
        query.range,
        query.if_none_match,
        MEDIA_TYPES[query.form],
        headers,
    )


def page_response(
    parts: Iterable[Part], limit: int, after: Keyset | None, first: Keyset
) -> tuple[list[dict[str, Any]], str | None]:
    """Collect the rows after a place, and the cursor of the next page, which has what ``first`` has
    of its list.

    Rows that no order tells apart come on one page, which may then be longer than ``limit``.
    """
    rows: list[dict[str, Any]] = []
    last: Keyset | None = None
    for part in parts:
        if after is not None and (
            part.group < after.group or (part.group == after.group and part.last < after.position)
        ):
            continue
        batch = part.rows()
        positions = part.positions(batch)
        begin = 0
        if after is not None and part.group == after.group:
            begin = _first_after(part, batch, positions, after)
        if begin == len(batch):
            continue
        if len(rows) >= limit and last is not None:  # full, and there is more
            return rows, encode_keyset(last)
        end = _end_of_page(part, batch, positions, begin + limit - len(rows))
        rows += plain_rows(batch.slice(begin, end - begin))
        last = replace(
            first,
            group=part.group,
            position=int(positions[end - 1]),
            tie=part.ties(batch.slice(end - 1, 1))[0],
        )
        if end < len(batch):
            return rows, encode_keyset(last)
    return rows, None


def _first_after(
    part: Part, batch: pa.RecordBatch, positions: np.ndarray[Any, np.dtype[np.int64]], after: Keyset
) -> int:
    low = int(np.searchsorted(positions, after.position, "left"))
    high = int(np.searchsorted(positions, after.position, "right"))
    ties = part.ties(batch.slice(low, high - low))
    return low + sum(tie <= after.tie for tie in ties)


def _end_of_page(
    part: Part, batch: pa.RecordBatch, positions: np.ndarray[Any, np.dtype[np.int64]], end: int
) -> int:
    if end >= len(batch):
        return len(batch)
    high = int(np.searchsorted(positions, positions[end - 1], "right"))
    ties: Sequence[str] = part.ties(batch.slice(end - 1, high - end + 1))
    return end - 1 + sum(tie == ties[0] for tie in ties)


def _fingerprint(
    table: Table, stores: Stores, subjects: list[ExportSubject], query: BulkQuery
) -> str:
    page = None
    if query.form is Format.JSON:
        # Without `until`: the same page of a later reading is the same.
        cursor = query.cursor and replace(query.cursor, until="")
        page = (query.limit, cursor)
    digest = hashlib.sha256(repr((table, query.form, page)).encode())
    for subject in subjects:
        name = table_fingerprint if subject.research is None else research_fingerprint
        digest.update(name(table, stores, subject, query.scope).encode())
    return digest.hexdigest()


def _negotiate(accept: str) -> Format:
    chosen = negotiate(accept, list(_ACCEPTED))
    if chosen is None:
        raise ProblemError(406, f"Accept one of {', '.join(_ACCEPTED)}, or use ?format=.")
    return _ACCEPTED[chosen]
