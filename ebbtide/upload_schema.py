"""What ingest sends and the API reads, word for word.

Times are integers of UTC nanoseconds. They do not fit the 53 bits of a JavaScript number:
read them with a JSON parser that keeps integers whole.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin
from ebbtide.rr_units import MAX_TICKS, STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import EARLIEST, LATEST, MINUTE

MAX_BATCH = 2000  # notifications in one upload
# How far beats of a file may be ahead of the clock that judges them: clocks differ by that much.
MAX_AHEAD_NS = 5 * MINUTE

TimestampNs = Annotated[int, Field(strict=True, ge=EARLIEST, lt=LATEST)]
Ticks = Annotated[int, Field(ge=0, le=MAX_TICKS)]
Sequence = Annotated[int, Field(strict=True, ge=1, lt=2**53)]

_NOTIFICATION = TypeAdapter(Notification)


class UploadModel(BaseModel):
    """No unknown fields, nothing guessed: a typing mistake is an error and not lost data."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StreamBody(BaseModel):
    """A stream as the ingester announces it."""

    model_config = ConfigDict(extra="forbid")

    origin: Origin
    source: str = Field(min_length=1, max_length=200, examples=["Polar H10 A1B2C3D4"])
    created_ns: TimestampNs = Field(examples=[1_790_000_000_000_000_000])
    ticks_per_second: int = Field(default=STRAP_TICKS_PER_SECOND, strict=True, ge=1, le=1_000_000)
    imported_ns: TimestampNs | None = Field(
        default=None,
        description="When a person imported it: it is taken even if it was removed before that",
    )


class NotificationBody(UploadModel):
    """One notification with its beats placed in time."""

    sequence: Sequence
    received_ns: TimestampNs
    heart_rate_bpm: int = Field(ge=0, le=0xFFFF)
    # Not strict, so that the tuples of a Notification are taken; their items are strict.
    rr_ticks: list[Ticks] = Field(max_length=16, strict=False)
    beat_times_ns: list[TimestampNs] = Field(max_length=16, strict=False)
    contact: bool | None = None
    energy_kj: int | None = Field(default=None, ge=0, le=0xFFFF)

    @model_validator(mode="after")
    def _one_time_for_each_rr(self) -> Self:
        if len(self.rr_ticks) != len(self.beat_times_ns):
            raise ValueError("rr_ticks and beat_times_ns must have the same length")
        return self

    @classmethod
    def from_notification(cls, notification: Notification) -> Self:
        """Make the body that uploads ``notification``. Raises ValidationError."""
        return cls.model_validate(notification, from_attributes=True)

    def to_notification(self) -> Notification:
        """Make the notification that this body carries."""
        return _NOTIFICATION.validate_python(vars(self))


class GapBody(BaseModel):
    """A time without beats, ended by notification ``sequence``."""

    model_config = ConfigDict(extra="forbid")

    sequence: Sequence
    start_ns: TimestampNs
    end_ns: TimestampNs
    reason: GapReason

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end_ns < self.start_ns:
            raise ValueError("a gap cannot end before it starts")
        return self

    @classmethod
    def from_gap(cls, gap: Gap) -> Self:
        """Make the body that uploads ``gap``. Raises ValidationError."""
        return cls.model_validate(gap, from_attributes=True)

    def to_gap(self) -> Gap:
        """Make the gap that this body carries."""
        return Gap(**vars(self))


class UploadBody(BaseModel):
    """A batch of one stream: notifications ``first`` to ``last`` without a hole."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "first": 1,
                    "last": 2,
                    "notifications": [
                        {
                            "sequence": 1,
                            "received_ns": 1_790_000_001_000_000_000,
                            "heart_rate_bpm": 72,
                            "rr_ticks": [853],
                            "beat_times_ns": [1_790_000_000_900_000_000],
                            "contact": True,
                        },
                        {
                            "sequence": 2,
                            "received_ns": 1_790_000_002_000_000_000,
                            "heart_rate_bpm": 72,
                            "rr_ticks": [840],
                            "beat_times_ns": [1_790_000_001_720_312_500],
                            "contact": True,
                        },
                    ],
                    "gaps": [],
                }
            ]
        },
    )

    stream: StreamBody | None = Field(
        default=None, description="Creates the stream if it does not exist, as PUT does."
    )
    first: Sequence
    last: Sequence
    notifications: list[NotificationBody] = Field(min_length=1, max_length=MAX_BATCH)
    gaps: list[GapBody] = Field(default_factory=list, max_length=MAX_BATCH)

    @model_validator(mode="after")
    def _whole_and_in_order(self) -> Self:
        # Compared as a range: its numbers are never laid out, however far apart the two are said.
        expected = range(self.first, self.last + 1)
        if len(self.notifications) != len(expected) or any(
            n.sequence != k for n, k in zip(self.notifications, expected, strict=True)
        ):
            raise ValueError(
                f"notifications must carry the sequence numbers {self.first} to {self.last}, "
                "each once and in order"
            )
        times = [t for n in self.notifications for t in n.beat_times_ns]
        if any(after <= before for before, after in itertools.pairwise(times)):
            raise ValueError("beat_times_ns must be strictly increasing within a stream")
        for gap in self.gaps:
            if not self.first <= gap.sequence <= self.last:
                raise ValueError(f"the gap before notification {gap.sequence} is not of this batch")
        return self


class ActivityBody(UploadModel):
    """How much the wearer moved in the five seconds from ``start_ns``."""

    start_ns: TimestampNs = Field(examples=[1_790_000_000_000_000_000])
    mad_mg: float = Field(
        ge=0,
        le=100_000,
        allow_inf_nan=False,
        description="Mean amplitude deviation of acceleration, thousandths of g",
        examples=[18.5],
    )

    @classmethod
    def from_activity(cls, activity: Activity) -> Self:
        """Make the body that uploads ``activity``. Raises ValidationError."""
        return cls.model_validate(activity, from_attributes=True)

    def to_activity(self) -> Activity:
        """Make the activity that this body carries."""
        return Activity(**vars(self))


class ActivityUploadBody(BaseModel):
    """Spans of activity of one stream, in any order. The same span again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    spans: list[ActivityBody] = Field(min_length=1, max_length=MAX_BATCH)


class GenerationBody(BaseModel):
    """Which state of the store this is.

    An outbox that sees another ``id``, or a lower ``counter`` than before, offers again what the
    store does not have.
    """

    id: str = Field(description="Random; another one after each restore")
    counter: int = Field(ge=0, description="Rises with each backup and each restore")
    covered: int = Field(
        ge=0, description="What was acknowledged at a counter up to this one is in a backup"
    )


class AcknowledgedBody(BaseModel):
    """The highest sequence number of the stream below or at which nothing is missing."""

    stream_id: str
    acknowledged: int = Field(ge=0, examples=[2])
    generation: GenerationBody | None = Field(
        default=None, description="Of the store, read after the batch was stored"
    )
