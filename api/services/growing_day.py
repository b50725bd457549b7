"""Windows of a day that is worn now: of beats that came since, only what they can have changed is
computed. Held in this process, of the people who were looked at last.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
from cachetools import TTLCache

from analytics.hrv.live_windows import extend_windows
from analytics.hrv.windows import WINDOW_NS, BeatArrays, HrvWindows, Movement, starts_by_stretch
from api.services.inputs import name_inputs

_MAX_PEOPLE, _TTL_S = 200, 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Windows of a day, and the name of all beats and movement that they were made from."""

    beats: int
    moved: int
    name: bytes
    windows: HrvWindows


class GrowingDays:
    """The windows of the day of each subject that was computed last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: TTLCache[tuple[str, int], _Known] = TTLCache(_MAX_PEOPLE, _TTL_S)

    def drop(self, subject_id: str) -> None:
        """Drop what is of one subject."""
        with self._lock:
            self._known.expire()
            for key in [key for key in self._known if key[0] == subject_id]:
                del self._known[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._known.clear()

    def keep(
        self, subject_id: str, day: int, beats: BeatArrays, movement: Movement, windows: HrvWindows
    ) -> None:
        """Keep the windows of all beats of a day, for when more come."""
        counts = (len(beats.time_ns), len(movement.time_ns))
        with self._lock:
            self._known[subject_id, day] = _Known(*counts, name_inputs(beats, movement), windows)

    def extend(
        self, subject_id: str, day: int, beats: BeatArrays, movement: Movement
    ) -> HrvWindows | None:
        """Compute the windows of a day from those known, to 1e-9 what they are from nothing; None
        where none are known, or where the beats are not those of then with later ones.
        """
        with self._lock:
            known = self._known.get((subject_id, day))
        if (
            known is None
            or known.beats > len(beats.time_ns)
            or known.moved > len(movement.time_ns)
            or known.name != _name_first(beats, movement, known)
        ):
            return None
        later = np.append(beats.time_ns[known.beats :], movement.time_ns[known.moved :])
        changed_ns = int(np.min(later)) if len(later) else int(beats.time_ns[-1]) + 1
        starts = starts_by_stretch(beats, WINDOW_NS, WINDOW_NS)
        windows = extend_windows(known.windows, beats, starts, changed_ns, movement=movement)
        self.keep(subject_id, day, beats, movement, windows)
        return windows


GROWING_DAYS = GrowingDays()


def _name_first(beats: BeatArrays, movement: Movement, known: _Known) -> bytes:
    """Name as many of the first beats and spans of movement as were known."""
    moved = slice(known.moved)
    first = Movement(movement.time_ns[moved], movement.mad_mg[moved])
    return name_inputs(beats.at(slice(known.beats)), first)
