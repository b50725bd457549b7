"""The queue of jobs that the processes of an installation share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from store.models.jobs import JobStatus, NewJob, QueuedJob, TaskSuccess


class JobStore(Protocol):
    """Jobs in the database. Only on a server: an embedded store has one machine and no queue.

    ``queue``: its name, for whoever works at it.
    """

    queue: str

    def defer(self, jobs: Sequence[NewJob]) -> int:
        """Put jobs into the queue, all or none. One that waits there already, of the same task
        and person, is not put there again; how many were.
        """
        ...

    def begin(self, job_id: int) -> None:
        """Note that a process works at this job: the same may be asked for again from now on."""
        ...

    def note_success(self, job_id: int, success: TaskSuccess) -> None:
        """Note that a job went well, and delete failed ones of the same."""
        ...

    def note_failure(self, job_id: int, at_ns: int, machine: str, reason: str) -> None:
        """Note why a job failed, and delete earlier failed ones of the same."""
        ...

    def retry(self, job_id: int) -> bool:
        """Have a failed job tried again now; whether there was such a one."""
        ...

    def rescue_stalled(self, silent_s: float, max_failures: int, now_ns: int) -> int:
        """Have other processes do the jobs of those that were not heard of for ``silent_s``, or
        count them as failed after ``max_failures``; how many there were.
        """
        ...

    def jobs(self, limit: int) -> list[QueuedJob]:
        """List jobs: failed ones, running ones, then those that wait, each by age."""
        ...

    def count(self) -> Mapping[JobStatus, int]:
        """Count the jobs of each state."""
        ...

    def count_workers(self, silent_s: float) -> int:
        """Count the processes that work at the queue and were heard of within ``silent_s``."""
        ...

    def successes(self) -> list[TaskSuccess]:
        """List when each task last went well."""
        ...
