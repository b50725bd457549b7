"""A recording in a file, whatever the format: beats with their times; and what a format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ebbtide.beats import Gap, Notification


@dataclass(frozen=True, slots=True)
class FileRecording:
    """One unbroken relation to one source, which becomes one stream.

    ``notifications`` are numbered from 1, ``gaps`` belong to them as in a stream. ``content`` is a
    hash of the beats, so that a second import finds the stream of the first.
    """

    source: str
    content: str
    ticks_per_second: int
    notifications: tuple[Notification, ...]
    gaps: tuple[Gap, ...]

    @property
    def beats(self) -> int:
        """Intervals in all notifications."""
        return sum(len(item.rr_ticks) for item in self.notifications)

    @property
    def start_ns(self) -> int:
        """Its first beat."""
        return self.notifications[0].beat_times_ns[0]


@dataclass(frozen=True, slots=True)
class ReadAs:
    """What was decided about a text file.

    ``quantity``: RR, PPI (pulse intervals of an optical sensor) or beat times.
    """

    column: str
    unit: str
    rows: int
    encoding: str
    decimal: str = "."
    time: str | None = None
    quantity: str = "RR"


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """What a file holds. ``problems`` names each part that could not be read; the rest was.

    ``read_as``: what was decided, for formats that do not say it themselves. ``notes``: what a
    person must know about how it was read.
    """

    format: str
    recordings: tuple[FileRecording, ...]
    problems: tuple[str, ...]
    read_as: ReadAs | None = None
    notes: tuple[str, ...] = ()

    @property
    def beats(self) -> int:
        """Intervals in all recordings."""
        return sum(recording.beats for recording in self.recordings)


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What a reader may need beside the file.

    ``zone``: of times without an offset. ``start_ns``: the beginning of a recording without times.
    ``on_progress``: called now and then with the bytes read so far. ``zone_given``: a person or an
    account named the zone. ``column``, ``unit``, ``decimal``: of a text file, where a person says.
    """

    zone: str = "UTC"
    start_ns: int | None = None
    on_progress: Callable[[int], None] | None = None
    zone_given: bool = True
    column: str | None = None
    unit: str | None = None
    decimal: str | None = None


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format that can be imported.

    ``timed``: the file holds the times of its beats. ``matches`` decides by the first 4096 bytes.
    ``read`` raises EbbtideError, saying what to do, when there is no beat in the file.
    """

    name: str
    timed: bool
    matches: Callable[[bytes], bool]
    read: Callable[[Path, ReadContext], RecordedFile]


def first_line(head: bytes) -> str:
    """The first line of a text file, from its first bytes."""
    return head.decode("utf-8-sig", "replace").partition("\n")[0]
