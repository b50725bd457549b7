"""Work at the queue with procrastinate's worker, in a process of the API or one of its own."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from api.services.compute import Computation, running
from api.services.jobs.tasks import (
    NIGHTLY,
    RETENTION,
    TASKS,
    JobContext,
    require_queue,
    run_task,
)
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store.models import TaskSuccess

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate import JobContext as Running

log = logging.getLogger("ebbtide.api")

MAX_FAILURES = 5  # after 1, 2, 4 and 8 minutes; then it waits for somebody
SILENT_S = 30.0  # a process that was not heard of for longer has died
_STOP_S = 5.0  # what runs longer is stopped, and done by another process
_AGAIN_S = 5.0
# A time of the day that passed while no process worked is made up for so long.
_LATE_S = 3600.0


class JobWorker:
    """Works at the queue, ``at_once`` jobs at the same time.

    ``retry_s``: after the first failure, twice as long after each further one; ``poll_s``: how
    often it looks for what is to be tried again (of a new job PostgreSQL tells it) and for jobs of
    processes that have died, those not heard of for ``silent_s``.
    """

    def __init__(
        self,
        context: JobContext,
        settings: Settings,
        at_once: int = 1,
        retry_s: float = 60.0,
        poll_s: float = 15.0,
        silent_s: float = SILENT_S,
    ) -> None:
        self._context = context
        self._jobs = require_queue(context.stores)
        self._times = {NIGHTLY: settings.nightly_at, RETENTION: settings.retention_at}
        self._at_once = at_once
        self._retry_s = retry_s
        self._poll_s = poll_s
        self._silent_s = silent_s
        self._machine = platform.node() or "a machine"

    async def run(self) -> None:
        """Work until cancelled; while the database is away it is tried again."""
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # it names people's ids
        rescuer = asyncio.create_task(self._rescue())
        try:
            while True:
                try:
                    await self._work()
                except ImportError:
                    log.error("jobs wait: procrastinate is not installed (the extra clinic)")
                    return
                except Exception as error:  # the database is away
                    log.warning("jobs wait: %s", type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
        finally:
            rescuer.cancel()

    async def _work(self) -> None:
        app = await asyncio.to_thread(self._make_app)  # the first import takes a moment
        # Opened to the end, also where it is cancelled meanwhile: a pool that is half open has
        # tasks that nobody could end.
        opening = asyncio.ensure_future(_open(app))
        try:
            await asyncio.shield(opening)
            await app.run_worker_async(
                queues=[self._jobs.queue],
                name=self._machine,
                concurrency=self._at_once,
                fetch_job_polling_interval=self._poll_s,
                shutdown_graceful_timeout=_STOP_S,
                delete_jobs="successful",
                install_signal_handlers=False,
                update_heartbeat_interval=self._silent_s / 3,
                stalled_worker_timeout=self._silent_s,
            )
        finally:
            await asyncio.wait({opening})
            await app.close_async()

    async def _rescue(self) -> None:
        """Have the jobs of processes that died done again, by whichever process."""
        now = self._context.stores.now
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                found = await asyncio.to_thread(
                    self._jobs.rescue_stalled, self._silent_s, MAX_FAILURES, now()
                )
            except Exception as error:  # the database is away
                log.warning("jobs cannot be looked at: %s", type(error).__name__)
                continue
            if found:
                log.warning("%s jobs of a process that ended are done again", found)

    def _make_app(self) -> App:
        import procrastinate

        url = self._context.stores.engine.url.set(drivername="postgresql")
        app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=url.render_as_string(hide_password=False),
                min_size=1,
                max_size=3,  # one listens; the others fetch, and say that it lives
                kwargs={"connect_timeout": 5},
            ),
            periodic_defaults={"max_delay": _LATE_S},
        )
        for name in TASKS:
            task: Any = app.task(
                name=name,
                queue=self._jobs.queue,
                lock=name,
                queueing_lock=name,
                pass_context=True,
                retry=_make_retries(self._retry_s),
            )(self._make_task(name))
            at = self._times.get(name)
            if at is not None:
                hours, minutes = at.split(":")
                app.periodic(cron=f"{int(minutes)} {int(hours)} * * *")(task)
        return app

    def _make_task(self, name: str) -> Callable[..., Any]:
        async def run(
            running_job: Running, timestamp: int | None = None, person_id: str | None = None
        ) -> None:
            del timestamp  # of the time of the day that put it into the queue
            job_id = running_job.job.id
            assert job_id is not None
            await self._begin(job_id)
            computation = Computation(f"job {name} {person_id}", is_job=True)

            def work() -> None:
                with running(computation):
                    run_task(self._context, name, person_id)

            future = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                await asyncio.shield(future)
            except asyncio.CancelledError:
                computation.stop()
                await asyncio.wait({future})
                raise
            except Exception as error:
                await self._note_failure(job_id, error)
                raise
            success = TaskSuccess(name, self._context.stores.now(), self._machine)
            await asyncio.to_thread(self._jobs.note_success, job_id, success)

        return run

    async def _begin(self, job_id: int) -> None:
        """Wait for the database: what is not begun could not be put into the queue again."""
        while True:
            try:
                return await asyncio.to_thread(self._jobs.begin, job_id)
            except Exception as error:  # the database is away
                log.warning("a job waits: %s", type(error).__name__)
                await asyncio.sleep(_AGAIN_S)

    async def _note_failure(self, job_id: int, error: Exception) -> None:
        now_ns = self._context.stores.now()
        reason = describe_error(error)
        log.warning("a job failed: %s", type(error).__name__)
        await asyncio.to_thread(self._jobs.note_failure, job_id, now_ns, self._machine, reason)


async def _open(app: App) -> None:
    await app.open_async()


def describe_error(error: Exception) -> str:
    """Say why a job failed. Of what is not our own only the kind: its text may hold what a person
    entered.
    """
    if isinstance(error, EbbtideError):
        return str(error)
    return f"An error of the kind {type(error).__name__}."


def _make_retries(first_s: float) -> Any:
    from procrastinate import BaseRetryStrategy, RetryDecision
    from procrastinate.exceptions import JobAborted

    class Retries(BaseRetryStrategy):
        """Again after a while that doubles; at once where the process only ended."""

        def get_retry_decision(self, *, exception: BaseException, job: Any) -> RetryDecision | None:
            if isinstance(exception, (asyncio.CancelledError, JobAborted)):
                return RetryDecision(retry_in={"seconds": 0})
            if job.attempts + 1 >= MAX_FAILURES:
                return None
            return RetryDecision(retry_in={"milliseconds": round(first_s * 1e3 * 2**job.attempts)})

    return Retries()
