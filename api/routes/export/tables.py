"""One's own data in bulk; a therapist's patients' below their ids."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.export.columns import Table
from api.export.datapackage import describe_package
from api.export.encodings import FILE_FORMS, Format
from api.export.responses import (
    BULK_RESPONSES,
    BulkQuery,
    BulkQueryDep,
    FileQueryDep,
    file_responses,
    package_responses,
    table_response,
)
from api.http.deps import CacheDep, PatientInScope, SnapshotsDep, StoresDep, require_use
from api.services.cache.analysis import AnalysisCache
from api.services.export_scope import ExportSubject, is_simulated
from api.services.snapshots import Snapshots
from store import Stores
from store.models import Person

shared = APIRouter(tags=["bulk"])


@shared.get("/export/datapackage.json", responses=package_responses())
def export_datapackage(person: PatientInScope, stores: StoresDep) -> dict[str, Any]:
    """The columns of all CSV exports as a Frictionless Data Package, which lies beside them."""
    paths = [(table, f"{table}.csv") for table in Table]
    return describe_package(paths, False, is_simulated(stores, person))


def _add_file_route(form: Format, suffix: str, words: str) -> None:
    """Add the route of the tables as files of one form."""

    @shared.get(
        f"/export/{{table}}.{suffix}",
        name=f"export_{form}",
        description=f"A table of one person's data as {words}, by ranges too.",
        response_class=Response,
        responses=file_responses(form),
    )
    def export_file(
        table: Table,
        person: PatientInScope,
        query: FileQueryDep,
        stores: StoresDep,
        cache: CacheDep,
        snapshots: SnapshotsDep,
    ) -> Response:
        return _respond(table, person, query.with_form(form), stores, cache, snapshots)


for _form in FILE_FORMS:
    _add_file_route(*_form)


@shared.get("/export/{table}", response_class=Response, responses=BULK_RESPONSES)
def export(
    table: Table,
    person: PatientInScope,
    query: BulkQueryDep,
    stores: StoresDep,
    cache: CacheDep,
    snapshots: SnapshotsDep,
) -> Response:
    """A table of one person's data: beats with the strap's own ticks; five-minute HRV windows;
    ratings; sessions; the rows of the link report; imported heart rates.
    docs/reference/http-api.md says what each column is.
    """
    return _respond(table, person, query, stores, cache, snapshots)


def _respond(
    table: Table,
    person: Person,
    query: BulkQuery,
    stores: Stores,
    cache: AnalysisCache,
    snapshots: Snapshots,
) -> Response:
    if table in (Table.HRV, Table.LINK, Table.STRESS_BEFORE):
        require_use(stores, person)
    return table_response(table, stores, cache, [ExportSubject(person)], query, snapshots)
