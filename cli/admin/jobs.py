"""``ebbtide jobs`` and ``ebbtide worker``: the queue of jobs on PostgreSQL."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.language import _, say_result
from cli.options import Json
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from api.services.jobs import JobContext, Queue
    from ebbtide.settings import Settings
    from store import Stores
    from store.models import QueuedJob


def jobs(
    start: Annotated[
        str | None,
        typer.Option(help="Put this job into the queue: nightly or retention."),
    ] = None,
    retry: Annotated[
        int | None, typer.Option(min=1, help="Have the failed job of this number tried again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the jobs that wait, run or failed, on whichever machine; start or retry one.

    An embedded store has no queue: what is started there is done at once, in this process.
    """
    from api.services.jobs import load_queue, require_queue, start_task
    from ebbtide.settings import Settings
    from store import open_stores

    settings = Settings()
    with closing(open_stores(settings)) as stores:
        if retry is not None and not require_queue(stores).retry(retry):
            raise EbbtideError(
                f"There is no job {retry} that failed.", "ebbtide jobs lists those there are."
            )
        if start is not None:
            added = start_task(_make_context(settings, stores), start)
            if not as_json:
                _say_started(start, added, has_queue=stores.jobs is not None)
        queue = load_queue(stores)
    if as_json:
        typer.echo(json.dumps(None if queue is None else asdict(queue)))
    elif queue is not None:
        _print_queue(queue)
    elif start is None:
        typer.echo(_("This store has no queue: jobs are done by the command that is given."))


def worker(
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="How many jobs at the same time.")
    ] = 1,
) -> None:
    """Work at the queue of jobs until Ctrl-C, beside the API or on a machine of its own."""
    import asyncio
    import logging

    from api.services.compute import close_pool
    from api.services.jobs import JobWorker
    from ebbtide.settings import Settings
    from store import open_stores

    settings = Settings()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with closing(open_stores(settings)) as stores:
        working = JobWorker(_make_context(settings, stores), settings, at_once)
        typer.echo(_("Working at the queue. Ctrl-C ends it."), err=True)
        try:
            asyncio.run(_run_until_stopped(working))
        finally:
            close_pool()


async def _run_until_stopped(working: object) -> None:
    import asyncio
    import signal
    from contextlib import suppress

    task = asyncio.ensure_future(working.run())  # type: ignore[attr-defined]
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _make_context(settings: Settings, stores: Stores) -> JobContext:
    from api.services.jobs import JobContext
    from cli.local_erasure import local_eraser

    return JobContext(stores, settings.keep_days, settings.snapshots_dir, local_eraser(settings))


def _say_started(task: str, added: int, *, has_queue: bool) -> None:
    if not has_queue:
        words = _("Done: {task}.")
    elif added:
        words = _("In the queue: {task}.")
    else:
        words = _("It waits in the queue already: {task}.")
    typer.echo(words.format(task=task))


def _print_queue(queue: Queue) -> None:
    typer.echo(
        _("Waiting: {waiting}, running: {running}, failed: {failed}; processes: {workers}.").format(
            waiting=queue.waiting,
            running=queue.running,
            failed=queue.failed,
            workers=queue.workers,
        )
    )
    if not queue.workers:
        typer.echo(_("No process works at the queue: run ebbtide worker, or the API."))
    for job in queue.jobs:
        typer.echo(_describe(job))
    for item in queue.successes:
        words = _("Last done: {task}, {when} on {machine}.")
        typer.echo(
            words.format(task=item.task, when=_format_moment(item.at_ns), machine=item.machine)
        )
    if queue.failed:
        typer.echo(_("To try one again: ebbtide jobs --retry NUMBER"))


def _describe(job: QueuedJob) -> str:
    states = {"waiting": _("waits"), "running": _("runs"), "failed": _("failed")}
    words = _("{number} {task} {subject}: {state}").format(
        number=job.id, task=job.task, subject=job.subject_id or "-", state=states[job.state]
    )
    if job.due_ns is not None:
        words += _(", again at {when}").format(when=_format_moment(job.due_ns))
    if job.reason:
        words += _("; failed {count} times: {reason}").format(
            count=job.failures, reason=say_result(job.reason)
        )
    return words


def _format_moment(at_ns: int) -> str:
    from ebbtide.timestamps import to_datetime

    return f"{to_datetime(at_ns):%Y-%m-%d %H:%M} UTC"
