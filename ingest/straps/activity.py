"""Compute how much the wearer moved, from a strap's acceleration.

Mean amplitude deviation over five seconds: the mean distance of the length of the acceleration
vector from its own mean, in thousandths of g. It needs no calibration and tells rest, walking and
running apart (Vähä-Ypyä et al. 2015, Clinical Physiology and Functional Imaging 35:64).
"""

from __future__ import annotations

import math
from statistics import fmean

from ebbtide.beats import ACTIVITY_SPAN_NS, Activity
from ebbtide.timestamps import SECOND
from ingest.straps.strap import RawMotion

_MIN_SHARE = 0.5  # of a span's samples; with fewer there is no activity of it


class ActivityMeter:
    """Turns acceleration into spans of five seconds that begin at whole multiples of five."""

    def __init__(self) -> None:
        self._start: int | None = None
        self._lengths: list[float] = []

    def add(self, motion: RawMotion) -> list[Activity]:
        """Add samples; the spans that they complete."""
        finished: list[Activity] = []
        count = len(motion.samples_mg)
        for index, (x, y, z) in enumerate(motion.samples_mg):
            time = motion.received_ns - (count - 1 - index) * SECOND // motion.rate_hz
            start = time - time % ACTIVITY_SPAN_NS
            if start != self._start:
                finished += self._finish(motion.rate_hz)
                self._start = start
            self._lengths.append(math.sqrt(x * x + y * y + z * z))
        return finished

    def _finish(self, rate_hz: int) -> list[Activity]:
        lengths, self._lengths = self._lengths, []
        expected = rate_hz * ACTIVITY_SPAN_NS // SECOND
        if self._start is None or len(lengths) < _MIN_SHARE * expected:
            return []
        middle = fmean(lengths)
        return [Activity(self._start, fmean(abs(length - middle) for length in lengths))]
