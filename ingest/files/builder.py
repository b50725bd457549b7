"""Put the beats of a file into notifications, as a stream holds them."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence

from ebbtide.beats import Gap, GapReason, Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.files.recording import FileRecording
from ingest.timing.beat_clock import BeatClock

_MAX_RR = 16  # in one notification
# A beat time that disagrees with its interval by more than this begins after a gap.
_MAX_MISMATCH = 250 * MILLISECOND


class RecordingBuilder:
    """Collects the beats of one recording, which must come in order of time."""

    def __init__(self, source: str, ticks_per_second: int, origin: Origin = Origin.FILE) -> None:
        self._origin = origin
        self._source = source[:200]
        self._scale = ticks_per_second
        self._clock = BeatClock(ticks_per_second)
        self._rr_ticks = array("i")
        self._times_ns = array("q")
        self._ends = array("i")
        self._received_ns = array("q")
        self._gaps: list[Gap] = []
        self._last: int | None = None
        # Without the name: a renamed file is the same recording.
        self._content = hashlib.sha256(str(ticks_per_second).encode())
        self._next_gap: Gap | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there are no beats yet."""
        return not self._ends

    @property
    def last_ns(self) -> int | None:
        """The last beat so far."""
        return self._last

    @property
    def content(self) -> str:
        """A hash of the beats so far."""
        return self._content.hexdigest()

    def add_arrival(self, rr_ticks: Sequence[int], received_ns: int) -> None:
        """Add intervals that an app logged at ``received_ns``: placed as a strap's are."""
        placement = self._clock.place(rr_ticks, received_ns)
        gap = placement.gap
        self._put(
            rr_ticks,
            placement.beat_times_ns,
            received_ns,
            None if gap is None else Gap(0, gap[0], gap[1], gap[2]),
        )

    def add_run(self, rr_ticks: Sequence[int], start_ns: int) -> int:
        """Add intervals of which the first begins at ``start_ns``, after a gap; when the last ends.

        Raises ValueError if they begin before the last beat.
        """
        gap = None
        if self._last is not None:
            if start_ns < self._last:
                raise ValueError("beats must come in order of time")
            gap = Gap(0, self._last, start_ns, GapReason.PAUSED)
        elapsed = 0
        for at in range(0, len(rr_ticks), _MAX_RR):
            part = rr_ticks[at : at + _MAX_RR]
            times = []
            for ticks in part:
                elapsed += ticks
                times.append(start_ns + elapsed * SECOND // self._scale)
            self._put(part, times, times[-1], None if at else gap)
        return times[-1]

    def add_beats(self, rr_ticks: Sequence[int], times_ns: Sequence[int]) -> None:
        """Add intervals with the time of the beat that ends each."""
        part: list[tuple[int, int]] = []
        for ticks, time in zip(rr_ticks, times_ns, strict=True):
            span = ticks * SECOND // self._scale
            before = part[-1][1] if part else self._last
            broken = before is not None and time - span > before + _MAX_MISMATCH
            if part and (broken or len(part) == _MAX_RR):
                self._put_part(part)
                part = []
            if not part and broken and before is not None:
                self._next_gap = Gap(0, before, time - span, GapReason.PAUSED)
            part.append((ticks, time))
        if part:
            self._put_part(part)

    def _put_part(self, part: list[tuple[int, int]]) -> None:
        gap, self._next_gap = self._next_gap, None
        self._put([p[0] for p in part], [p[1] for p in part], part[-1][1], gap)

    def _put(
        self, rr_ticks: Sequence[int], times_ns: Sequence[int], received_ns: int, gap: Gap | None
    ) -> None:
        self._rr_ticks.extend(rr_ticks)
        self._times_ns.extend(times_ns)
        self._ends.append(len(self._rr_ticks))
        self._received_ns.append(received_ns)
        if gap is not None:
            self._gaps.append(Gap(len(self._ends), gap.start_ns, gap.end_ns, gap.reason))
        self._last = times_ns[-1]
        self._content.update(repr((tuple(rr_ticks), tuple(times_ns))).encode())

    def build(self, first_content: str | None = None) -> FileRecording:
        """Make the recording of all beats so far.

        ``first_content``: a hash of its first beats, for a source whose later files begin with the
        same ones.
        """
        return FileRecording(
            self._source,
            first_content or self.content,
            self._scale,
            self._rr_ticks,
            self._times_ns,
            self._ends,
            self._received_ns,
            tuple(self._gaps),
            grows=first_content is not None,
            origin=self._origin,
        )


_MAX_RATE = 300  # beats/min


class RateBuilder:
    """Collects the heart rates of one recording of a device that has no times between beats."""

    def __init__(self, source: str) -> None:
        self._source = source[:200]
        self._times_ns = array("q")
        self._rates = array("i")

    @property
    def is_empty(self) -> bool:
        """Whether there are none yet."""
        return not self._rates

    def add(self, time_ns: int, rate_bpm: float) -> bool:
        """Add a heart rate, unless it is none of a person or not later than the one before;
        whether it was added.
        """
        rate = round(rate_bpm) if rate_bpm == rate_bpm and abs(rate_bpm) < 1e6 else 0
        if not 0 < rate <= _MAX_RATE or (self._times_ns and time_ns <= self._times_ns[-1]):
            return False
        self._times_ns.append(time_ns)
        self._rates.append(rate)
        return True

    def build(self) -> FileRecording:
        """Make the recording of all heart rates so far."""
        content = hashlib.sha256(b"heart rates")
        content.update(self._times_ns.tobytes() + self._rates.tobytes())
        return FileRecording(
            self._source,
            content.hexdigest(),
            STRAP_TICKS_PER_SECOND,
            array("i"),
            array("q"),
            array("i", bytes(4 * len(self._rates))),
            self._times_ns,
            (),
            rates=self._rates,
        )
