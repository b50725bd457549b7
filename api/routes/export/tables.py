"""One's own data in bulk; a therapist's patients' below their ids."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.export.responses import BULK_RESPONSES, BulkQueryDep, table_response
from api.export.tables import Table
from api.http.deps import CacheDep, PatientInScope, StoresDep
from api.services.export_scope import ExportSubject

shared = APIRouter(tags=["bulk"])


@shared.get("/export/{table}", response_class=Response, responses=BULK_RESPONSES)
def export(
    table: Table, person: PatientInScope, query: BulkQueryDep, stores: StoresDep, cache: CacheDep
) -> Response:
    """A table of one person's data: beats with the strap's own ticks; five-minute HRV windows;
    ratings; sessions; the rows of the link report. docs/reference/http-api.md says what each
    column is.
    """
    return table_response(table, stores, cache, [ExportSubject(person)], query)
