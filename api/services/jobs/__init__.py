"""Background work that several machines share: the tasks, and the worker of their queue."""

from api.services.jobs.listing import (
    Queue,
    load_queue,
)
from api.services.jobs.tasks import (
    STARTED_BY_HAND,
    TASKS,
    JobContext,
    JobFailedError,
    require_queue,
    run_task,
    start_task,
)
from api.services.jobs.worker import SILENT_S, JobWorker

__all__ = [
    "SILENT_S",
    "STARTED_BY_HAND",
    "TASKS",
    "JobContext",
    "JobFailedError",
    "JobWorker",
    "Queue",
    "load_queue",
    "require_queue",
    "run_task",
    "start_task",
]
