"""The task of a worker of the API that works at the queue of jobs."""

from __future__ import annotations

from collections.abc import Callable

from api.services.jobs import JobContext, JobWorker
from ebbtide.settings import Settings
from store import Stores


class JobTask:
    """Works at the queue until cancelled, where there is one and this process is to."""

    def __init__(
        self,
        stores: Stores,
        settings: Settings,
        erase_local: Callable[[str], object] | None,
    ) -> None:
        self._worker: JobWorker | None = None
        if stores.jobs is not None and settings.jobs_in_api:
            context = JobContext(stores, settings.keep_days, settings.snapshots_dir, erase_local)
            self._worker = JobWorker(context, settings)

    async def run(self) -> None:
        """Work until cancelled; end at once where there is nothing to work at."""
        if self._worker is not None:
            await self._worker.run()
