"""The figures of the last minutes of a live session, beat by beat, equal to those worked out later
from the whole recording up to the same beat.
"""

from __future__ import annotations

import numpy as np

from analytics.hrv.engine import CONTEXT, Domain, WindowMetrics, window_metrics

_TRIM_EVERY = 256  # beats


class LiveWindow:
    """Keeps the beats of one window, and as many before it as its labels and its spline need."""

    def __init__(self, length_s: float) -> None:
        if not length_s > 0:
            raise ValueError("a window must last longer than 0 s")
        self.length_s = length_s
        self._rr_ms: list[float] = []
        self._time_s: list[float] = []
        self._run: list[int] = []
        self._contact: list[int] = []

    def __len__(self) -> int:
        return len(self._rr_ms)

    def add(self, rr_ms: float, time_s: float, follows: bool = True, contact: int = -1) -> None:
        """Take the next beat: its interval, when it was, whether the interval began at the beat
        before, and skin contact (1, 0, or -1 for not known). Raises ValueError for a time that is
        not later than the last.
        """
        if self._time_s and not time_s > self._time_s[-1]:
            raise ValueError("time_s must increase: no two beats are at the same time")
        run = self._run[-1] + (not follows) if self._run else 0
        self._rr_ms.append(rr_ms)
        self._time_s.append(time_s)
        self._run.append(run)
        self._contact.append(contact)
        if len(self._rr_ms) % _TRIM_EVERY == 0:
            first = int(np.searchsorted(self._time_s, time_s - self.length_s)) - CONTEXT
            for column in (self._rr_ms, self._time_s, self._run, self._contact):
                del column[: max(0, first)]

    @property
    def start_s(self) -> float:
        """Where the window begins that ends with, and has in it, the last beat."""
        return float(np.nextafter(self._time_s[-1], np.inf)) - self.length_s

    def figures(self, domains: frozenset[Domain] = frozenset(Domain)) -> WindowMetrics:
        """Figures of the window that ends with the last beat; one row. Raises ValueError when there
        was no beat yet.
        """
        if not self._time_s:
            raise ValueError("no beat yet")
        return window_metrics(
            np.array(self._rr_ms),
            np.array(self._time_s),
            np.array([self.start_s]),
            self.length_s,
            np.array(self._run, dtype=np.int64),
            contact=np.array(self._contact, dtype=np.int8),
            domains=domains,
        )
