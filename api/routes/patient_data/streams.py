"""Streams: upload beats and movement, and list what is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.http.deps import (
    PatientInAnyScope,
    PatientInScope,
    StoresDep,
    UploadLimiterDep,
    UploadPatient,
)
from api.http.metrics import BEATS, NOTIFICATIONS
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, TimeRangeQuery
from api.schemas.common import RecordOut
from api.services.beat_rate import find_too_fast
from ebbtide.beats import GapReason, Origin, Stream
from ebbtide.timestamps import DAY, to_datetime
from ebbtide.upload_schema import AcknowledgedBody, ActivityUploadBody, StreamBody, UploadBody
from store.errors import UnknownStreamError
from store.models import StreamCoverage

router = APIRouter(tags=["beats"])
shared = APIRouter(tags=["beats"])

StreamId = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="A random UUID, made by the ingester",
        examples=["6f0c1de8-3f5e-4c52-9f5b-5b0a2f6f2f10"],
    ),
]


class StreamCoverageOut(RecordOut):
    """What is stored of one stream."""

    id: str
    origin: Origin
    source: str = Field(examples=["Polar H10 A1B2C3D4"])
    acknowledged: int = Field(description="Highest sequence number up to which nothing is missing")
    beats: int
    first_beat: datetime | None
    last_beat: datetime | None
    first_beat_ns: int | None
    last_beat_ns: int | None


class CoverageOut(BaseModel):
    """All streams of the person signed in."""

    beats: int
    streams: list[StreamCoverageOut]


class GapOut(BaseModel):
    """A time without beats."""

    stream_id: str
    start: datetime
    end: datetime
    reason: GapReason


class ActivityOut(BaseModel):
    """Movement in the five seconds from ``start``."""

    start: datetime
    mad_mg: float = Field(
        description="Mean amplitude deviation of acceleration, thousandths of g", examples=[18.5]
    )


@router.put(
    "/streams/{stream_id}", status_code=204, responses=describe_problems(401, 403, 409, 410, 422)
)
def put_stream(
    stream_id: StreamId, body: StreamBody, person: UploadPatient, stores: StoresDep
) -> None:
    """Register a stream. Sending it again changes nothing."""
    stores.beats.put_stream(person.subject_id, _to_stream(stream_id, body))


def _to_stream(stream_id: str, body: StreamBody) -> Stream:
    return Stream(stream_id, body.origin, body.source, body.created_ns, body.ticks_per_second)


@router.post(
    "/streams/{stream_id}/notifications", responses=describe_problems(401, 403, 404, 409, 410, 422)
)
async def upload(
    stream_id: StreamId,
    batch: UploadBody,
    person: UploadPatient,
    stores: StoresDep,
    limiter: UploadLimiterDep,
) -> AcknowledgedBody:
    """Store a batch. Sending it again changes nothing; what was stored first stays."""

    def store() -> int:
        times = [time for item in batch.notifications for time in item.beat_times_ns]
        too_fast = find_too_fast(stores, person.subject_id, times)
        if too_fast is not None:
            raise ProblemError(422, too_fast, field="body.notifications")
        if batch.stream is not None:
            stores.beats.put_stream(person.subject_id, _to_stream(stream_id, batch.stream))
        return stores.beats.append(
            person.subject_id,
            stream_id,
            [item.to_notification() for item in batch.notifications],
            [gap.to_gap() for gap in batch.gaps],
        )

    acknowledged = await to_thread.run_sync(store, limiter=limiter)
    NOTIFICATIONS.inc(len(batch.notifications))
    BEATS.inc(sum(len(item.rr_ticks) for item in batch.notifications))
    return AcknowledgedBody(stream_id=stream_id, acknowledged=acknowledged)


@router.post(
    "/streams/{stream_id}/activity",
    status_code=204,
    responses=describe_problems(401, 403, 404, 410, 422),
)
async def upload_activity(
    stream_id: StreamId,
    batch: ActivityUploadBody,
    person: UploadPatient,
    stores: StoresDep,
    limiter: UploadLimiterDep,
) -> None:
    """Store how much the wearer moved. Sending it again changes nothing."""

    def store() -> None:
        spans = [span.to_activity() for span in batch.spans]
        stores.beats.append_activity(person.subject_id, stream_id, spans)

    await to_thread.run_sync(store, limiter=limiter)


@shared.get("/activity", responses=describe_problems(401, 403, 404, 422))
def activity(person: PatientInScope, query: TimeRangeQuery, stores: StoresDep) -> list[ActivityOut]:
    """How much the wearer moved, every five seconds where a strap with acceleration was worn."""
    if query.end_ns - query.start_ns > 32 * DAY:
        raise ProblemError(422, "Ask for at most 32 days of activity at a time.")
    spans = stores.beats.activity(person.subject_id, query.start_ns, query.end_ns)
    return [ActivityOut(start=to_datetime(i.start_ns), mad_mg=i.mad_mg) for i in spans]


@shared.get("/streams", responses=describe_problems(401, 403, 404))
def coverage(person: PatientInAnyScope, stores: StoresDep) -> CoverageOut:
    """What is stored, stream by stream."""
    streams = [_to_coverage_out(item) for item in stores.beats.coverage(person.subject_id)]
    return CoverageOut(beats=sum(item.beats for item in streams), streams=streams)


@shared.get("/streams/{stream_id}", responses=describe_problems(401, 403, 404))
def stream_coverage(
    stream_id: StreamId, person: PatientInAnyScope, stores: StoresDep
) -> StreamCoverageOut:
    """What is stored of one stream."""
    for item in stores.beats.coverage(person.subject_id):
        if item.stream.id == stream_id:
            return _to_coverage_out(item)
    raise UnknownStreamError(f"There is no stream {stream_id}.", "GET /v1/streams lists yours.")


@shared.get("/gaps", responses=describe_problems(401, 403, 404, 422))
def gaps(person: PatientInScope, query: OptionalTimeRange, stores: StoresDep) -> list[GapOut]:
    """Times without beats within streams, by start."""
    found_gaps = stores.beats.gaps(person.subject_id, query.start_ns, query.end_ns)
    if len(found_gaps) > 100_000:
        raise ProblemError(422, "More than 100,000 gaps: ask for a shorter range.")
    return [
        GapOut(
            stream_id=item.stream_id,
            start=to_datetime(item.gap.start_ns),
            end=to_datetime(item.gap.end_ns),
            reason=item.gap.reason,
        )
        for item in found_gaps
    ]


def _to_coverage_out(item: StreamCoverage) -> StreamCoverageOut:
    return StreamCoverageOut.from_record(
        item,
        id=item.stream.id,
        origin=item.stream.origin,
        source=item.stream.source,
        first_beat=None if item.first_ns is None else to_datetime(item.first_ns),
        last_beat=None if item.last_ns is None else to_datetime(item.last_ns),
        first_beat_ns=item.first_ns,
        last_beat_ns=item.last_ns,
    )
