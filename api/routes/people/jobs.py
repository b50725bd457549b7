"""For administrators: the queue of jobs that all machines share. No health data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from api.http.deps import Administrator, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.services.jobs import load_queue
from ebbtide.timestamps import to_datetime
from store.models import JobStatus

router = APIRouter(tags=["operation"], prefix="/operation/jobs")


class QueuedJobOut(BaseModel):
    """A job that waits, runs or failed. One that went well is not listed."""

    id: int
    task: str = Field(examples=["analyse"])
    subject: str = Field(description="The pseudonym of whom it is about, or empty")
    state: JobStatus
    failures: int = Field(description="How often it failed so far")
    due: datetime | None = Field(description="When it is tried again; null: as soon as it can be")
    failed: datetime | None = Field(description="When it failed last")
    machine: str = Field(description="Where it failed last, or empty")
    reason: str = Field(description="Why it failed last, or empty")


class TaskSuccessOut(BaseModel):
    """When jobs of a task last went well."""

    task: str
    at: datetime
    machine: str


class QueueOut(BaseModel):
    """The queue. ``is_there`` is false for an embedded store, whose one machine needs none."""

    is_there: bool
    workers: int = Field(description="Processes that work at it, on all machines")
    waiting: int
    running: int
    failed: int
    jobs: list[QueuedJobOut] = Field(description="The first hundred; those that failed come first")
    done: list[TaskSuccessOut]


@router.get("", responses=describe_problems(401, 403))
def operation_jobs(_: Administrator, stores: StoresDep) -> QueueOut:
    """What waits in the queue, runs, and failed, on whichever machine."""
    queue = load_queue(stores)
    if queue is None:
        return QueueOut(is_there=False, workers=0, waiting=0, running=0, failed=0, jobs=[], done=[])
    return QueueOut(
        is_there=True,
        workers=queue.workers,
        waiting=queue.waiting,
        running=queue.running,
        failed=queue.failed,
        jobs=[
            QueuedJobOut(
                id=job.id,
                task=job.task,
                subject=job.subject_id,
                state=job.state,
                failures=job.failures,
                due=None if job.due_ns is None else to_datetime(job.due_ns),
                failed=None if job.failed_ns is None else to_datetime(job.failed_ns),
                machine=job.machine,
                reason=job.reason,
            )
            for job in queue.jobs
        ],
        done=[
            TaskSuccessOut(task=item.task, at=to_datetime(item.at_ns), machine=item.machine)
            for item in queue.successes
        ],
    )


@router.post("/{job_id}/retry", status_code=204, responses=describe_problems(401, 403, 404, 422))
def retry_job(
    job_id: Annotated[int, Path(ge=1, lt=2**63)], _: Administrator, stores: StoresDep
) -> Response:
    """Have a failed job tried again now."""
    if stores.jobs is None or not stores.jobs.retry(job_id):
        raise ProblemError(404, f"There is no job {job_id} that failed.")
    return Response(status_code=204)
