"""Streams: upload beats and movement, and list what is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from api.http.deps import (
    KeepingUploadPatient,
    Patient,
    PatientInAnyScope,
    PatientInScope,
    SnapshotsDep,
    StoresDep,
    UploadLimiterDep,
    log_access,
    request_name,
    storing_beats,
    withdrawn_header,
)
from api.http.metrics import BEATS, NOTIFICATIONS
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, TimeRangeQuery
from api.schemas.common import RecordOut
from api.services.beat_rate import find_too_fast
from api.services.consent import KeepingState, keeping_state
from api.services.imported_records import EARLIER_SOURCES
from ebbtide.beats import GapReason, Origin, Stream
from ebbtide.timestamps import DAY, to_datetime
from ebbtide.upload_schema import (
    MAX_AHEAD_NS,
    AcknowledgedBody,
    ActivityUploadBody,
    GenerationBody,
    StreamBody,
    UploadBody,
)
from store import Stores
from store.errors import RemovedStreamError, UnknownStreamError
from store.models import AuditLine, Person, StoreGeneration, StreamCoverage

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
    rates: int = Field(description="Heart rates that came without times between beats")
    first_beat: datetime | None = Field(
        description="First beat, or where there is none, first heart rate"
    )
    last_beat: datetime | None
    first_beat_ns: int | None
    last_beat_ns: int | None


class CoverageOut(BaseModel):
    """All streams of the person signed in."""

    beats: int
    streams: list[StreamCoverageOut]
    keeping: KeepingState = Field(
        description="Whether new beats are taken: only while keeping is agreed to"
    )


class RemovedOut(BaseModel):
    """A stream that was removed."""

    stream_id: str
    beats: int = Field(description="How many beats it had")


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
    stream_id: StreamId, body: StreamBody, person: KeepingUploadPatient, stores: StoresDep
) -> None:
    """Register a stream. Sending it again changes nothing."""
    if _is_of_file(body) and body.created_ns > stores.now() + MAX_AHEAD_NS:
        raise _future_problem()
    with storing_beats(stores, person):
        _put_stream(stores, person, stream_id, body)


def _put_stream(stores: Stores, person: Person, stream_id: str, body: StreamBody) -> None:
    try:
        stores.beats.put_stream(person.subject_id, _to_stream(stream_id, body))
    except RemovedStreamError as error:
        if body.imported_ns is None or body.imported_ns <= error.removed_ns:
            raise _removed_problem(error) from error
        stores.beats.readmit_stream(person.subject_id, stream_id)
        stores.beats.put_stream(person.subject_id, _to_stream(stream_id, body))


def _removed_problem(error: RemovedStreamError) -> ProblemError:
    headers = {"Ebbtide-Removed-Ns": str(error.removed_ns)}
    return ProblemError(410, str(error), headers, kind="removed")


def _future_problem() -> ProblemError:
    return ProblemError(
        422,
        "A recording of a file cannot end in the future. Check its start, and this clock.",
        kind="future",
    )


def _require_past(stores: Stores, person: Person, stream_id: str, batch: UploadBody) -> None:
    """Refuse the beats of a file that are later than now. A strap's are only ever late by its
    recorder's clock, which ``ebbtide doctor`` compares, and they are not refused for it.
    """
    newest = max((time for item in batch.notifications for time in item.beat_times_ns), default=0)
    if newest <= stores.now() + MAX_AHEAD_NS:
        return
    origins = [
        item.stream.origin
        for item in stores.beats.coverage(person.subject_id)
        if item.stream.id == stream_id
    ]
    if Origin.FILE in origins or (batch.stream is not None and _is_of_file(batch.stream)):
        raise _future_problem()


def _is_of_file(body: StreamBody) -> bool:
    """Whether it was imported; pulse intervals of a file have another origin."""
    return body.origin is Origin.FILE or body.imported_ns is not None


@router.get("/generation", responses=describe_problems(401, 403))
def generation(person: PatientInAnyScope, stores: StoresDep, response: Response) -> GenerationBody:
    """Which state of the store this is, and what of it is in a backup. Where a withdrawal of
    consent was carried out, the header ``Ebbtide-Withdrawn-Ns`` says from when it is: recorders
    delete what they hold from before.
    """
    response.headers.update(withdrawn_header(stores, person))
    return _to_generation_body(stores.beats.generation())


def _to_generation_body(found: StoreGeneration) -> GenerationBody:
    return GenerationBody(id=found.id, counter=found.counter, covered=found.covered)


def _to_stream(stream_id: str, body: StreamBody) -> Stream:
    return Stream(stream_id, body.origin, body.source, body.created_ns, body.ticks_per_second)


@router.post(
    "/streams/{stream_id}/notifications", responses=describe_problems(401, 403, 404, 409, 410, 422)
)
async def upload(
    stream_id: StreamId,
    batch: UploadBody,
    person: KeepingUploadPatient,
    stores: StoresDep,
    limiter: UploadLimiterDep,
) -> AcknowledgedBody:
    """Store a batch. Sending it again changes nothing; what was stored first stays."""

    def store() -> tuple[int, StoreGeneration]:
        _require_past(stores, person, stream_id, batch)
        times = [time for item in batch.notifications for time in item.beat_times_ns]
        too_fast = find_too_fast(stores, person.subject_id, times)
        if too_fast is not None:
            raise ProblemError(422, too_fast, field="body.notifications")
        if batch.stream is not None:
            _put_stream(stores, person, stream_id, batch.stream)
        try:
            acknowledged = stores.beats.append(
                person.subject_id,
                stream_id,
                [item.to_notification() for item in batch.notifications],
                [gap.to_gap() for gap in batch.gaps],
            )
        except RemovedStreamError as error:
            raise _removed_problem(error) from error
        # Read after the commit: a backup that begins at a higher counter has this batch.
        return acknowledged, stores.beats.generation()

    def store_agreed() -> tuple[int, StoreGeneration]:
        with storing_beats(stores, person):
            return store()

    acknowledged, state = await to_thread.run_sync(store_agreed, limiter=limiter)
    NOTIFICATIONS.inc(len(batch.notifications))
    BEATS.inc(sum(len(item.rr_ticks) for item in batch.notifications))
    return AcknowledgedBody(
        stream_id=stream_id, acknowledged=acknowledged, generation=_to_generation_body(state)
    )


@router.post(
    "/streams/{stream_id}/activity",
    status_code=204,
    responses=describe_problems(401, 403, 404, 410, 422),
)
async def upload_activity(
    stream_id: StreamId,
    batch: ActivityUploadBody,
    person: KeepingUploadPatient,
    stores: StoresDep,
    limiter: UploadLimiterDep,
) -> None:
    """Store how much the wearer moved. Sending it again changes nothing."""

    def store() -> None:
        spans = [span.to_activity() for span in batch.spans]
        try:
            with storing_beats(stores, person):
                stores.beats.append_activity(person.subject_id, stream_id, spans)
        except RemovedStreamError as error:
            raise _removed_problem(error) from error

    await to_thread.run_sync(store, limiter=limiter)


@router.delete("/streams/{stream_id}", responses=describe_problems(401, 403, 404, 410))
def remove(
    stream_id: StreamId,
    person: Patient,
    request: Request,
    stores: StoresDep,
    snapshots: SnapshotsDep,
) -> RemovedOut:
    """Remove one recording of one's own, with its windows and what was computed from it.

    An outbox that still holds it is answered 410 and does not send it again; its file can be
    imported again.
    """
    known = {item.stream.id: item for item in stores.beats.coverage(person.subject_id)}
    item = known.get(stream_id)
    # Before the beats: killed in between, the nights are found again, and none outlives its beats.
    if item is not None and item.first_ns is not None and item.last_ns is not None:
        stores.nights.remove_recorded(person.id, item.first_ns, item.last_ns)
    try:
        beats = stores.beats.remove_stream(person.subject_id, stream_id, stores.now())
    except RemovedStreamError as error:
        raise _removed_problem(error) from error
    if item is not None and item.stream.source in EARLIER_SOURCES:
        stores.beats.readmit_stream(person.subject_id, stream_id)
    stores.records.delete_reports(person.id)
    snapshots.clear()
    stores.records.add_audit(AuditLine(stores.now(), "recording removed", person.subject_id))
    log_access(stores, person, [person], request_name(request))
    return RemovedOut(stream_id=stream_id, beats=beats)


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
    state = keeping_state(stores.records.consents(person.id), stores.now())
    return CoverageOut(beats=sum(item.beats for item in streams), streams=streams, keeping=state)


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
