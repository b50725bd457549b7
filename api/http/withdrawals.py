"""The task of a worker that carries out withdrawals of consent."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.services.snapshots import Snapshots
from api.services.withdrawal import adopt_withdrawals, carry_out_withdrawals
from store import Stores

log = logging.getLogger("ebbtide.api")


class WithdrawalTask:
    """Carries out what is due, now and then. ``delay_hours``: how long a person may change their
    mind. All workers have one; each withdrawal is done by one of them.
    """

    every_s = 15.0
    # Adopting reads everybody's answers.
    adopt_every_s = 3600.0

    def __init__(self, stores: Stores, snapshots: Snapshots, delay_hours: float) -> None:
        self.delay_hours = delay_hours
        self._stores = stores
        self._snapshots = snapshots
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Look for what is due at once. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self) -> None:
        """Carry out what is due until cancelled."""
        self._loop = asyncio.get_running_loop()
        clear_again = False
        adopt_at = -math.inf
        while True:
            self._wanted.clear()
            try:
                if clear_again:  # what was being written when it was carried out
                    await run_in_threadpool(self._snapshots.clear)
                if time.monotonic() >= adopt_at:
                    await run_in_threadpool(adopt_withdrawals, self._stores, self.delay_hours)
                    adopt_at = time.monotonic() + self.adopt_every_s
                done = await run_in_threadpool(carry_out_withdrawals, self._stores, self._snapshots)
                clear_again = bool(done)
            except Exception as error:  # a store is away: it goes on when that is back
                log.warning("withdrawals wait: %s", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self.every_s)


async def get_withdrawal_task(request: Request) -> WithdrawalTask:
    """The task of this worker."""
    task: WithdrawalTask = request.app.state.withdrawals
    return task


WithdrawalTaskDep = Annotated[WithdrawalTask, Depends(get_withdrawal_task)]
