"""Jobs in the queue that the processes of an installation share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class JobStatus(StrEnum):
    """What a job does. One that went well is gone."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be done: ``task`` of one person, or of all. Jobs of a lower ``priority`` come
    later.
    """

    task: str
    person_id: str | None = None
    priority: int = 0

    @property
    def lock(self) -> str:
        """What no two processes work at at once."""
        return self.task if self.person_id is None else f"{self.task} {self.person_id}"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that waits, runs or failed. ``subject_id``: of the person, or an empty text;
    ``failures``: how often it failed; ``reason``, ``machine`` and ``failed_ns``: of the last time;
    ``due_ns``: when it is tried again, if it waits for that.
    """

    id: int
    task: str
    subject_id: str
    state: JobStatus
    failures: int
    due_ns: int | None
    failed_ns: int | None
    machine: str
    reason: str


@dataclass(frozen=True, slots=True)
class TaskSuccess:
    """When a job of this task last went well, and on which machine."""

    task: str
    at_ns: int
    machine: str
