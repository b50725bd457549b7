"""What a process has worked out and keeps for whoever asks next. All of it can be made again. What
is an hour old is given to nobody, and goes when the next thing is kept: also what there was of a
person who was erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.services.cache.rating_windows import RatingWindowCache
from api.services.cache.responses import ResponseCache
from api.services.cache.stress_index import StressIndexCache
from api.services.stress_baseline import StressBaselineCache


@dataclass(frozen=True, slots=True)
class AnalysisCache:
    """Each kind by itself."""

    histories: StressBaselineCache = field(default_factory=StressBaselineCache)
    indexes: StressIndexCache = field(default_factory=StressIndexCache)
    windows: RatingWindowCache = field(default_factory=RatingWindowCache)
    answers: ResponseCache = field(default_factory=ResponseCache)


async def get_cache(request: Request) -> AnalysisCache:
    """That of this application."""
    known: AnalysisCache = request.app.state.known
    return known


CacheDep = Annotated[AnalysisCache, Depends(get_cache)]
