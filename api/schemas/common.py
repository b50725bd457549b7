"""What request and response models share: the rating scale, records as responses, imports."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

# the numerical rating scale
Nrs = Annotated[int, Field(ge=0, le=10, strict=True)]


class RecordOut(BaseModel):
    """A response that is made of a record."""

    @classmethod
    def from_record(cls, record: object, **computed: Any) -> Self:
        """Take each field from the record's attribute of that name, except those computed.

        Fields are null where there is no record (None).
        """
        names = cls.model_fields.keys() - computed.keys()
        taken = {name: None if record is None else getattr(record, name) for name in names}
        return cls(**taken, **computed)


class SkippedOut(BaseModel):
    """An entry that was not taken."""

    entry: int = Field(description="Its place in the list, from 0")
    reason: str


class ImportOut(BaseModel):
    """What came of an import."""

    ratings: int = Field(description="Stored, or stored already")
    heart_rates: int = Field(description="Stored, without intervals: no HRV is computed from them")
    answers: int = Field(default=0, description="Questionnaires stored, or stored already")
    new: int = Field(description="Entries of these that were not stored before, or not as such")
    stream_id: str | None = Field(
        description="Always null: heart rates from elsewhere are no stream any more"
    )
    skipped: list[SkippedOut] = Field(description="The first 1,000 entries that were not taken")
    skipped_count: int = Field(description="How many entries were not taken")
