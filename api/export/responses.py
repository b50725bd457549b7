"""Tables as responses: negotiate the form, cut pages, and honour ``If-None-Match``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from analytics.association.hrv_before_rating import Span
from api.export.encodings import MEDIA_TYPES, Format, encode_page, encode_table, plain_rows
from api.export.tables import (
    Part,
    Table,
    table_fingerprint,
    table_parts,
    table_schema,
)
from api.http.pagination import Cursor, PageLimit, decode_offset_cursor, encode_cursor
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, parse_timestamp
from api.middleware.etag import matches_etag
from api.services.cache.analysis import AnalysisCache
from api.services.export_scope import ExportQuery, ExportSubject
from ebbtide.timestamps import MINUTE, to_datetime
from store import Stores

UNTIL = "Ebbtide-Until"
# An upload that is running during the query may commit with a slightly earlier time of change.
_MARGIN_NS = 10 * MINUTE
_ACCEPTED = {
    "application/json": Format.JSON,
    "text/csv": Format.CSV,
    "application/vnd.apache.parquet": Format.PARQUET,
    "application/vnd.apache.arrow.stream": Format.ARROW,
}
BULK_RESPONSES: dict[int | str, dict[str, Any]] = {
    **describe_problems(401, 403, 404, 406, 422),
    304: {"description": "You have it already (If-None-Match)"},
    200: {
        "description": "The table. JSON comes in pages: `rows`, `next` (the `cursor` of the next "
        "page, null at the end) and `until`; the other forms come whole. `until`, and the header "
        "`Ebbtide-Until`, is the `since` of your next increment.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "rows": {"type": "array", "items": {"type": "object"}},
                        "next": {"type": ["string", "null"]},
                        "until": {"type": "string", "format": "date-time"},
                    },
                    "required": ["rows", "next", "until"],
                }
            },
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            "application/vnd.apache.arrow.stream": {
                "schema": {"type": "string", "format": "binary"}
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class BulkQuery:
    """The query of a table: what, in which form, and which page."""

    scope: ExportQuery
    form: Format
    limit: int
    cursor: tuple[str, int]
    if_none_match: str


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
    span: Annotated[
        Span, Query(description="Of link: which heartbeats before each rating")
    ] = Span.MINUTES_30,
    limit: Annotated[int, Query(ge=1, le=100_000, description="Rows of a page of JSON")] = 10_000,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> BulkQuery:
    """The query of a table, from parameters and headers."""
    since_ns = None if since is None else parse_timestamp(since, "query.since")
    return BulkQuery(
        ExportQuery(time_range.start_ns, time_range.end_ns, since_ns, span),
        format or _negotiate(request.headers.get("accept", "")),
        limit,
        decode_offset_cursor(cursor),
        request.headers.get("if-none-match", ""),
    )


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The query of a page of FHIR or Open mHealth."""

    scope: ExportQuery
    limit: int
    cursor: tuple[str, int]
    is_first: bool


async def page_query(
    time_range: OptionalTimeRange, limit: PageLimit = 1000, cursor: Cursor = None
) -> PageQuery:
    """The query of a page, from parameters."""
    scope = ExportQuery(time_range.start_ns, time_range.end_ns)
    return PageQuery(scope, limit, decode_offset_cursor(cursor), cursor is None)


BulkQueryDep = Annotated[BulkQuery, Depends(bulk_query)]
PageQueryDep = Annotated[PageQuery, Depends(page_query)]


def table_response(
    table: Table,
    stores: Stores,
    cache: AnalysisCache,
    subjects: list[ExportSubject],
    query: BulkQuery,
    *,
    pseudonymous: bool = False,
) -> Response:
    """Respond with a table of these people, in their order."""
    until = to_datetime(stores.now() - _MARGIN_NS).isoformat()
    etag = _etag(table, stores, subjects, query)
    headers = {
        UNTIL: until,
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept",
    }
    if matches_etag(query.if_none_match, etag):
        return Response(status_code=304, headers=headers)

    def response_parts() -> Iterator[Part]:
        for subject in subjects:
            for part in table_parts(table, stores, cache, subject, query.scope):
                yield Part(f"{subject.name}/{part.key}", part.rows)

    return stream_parts(
        table_schema(table, pseudonymous), response_parts, query, headers, str(table)
    )


def stream_parts(
    schema: pa.Schema,
    parts: Callable[[], Iterable[Part]],
    query: BulkQuery,
    headers: dict[str, str],
    name: str,
) -> Response:
    """Respond with the rows of these parts, in the form of the query."""
    media_type = MEDIA_TYPES[query.form]
    if query.form is Format.JSON:
        rows, following = page_response(parts(), query.limit, query.cursor)
        body = encode_page(rows, following, headers[UNTIL])
        return Response(body, media_type=media_type, headers=headers)
    end = "arrows" if query.form is Format.ARROW else str(query.form)
    headers = {**headers, "Content-Disposition": f'attachment; filename="ebbtide-{name}.{end}"'}
    batches = (part.rows() for part in parts())
    return StreamingResponse(
        encode_table(query.form, schema, batches), media_type=media_type, headers=headers
    )


def page_response(
    parts: Iterable[Part], limit: int, cursor: tuple[str, int]
) -> tuple[list[dict[str, Any]], str | None]:
    """Collect the rows after the cursor, and the cursor of the next page."""
    key, offset = cursor
    rows: list[dict[str, Any]] = []
    for part in parts:
        if part.key < key:
            continue
        skip = offset if part.key == key else 0
        if len(rows) >= limit:  # full, and there is more
            return rows, encode_cursor(part.key, skip)
        batch = part.rows()
        count = limit - len(rows)
        rows += plain_rows(batch.slice(skip, count))
        if skip + count < len(batch):
            return rows, encode_cursor(part.key, skip + count)
    return rows, None


def _etag(table: Table, stores: Stores, subjects: list[ExportSubject], query: BulkQuery) -> str:
    digest = hashlib.sha256(repr((table, query.form, query.limit, query.cursor)).encode())
    for subject in subjects:
        digest.update(table_fingerprint(table, stores, subject, query.scope).encode())
    return f'W/"{digest.hexdigest()[:24]}"'


def _negotiate(accept: str) -> Format:
    if not accept.strip():
        return Format.JSON
    offers: list[tuple[float, Format]] = []
    for word in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in word.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        form = Format.JSON if kind in ("*/*", "application/*") else _ACCEPTED.get(kind)
        if form is not None and weight > 0:
            offers.append((weight, form))
    if not offers:
        raise ProblemError(406, f"Accept one of {', '.join(_ACCEPTED)}, or use ?format=.")
    return max(offers, key=lambda offer: offer[0])[1]
