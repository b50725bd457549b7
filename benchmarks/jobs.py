"""What the queue of jobs costs this process: putting a job in, working it, and waiting.

    uv run --group dev python -m benchmarks.jobs

Needs PostgreSQL's programs. The jobs do nothing, so what is measured is the queue alone.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from pydantic import SecretStr

from api.services.jobs import JobContext, JobWorker, tasks
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.models import NewJob
from tests.support.postgres import postgres_bin, started

_IDLE_S = 20.0


async def work(stores: Stores, settings: Settings) -> tuple[float, float]:
    """CPU seconds of working all that waits, and of waiting for ``_IDLE_S`` afterwards."""
    assert stores.jobs is not None
    worker = JobWorker(JobContext(stores, None, settings.snapshots_dir), settings)
    began = time.process_time()
    working = asyncio.create_task(worker.run())
    while any(stores.jobs.count().values()):  # noqa: ASYNC110 - another process's table
        await asyncio.sleep(0.3)
    busy = time.process_time() - began
    began = time.process_time()
    await asyncio.sleep(_IDLE_S)
    idle = time.process_time() - began
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return busy, idle


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--jobs", type=int, default=200)
    many = options.parse_args().jobs
    binaries = postgres_bin()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed: apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="ebbtide-jobs-") as folder:
        home = Path(folder) / "postgres"
        home.mkdir()
        Path(folder).chmod(0o755)  # PostgreSQL's programs do not run as root
        server = started(home, binaries)
        try:
            settings = Settings(
                data_dir=Path(folder) / "data", records_url=SecretStr(server.fresh_database())
            )
            stores = open_stores(settings)
            assert stores.jobs is not None
            began = time.process_time()
            stores.jobs.defer([NewJob("analyse", str(number)) for number in range(many)])
            put = time.process_time() - began
            with patch.dict(tasks.TASKS, analyse=lambda *_: None):
                busy, idle = asyncio.run(work(stores, settings))
            print(f"put in: {1e3 * put / many:.2f} ms of CPU a job")
            print(f"worked: {1e3 * busy / many:.2f} ms of CPU a job, the worker's start shared")
            print(f"waiting: {idle:.3f} s of CPU in {_IDLE_S:.0f} s")
            stores.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
