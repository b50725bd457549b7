"""Answers that were made before, in this process: nothing is worked out again that did not change.

What an answer hangs on is its key, the content of the beats included, so an old answer is never
given for new beats; it only falls out when there is no more room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request

_MOST_BYTES = 64 * 1024 * 1024


class KnownAnswers:
    """The answers that were asked for last, up to so many bytes."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._bytes = 0
        self._known: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """The answer, if it is known."""
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def put(self, key: Hashable, answer: bytes) -> None:
        """Keep it, and let go of those that nobody asked for the longest."""
        with self._lock:
            self._bytes += len(answer) - len(self._known.pop(key, b""))
            self._known[key] = answer
            while self._bytes > self._most_bytes and self._known:
                self._bytes -= len(self._known.popitem(last=False)[1])


async def known_answers_of(request: Request) -> KnownAnswers:
    """Those of this application."""
    answers: KnownAnswers = request.app.state.answers
    return answers


Answers = Annotated[KnownAnswers, Depends(known_answers_of)]
