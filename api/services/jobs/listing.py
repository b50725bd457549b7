"""What waits in the queue, runs and failed, for whoever runs the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.services.jobs.worker import SILENT_S
from store import Stores
from store.models import JobState, TaskSuccess

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job. ``subject``: the person's pseudonym, or an empty text; times in nanoseconds."""

    id: int
    task: str
    subject: str
    state: JobState
    failures: int
    due_ns: int | None
    failed_ns: int | None
    machine: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShownQueue:
    """The queue. ``workers``: processes that work at it, on all machines; ``jobs``: the first
    hundred, those that failed before the others.
    """

    workers: int
    waiting: int
    running: int
    failed: int
    jobs: Sequence[ShownJob]
    successes: Sequence[TaskSuccess]


def load_queue(stores: Stores) -> ShownQueue | None:
    """Load what is in the queue; None where there is none, as in the embedded store."""
    if stores.jobs is None:
        return None
    counts = stores.jobs.count()
    shown = []
    for job in stores.jobs.jobs(_SHOWN):
        person = None if job.person_id is None else stores.records.person(job.person_id)
        shown.append(
            ShownJob(
                job.id,
                job.task,
                "" if person is None else person.subject_id,
                job.state,
                job.failures,
                job.due_ns,
                job.failed_ns,
                job.machine,
                job.reason,
            )
        )
    return ShownQueue(
        stores.jobs.count_workers(SILENT_S),
        *(counts[JobState.WAITING], counts[JobState.RUNNING], counts[JobState.FAILED]),
        *(shown, stores.jobs.successes()),
    )


def find_next_time(at: str, now_ns: int) -> int:
    """Find when ``HH:MM`` in UTC comes next, in nanoseconds."""
    now = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    hours, minutes = (int(word) for word in at.split(":"))
    due = now.replace(hour=hours, minute=minutes, second=0)
    if due <= now:
        due += timedelta(days=1)
    return int(due.timestamp()) * 1_000_000_000
