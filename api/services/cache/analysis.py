"""The caches of one process. Everything in them is derived and can be made again. Entries expire
after an hour; those of a person who was erased are dropped (api/services/erasure_watch.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from api.services.cache.rating_windows import RatingWindowCache
from api.services.cache.responses import ResponseCache
from api.services.growing_day import GROWING_DAYS
from api.services.live_heart import LiveCache
from api.services.research_windows import ResearchWindowCache
from api.services.stress_baseline import StressBaselineCache
from ebbtide.questionnaires import QuestionnaireLibrary, load_library


class _Cache(Protocol):
    def drop(self, subject_id: str) -> None: ...

    def clear(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AnalysisCache:
    """One cache of each kind, and the questionnaires that answers are scored with."""

    baselines: StressBaselineCache = field(default_factory=StressBaselineCache)
    windows: RatingWindowCache = field(default_factory=RatingWindowCache)
    responses: ResponseCache = field(default_factory=ResponseCache)
    research: ResearchWindowCache = field(default_factory=ResearchWindowCache)
    live: LiveCache = field(default_factory=LiveCache)
    questionnaires: QuestionnaireLibrary = field(default_factory=load_library)

    def drop(self, subject_id: str) -> None:
        """Drop all that is of one subject."""
        for cache in self._all():
            cache.drop(subject_id)

    def clear(self) -> None:
        """Drop everything."""
        for cache in self._all():
            cache.clear()

    def _all(self) -> Iterator[_Cache]:
        yield from (self.baselines, self.windows, self.responses, self.research, self.live)
        yield GROWING_DAYS
