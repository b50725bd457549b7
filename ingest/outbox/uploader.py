"""Outbox to API. Repeats until acknowledged; uploads are idempotent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ebbtide.errors import EbbtideError
from ebbtide.upload_schema import GenerationBody
from ingest.outbox.acknowledged import Retention, SeenGeneration
from ingest.outbox.api_client import (
    ConsentMissingError,
    ErasedError,
    IngestClient,
    RefusedError,
    RemovedError,
    UnavailableError,
)
from ingest.outbox.outbox import Outbox, StreamState

_BATCH = 1000  # notifications, or spans of activity
_MIN_WAIT_S = 1.0
_MAX_WAIT_S = 60.0
_MAX_RETRY_AFTER_S = 120.0
# A store that was set back is seen within a minute, also while no strap sends anything.
_COMPARE_S = 20.0
_PRUNE_S = 300.0
# A person who agrees sees their beats within a minute.
_CONSENT_S = 20.0
# Of one stream, while the others can be uploaded: what it holds, and not who asks, is refused.
_OF_ONE_STREAM = frozenset({404, 409, 410, 413, 422})


class Uploader:
    """Uploads what waits in ``outbox`` for ``account``."""

    def __init__(
        self,
        outbox: Outbox,
        client: IngestClient,
        account: str,
        on_progress: Callable[[int], None] | None = None,
        keep: Retention | None = None,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._account = account
        self._on_progress = on_progress
        self._keep = outbox.keep if keep is None else keep
        self._uploaded = 0
        self._compared = False
        self._compare_at = 0.0
        self._prune_at = 0.0
        self._followed_ns: int | None = None  # the withdrawal that the outbox has followed
        self.last_problem: str | None = None

    async def upload_waiting(self) -> None:
        """Upload all that waits now, a batch of each stream in turn, so that one with a week
        behind it does not hold up the others.

        Raises UnavailableError when the API does not answer, RefusedError when it refuses; a stream
        that is refused does not hold up the others. Where everything of the person was erased, or
        a withdrawal of consent was carried out, what is here from before is deleted first.
        ConsentMissingError is raised while nothing is taken for want of consent; all is held.
        """
        try:
            await self._compare()
            refused = await self._upload_streams()
            await self._prune()
        except ConsentMissingError:
            await self._follow_withdrawal()
            raise
        except ErasedError:
            await asyncio.to_thread(self._outbox.comparison.erase, self._account)
            raise
        except UnavailableError:
            self._compare_at = 0.0  # perhaps it is stopped in order to be set back
            raise
        if refused is not None:
            raise refused

    async def _upload_streams(self) -> RefusedError | None:
        """Upload all streams; the first refusal of one of them."""
        refused: RefusedError | None = None
        # The disk is read in a thread: beats are stamped with their time of arrival meanwhile.
        states = await asyncio.to_thread(self._outbox.states)
        busy = [state for state in states if state.account == self._account]
        while busy:
            more = []
            for state in busy:
                try:
                    if await self._upload_batch(state):
                        more.append(state)
                except RemovedError as error:
                    await asyncio.to_thread(
                        self._outbox.comparison.follow_removal, state.stream.id, error.removed_ns
                    )
                except ErasedError:
                    raise
                except RefusedError as error:
                    if error.status not in _OF_ONE_STREAM:
                        raise
                    refused = refused or error
            busy = more
        return refused

    async def compare(self) -> bool:
        """Compare the outbox with the store now, whatever was seen before; whether it answered."""
        self._compared, self._compare_at = False, 0.0
        await self._compare()
        return self._compared

    async def _compare(self) -> None:
        """See whether the store was set back, and if so, make what it lacks wait again.

        At the beginning all streams are compared, as a copy of the whole disk that is put back
        brings the old generation with it; later on, the generation tells.
        """
        if time.monotonic() < self._compare_at:
            return
        try:
            found = await self._client.generation()
        except UnavailableError:
            return  # the upload says so
        except ErasedError:
            raise
        except RefusedError as error:
            if error.status == 404:  # an API of before generations
                self._compare_at = time.monotonic() + 60 * _COMPARE_S
            return
        await self._follow_withdrawal()
        await self._follow(found)
        self._compare_at = time.monotonic() + _COMPARE_S

    async def _follow_withdrawal(self) -> None:
        """Delete what is from before a withdrawal that the service has carried out."""
        withdrawn_ns = self._client.withdrawn_ns
        if withdrawn_ns is None or withdrawn_ns == self._followed_ns:
            return
        await asyncio.to_thread(
            self._outbox.comparison.follow_withdrawal, self._account, withdrawn_ns
        )
        self._followed_ns = withdrawn_ns

    async def _follow(self, found: GenerationBody) -> None:
        now = SeenGeneration(found.id, found.counter, found.covered)
        held = self._outbox.acknowledged
        seen = await asyncio.to_thread(held.generation, self._account)
        if not self._compared or seen is None or seen.id != now.id or now.counter < seen.counter:
            stored = await self._client.stored_streams()
            await asyncio.to_thread(self._outbox.comparison.offer_again, self._account, stored, now)
            self._compared = True
        elif seen != now:
            await asyncio.to_thread(held.set_generation, self._account, now)
        if seen is None or seen.covered != now.covered:
            self._prune_at = 0.0

    async def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            await asyncio.to_thread(self._outbox.acknowledged.prune, self._account, self._keep)
            self._prune_at = time.monotonic() + _PRUNE_S

    async def _counter(self) -> int:
        """The counter of the store's generation by the last answer."""
        found = self._client.last_generation
        if found is None:
            return 0
        seen = await asyncio.to_thread(self._outbox.acknowledged.generation, self._account)
        if seen is None or seen.id != found.id or seen.counter > found.counter:
            self._compare_at = 0.0
        return found.counter

    async def _upload_batch(self, state: StreamState) -> bool:
        """One batch of this stream; whether there may be more."""
        stream_id = state.stream.id
        notifications, gaps = await asyncio.to_thread(self._outbox.waiting, stream_id, _BATCH)
        spans = await asyncio.to_thread(self._outbox.waiting_activity, stream_id, _BATCH)
        if not notifications and not spans:
            return False
        current = await asyncio.to_thread(self._outbox.state, stream_id)
        announced = current.announced
        seen = await asyncio.to_thread(self._outbox.acknowledged.generation, self._account)
        # An API of before generations does not take the moment, and has nothing that was removed.
        imported_ns = None if seen is None else current.imported_ns
        if notifications:
            stream = None if announced else state.stream
            try:
                acknowledged = await self._client.upload(
                    stream_id, notifications, gaps, stream, imported_ns
                )
            except RefusedError as error:
                if not announced or error.status != 404:
                    raise
                await self.compare()
                if (await asyncio.to_thread(self._outbox.state, stream_id)).announced:
                    raise
                return True  # the store was set back to before this stream
        elif not announced:
            await self._client.announce(state.stream, imported_ns)
        if not announced:
            await asyncio.to_thread(self._outbox.set_announced, stream_id)
        if notifications:
            if acknowledged < notifications[0].sequence:
                waits_from = current.acknowledged
                await self.compare()
                again = await asyncio.to_thread(self._outbox.state, stream_id)
                if again.acknowledged < waits_from:
                    return True  # the store was set back: what it lacks waits again
                raise EbbtideError(
                    f"The API is missing notifications after {acknowledged} of stream "
                    f"{stream_id} that this outbox has already let go.",
                    "Its store was set back, perhaps from a backup. Nothing more is deleted here.",
                )
            counter = await self._counter()
            await asyncio.to_thread(self._outbox.acknowledge, stream_id, acknowledged, counter)
            self._uploaded += len(notifications)
            if self._on_progress is not None:
                self._on_progress(len(notifications))
        if spans:
            await self._client.upload_activity(stream_id, spans)
            last, counter = spans[-1].start_ns, await self._counter()
            await asyncio.to_thread(self._outbox.acknowledge_activity, stream_id, last, counter)
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
        (sign in again, or agree) meanwhile. ``last_problem`` is the newest error, or None.
        """
        wait = _MIN_WAIT_S
        while True:
            try:
                await self.upload_waiting()
                self.last_problem, wait = None, _MIN_WAIT_S
                await asyncio.sleep(every_s)
            except ConsentMissingError as error:
                self.last_problem, wait = str(error), _MIN_WAIT_S
                await asyncio.sleep(max(every_s, _CONSENT_S))
            except EbbtideError as error:
                self.last_problem = str(error)
                retry_after_s = error.retry_after_s if isinstance(error, UnavailableError) else None
                await asyncio.sleep(min(max(wait, retry_after_s or 0.0), _MAX_RETRY_AFTER_S))
                wait = min(wait * 2, _MAX_WAIT_S)
