"""Beats as a store returns them, and what it says about streams and days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # they load numpy, which the command line starts without
    import numpy as np
    from numpy.typing import NDArray

    from ebbtide.beats import Gap, Origin, Stream


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Beats of one subject in a range, by time. All arrays have shape (n,).

    ``time_ns``: UTC, when each beat was. ``rr_ticks``: the interval that ended with it, in
    1 / ``ticks_per_second`` s. ``contact``: 1 skin contact, 0 none, -1 not reported.
    ``follows``: whether the interval began at the beat before it of its own stream in this
    array; False at the first of each stream, and after a gap. ``stream``: index into ``streams``.
    """

    time_ns: NDArray[np.int64]
    rr_ticks: NDArray[np.int32]
    ticks_per_second: NDArray[np.int32]
    contact: NDArray[np.int8]
    follows: NDArray[np.bool_]
    stream: NDArray[np.int32]
    streams: tuple[Stream, ...]

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def origins(self) -> frozenset[Origin]:
        """Where the beats in this range come from."""
        import numpy as np  # here, so that the command line loads the models without it

        return frozenset(self.streams[i].origin for i in np.unique(self.stream))


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Heart rates that devices reported without intervals, of one subject in a range, by time. All
    arrays have shape (n,); without those that came while the device touched no skin.

    ``time_ns``: UTC, when each came; ``bpm``; ``stream``: index into ``streams``.
    """

    time_ns: NDArray[np.int64]
    bpm: NDArray[np.float64]
    stream: NDArray[np.int32]
    streams: tuple[Stream, ...]

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True)
class StreamCoverage:
    """What is stored of one stream. ``first_ns`` and ``last_ns`` are its first and last beat, or
    where it has none, its first and last heart rate; ``rates``: heart rates without intervals;
    ``last_sequence``: the highest sequence number, which may lie behind a hole; 0 where none is.
    """

    stream: Stream
    acknowledged: int
    last_sequence: int
    beats: int
    first_ns: int | None
    last_ns: int | None
    rates: int = 0


@dataclass(frozen=True, slots=True)
class StoreGeneration:
    """Which state of a store of beats this is, by which outboxes see that it was restored.

    ``id`` is random, and another one after each restore. ``counter`` rises with each backup and
    each restore. What was acknowledged at a counter up to ``covered`` is in a finished backup.
    """

    id: str
    counter: int
    covered: int


@dataclass(frozen=True, slots=True)
class RemovedStream:
    """A stream that its person removed. ``start_ns`` and ``end_ns``: of its beats and rates,
    if any.
    """

    stream_id: str
    removed_ns: int
    start_ns: int | None
    end_ns: int | None


@dataclass(frozen=True, slots=True)
class PlacedGap:
    """A gap and the stream it is in."""

    stream_id: str
    gap: Gap


@dataclass(frozen=True, slots=True, eq=False)
class DailyWindows:
    """HRV windows that were computed from a UTC day. ``fingerprint``: of the content they were
    computed from; ``start_ns`` has shape (w,), and so has each of ``metrics``, NaN where a window
    has none. Metrics are stored as float32, which is finer than they are.
    """

    fingerprint: str
    start_ns: NDArray[np.int64]
    metrics: Mapping[str, NDArray[np.float64]]
