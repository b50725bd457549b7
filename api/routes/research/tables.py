"""Tables for analysts: people who agreed to research, under pseudonyms, in local time without a
zone, moved back by a secret number of whole weeks, so that weekdays and hours stay what they were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from analytics.association.hrv_before_rating import Span
from api.export.columns import Table
from api.export.datapackage import describe_package
from api.export.encodings import FILE_FORMS, Format
from api.export.responses import (
    BULK_RESPONSES,
    SPAN,
    BulkQuery,
    build_query,
    file_responses,
    package_responses,
    table_response,
)
from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import Analyst, CacheDep, SnapshotsDep, StoresDep, log_access, request_name
from api.http.pagination import Cursor
from api.http.problems import ProblemError, describe_problems
from api.http.research import CohortDep, KnownQuery, MovedRange
from api.services.cache.analysis import AnalysisCache
from api.services.cohort import Cohort
from api.services.export_scope import (
    ExportQuery,
    IncrementTokens,
)
from api.services.research_identity import derive_key
from api.services.research_rows import ReleasedRows, count_beats, count_price_s
from api.services.snapshots import Snapshots
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, LATEST, to_datetime
from store import Stores
from store.models import Person
from store.models.records import Role

_FIVES = 5  # patients are counted in: who joins or leaves is not seen

router = APIRouter(prefix="/research", tags=["research"])

Pseudonyms = Annotated[
    # Few enough to fit into an address, which servers take up to 64 KiB.
    list[Annotated[str, Field(max_length=40)]] | None,
    Query(
        max_length=1000,
        description="Only these people, at least `min_people` (see `/research/people`); all if "
        "left out",
    ),
]

Since = Annotated[
    str | None,
    Query(
        max_length=200,
        description="`until` of an earlier answer to this account: only what was added or changed "
        "or released since, and all of people who joined since. No time: those of research are "
        "moved",
    ),
]


class Subject(BaseModel):
    """Somebody who agreed to research, and how much of them is released. Dates are moved."""

    person: str = Field(description="A pseudonym, always the same for this analyst")
    simulated: bool = Field(description="A sample, or with beats that are: not a real person's")
    origins: list[Origin]
    beats: int
    first_beat: str | None = Field(description="The day")
    last_beat: str | None = Field(description="The day")
    days_with_beats: int
    ratings: int
    first_rating: str | None
    last_rating: str | None
    sessions: int


class CohortOut(BaseModel):
    """Who agreed, by pseudonym; nobody where fewer than ``min_people`` did."""

    people: list[Subject]
    patients: int = Field(description="Of how many patients of this clinic, rounded down to fives")
    min_people: int = Field(description="Of fewer people nothing is given")


@router.get(
    "/people",
    response_model=CohortOut,
    responses={**COMPUTING, **describe_problems(401, 403, 503)},
)
async def people(
    request: Request,
    analyst: Analyst,
    cohort: CohortDep,
    stores: StoresDep,
    cache: CacheDep,
    computations: ComputationsDep,
) -> Response:
    """Who agreed to research, and what of them is released."""

    def plan() -> tuple[list[ReleasedRows], float]:
        people = [item.person for item in cohort.subjects]
        log_access(stores, analyst, people, request_name(request))
        found = [ReleasedRows(stores, item, ExportQuery.of_all()) for item in cohort.subjects]
        return found, sum(count_price_s(rows, cache.research) for rows in found)

    def work() -> Response:
        patients = sum(person.role is Role.PATIENT for person in stores.records.people())
        out = CohortOut(
            people=[_subject(rows, cache) for rows in released],
            patients=patients // _FIVES * _FIVES,
            min_people=cohort.min_people,
        )
        return Response(out.model_dump_json(), media_type="application/json")

    released, price_s = await computations.run(request, analyst.id, plan)
    return await computations.respond(request, analyst.id, price_s, "people", work)


async def research_query(
    request: Request,
    time_range: MovedRange,
    format: Annotated[
        Format | None, Query(description="The form; that of the Accept header if left out")
    ] = None,
    since: Since = None,
    span: Annotated[Span, SPAN] = Span.MINUTES_30,
    limit: Annotated[int, Query(ge=1, le=100_000, description="Rows of a page of JSON")] = 10_000,
    cursor: Cursor = None,
) -> BulkQuery:
    """The query of a table, from parameters and headers."""
    query = build_query(request, time_range, span, limit, cursor, format)
    return replace(query, since=since)


async def research_file_query(
    request: Request,
    time_range: MovedRange,
    since: Since = None,
    span: Annotated[Span, SPAN] = Span.MINUTES_30,
) -> BulkQuery:
    """The query of a table as a file, the form of which the route says."""
    return replace(build_query(request, time_range, span, 1, None, Format.CSV), since=since)


ResearchQuery = Annotated[BulkQuery, Depends(research_query)]
ResearchFileQuery = Annotated[BulkQuery, Depends(research_file_query)]


@router.get("/datapackage.json", responses=package_responses(pseudonymous=True))
def research_datapackage(analyst: Analyst) -> dict[str, Any]:
    """The columns of all CSV exports as a Frictionless Data Package, which lies beside them."""
    return describe_package([(table, f"{table}.csv") for table in Table], True)


def _add_file_route(form: Format, suffix: str, words: str) -> None:
    """Add the route of the tables as files of one form."""

    @router.get(
        f"/{{table}}.{suffix}",
        name=f"research_{form}",
        description=f"A table of everybody who agreed as {words}, by ranges too.",
        response_class=Response,
        responses=file_responses(form),
        dependencies=[KnownQuery],
    )
    def research_file(
        table: Table,
        request: Request,
        analyst: Analyst,
        query: ResearchFileQuery,
        cohort: CohortDep,
        stores: StoresDep,
        cache: CacheDep,
        snapshots: SnapshotsDep,
        person: Pseudonyms = None,
    ) -> Response:
        query = query.with_form(form)
        return _respond(table, request, analyst, query, cohort, stores, cache, snapshots, person)


for _form in FILE_FORMS:
    _add_file_route(*_form)


@router.get(
    "/{table}", response_class=Response, responses=BULK_RESPONSES, dependencies=[KnownQuery]
)
def research(
    table: Table,
    request: Request,
    analyst: Analyst,
    query: ResearchQuery,
    cohort: CohortDep,
    stores: StoresDep,
    cache: CacheDep,
    snapshots: SnapshotsDep,
    person: Pseudonyms = None,
) -> Response:
    """A table of everybody who agreed, one after the other. ``start`` and ``end`` are times as
    those in the answer are: local, without a zone, moved.
    """
    return _respond(table, request, analyst, query, cohort, stores, cache, snapshots, person)


def _respond(
    table: Table,
    request: Request,
    analyst: Person,
    query: BulkQuery,
    cohort: Cohort,
    stores: Stores,
    cache: AnalysisCache,
    snapshots: Snapshots,
    pseudonyms: list[str] | None,
) -> Response:
    if table is Table.LINK and (query.scope.start_ns, query.scope.end_ns) != (0, LATEST):
        raise ProblemError(
            422,
            "the link is that of all that is released of a person: leave out start and end. Of a "
            "range, its number of ratings would tell their times.",
            field="query.start",
        )
    subjects = cohort.require(pseudonyms)
    tokens = IncrementTokens(derive_key(stores.access.research_secret(), "since", analyst.id))
    for field, token in (("since", query.since), ("cursor", query.cursor and query.cursor.until)):
        if token and tokens.decode(token) is None:
            raise ProblemError(
                422,
                "is not one that this API gave to this account: take `until` of an earlier answer.",
                field=f"query.{field}",
            )
    if query.since is not None:
        scope = replace(query.scope, since_ns=tokens.decode(query.since))
        query = replace(query, scope=scope)
    people = [item.person for item in subjects]
    log_access(stores, analyst, people, f"{request_name(request)} ({table})")
    return table_response(
        table,
        stores,
        cache,
        subjects,
        query,
        snapshots,
        pseudonymous=True,
        # Not the cohort: who comes or goes while a caller reads ends no list.
        selection=(analyst.id, None if pseudonyms is None else sorted(set(pseudonyms))),
        encode_until=tokens.encode,
    )


def _subject(rows: ReleasedRows, cache: AnalysisCache) -> Subject:
    beats = count_beats(rows, cache.research)
    ratings = rows.ratings()
    origins = rows.origins()

    def moved(moment: int | None) -> str | None:
        return None if moment is None else to_datetime(moment).replace(tzinfo=None).isoformat()

    return Subject(
        person=rows.subject.name,
        simulated=rows.is_simulated(),
        origins=sorted(origins),
        beats=sum(beats.values()),
        first_beat=moved(min((day * DAY for day in beats), default=None)),
        last_beat=moved(max((day * DAY for day in beats), default=None)),
        days_with_beats=len(beats),
        ratings=len(ratings),
        first_rating=moved(ratings[0].about_ns if ratings else None),
        last_rating=moved(ratings[-1].about_ns if ratings else None),
        sessions=len(rows.sessions()),
    )
