"""Outbox to API. Repeats until acknowledged; uploads are idempotent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ebbtide.errors import EbbtideError
from ingest.outbox.api_client import IngestClient, UnavailableError
from ingest.outbox.outbox import Outbox, StreamState

_BATCH = 1000  # notifications, or spans of activity
_MIN_WAIT_S = 1.0
_MAX_WAIT_S = 60.0
_MAX_RETRY_AFTER_S = 120.0


class Uploader:
    """Uploads what waits in ``outbox`` for ``account``."""

    def __init__(
        self,
        outbox: Outbox,
        client: IngestClient,
        account: str,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._account = account
        self._on_progress = on_progress
        self._uploaded = 0
        self.last_problem: str | None = None

    async def upload_waiting(self) -> None:
        """Upload all that waits now, a batch of each stream in turn, so that one with a week
        behind it does not hold up the others.

        Raises UnavailableError when the API does not answer, RefusedError when it refuses; what was
        acknowledged until then is deleted here, the rest stays.
        """
        # The disk is read in a thread: beats are stamped with their time of arrival meanwhile.
        states = await asyncio.to_thread(self._outbox.states)
        busy = [state for state in states if state.account == self._account]
        while busy:
            busy = [state for state in busy if await self._upload_batch(state)]

    async def _upload_batch(self, state: StreamState) -> bool:
        """One batch of this stream; whether there may be more."""
        stream_id = state.stream.id
        notifications, gaps = await asyncio.to_thread(self._outbox.waiting, stream_id, _BATCH)
        spans = await asyncio.to_thread(self._outbox.waiting_activity, stream_id, _BATCH)
        if not notifications and not spans:
            return False
        announced = (await asyncio.to_thread(self._outbox.state, stream_id)).announced
        if notifications:
            acknowledged = await self._client.upload(
                stream_id, notifications, gaps, None if announced else state.stream
            )
        elif not announced:
            await self._client.announce(state.stream)
        if not announced:
            await asyncio.to_thread(self._outbox.set_announced, stream_id)
        if notifications:
            if acknowledged < notifications[0].sequence:
                raise EbbtideError(
                    f"The API is missing notifications after {acknowledged} of stream "
                    f"{stream_id} that this outbox has already let go.",
                    "Its store was set back, perhaps from a backup. Nothing more is deleted here.",
                )
            await asyncio.to_thread(self._outbox.acknowledge, stream_id, acknowledged)
            self._uploaded += len(notifications)
            if self._on_progress is not None:
                self._on_progress(len(notifications))
        if spans:
            await self._client.upload_activity(stream_id, spans)
            last = spans[-1].start_ns
            await asyncio.to_thread(self._outbox.delete_activity, stream_id, last)
        return len(notifications) == _BATCH or len(spans) == _BATCH

    async def upload_all(self, on_wait: Callable[[float], None] | None = None) -> None:
        """Upload all that waits now, and wait where the API says for how long.

        ``on_wait`` is called with the seconds before each wait. Raises as ``upload_waiting`` does
        when the API does not say when to come back, or a whole minute of waits brought nothing.
        """
        waited = 0.0
        while True:
            before = self._uploaded
            try:
                await self.upload_waiting()
            except UnavailableError as error:
                wait = error.retry_after_s
                waited = 0.0 if self._uploaded > before else waited
                if wait is None or wait > _MAX_RETRY_AFTER_S or waited > _MAX_WAIT_S:
                    raise
                wait = max(wait, _MIN_WAIT_S)
                if on_wait is not None:
                    on_wait(wait)
                await asyncio.sleep(wait)
                waited += wait
            else:
                return

    async def run(self, every_s: float = 2.0) -> None:
        """Upload until cancelled, with waits that double up to a minute while it fails.

        A refusal does not end it either: recording must go on, and a person can mend the cause
        (sign in again) meanwhile. ``last_problem`` is the newest error, or None.
        """
        wait = _MIN_WAIT_S
        while True:
            try:
                await self.upload_waiting()
                self.last_problem, wait = None, _MIN_WAIT_S
                await asyncio.sleep(every_s)
            except EbbtideError as error:
                self.last_problem = str(error)
                retry_after_s = error.retry_after_s if isinstance(error, UnavailableError) else None
                await asyncio.sleep(min(max(wait, retry_after_s or 0.0), _MAX_RETRY_AFTER_S))
                wait = min(wait * 2, _MAX_WAIT_S)
