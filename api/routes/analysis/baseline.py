"""What the stress index is relative to: the method's version, and days on which it begins anew."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from analytics.hrv.relative_stress import METHOD, MIN_BASELINE_DAYS
from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import (
    AnalysedPatient,
    CacheDep,
    CallerDep,
    KeepingPatient,
    KeepingStoresDep,
    Patient,
    StoresDep,
)
from api.http.problems import ProblemError, describe_problems
from api.schemas.hrv import STRESS_INDEX_VERSION as VERSION
from api.services.cache.analysis import AnalysisCache
from api.services.stress_baseline import baseline_price_s
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import BaselineReason, BaselineStart, Person

router = APIRouter(tags=["HRV"])
shared = APIRouter(tags=["HRV"])

_MAX_STARTS = 50

Day = Annotated[date, Path(description="A local day", examples=["2026-11-24"])]


class BaselineStartIn(BaseModel):
    """Why one's usual is not what it was."""

    model_config = ConfigDict(extra="forbid")

    reason: BaselineReason


class BaselineStartOut(BaseModel):
    """A day on which the baseline begins anew."""

    day: date
    reason: BaselineReason
    entered: datetime


class BaselineOut(BaseModel):
    """What the stress index is relative to now."""

    version: int = Field(description="Of the method", examples=[2])
    method: str
    min_days: int = Field(description="Worn days before the first index", examples=[2])
    worn_days: int = Field(description="Days with heartbeats at rest in the present baseline")
    starts: list[BaselineStartOut] = Field(description="Days on which it began anew, by day")
    worked_out_anew: bool = Field(
        description="Earlier values were made with an older version and have been worked out anew, "
        "which the person was not told yet (POST /v1/stress/new-values/seen)"
    )


@shared.get(
    "/stress/baseline",
    response_model=BaselineOut,
    responses={**COMPUTING, **describe_problems(401, 403, 404, 503)},
)
async def baseline(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    stores: StoresDep,
    cache: CacheDep,
    computations: ComputationsDep,
) -> Response:
    """What the stress index is relative to."""

    def plan() -> float:
        return baseline_price_s(stores, person)

    def work() -> Response:
        body = _load(stores, cache, person).model_dump_json()
        return Response(body, media_type="application/json")

    price_s = await computations.run(request, caller.person.id, plan)
    return await computations.respond(
        request, caller.person.id, price_s, ("baseline", person.id), work
    )


def _load(stores: Stores, cache: AnalysisCache, person: Person) -> BaselineOut:
    found = cache.baselines.load(stores, person)
    methods = stores.programme.index_methods(person.id)
    if not any(item.version == VERSION for item in methods):
        stores.programme.note_index_method(person.id, VERSION, stores.now())
        methods = stores.programme.index_methods(person.id)
    return BaselineOut(
        version=VERSION,
        method=METHOD,
        min_days=MIN_BASELINE_DAYS,
        worn_days=found.worn_days,
        starts=[_to_out(item, person) for item in stores.programme.baseline_starts(person.id)],
        worked_out_anew=any(item.version == VERSION and item.seen_ns is None for item in methods),
    )


@router.post("/stress/new-values/seen", status_code=204, responses=describe_problems(401, 403))
def seen(person: KeepingPatient, stores: KeepingStoresDep) -> None:
    """Say that the person was told that older values were worked out anew."""
    stores.programme.see_index_method(person.id, VERSION, stores.now())


@router.put("/stress/baseline/{day}", responses=describe_problems(401, 403, 409, 422))
def put_start(
    day: Day, body: BaselineStartIn, person: KeepingPatient, stores: KeepingStoresDep
) -> BaselineStartOut:
    """Begin the baseline anew on a local day; values of the days before stay as they are."""
    if day.toordinal() > to_datetime(stores.now(), person.zone).toordinal():
        raise ProblemError(
            422, "lies in the future: declare it when it is there.", field="path.day"
        )
    others = [
        item for item in stores.programme.baseline_starts(person.id) if item.day != day.toordinal()
    ]
    if len(others) >= _MAX_STARTS:
        raise ProblemError(
            409, f"There are {_MAX_STARTS} such days already: remove one that no longer counts."
        )
    start = BaselineStart(person.id, day.toordinal(), body.reason, stores.now())
    stores.programme.put_baseline_start(start)
    return _to_out(start, person)


@router.delete(
    "/stress/baseline/{day}", status_code=204, responses=describe_problems(401, 403, 404)
)
def delete_start(day: Day, person: Patient, stores: StoresDep) -> None:
    """Remove such a day, as if it had not been declared."""
    if not stores.programme.delete_baseline_start(person.id, day.toordinal()):
        raise ProblemError(404, "The baseline does not begin anew on that day.")


def _to_out(item: BaselineStart, person: Person) -> BaselineStartOut:
    return BaselineStartOut(
        day=date.fromordinal(item.day),
        reason=item.reason,
        entered=to_datetime(item.entered_ns, person.zone),
    )
