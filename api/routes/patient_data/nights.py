"""Nights of watches, rings and own recordings, and what goes together with them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from api.http.compute import ComputationsDep
from api.http.deps import (
    AnalysedPatient,
    CacheDep,
    CallerDep,
    KeepingStoresDep,
    KeepingUploadPatient,
    Patient,
    PatientInScope,
    StoresDep,
)
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.schemas.common import RecordOut
from api.schemas.nights import NightLinksOut
from api.services.night_links import load_links_json
from api.services.nights import MAX_ANALYSED, calmer, find_excess, find_gaps, own_nights
from ebbtide.nights import (
    MAX_SOURCE_LETTERS,
    MAX_STEPS,
    Night,
    NightBasis,
    NightValue,
    find_fault,
)
from ebbtide.timestamps import to_datetime
from ebbtide.upload_schema import MAX_AHEAD_NS
from store.models import StoredNight

router = APIRouter(tags=["nights"])
shared = APIRouter(tags=["nights"])
MAX_AT_ONCE = 100

# Strict, since `true` is no 1.0 ms.
_Hrv = Annotated[StrictFloat, Field(gt=0, le=500, allow_inf_nan=False)]
_Rate = Annotated[StrictFloat, Field(ge=20, le=250, allow_inf_nan=False)]


class NightIn(BaseModel):
    """A night of one source, under the local date on which it ends."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "day": "2026-09-28",
                    "source": "Oura",
                    "start": "2026-09-27T23:01:00+02:00",
                    "end": "2026-09-28T04:51:00+02:00",
                    "basis": "five-minute values",
                    "values": [[0, 62.0, None, 60.0], [300, 44.0, None, 59.0]],
                }
            ]
        },
    )

    day: date = Field(description="The date of its end, by the clock of `end`")
    source: str = Field(min_length=1, max_length=MAX_SOURCE_LETTERS)
    start: datetime
    end: datetime = Field(description="With the offset of the clock where the person woke")
    basis: NightBasis
    rmssd_ms: _Hrv | None = Field(default=None, description="Of the night")
    sdnn_ms: _Hrv | None = Field(default=None, description="Never in place of RMSSD")
    mean_hr_bpm: _Rate | None = None
    low_quarter_hr_bpm: _Rate | None = Field(
        default=None, description="Mean of the lowest quarter of heart rates"
    )
    windows: StrictInt = Field(default=0, ge=0, le=MAX_STEPS)
    steps: StrictInt = Field(default=0, ge=0, le=MAX_STEPS)
    values: list[tuple[StrictInt, _Hrv | None, _Hrv | None, _Rate | None]] = Field(
        default_factory=list,
        max_length=MAX_STEPS,
        description="Seconds from the start, RMSSD, SDNN and heart rate of each step asleep",
    )
    missing_reason: str | None = Field(default=None, max_length=200)


class NightsIn(BaseModel):
    """Nights, at most 100 at a time."""

    model_config = ConfigDict(extra="forbid")

    nights: list[NightIn] = Field(min_length=1, max_length=MAX_AT_ONCE)


class NightsPutOut(RecordOut):
    """What storing did. The same nights again, or shorter ones, change nothing."""

    new: int
    grown: int = Field(description="Fuller than what was stored of that night, which they replace")
    known: int


class NightOut(RecordOut):
    """A stored night."""

    day: str
    source: str
    start: datetime
    end: datetime
    basis: NightBasis
    rmssd_ms: float | None
    sdnn_ms: float | None
    mean_hr_bpm: float | None
    low_quarter_hr_bpm: float | None
    windows: int = Field(description="Steps with heart rate variability")
    steps: int = Field(description="Steps of five minutes from start to end; 0 where not known")
    missing_reason: str | None


class GapOut(RecordOut):
    """A day of which a source has no night, though it has earlier and later ones."""

    source: str
    day: str
    reason: str


class NightsOut(BaseModel):
    """Nights by day and source, and gaps with their reason."""

    nights: list[NightOut]
    gaps: list[GapOut]


class OpenedNightOut(NightOut):
    """A night with its values: seconds from the start, RMSSD, SDNN, heart rate."""

    values: list[tuple[int, float | None, float | None, float | None]]
    calmer_than: float | None = Field(
        description="Of 100 of the person's nights before, on the same device, those less calm"
    )
    compared_with: int


@router.put("/nights", responses=describe_problems(401, 403, 422))
def put_nights(
    body: NightsIn, person: KeepingUploadPatient, stores: KeepingStoresDep
) -> NightsPutOut:
    """Store nights. Of a source and day, the fuller one stays: an export again adds nothing."""
    now_ns = stores.now()
    nights = [
        _to_night(item, f"body.nights.{place}", now_ns) for place, item in enumerate(body.nights)
    ]
    problem = find_excess(stores, person, nights)
    if problem is not None:
        raise ProblemError(422, problem, field="body.nights")
    done = stores.nights.put_nights(person.id, nights, now_ns)
    return NightsPutOut.from_record(done)


@router.delete("/nights", responses=describe_problems(401, 403, 404))
def delete_nights(
    source: Annotated[str, Query(min_length=1, max_length=MAX_SOURCE_LETTERS)],
    person: Patient,
    stores: StoresDep,
) -> NightsPutOut:
    """Remove all nights of a source; `known` says how many there were."""
    if any(
        item.night.source == source and item.night.basis is NightBasis.RECORDING
        for item in stores.nights.nights(person.id, values=False)
    ):
        raise ProblemError(
            422,
            "has nights of your own recordings, which would be found again. Remove the recording; "
            "its nights go with it.",
            field="query.source",
        )
    removed = stores.nights.remove_nights(person.id, source)
    if not removed:
        raise ProblemError(404, "There is no night of this source.")
    return NightsPutOut(new=0, grown=0, known=removed)


@shared.get("/nights", responses=describe_problems(401, 403, 404, 422))
def nights(
    person: PatientInScope,
    stores: StoresDep,
    first: Annotated[date, Query(description="First day")] = date(2000, 1, 1),
    last: Annotated[date, Query(description="Last day")] = date(2099, 12, 31),
) -> NightsOut:
    """Nights by the date on which each ends, without their values; and the gaps between them."""
    if last < first:
        raise ProblemError(422, "must not be before first.", field="query.last")
    found = stores.nights.nights(person.id, first.isoformat(), last.isoformat(), values=False)
    return NightsOut(
        nights=[NightOut.from_record(item.night, **_times(item)) for item in found],
        gaps=[GapOut.from_record(gap) for gap in find_gaps([item.night for item in found])],
    )


# Before the route with a day, which would match it.
@shared.get(
    "/nights/link", response_model=NightLinksOut, responses=describe_problems(401, 403, 404, 503)
)
async def night_link(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    stores: StoresDep,
    cache: CacheDep,
    computations: ComputationsDep,
) -> Response:
    """Whether nights and the days around them went together, and how far devices agree."""

    def work() -> Response:
        body = load_links_json(stores, cache, person)
        return Response(body, media_type="application/json")

    return await computations.run(request, caller.person.id, work)


@shared.get("/nights/{day}", responses=describe_problems(401, 403, 404, 422))
def opened_night(day: date, person: AnalysedPatient, stores: StoresDep) -> list[OpenedNightOut]:
    """One night with its values, as each source has it."""
    name = day.isoformat()
    found = stores.nights.nights(person.id, name, name)
    if not found:
        raise ProblemError(404, "There is no night that ends on this day.")
    since = date.fromordinal(max(1, day.toordinal() - MAX_ANALYSED)).isoformat()
    earlier = own_nights(stores.nights.nights(person.id, since, name, values=False))
    rank, compared = calmer(earlier, name)
    shown = earlier.nights[-1] if earlier.nights else None
    return [
        OpenedNightOut.from_record(
            item.night,
            **_times(item),
            values=[(v.at_s, v.rmssd_ms, v.sdnn_ms, v.hr_bpm) for v in item.night.values],
            calmer_than=rank if shown is not None and _is_same(shown, item.night) else None,
            compared_with=compared,
        )
        for item in found
    ]


def _is_same(one: Night, other: Night) -> bool:
    return (one.source, one.day) == (other.source, other.day)


def _times(item: StoredNight) -> dict[str, datetime]:
    """By the clock of where the person woke."""
    there = timezone(timedelta(seconds=item.night.offset_s))
    return {
        "start": to_datetime(item.night.start_ns).astimezone(there),
        "end": to_datetime(item.night.end_ns).astimezone(there),
    }


def _to_night(item: NightIn, where: str, now_ns: int) -> Night:
    start_ns = parse_timestamp(item.start, f"{where}.start")
    end_ns = parse_timestamp(item.end, f"{where}.end")
    if end_ns > now_ns + MAX_AHEAD_NS:
        raise ProblemError(422, "lies in the future.", field=f"{where}.end")
    shift = item.end.utcoffset()
    offset_s = 0 if shift is None else int(shift.total_seconds())
    if item.basis is NightBasis.RECORDING:
        raise ProblemError(
            422,
            "is that of nights that Ebbtide finds in the person's recordings; they are not sent.",
            field=f"{where}.basis",
        )
    night = Night(
        item.day.isoformat(),
        item.source,
        start_ns,
        end_ns,
        offset_s,
        item.basis,
        item.rmssd_ms,
        item.sdnn_ms,
        item.mean_hr_bpm,
        item.low_quarter_hr_bpm,
        item.windows,
        item.steps,
        tuple(NightValue(*value) for value in item.values),
        item.missing_reason,
    )
    fault = find_fault(night)
    if fault is not None:
        raise ProblemError(422, fault[1], field=f"{where}.{fault[0]}")
    return night
