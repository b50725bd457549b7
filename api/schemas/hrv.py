"""HRV of windows, of a trend, and the stress index."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from analytics.hrv.stress_index import StressIndex
from ebbtide.beats import Origin


def finite_or_none(value: Any) -> float | None:
    """A number, or None for NaN."""
    return float(value) if math.isfinite(value) else None


class StressIndexOut(BaseModel):
    """How far from the person's own usual: 0 to 100, 50 is usual. Null where ``missing`` says
    why.
    """

    value: float | None = Field(examples=[61.0])
    low: float | None = Field(description="95% interval", examples=[42.0])
    high: float | None = Field(examples=[78.0])
    baseline_days: int = Field(description="Days it was compared with", examples=[14])
    missing: str | None

    @classmethod
    def from_index(cls, index: StressIndex, row: int) -> StressIndexOut:
        """The stress index of one of the windows."""
        reason = index.missing_reason[row]
        return cls(
            value=finite_or_none(index.value[row]),
            low=finite_or_none(index.low[row]),
            high=finite_or_none(index.high[row]),
            baseline_days=int(index.baseline_days[row]),
            missing=None if reason is None else str(reason),
        )


class HrvOut(BaseModel):
    """One window. Metrics are null where ``missing`` says why."""

    start: datetime
    end: datetime
    beats: int
    coverage: float = Field(description="Share of the window that NN intervals fill")
    removed_share: float | None = Field(description="Share of RR intervals that are not normal")
    filled_share: float = Field(
        description="Share of the corrected series that was filled in (spectrum, entropy, DFA)"
    )
    longest_gap_s: float = Field(description="Longest time without a normal interval")
    contact_share: float | None = Field(
        description="Share of intervals with skin contact, where the strap tells"
    )
    motion_mg: float | None = Field(
        description="Mean amplitude deviation of acceleration, where the strap has it"
    )
    mean_hr_bpm: float | None = Field(examples=[64.2])
    rmssd_ms: float | None = Field(examples=[31.5])
    sdnn_ms: float | None = Field(examples=[48.0])
    figures: dict[str, float | None] = Field(
        description="The metrics of the requested domains, by name; docs/evidence/"
        "hrv.md has what each is",
        examples=[{"lf_ms2": 812.4, "hf_ms2": 655.0, "vlf_ms2": None}],
    )
    absent: dict[str, str] = Field(
        description="Why a metric is null, where the window as a whole is usable",
        examples=[{"vlf_ms2": "180 s of NN intervals; 270 s are needed"}],
    )
    stress_index: StressIndexOut | None
    notes: list[str]
    missing: str | None


class HrvReport(BaseModel):
    """Windows of a range, by time. Windows without any beat are left out of the list."""

    windows: list[HrvOut]
    origins: list[Origin] = Field(description="Where the beats come from")
    method: str


class TrendBucket(BaseModel):
    """The usable five-minute windows that begin in a stretch of time: their medians."""

    start: datetime
    windows: int = Field(description="Windows with any beats")
    usable: int
    mean_hr_bpm: float | None
    rmssd_ms: float | None
    sdnn_ms: float | None
    stress_index: StressIndexOut = Field(
        description="Of the typical window: the medians of value, low and high"
    )


class TrendReport(BaseModel):
    """Stretches with any beats, by time; what is not in the list has none."""

    buckets: list[TrendBucket]
    windows: int
    usable: int
    origins: list[Origin]
    method: str
