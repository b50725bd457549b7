"""The task of a worker that sends prompts, and the ways that this process has."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.services.mail import Mailer
from api.services.reminders.heart import HeartWatch
from api.services.reminders.mailing import MailWay
from api.services.reminders.push import PushServices, PushWay
from api.services.reminders.scheduler import run_due
from api.services.reminders.ways import CalendarWay, Way
from ebbtide.settings import Settings
from store import Stores

log = logging.getLogger("ebbtide.api")


class ReminderTask:
    """Sends what is due. All workers have one; each prompt is sent by one of them."""

    # A prompt is at most so late.
    every_s = 10.0
    # A window of the heart is five minutes long.
    heart_every_s = 60.0
    _threads = 4

    def __init__(self, stores: Stores, settings: Settings, mailer: Mailer | None) -> None:
        self._stores = stores
        self._hearts = HeartWatch()
        self._hearts_at = 0.0
        self.push_services = PushServices.from_settings(settings)
        self.ways: list[Way] = [
            PushWay(stores, self.push_services, settings.push_contact),
            CalendarWay(),
        ]
        if mailer is not None:
            self.ways.append(MailWay(mailer))
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def has_way(self, name: str) -> bool:
        """Whether this process has a way of this name."""
        return any(way.name == name for way in self.ways)

    def wake(self) -> None:
        """Look for what is due at once. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self) -> None:
        """Send what is due until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._wanted.clear()
            try:
                if time.monotonic() >= self._hearts_at:
                    self._hearts_at = time.monotonic() + self.heart_every_s
                    await run_in_threadpool(self._hearts.run, self._stores)
                await run_in_threadpool(self._run_due)
            except Exception as error:  # a store is away: it goes on when that is back
                log.warning("prompts wait: %s", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self.every_s)

    def _run_due(self) -> None:
        # A push service that does not answer holds one of these up, and not the others.
        next_ns = self._stores.prompts.next_turn_ns()
        if next_ns is None:
            return
        if run_due(self._stores, self.ways, most=1) == 0:
            return
        with ThreadPoolExecutor(self._threads, "reminders") as pool:
            for future in [
                pool.submit(run_due, self._stores, self.ways) for _ in range(self._threads)
            ]:
                future.result()


async def get_reminder_task(request: Request) -> ReminderTask:
    """The task of this worker."""
    task: ReminderTask = request.app.state.reminders
    return task


ReminderTaskDep = Annotated[ReminderTask, Depends(get_reminder_task)]
