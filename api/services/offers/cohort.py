"""Practice by lot over everybody who agreed to research, of weeks that are released."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics.practice import ClinicEffects, ClinicMoments, clinic_effects
from api.services.compute import compute, raise_if_stopped
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.offers.moment_rows import MomentRow
from api.services.research_rows import ReleasedRows
from ebbtide.timestamps import DAY, HOUR
from store import Stores

# Of one person, the first; of a clinic of hundreds that is still a second or two.
MAX_MOMENTS = 1000
_ROW_S = 2e-5


@dataclass(frozen=True, slots=True, eq=False)
class CohortMoments:
    """``moments``: of whom an offer was drawn. ``simulated``: some of it is."""

    moments: ClinicMoments
    simulated: bool

    @property
    def price_s(self) -> float:
        """Seconds that the estimate takes, about."""
        return 0.1 + _ROW_S * len(self.moments.person)


def read_cohort_moments(stores: Stores, subjects: list[ExportSubject]) -> CohortMoments:
    """Read the drawn moments of these people."""
    rows: list[tuple[int, MomentRow, float]] = []
    simulated = False
    for number, subject in enumerate(subjects):
        raise_if_stopped()
        drawn = [
            row
            for row in ReleasedRows(stores, subject, ExportQuery.of_all()).moments()
            if row.point.offered is not None
        ][:MAX_MOMENTS]
        if not drawn:
            continue
        first = drawn[0].point.planned_ns // DAY
        rows += [(number, row, row.point.planned_ns // DAY - first) for row in drawn]
        simulated |= subject.person.simulated or any(row.point.simulated for row in drawn)
    points = [row.point for _, row, _ in rows]
    return CohortMoments(
        ClinicMoments(
            person=np.array([number for number, _, _ in rows], dtype=np.int64),
            offered=np.array([bool(point.offered) for point in points], dtype=np.bool_),
            probability=np.array([point.probability for point in points], dtype=np.float64),
            stress_before=_column([row.stress[0] for _, row, _ in rows]),
            pain_before=_column([row.pain[0] for _, row, _ in rows]),
            stress_after=_column([row.stress[1] for _, row, _ in rows]),
            pain_after=_column([row.pain[1] for _, row, _ in rows]),
            hour=np.array([point.planned_ns % DAY / HOUR for point in points], dtype=np.float64),
            day=np.array([day for _, _, day in rows], dtype=np.float64),
        ),
        simulated,
    )


def compute_cohort_offers(found: CohortMoments) -> ClinicEffects:
    """Estimate what offers did over these people. Pure: it reads no store."""
    return compute(found.price_s, clinic_effects, found.moments)


def _column(values: list[int | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
