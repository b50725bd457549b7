"""Tables as answers: which form, which page, whether the caller has them already."""

from __future__ import annotations

import base64
import binascii
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
    ExportQuery,
    ExportSubject,
    Part,
    Table,
    table_fingerprint,
    table_parts,
    table_schema,
)
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, parse_timestamp
from api.middleware.etag import matches_etag
from api.services.cache.analysis import AnalysisCache
from ebbtide.timestamps import MINUTE, to_datetime
from store import Stores

UNTIL = "Ebbtide-Until"
# A run of beats that is under way while we look may be noted a little later than it says.
_MARGIN = 10 * MINUTE
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
    """All that can be said about a table."""

    wanted: ExportQuery
    form: Format
    limit: int
    cursor: tuple[str, int]
    if_none_match: str


async def bulk_query(
    request: Request,
    asked: OptionalTimeRange,
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
    """What was asked for."""
    since_ns = None if since is None else parse_timestamp(since, "query.since")
    return BulkQuery(
        ExportQuery(asked.start_ns, asked.end_ns, since_ns, span),
        format or _accepted(request.headers.get("accept", "")),
        limit,
        read_cursor(cursor),
        request.headers.get("if-none-match", ""),
    )


BulkQueryDep = Annotated[BulkQuery, Depends(bulk_query)]


def table_response(
    table: Table,
    stores: Stores,
    known: AnalysisCache,
    people: list[ExportSubject],
    asked: BulkQuery,
    *,
    pseudonymous: bool = False,
) -> Response:
    """A table of these people; with pseudonyms, they come in the order of those."""
    until = to_datetime(stores.now() - _MARGIN).isoformat()
    name = _name(table, stores, people, asked)
    headers = {
        UNTIL: until,
        "ETag": name,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept",
    }
    if matches_etag(asked.if_none_match, name):
        return Response(status_code=304, headers=headers)

    def response_parts() -> Iterator[Part]:
        for whom in people:
            prefix = "" if whom.pseudonym is None else whom.pseudonym.pseudonym
            for part in table_parts(table, stores, known, whom, asked.wanted):
                yield Part(f"{prefix}/{part.key}", part.rows)

    return stream_parts(
        table_schema(table, pseudonymous), response_parts, asked, headers, str(table)
    )


def stream_parts(
    schema: pa.Schema,
    parts: Callable[[], Iterable[Part]],
    asked: BulkQuery,
    headers: dict[str, str],
    name: str,
) -> Response:
    """The rows of these parts in the form that was asked for."""
    media_type = MEDIA_TYPES[asked.form]
    if asked.form is Format.JSON:
        rows, following = page_response(parts(), asked.limit, asked.cursor)
        body = encode_page(rows, following, headers[UNTIL])
        return Response(body, media_type=media_type, headers=headers)
    end = "arrows" if asked.form is Format.ARROW else str(asked.form)
    headers = {**headers, "Content-Disposition": f'attachment; filename="ebbtide-{name}.{end}"'}
    batches = (part.rows() for part in parts())
    return StreamingResponse(
        encode_table(asked.form, schema, batches), media_type=media_type, headers=headers
    )


def page_response(
    parts: Iterable[Part], limit: int, cursor: tuple[str, int]
) -> tuple[list[dict[str, Any]], str | None]:
    """Rows after the cursor, and the cursor of the next page."""
    key, offset = cursor
    rows: list[dict[str, Any]] = []
    for part in parts:
        if part.key < key:
            continue
        skip = offset if part.key == key else 0
        if len(rows) >= limit:  # full, and there is more
            return rows, _cursor(part.key, skip)
        batch = part.rows()
        room = limit - len(rows)
        rows += plain_rows(batch.slice(skip, room))
        if skip + room < len(batch):
            return rows, _cursor(part.key, skip + room)
    return rows, None


def _name(table: Table, stores: Stores, people: list[ExportSubject], asked: BulkQuery) -> str:
    digest = hashlib.sha256(repr((table, asked.form, asked.limit, asked.cursor)).encode())
    for whom in people:
        digest.update(table_fingerprint(table, stores, whom, asked.wanted).encode())
    return f'W/"{digest.hexdigest()[:24]}"'


def _accepted(accept: str) -> Format:
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


def _cursor(key: str, offset: int) -> str:
    return base64.urlsafe_b64encode(f"{key} {offset}".encode()).decode()


def read_cursor(cursor: str | None) -> tuple[str, int]:
    """Where to go on. Raises ProblemError for what is no cursor."""
    if cursor is None:
        return "", 0
    try:
        key, offset = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        found = key, int(offset)
    except (ValueError, binascii.Error) as error:
        raise ProblemError(422, "is not one that this API gave.", field="query.cursor") from error
    if found[1] < 0:
        raise ProblemError(422, "is not one that this API gave.", field="query.cursor")
    return found
