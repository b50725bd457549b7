"""What waits in the queue, runs and failed, for whoever runs the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.services.jobs.worker import SILENT_S
from store import Stores
from store.models import JobStatus, QueuedJob, TaskSuccess

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue. ``workers``: processes that work at it, on all machines; ``jobs``: the first
    hundred, those that failed before the others.
    """

    workers: int
    waiting: int
    running: int
    failed: int
    jobs: Sequence[QueuedJob]
    successes: Sequence[TaskSuccess]


def load_queue(stores: Stores) -> Queue | None:
    """Load what is in the queue; None where there is none, as in the embedded store."""
    if stores.jobs is None:
        return None
    counts = stores.jobs.count()
    return Queue(
        stores.jobs.count_workers(SILENT_S),
        *(counts[JobStatus.WAITING], counts[JobStatus.RUNNING], counts[JobStatus.FAILED]),
        *(stores.jobs.jobs(_SHOWN), stores.jobs.successes()),
    )


def find_next_time(at: str, now_ns: int) -> int:
    """Find when ``HH:MM`` in UTC comes next, in nanoseconds."""
    now = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    hours, minutes = (int(word) for word in at.split(":"))
    due = now.replace(hour=hours, minute=minutes, second=0)
    if due <= now:
        due += timedelta(days=1)
    return int(due.timestamp()) * 1_000_000_000
