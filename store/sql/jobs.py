"""The queue of jobs, in procrastinate's tables on PostgreSQL.

Its worker fetches and finishes jobs (``api.services.jobs.worker``). What is here needs no worker
and no pool of connections of its own: putting jobs in, and showing them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from store.models.jobs import JobStatus, NewJob, QueuedJob, TaskSuccess

QUEUE = "ebbtide"
# For ``purge``: those that name a person.
QUEUE_TABLES = ("procrastinate_jobs", "job_failures")
_STATES = {"todo": JobStatus.WAITING, "doing": JobStatus.RUNNING, "failed": JobStatus.FAILED}

_DEFER = text(
    "INSERT INTO procrastinate_jobs"
    " (queue_name, task_name, priority, lock, queueing_lock, args)"
    " VALUES (:queue, :task, :priority, :lock, :lock, CAST(:args AS jsonb))"
    " ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)
# While the same waits already, a job that goes back to waiting would break the index of queueing
# locks, and stay "doing" for good; so what runs has none.
_BEGIN = text("UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = :id")
_FORGET_FAILED = text(
    "DELETE FROM procrastinate_jobs failed USING procrastinate_jobs job"
    " WHERE job.id = :id AND failed.id <> job.id AND failed.lock = job.lock"
    " AND failed.status = 'failed'"
)
_NOTE_FAILURE = text(
    "INSERT INTO job_failures (job_id, at_ns, machine, reason)"
    " SELECT id, :at_ns, :machine, :reason FROM procrastinate_jobs WHERE id = :id"
    " ON CONFLICT (job_id) DO UPDATE"
    " SET at_ns = EXCLUDED.at_ns, machine = EXCLUDED.machine, reason = EXCLUDED.reason"
)
_NOTE_SUCCESS = text(
    "INSERT INTO job_successes (task, at_ns, machine) VALUES (:task, :at_ns, :machine)"
    " ON CONFLICT (task) DO UPDATE SET at_ns = EXCLUDED.at_ns, machine = EXCLUDED.machine"
)
_RETRY = text(
    "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL"
    " WHERE id = :id AND status = 'failed'"
)
# Of several processes that look at once, one gets a row; another one sees it is "doing" no more.
_RESCUE = text(
    "WITH stalled AS ("
    "  SELECT job.id FROM procrastinate_jobs job"
    "  LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id"
    "  WHERE job.status = 'doing' AND job.queue_name = :queue AND (worker.id IS NULL"
    "   OR worker.last_heartbeat < now() - make_interval(secs => :silent_s))"
    "  FOR UPDATE OF job SKIP LOCKED)"
    " UPDATE procrastinate_jobs job SET attempts = attempts + 1, worker_id = NULL,"
    "  queueing_lock = NULL, scheduled_at = NULL,"
    "  status = CAST(CASE WHEN attempts + 1 >= :most THEN 'failed' ELSE 'todo' END"
    "   AS procrastinate_job_status)"
    " FROM stalled WHERE job.id = stalled.id RETURNING job.id"
)
_LIST = text(
    "SELECT job.id, job.task_name, coalesce(people.subject_id, ''), CAST(job.status AS text),"
    " job.attempts, CAST(extract(epoch FROM job.scheduled_at) * 1000 AS bigint), failure.at_ns,"
    " failure.machine, failure.reason"
    " FROM procrastinate_jobs job LEFT JOIN job_failures failure ON failure.job_id = job.id"
    " LEFT JOIN people ON people.id = job.args ->> 'person_id'"
    " WHERE job.queue_name = :queue AND job.status IN ('todo', 'doing', 'failed')"
    " ORDER BY CASE job.status WHEN 'failed' THEN 0 WHEN 'doing' THEN 1 ELSE 2 END, job.id"
    " LIMIT :limit"
)
_COUNT = text(
    "SELECT CAST(status AS text), count(*) FROM procrastinate_jobs"
    " WHERE queue_name = :queue AND status IN ('todo', 'doing', 'failed') GROUP BY status"
)
_COUNT_WORKERS = text(
    "SELECT count(*) FROM procrastinate_workers"
    " WHERE last_heartbeat >= now() - make_interval(secs => :silent_s)"
)
STALLED = "the process that worked at it ended before it was done"


class SqlJobStore:
    """A JobStore on PostgreSQL."""

    queue = QUEUE

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def defer(self, jobs: Sequence[NewJob]) -> int:
        """Put jobs into the queue; see JobStore."""
        with self._engine.begin() as db:
            return sum(
                db.execute(
                    _DEFER,
                    {
                        "queue": QUEUE,
                        "task": job.task,
                        "priority": job.priority,
                        "lock": job.lock,
                        "args": json.dumps(
                            {} if job.person_id is None else {"person_id": job.person_id}
                        ),
                    },
                ).rowcount
                for job in jobs
            )

    def begin(self, job_id: int) -> None:
        """Let the same be asked for again; see JobStore."""
        with self._engine.begin() as db:
            db.execute(_BEGIN, {"id": job_id})

    def note_success(self, job_id: int, success: TaskSuccess) -> None:
        """Note that a job went well; see JobStore."""
        with self._engine.begin() as db:
            db.execute(_FORGET_FAILED, {"id": job_id})
            db.execute(
                _NOTE_SUCCESS,
                {"task": success.task, "at_ns": success.at_ns, "machine": success.machine[:120]},
            )

    def note_failure(self, job_id: int, at_ns: int, machine: str, reason: str) -> None:
        """Note why a job failed; see JobStore."""
        with self._engine.begin() as db:
            db.execute(_FORGET_FAILED, {"id": job_id})
            db.execute(
                _NOTE_FAILURE,
                {"id": job_id, "at_ns": at_ns, "machine": machine[:120], "reason": reason[:500]},
            )

    def retry(self, job_id: int) -> bool:
        """Have a failed job tried again now; see JobStore."""
        with self._engine.begin() as db:
            return db.execute(_RETRY, {"id": job_id}).rowcount == 1

    def rescue_stalled(self, silent_s: float, max_failures: int, now_ns: int) -> int:
        """Have other processes do what killed ones left; see JobStore."""
        with self._engine.begin() as db:
            found = db.scalars(
                _RESCUE, {"queue": QUEUE, "silent_s": silent_s, "most": max_failures}
            ).all()
            for job_id in found:
                db.execute(
                    _NOTE_FAILURE,
                    {"id": job_id, "at_ns": now_ns, "machine": "", "reason": STALLED},
                )
        return len(found)

    def jobs(self, limit: int) -> list[QueuedJob]:
        """List jobs; see JobStore."""
        with self._engine.connect() as db:
            rows = db.execute(_LIST, {"queue": QUEUE, "limit": limit}).all()
        return [
            QueuedJob(
                *(number, task, subject_id, _STATES[status], attempts),
                None if due_ms is None or status != "todo" else due_ms * 1_000_000,
                *(at_ns, machine or "", reason or ""),
            )
            for number, task, subject_id, status, attempts, due_ms, at_ns, machine, reason in rows
        ]

    def count(self) -> Mapping[JobStatus, int]:
        """Count the jobs of each state."""
        with self._engine.connect() as db:
            found = db.execute(_COUNT, {"queue": QUEUE}).all()
        return dict.fromkeys(JobStatus, 0) | {_STATES[status]: number for status, number in found}

    def count_workers(self, silent_s: float) -> int:
        """Count the processes that work at the queue; see JobStore."""
        with self._engine.connect() as db:
            return int(db.scalar(_COUNT_WORKERS, {"silent_s": silent_s}) or 0)

    def successes(self) -> list[TaskSuccess]:
        """List when each task last went well."""
        with self._engine.connect() as db:
            rows = db.execute(text("SELECT task, at_ns, machine FROM job_successes ORDER BY task"))
            return [TaskSuccess(*row) for row in rows]


def delete_jobs(db: Session, person_id: str) -> None:
    """Delete the jobs of a person who is erased, with what was noted of them."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(
            text("DELETE FROM procrastinate_jobs WHERE args ->> 'person_id' = :id"),
            {"id": person_id},
        )
