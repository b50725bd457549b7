"""Make this process drop what it holds of people who were erased, by whichever process.

The audit names each erasure by its subject; every worker reads its new lines every few seconds.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

from api.services.cache.analysis import AnalysisCache
from api.services.compute import replace_workers
from api.services.erasure import PURGE_ERRORS, adopt_erasures
from api.services.erasure_again import ERASED_AGAIN, carry_out_erasures
from api.services.snapshots import clear_snapshots
from store import LedgerError, Stores
from store.models import ERASED, ERASURE_BEGUN, WITHDRAWAL_BEGUN, WITHDRAWAL_DONE, AuditLine

WATCH_EVERY_S = 2.0
_DONE = frozenset({ERASED, ERASED_AGAIN, WITHDRAWAL_DONE})
_ACTIONS = _DONE | {ERASURE_BEGUN, WITHDRAWAL_BEGUN}
# Requests that read before the erasure may put a result into a cache after it: a job runs for five
# minutes at most, and may have waited ten for its turn.
_REPEAT_S = 900.0
_AFTER_REQUESTS_S = 30.0  # nearly all requests have ended by then
_RETRY_S = 60.0
# A process is replaced after an erasure, since only its end frees all memory for certain; not more
# often than this, as each time live streams begin anew.
MIN_AGE_S = 300.0
_OVERWRITING_S = 300.0
# A number is taken before its line is committed: a line may appear below the newest one.
_OVERLAP = 32
# Blocks that are filled and released again: the allocators' free blocks of these sizes held objects
# of a person. Sizes of pymalloc are multiples of 16 up to 512; above, malloc's.
_SMALL_SIZES, _LARGE_SIZES = range(16, 513, 16), tuple(2**k for k in range(10, 18))
_FILL_BYTES = 2**20

_LOG = logging.getLogger("ebbtide.erasure")


class ErasureWatch:
    """What this process has seen of erasures. ``poll`` is called by one thread at a time."""

    def __init__(
        self,
        stores: Stores,
        cache: AnalysisCache,
        forget_results: Callable[[], None],
        snapshots: Path | None = None,
        erase_local: Callable[[str], None] | None = None,
        replace_process: Callable[[], None] | None = None,
    ) -> None:
        self._stores = stores
        self._cache = cache
        self._forget_results = forget_results
        self._snapshots = snapshots
        self._erase_local = erase_local
        self._replace_process = replace_process
        self._started = time.monotonic()
        self._replace_at = self._replace_until = math.inf
        self._last = self._begin = stores.records.last_audit()
        self._seen: set[int] = set()
        self._recent: dict[str, float] = {}  # subject → until when it is dropped again
        self._release_at: list[float] = []
        self._retry_at = 0.0

    def poll(self) -> None:
        """Drop what is held of those who were erased since the last call, and finish erasures that
        could not be finished. Raises errors of the stores.
        """
        now = time.monotonic()
        lines = self._read_lines()
        fresh = {line.subject for line in lines}
        self._adopt({line.subject for line in lines if line.action in _DONE})
        self._recent |= dict.fromkeys(fresh, now + _REPEAT_S)
        self._recent = {subject: end for subject, end in self._recent.items() if end > now}
        for subject in self._recent:
            self._cache.drop(subject)
        if fresh:
            self._release_at += [now, now + _AFTER_REQUESTS_S, now + _REPEAT_S]
            self._replace_at = max(now, self._started + MIN_AGE_S)
            self._replace_until = self._replace_at + _OVERWRITING_S
        if any(moment <= now for moment in self._release_at):
            self._release_at = [moment for moment in self._release_at if moment > now]
            # Each machine has a folder of its own: whoever erased cleared that of another.
            clear_snapshots(self._snapshots)
            self._release()
        ledger = self._stores.ledger
        is_unfinished = False
        if now >= min(self._retry_at, self._replace_at):
            is_unfinished = ledger is not None and bool(ledger.read().unfinished)
        if now >= self._retry_at:
            self._retry_at = now + _RETRY_S
            if is_unfinished:
                self._carry_out()
        # The request that erases still overwrites, in this process or another, where it is not
        # finished: its answer would be lost.
        if now >= self._replace_until or (now >= self._replace_at and not is_unfinished):
            self._replace_at = self._replace_until = math.inf
            if self._replace_process is not None:
                self._replace_process()

    def _adopt(self, subjects: set[str]) -> None:
        """Note erasures of other machines in this one's ledger, from which they are carried out
        again after a restore. Those under way are not noted: whether the account goes, too, is not
        in the audit until they are done.
        """
        if not subjects:
            return
        try:
            adopt_erasures(self._stores, subjects)
        except LedgerError as error:  # adopted at the next start
            _LOG.error("%s", error)

    def _read_lines(self) -> list[AuditLine]:
        """The new lines of erasures."""
        records = self._stores.records
        lines = records.audit_after(max(0, self._last - _OVERLAP))
        last = max((number for number, _ in lines), default=0)
        if last < self._last and records.last_audit() < self._last:
            # The database was restored to an older state while this process serves it: numbers of
            # lines come a second time.
            last = records.last_audit()
            self._carry_out()
            self._cache.clear()
            self._seen, self._begin = set(), 0
            lines = records.audit_after(max(0, last - _OVERLAP))
        fresh = [
            line
            for number, line in lines
            if number not in self._seen and number > self._begin and line.action in _ACTIONS
        ]
        self._seen = {number for number, _ in lines}
        self._last = max(self._seen, default=0)
        return fresh

    def _carry_out(self) -> None:
        try:
            carry_out_erasures(self._stores, self._snapshots, self._erase_local)
        except PURGE_ERRORS as error:
            _LOG.error("erasures are not finished: %s", type(error).__name__)

    def _release(self) -> None:
        self._forget_results()
        replace_workers()
        self._stores.beats.release_memory()
        self._stores.records.release_memory()
        scrub_memory()


def scrub_memory() -> None:
    """Collect garbage, return free pages to the system, and write over free blocks.

    What an object held stays in memory after it is released, until the place is used again. Not all
    free blocks are reached: only the end of the process is certain.
    """
    gc.collect()
    for size in (*_SMALL_SIZES, *_LARGE_SIZES):
        blocks = [bytes(max(1, size - sys.getsizeof(b""))) for _ in range(_FILL_BYTES // size)]
        del blocks
    _trim()


def _trim() -> None:
    """Return free pages of malloc to the system, where the C library can (glibc)."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
