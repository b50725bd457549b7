"""CSV files in the forms of other programs, in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import SkippedOut

Form = Literal["redcap", "m-path"]


class CsvIn(BaseModel):
    """A table of answers, in the form of an export of REDCap or m-Path."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"form": "redcap", "csv": "record_id,pgic_timestamp,pgic_1\n1,2026-11-20 08:00,2\n"}
            ]
        },
    )

    form: Form
    csv: str = Field(max_length=1_000_000)


class CsvOut(BaseModel):
    """What came of an import. ``skipped``: rows, the first after the header being 0."""

    stored: int
    new: int
    skipped: list[SkippedOut]

    @classmethod
    def from_counts(cls, stored: int, new: int, skipped: Sequence[tuple[int, str]]) -> Self:
        """What a service reports; of the rows that were not taken the first 1,000."""
        rows = [SkippedOut(entry=row, reason=why) for row, why in skipped[:1000]]
        return cls(stored=stored, new=new, skipped=rows)
