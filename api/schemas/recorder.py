"""The recorder of this computer: its straps, what a scan has found, and what is asked of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Connection = Literal["searching", "connecting", "connected", "silent", "lost", "trouble", "off"]
Trouble = Literal[
    "not heard",
    "no answer",
    "address changed",
    "no link left",
    "no adapter",
    "adapter off",
    "no daemon",
    "not allowed",
    "other",
]
Problem = Literal["disk", "another recorder", "not running", "not signed in"]
UploadProblem = Literal["consent", "refused", "no answer"]
Heard = Literal["intervals", "pulse intervals", "heart rate"] | None
StrapName = Annotated[str, Field(min_length=1, max_length=60, examples=["Polar H10"])]
# A Bluetooth address, or the UUID that macOS gives instead.
Address = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4,12}){4}$",
        examples=["C0:00:00:00:00:01"],
    ),
]


class StrapOut(BaseModel):
    """A strap that is paired with the person who reads this."""

    address: str = Field(examples=["C0:00:00:00:00:01"])
    name: str = Field(examples=["Polar H10"])
    model: str | None = Field(default=None, examples=["H10"])
    connection: Connection = Field(default="off", description="off: no recorder runs for it")
    trouble: Trouble | None = Field(default=None, description="Why it is not connected, if known")
    heart_rate_bpm: int | None = Field(default=None, description="Of now, while it is worn")
    contact: bool | None = Field(
        default=None, description="Whether it feels skin; null where it cannot say, or is silent"
    )
    has_intervals: bool | None = Field(
        default=None, description="Whether it sends the time between beats now"
    )
    battery_percent: int | None = None
    last_heard: datetime | None = None
    beats: int = Field(default=0, description="Recorded since the recorder began with it")
    off_notice: bool = Field(
        default=False,
        description="Worn earlier today and silent for ten minutes, by day, and not yet said",
    )


class FoundOut(BaseModel):
    """A strap that a scan hears. ``is_certain`` is false where only its name or kind suggests that
    it is one.
    """

    address: str
    name: str
    signal_dbm: int | None
    is_certain: bool
    paired_with: Literal["you", "somebody else"] | None = None


class ScanOut(BaseModel):
    """The scan that runs, or the last one."""

    is_running: bool = False
    seconds_left: int = 0
    trouble: Trouble | None = None
    found: list[FoundOut] = Field(default_factory=list)


class RecorderOut(BaseModel):
    """What the recorder of this computer does for the person who reads this."""

    computer: str = Field(description="The name of the computer that records", examples=["desk"])
    straps: list[StrapOut]
    problem: Problem | None = Field(description="Why nothing is recorded at all")
    bluetooth: Trouble | None = Field(description="What is wrong with this computer's Bluetooth")
    upload: UploadProblem | None = Field(description="Why what is recorded waits")
    waiting: int = Field(description="Notifications recorded, and not yet stored by the service")
    most_links: int = Field(description="Straps that were connected at once, at most")
    straps_of_others: int = Field(description="Straps of other people that this computer records")


class ScanIn(BaseModel):
    """How long to listen."""

    model_config = ConfigDict(extra="forbid")

    seconds: int = Field(default=20, ge=3, le=30, strict=True)


class PairIn(BaseModel):
    """The strap to pair, and what to call it."""

    model_config = ConfigDict(extra="forbid")

    address: Address
    name: StrapName | None = None


class PairedOut(BaseModel):
    """A strap that was paired. ``heard`` is null where it sent nothing yet, as one that is not
    worn; "heart rate" alone gives no heart rate variability.
    """

    strap: StrapOut
    heard: Heard


class StrapChangeIn(BaseModel):
    """What to call the strap from now on."""

    model_config = ConfigDict(extra="forbid")

    name: StrapName
