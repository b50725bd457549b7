"""A recording in a file, whatever the format: beats with their times; and what a format is."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ebbtide.beats import Gap, Notification, Origin


@dataclass(frozen=True, slots=True)
class FileRecording:
    """Beats of one source, in order of time, which become one stream.

    ``rr_ticks`` and ``times_ns``: of each beat. ``ends`` and ``received_ns``: of each notification,
    the beats up to and with it, and when it arrived. Arrays, since a file may hold the beats of
    years: 12 bytes a beat. ``gaps`` belong to the notifications, numbered from 1, as in a stream.
    ``rates``: of each notification, in beats/min, where the source has heart rates and no times
    between beats: then there are no beats.
    ``content`` is a hash of the beats, so that a second import finds the stream of the first;
    where ``grows``, of the first beats, and a later file of the same source goes on with it.
    """

    source: str
    content: str
    ticks_per_second: int
    rr_ticks: array[int]
    times_ns: array[int]
    ends: array[int]
    received_ns: array[int]
    gaps: tuple[Gap, ...]
    grows: bool = False
    origin: Origin = Origin.FILE
    rates: array[int] | None = None

    @property
    def beats(self) -> int:
        """Intervals in all notifications."""
        return len(self.rr_ticks)

    @property
    def start_ns(self) -> int:
        """Its first beat, or heart rate."""
        return self.received_ns[0] if self.rates is not None else self.times_ns[0]

    @property
    def end_ns(self) -> int:
        """Its last beat, or heart rate."""
        return self.received_ns[-1] if self.rates is not None else self.times_ns[-1]

    @property
    def count(self) -> int:
        """Intervals, or heart rates, in all notifications."""
        return len(self.ends) if self.rates is not None else self.beats

    @property
    def notifications(self) -> Notifications:
        """The beats in notifications, made as they are read."""
        return Notifications(self)


class Notifications:
    """The notifications of a recording, by place, of which none is held."""

    def __init__(self, recording: FileRecording) -> None:
        self._recording = recording

    def __len__(self) -> int:
        return len(self._recording.ends)

    def __getitem__(self, place: int) -> Notification:
        recording = self._recording
        if place < 0:
            place += len(self)
        if recording.rates is not None:
            received_ns, rate = recording.received_ns[place], recording.rates[place]
            return Notification(place + 1, received_ns, rate, (), ())
        first = recording.ends[place - 1] if place else 0
        rr_ticks = tuple(recording.rr_ticks[first : recording.ends[place]])
        mean = sum(rr_ticks) / len(rr_ticks)
        heart_rate = round(60 * recording.ticks_per_second / mean) if mean else 0
        return Notification(
            place + 1,
            recording.received_ns[place],
            min(heart_rate, 0xFFFF),
            rr_ticks,
            tuple(recording.times_ns[first : recording.ends[place]]),
        )

    def __iter__(self) -> Iterator[Notification]:
        return self.between(0, len(self))

    def between(self, first: int, end: int) -> Iterator[Notification]:
        """Those at the places from ``first`` to before ``end``."""
        return (self[place] for place in range(first, min(end, len(self))))


@dataclass(frozen=True, slots=True)
class ReadAs:
    """What was decided about a text file.

    ``quantity``: RR, PPI (pulse intervals of an optical sensor) or beat times. ``unit_from``: what
    says the unit (name, time, heart rate, sampling rate); assumed where only the size does.
    """

    column: str
    unit: str
    rows: int
    encoding: str
    decimal: str = "."
    time: str | None = None
    quantity: str = "RR"
    unit_from: str | None = None


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

    @property
    def rates(self) -> int:
        """Heart rates without intervals in all recordings."""
        return sum(one.count for one in self.recordings if one.rates is not None)


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

    def show_progress(self, path: Path, share: float) -> None:
        """Report that this share of the work on a file is done."""
        if self.on_progress is not None:
            self.on_progress(int(share * path.stat().st_size))


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


RATES_NOTE = (
    "{count} heart rates and no times between beats: they feed the stress index, by heart rate "
    "only, and no HRV"
)
PULSE_NOTE = (
    "pulse intervals of an optical sensor (PPI): figures are pulse rate variability, not HRV"
)


def first_line(head: bytes) -> str:
    """The first line of a text file, from its first bytes."""
    return head.decode("utf-8-sig", "replace").partition("\n")[0]
