"""A recording in a file, whatever the format: beats with their times."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.beats import Gap, Notification


@dataclass(frozen=True, slots=True)
class FileRecording:
    """One unbroken relation to one source, which becomes one stream.

    ``notifications`` are numbered from 1, ``gaps`` belong to them as in a stream. ``content`` names
    the recording by what is in it, so that a second import is known as such.
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
class RecordedFile:
    """What a file holds. ``problems`` are told line by line; the rest was kept."""

    format: str
    recordings: tuple[FileRecording, ...]
    problems: tuple[str, ...]

    @property
    def beats(self) -> int:
        """Intervals in all recordings."""
        return sum(recording.beats for recording in self.recordings)
