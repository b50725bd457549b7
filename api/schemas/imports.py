"""The answer to an import of FHIR or Open mHealth."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SkippedOut(BaseModel):
    """An entry that was not taken."""

    entry: int = Field(description="Its place in the list, from 0")
    reason: str


class ImportOut(BaseModel):
    """What came of an import."""

    ratings: int = Field(description="Stored, or stored already")
    heart_rates: int = Field(description="Stored, without intervals: no HRV is computed from them")
    stream_id: str | None
    skipped: list[SkippedOut]
