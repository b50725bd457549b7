"""What a process has worked out and keeps for whoever asks next. All of it can be made again. What
is an hour old is given to nobody, and goes when the next thing is kept: also what there was of a
person who was erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.services.cache.rating_windows import KnownWindows
from api.services.cache.responses import KnownAnswers
from api.services.cache.stress_index import KnownIndexes
from api.services.stress_baseline import Histories


@dataclass(frozen=True, slots=True)
class Known:
    """Each kind by itself."""

    histories: Histories = field(default_factory=Histories)
    indexes: KnownIndexes = field(default_factory=KnownIndexes)
    windows: KnownWindows = field(default_factory=KnownWindows)
    answers: KnownAnswers = field(default_factory=KnownAnswers)


async def known_of(request: Request) -> Known:
    """That of this application."""
    known: Known = request.app.state.known
    return known


InKnown = Annotated[Known, Depends(known_of)]
