"""Tables for analysts: people who agreed to research, under pseudonyms, with dates moved back by a
number of whole weeks of each person's own, so that weekdays and hours stay what they were.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.export.responses import BULK_RESPONSES, BulkQueryDep, table_response
from api.export.tables import Table
from api.http.deps import Analyst, CacheDep, StoresDep, log_access, request_name
from api.http.problems import describe_problems
from api.services.cohort import consenting_patients
from api.services.export_scope import ExportSubject, resolve_origins
from ebbtide.beats import Origin
from ebbtide.timestamps import FOREVER, to_datetime
from store import Stores
from store.models.records import Role

router = APIRouter(prefix="/research", tags=["research"])

Pseudonyms = Annotated[
    # Few enough to fit into an address, which servers take up to 64 KiB.
    list[Annotated[str, Field(max_length=40)]] | None,
    Query(max_length=1000, description="Only these people; all who agreed if left out"),
]


class Subject(BaseModel):
    """Somebody who agreed to research, and how much there is of them. Dates are moved."""

    person: str = Field(description="A pseudonym, always the same")
    simulated: bool = Field(description="A sample, or with beats that are: not a real person's")
    origins: list[Origin]
    beats: int
    first_beat: str | None
    last_beat: str | None
    days_with_beats: int
    ratings: int
    first_rating: str | None
    last_rating: str | None
    sessions: int


class CohortOut(BaseModel):
    """Who agreed, by pseudonym."""

    people: list[Subject]
    patients: int = Field(description="Of how many patients of this clinic")


@router.get("/people", responses=describe_problems(401, 403))
def people(request: Request, analyst: Analyst, stores: StoresDep) -> CohortOut:
    """Who agreed to research, and what there is of them."""
    subjects = consenting_patients(stores)
    log_access(stores, analyst, [item.person for item in subjects], request_name(request))
    patients = sum(person.role is Role.PATIENT for person in stores.records.people())
    return CohortOut(people=[_subject(stores, item) for item in subjects], patients=patients)


@router.get("/{table}", response_class=Response, responses=BULK_RESPONSES)
def research(
    table: Table,
    request: Request,
    analyst: Analyst,
    query: BulkQueryDep,
    stores: StoresDep,
    cache: CacheDep,
    person: Pseudonyms = None,
) -> Response:
    """A table of everybody who agreed, one after the other. ``start`` and ``end`` are moved dates,
    as those in the answer are.
    """
    subjects = consenting_patients(stores, person)
    people = [item.person for item in subjects]
    log_access(stores, analyst, people, f"{request_name(request)} ({table})")
    return table_response(table, stores, cache, subjects, query, pseudonymous=True)


def _subject(stores: Stores, subject: ExportSubject) -> Subject:
    person = subject.person
    covered = [item for item in stores.beats.coverage(person.subject_id) if item.beats]
    ratings = stores.records.ratings(person.id, *FOREVER)
    origins = resolve_origins(stores, person)

    def moved(moment: int | None) -> str | None:
        return None if moment is None else to_datetime(moment - subject.shift_ns).isoformat()

    return Subject(
        person=subject.name,
        simulated=person.simulated or Origin.SIMULATED in origins,
        origins=sorted(origins),
        beats=sum(item.beats for item in covered),
        first_beat=moved(min((item.first_ns or 0 for item in covered), default=None)),
        last_beat=moved(max((item.last_ns or 0 for item in covered), default=None)),
        days_with_beats=len(stores.beats.day_fingerprints(person.subject_id, *FOREVER)),
        ratings=len(ratings),
        first_rating=moved(ratings[0].about_ns if ratings else None),
        last_rating=moved(ratings[-1].about_ns if ratings else None),
        sessions=len(stores.records.sessions(person.id)),
    )
