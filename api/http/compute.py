"""Run the computations of requests: one at a time a person, stopped when the client goes away.

What takes up to ``LIGHT_S`` is computed while the request waits. What takes longer is a job: the
request is answered with 202 and ``Retry-After``, and the same request later gets the result.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from api.http.deps import CallerDep
from api.http.problems import ProblemError
from api.services.compute import (
    Computation,
    ComputationFailedError,
    ComputationStoppedError,
    ComputationTimeoutError,
    QueueFullError,
    running,
)

T = TypeVar("T")

LIGHT_S = 2.0
MAX_WAITING = 8  # light ones of one person
MAX_JOBS = 4  # of one person
MAX_STREAMS = 8  # live ones of one person: pages on a few devices
QUEUE_TIMEOUT_S = 30.0
RETRY_AFTER_S = 2
_HOLD_S = 1.5  # a job that is done sooner is answered at once
_ABANDONED_S = 60.0  # after the last request for it
_RESULT_S, _MAX_RESULTS = 15.0, 16  # later, new beats may have come
# Of the threads of a process: the rest stay free for pages, ratings and uploads.
_LIGHT_THREADS, _JOB_THREADS = 12, 8
_CHECK_S = 0.2


class Computing(BaseModel):
    """The answer is being computed: send the same request again."""

    status: str = Field(examples=["computing"])
    retry_after_s: int = Field(description="As the header Retry-After", examples=[RETRY_AFTER_S])


COMPUTING: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Computing,
        "description": "It takes longer than a request waits: send the same request again after "
        "`Retry-After` seconds. It is given up when it is not fetched for a minute",
    }
}


@dataclass(slots=True)
class _Gate:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


@dataclass(slots=True)
class _Job:
    person_id: str
    computation: Computation
    polled: float
    task: asyncio.Future[Response]
    done: float = math.inf

    def note_done(self, _task: asyncio.Future[Response]) -> None:
        self.done = time.monotonic()


class Computations:
    """The computations of this process that requests wait for."""

    def __init__(self) -> None:
        self._light = CapacityLimiter(_LIGHT_THREADS)
        self._heavy = CapacityLimiter(_JOB_THREADS)
        self._gates: dict[tuple[str, bool], _Gate] = {}
        self._jobs: dict[Hashable, _Job] = {}
        self.streams: Counter[str] = Counter()  # live ones of each person

    async def respond(
        self,
        request: Request,
        person_id: str,
        price_s: float,
        key: Hashable,
        work: Callable[[], Response],
    ) -> Response:
        """Respond with the result of ``work``, which runs in a thread. ``person_id``: who sent the
        request; ``key``: names the result among this person's.
        """
        if price_s <= LIGHT_S:
            return await self.run(request, person_id, work)
        return await self._respond_as_job(person_id, (person_id, key), work)

    async def run(self, request: Request, person_id: str, work: Callable[[], T]) -> T:
        """Run light work in a thread. Raises ProblemError where too much of this person waits."""
        async with self._turn(person_id, is_job=False):
            computation = Computation(person_id)
            task = self._start(computation, work, self._light)
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=_CHECK_S)
                    if not task.done() and await request.is_disconnected():
                        computation.stop()
            except asyncio.CancelledError:
                computation.stop()
                raise
            with _as_problems():
                return task.result()

    async def _respond_as_job(
        self, person_id: str, key: Hashable, work: Callable[[], Response]
    ) -> Response:
        self._forget_results()
        job = self._jobs.get(key)
        if job is None:
            running_jobs = [one for one in self._jobs.values() if not one.task.done()]
            if sum(one.person_id == person_id for one in running_jobs) >= MAX_JOBS:
                raise _busy()
            computation = Computation(person_id, is_job=True)
            task = asyncio.ensure_future(self._run_job(key, computation, work))
            job = self._jobs[key] = _Job(person_id, computation, time.monotonic(), task)
            task.add_done_callback(job.note_done)
        job.polled = time.monotonic()
        await asyncio.wait({job.task}, timeout=_HOLD_S)
        if not job.task.done():
            body = Computing(status="computing", retry_after_s=RETRY_AFTER_S).model_dump()
            return Response(
                json.dumps(body),
                202,
                {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"},
                media_type="application/json",
            )
        if job.task.exception() is not None:
            self._jobs.pop(key, None)
        with _as_problems():
            found = job.task.result()
        # A response is sent once: each request gets one of its own.
        return Response(bytes(found.body), found.status_code, media_type=found.media_type)

    async def _run_job(
        self, key: Hashable, computation: Computation, work: Callable[[], Response]
    ) -> Response:
        async with self._turn(computation.person_id, is_job=True):
            task = self._start(computation, work, self._heavy)
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=_CHECK_S)
                    job = self._jobs.get(key)
                    if job is None or time.monotonic() - job.polled > _ABANDONED_S:
                        computation.stop()
            except asyncio.CancelledError:
                computation.stop()
                raise
            return task.result()

    def _start(
        self, computation: Computation, work: Callable[[], T], limiter: CapacityLimiter
    ) -> asyncio.Future[T]:
        def call() -> T:
            with running(computation):
                return work()

        return asyncio.ensure_future(to_thread.run_sync(call, limiter=limiter))

    @asynccontextmanager
    async def _turn(self, person_id: str, *, is_job: bool) -> AsyncIterator[None]:
        """Wait until no other computation of this person runs."""
        key = (person_id, is_job)
        gate = self._gates.setdefault(key, _Gate())
        if gate.waiting >= MAX_WAITING:
            raise _busy()
        gate.waiting += 1
        try:
            try:
                # A job waits as long as it is fetched; there are few of them.
                async with asyncio.timeout(None if is_job else QUEUE_TIMEOUT_S):
                    await gate.lock.acquire()
            except TimeoutError:
                raise _busy() from None
            finally:
                gate.waiting -= 1
            try:
                yield
            finally:
                gate.lock.release()
        finally:
            if not gate.waiting and not gate.lock.locked():
                self._gates.pop(key, None)

    def forget_results(self) -> None:
        """Drop all results that are not fetched yet."""
        for key, job in list(self._jobs.items()):
            if job.task.done():
                self._jobs.pop(key, None)
                if not job.task.cancelled():
                    job.task.exception()

    def _forget_results(self) -> None:
        """Drop results that are no longer new, and all but the last few."""
        now = time.monotonic()
        done = [key for key, job in self._jobs.items() if job.task.done()]
        over = [key for key in done if now - self._jobs[key].done > _RESULT_S]
        for key in {*over, *done[:-_MAX_RESULTS]}:
            task = self._jobs.pop(key).task
            if not task.cancelled():
                task.exception()


class _as_problems:  # noqa: N801  # a context manager, used as a function
    """Turn what ends a computation early into problems that clients know."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ComputationStoppedError):
            raise ProblemError(503, "It was stopped: the client went away.", kind="busy") from error
        if isinstance(error, (QueueFullError, ComputationTimeoutError, ComputationFailedError)):
            raise _busy(str(error)) from error


def _busy(
    words: str = "Too many of your computations wait already: try again later.",
) -> ProblemError:
    return ProblemError(503, words, headers={"Retry-After": "5"}, kind="busy")


def _too_many_streams() -> ProblemError:
    words = f"You watch {MAX_STREAMS} live streams already: end one of them."
    return ProblemError(429, words, headers={"Retry-After": "5"})


async def get_computations(request: Request) -> Computations:
    """The computations of this application."""
    computations: Computations = request.app.state.computations
    return computations


ComputationsDep = Annotated[Computations, Depends(get_computations)]


async def require_few_streams(
    caller: CallerDep, computations: ComputationsDep
) -> AsyncIterator[None]:
    """Count a live stream until it ends: each computes once a second. Raises ProblemError."""
    streams = computations.streams
    if streams[caller.person.id] >= MAX_STREAMS:
        raise _too_many_streams()
    streams[caller.person.id] += 1
    try:
        yield
    finally:
        streams[caller.person.id] -= 1
        if streams[caller.person.id] <= 0:
            del streams[caller.person.id]
