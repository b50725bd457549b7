"""For analysts: people who agreed to research, under pseudonyms, with dates moved back by a whole
number of weeks of each person's own. Weekdays and hours stay what they were.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.export.responses import BULK_RESPONSES, BulkQueryDep, table_response
from api.export.tables import ExportSubject, Table, resolve_origins
from api.http.deps import Analyst, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.middleware.telemetry import route_template
from api.services.cache.analysis import CacheDep
from api.services.consent import is_consented
from ebbtide.beats import Origin
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import AccessLogEntry, Person, Purpose, Role

router = APIRouter(prefix="/research", tags=["research"])

Pseudonyms = Annotated[
    # So long that the longest still fits into an address, which servers take up to 64 KiB.
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
    found = consenting_patients(stores, None)
    log_access(request, stores, analyst, found)
    patients = sum(person.role is Role.PATIENT for person in stores.records.people())
    return CohortOut(people=[_subject(stores, whom) for whom in found], patients=patients)


@router.get("/{table}", response_class=Response, responses=BULK_RESPONSES)
def research(
    table: Table,
    request: Request,
    analyst: Analyst,
    asked: BulkQueryDep,
    stores: StoresDep,
    known: CacheDep,
    person: Pseudonyms = None,
) -> Response:
    """A table of everybody who agreed, one after the other. ``start`` and ``end`` are moved dates,
    as those in the answer are.
    """
    found = consenting_patients(stores, person)
    log_access(request, stores, analyst, found)
    return table_response(table, stores, known, found, asked, pseudonymous=True)


def consenting_patients(stores: Stores, wanted: list[str] | None) -> list[ExportSubject]:
    """Those who agree to research now, by pseudonym. Raises ProblemError for an unknown one."""
    now = stores.now()
    found = [
        ExportSubject(person, stores.access.pseudonym(person.id))
        for person in stores.records.people()
        if person.role is Role.PATIENT and _require_subject(stores, person, now)
    ]
    found.sort(key=lambda whom: whom.pseudonym.pseudonym if whom.pseudonym else "")
    if wanted is None:
        return found
    known = {whom.pseudonym.pseudonym: whom for whom in found if whom.pseudonym}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ProblemError(404, f"Nobody who agrees to research now is called {missing[0]}.")
    return [known[name] for name in sorted(set(wanted))]


def _require_subject(stores: Stores, person: Person, now_ns: int) -> bool:
    answers = stores.records.consents(person.id)
    keeping = [answer for answer in answers if answer.purpose is Purpose.KEEPING]
    if keeping and not is_consented(answers, Purpose.KEEPING, now_ns):
        return False
    return is_consented(answers, Purpose.RESEARCH, now_ns)


def log_access(
    request: Request, stores: Stores, analyst: Person, found: list[ExportSubject]
) -> None:
    """Note that an analyst read something of these people."""
    what = f"{request.method} {route_template(request.scope)}"
    table = request.path_params.get("table")
    now = stores.now()
    stores.access.add_access_log(
        [
            AccessLogEntry(
                whom.person.id,
                analyst.id,
                str(analyst.role),
                now,
                f"{what} ({table})" if table else what,
            )
            for whom in found
        ]
    )


def _subject(stores: Stores, whom: ExportSubject) -> Subject:
    person = whom.person
    covered = [item for item in stores.beats.coverage(person.subject_id) if item.beats]
    ratings = stores.records.ratings(person.id, 0, 2**62)
    origins = resolve_origins(stores, person)

    def moved(moment: int | None) -> str | None:
        return None if moment is None else to_datetime(moment - whom.shift_ns).isoformat()

    return Subject(
        person="" if whom.pseudonym is None else whom.pseudonym.pseudonym,
        simulated=person.simulated or Origin.SIMULATED in origins,
        origins=sorted(origins),
        beats=sum(item.beats for item in covered),
        first_beat=moved(min((item.first_ns or 0 for item in covered), default=None)),
        last_beat=moved(max((item.last_ns or 0 for item in covered), default=None)),
        days_with_beats=len(stores.beats.day_fingerprints(person.subject_id, 0, 2**62)),
        ratings=len(ratings),
        first_rating=moved(ratings[0].about_ns if ratings else None),
        last_rating=moved(ratings[-1].about_ns if ratings else None),
        sessions=len(stores.records.sessions(person.id)),
    )
