"""HRV of windows, of a trend, and the stress index."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from analytics.hrv import StressIndex
from analytics.hrv.relative_stress import METHOD
from ebbtide.beats import Origin

STRESS_INDEX_VERSION = int(METHOD.rpartition("version ")[2])


def finite_or_none(value: Any) -> float | None:
    """A number, or None for NaN."""
    return float(value) if math.isfinite(value) else None


class StressIndexOut(BaseModel):
    """Of how many in 100 of the person's usual moments at this hour the heart was less calm here:
    50 is usual. Null where ``missing`` says why.
    """

    value: float | None = Field(examples=[30.0])
    low: float | None = Field(
        description="95% interval, of the value's own doubt and the baseline's", examples=[18.0]
    )
    high: float | None = Field(examples=[45.0])
    own_low: float | None = Field(
        description="95% interval without the baseline's doubt: to compare two values",
        examples=[22.0],
    )
    own_high: float | None = Field(examples=[40.0])
    usual_low: float | None = Field(
        description="The baseline's doubt, a band around 50 that moves all days alike",
        examples=[41.0],
    )
    usual_high: float | None = Field(examples=[59.0])
    baseline_days: int = Field(description="Worn days it was compared with", examples=[14])
    known_share: float = Field(
        description="Share of the time with a heart rate at rest", examples=[0.8]
    )
    reported_share: float = Field(
        description="Share of the heart rates behind it that a device reported by itself, without "
        "times between beats: 1 is by heart rate only",
        examples=[0.0],
    )
    version: int = Field(description="Of the method", examples=[2])
    missing: str | None

    @classmethod
    def from_index(
        cls, index: StressIndex, row: int, minutes: float, reported_share: float = 0.0
    ) -> StressIndexOut:
        """The stress index of one window or group, which lasts so many minutes."""
        reason = index.missing_reason[row]
        return cls(
            value=finite_or_none(index.value[row]),
            low=finite_or_none(index.low[row]),
            high=finite_or_none(index.high[row]),
            own_low=finite_or_none(index.own_low[row]),
            own_high=finite_or_none(index.own_high[row]),
            usual_low=finite_or_none(index.usual_low[row]),
            usual_high=finite_or_none(index.usual_high[row]),
            baseline_days=int(index.baseline_days[row]),
            known_share=min(1.0, int(index.known_minutes[row]) / max(minutes, 1.0)),
            reported_share=round(reported_share, 3),
            version=STRESS_INDEX_VERSION,
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
    """The usable five-minute windows that begin in a stretch of time: their medians; and the stress
    index of the stretch.
    """

    start: datetime
    windows: int = Field(description="Windows with any beats")
    usable: int
    mean_hr_bpm: float | None
    rmssd_ms: float | None
    sdnn_ms: float | None
    stress_index: StressIndexOut


class StressGap(BaseModel):
    """Minutes of a day without a value, and why."""

    reason: str = Field(examples=["not worn: no skin contact"])
    minutes: int


class StressDay(BaseModel):
    """A local day, of which the waking hours count (7 to 23 h, or all of it where no beats are in
    those), or a week from Monday.
    """

    day: date = Field(description="The day, or the first of the week")
    days: int = Field(description="Days with an index in it", examples=[1])
    stress_index: StressIndexOut
    rest: StressIndexOut | None = Field(
        description="Of the guided five minutes of sitting still, where there were some"
    )
    gaps: list[StressGap] = Field(description="Of a day: what is not judged and why, most first")


class TrendReport(BaseModel):
    """Stretches with any beats, by time; what is not in the list has none. ``days`` and ``weeks``
    have every one of the range.
    """

    buckets: list[TrendBucket]
    days: list[StressDay]
    weeks: list[StressDay]
    windows: int
    usable: int
    origins: list[Origin]
    method: str
