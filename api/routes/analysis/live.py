"""A running session, live: one server-sent event a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from api.http.compute import require_few_streams
from api.http.deps import (
    WATCHED,
    AnalysedPatient,
    CacheDep,
    Patient,
    PatientAccount,
    StoresDep,
    Token,
    require_in_care,
    require_use,
)
from api.http.problems import ProblemError, describe_problems
from api.schemas.hrv import StressIndexOut
from api.services.access_tokens import find_caller
from api.services.cache.analysis import AnalysisCache
from ebbtide.beats import Origin
from ebbtide.timestamps import MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Person, Role

shared = APIRouter(tags=["live"])
router = APIRouter(tags=["live"])

EVERY_S = 1.0


class LiveHeart(BaseModel):
    """The last minute of beats, and the stress index of the last five. Metrics are null where
    ``missing`` says why.
    """

    at: datetime = Field(description="The last beat, or now where there is none")
    beat_age_s: float | None = Field(description="Seconds since the last beat that came")
    heart_rate_bpm: float | None = Field(examples=[64.2])
    rmssd_ms: float | None = Field(examples=[31.5])
    coverage: float | None = Field(description="Share of the minute that NN intervals fill")
    removed_share: float | None = Field(description="Share of RR intervals that are not normal")
    stress_index: StressIndexOut | None
    missing: str | None
    origin: Origin | None


class LiveEnded(BaseModel):
    """Why the stream ends."""

    reason: str


class SharingIn(BaseModel):
    """For how long one's therapists may watch; 0 ends it."""

    model_config = ConfigDict(extra="forbid")

    minutes: StrictInt = Field(ge=0, le=240, examples=[60])


class Sharing(BaseModel):
    """Until when one's therapists may watch; null: they may not."""

    until: datetime | None


@shared.get(
    "/live",
    response_class=EventSourceResponse,
    dependencies=[Depends(require_few_streams)],
    responses=describe_problems(401, 403, 404, 422, 429),
)
async def live(
    request: Request,
    person: AnalysedPatient,
    token: Token,
    stores: StoresDep,
    cache: CacheDep,
    seconds: Annotated[
        int, Query(ge=1, le=14_400, description="The stream ends after so long")
    ] = 3600,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: ``heart``, one a second, and ``ended`` with the reason at the end. A
    therapist may watch while the patient shares it (``PUT /v1/live/sharing``).
    """
    patient_id = request.path_params.get("patient")
    request.scope.pop(WATCHED, None)  # it ends itself, with a reason
    for turn in range(seconds):
        # Before each event: what is revoked in one worker ends the streams of all within a second.
        reason = await run_in_threadpool(_end_reason, stores, token, patient_id)
        if reason is not None:
            yield ServerSentEvent(data=LiveEnded(reason=reason), event="ended")
            return
        heart = await run_in_threadpool(live_heart, stores, cache, person)
        yield ServerSentEvent(data=heart, event="heart", id=str(turn + 1))
        await asyncio.sleep(EVERY_S)
    yield ServerSentEvent(data=LiveEnded(reason="the time asked for is over"), event="ended")


@shared.get("/live/now", responses=describe_problems(401, 403, 404))
def live_now(
    request: Request, person: AnalysedPatient, stores: StoresDep, cache: CacheDep
) -> LiveHeart:
    """The heart of the last minute, once. A therapist may read it while the patient shares it."""
    if (
        request.path_params.get("patient") is not None
        and stores.access.live_until(person.id) <= stores.now()
    ):
        raise ProblemError(403, "the patient does not share it now", kind="consent")
    return live_heart(stores, cache, person)


@router.get("/live/sharing", responses=describe_problems(401, 403))
def sharing(person: Patient, stores: StoresDep) -> Sharing:
    """Whether one's therapists may watch now."""
    return _sharing(stores, person)


@router.put("/live/sharing", responses=describe_problems(401, 403, 422))
def share(body: SharingIn, person: PatientAccount, stores: StoresDep) -> Sharing:
    """Let one's therapists watch for a while, or end it."""
    stores.access.share_live(person.id, stores.now() + body.minutes * MINUTE)
    return _sharing(stores, person)


def live_heart(stores: Stores, cache: AnalysisCache, person: Person) -> LiveHeart:
    """Load the current heart rate, RMSSD and stress index, as far as beats have come."""
    now = stores.now()
    found = cache.live.load(stores, cache.baselines, person)
    if found is None:
        return LiveHeart(
            at=to_datetime(now),
            beat_age_s=None,
            heart_rate_bpm=None,
            rmssd_ms=None,
            coverage=None,
            removed_share=None,
            stress_index=None,
            missing="no beats came in the last minutes",
            origin=None,
        )
    return LiveHeart(
        at=to_datetime(found.last_ns, person.zone),
        beat_age_s=round(max(0.0, (now - found.last_ns) / SECOND), 1),
        heart_rate_bpm=found.heart_rate_bpm,
        rmssd_ms=found.rmssd_ms,
        coverage=found.coverage,
        removed_share=found.removed_share,
        stress_index=found.stress_index,
        missing=found.missing,
        origin=found.origin,
    )


def _end_reason(stores: Stores, token: str, patient_id: str | None) -> str | None:
    """Why the viewer may not watch any more; None while they may."""
    caller = find_caller(stores, token)
    if caller is None:
        return "the sign-in is over"
    if caller.person.role is not (Role.PATIENT if patient_id is None else Role.THERAPIST):
        return "the role that could watch was taken away"
    try:
        if patient_id is None:
            require_use(stores, caller.person)
            return None
        require_in_care(stores, caller.person, patient_id)
    except ProblemError as error:
        return error.detail
    if stores.access.live_until(patient_id) <= stores.now():
        return "the patient does not share it now"
    return None


def _sharing(stores: Stores, person: Person) -> Sharing:
    until = stores.access.live_until(person.id)
    return Sharing(until=to_datetime(until, person.zone) if until > stores.now() else None)
