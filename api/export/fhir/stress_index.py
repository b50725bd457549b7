"""The stress index of the half hour before each rating, as Observations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analytics.hrv.relative_stress import METHOD
from api.export.fhir import terms
from api.export.fhir.resources import Resource, Subject, identified, observation, quantity
from api.export.tables import own_stress_before
from api.services.cache.analysis import AnalysisCache
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import Person, Rating

BEFORE_NS = 30 * MINUTE
INDEX_PREFIX = "index-"  # of their ids
_DECIMALS = 1  # its interval is tens of points wide


@dataclass(frozen=True, slots=True)
class IndexBefore:
    """The index of the half hour before a rating, 0 to 100, with its 95% interval."""

    rating_id: str
    about_ns: int
    value: float
    low: float
    high: float
    is_simulated: bool

    @property
    def start_ns(self) -> int:
        """When the half hour began."""
        return self.about_ns - BEFORE_NS


def load_indices(
    stores: Stores, cache: AnalysisCache, person: Person, ratings: list[Rating]
) -> list[IndexBefore]:
    """Compute the index before each of these ratings; none where it is not known."""
    return known_indices(own_stress_before(stores, cache, person, ratings))


def known_indices(columns: dict[str, Any]) -> list[IndexBefore]:
    """Read the rows with an index from columns of the table ``stress_before``."""
    names = ("rating", "about_ns", "stress_index", "stress_index_low", "stress_index_high")
    rows: Iterable[tuple[Any, ...]] = zip(
        *(_plain(columns[name]) for name in (*names, "simulated")), strict=True
    )
    return [IndexBefore(*row) for row in rows if row[2] is not None and math.isfinite(row[2])]


def index_resource(index: IndexBefore, subject: Subject, zone: str) -> Resource:
    """Map an index to an Observation; its identifier is the rating's id."""
    return {
        "resourceType": "Observation",
        "id": f"{INDEX_PREFIX}{index.rating_id}",
        **subject.meta(index.is_simulated or subject.is_simulated),
        **identified(subject, terms.INDEX_ID, index.rating_id),
        **observation(terms.STRESS_INDEX, "final", subject),
        "effectivePeriod": {
            "start": subject.time(index.start_ns, zone),
            "end": subject.time(index.about_ns, zone),
        },
        "valueQuantity": quantity(terms.STRESS_INDEX, round(index.value, _DECIMALS)),
        "method": {"text": METHOD},
        "device": {"reference": f"Device/{terms.DEVICE_ID}"},
        "component": [
            {
                "code": terms.concept(code),
                "valueQuantity": quantity(code, round(value, _DECIMALS)),
            }
            for code, value in (
                (terms.INTERVAL_LOW, index.low),
                (terms.INTERVAL_HIGH, index.high),
            )
        ],
    }


def _plain(values: Any) -> list[Any]:
    if hasattr(values, "to_pylist"):
        found: list[Any] = values.to_pylist()
        return found
    return values.tolist() if hasattr(values, "tolist") else list(values)
