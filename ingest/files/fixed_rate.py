"""Rows that are no beats: of a fixed rate, resampled, or computed from heart rates.

Where rows repeat the latest interval until the next one, the beats are found; others are refused.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ingest.files.column_names import resampled_in_words

# As many equal intervals in a row are taken for beats; a value that stays longer stands still.
_MAX_EQUAL = 12
_MAX_MISMATCH = 0.03
_MANY = 20  # rows from which the numbers themselves are evidence
_EXPORT = "Export the RR intervals one a beat, as the device measured them."


def find_beats(
    at_s: NDArray[np.float64], rr_s: NDArray[np.float64], end_s: float, every_s: float
) -> list[tuple[int, float]]:
    """(change, time) of each beat, from the rows in which the value changed.

    ``at_s``, ``rr_s``: time and value of the first row and of each change. ``end_s``: the last row.
    ``every_s``: between rows. A beat shows in the first row after it. Equal intervals in a row are
    as many beats as the time between the changes holds.
    """
    last = float(at_s[0]) - every_s / 2  # the latest beat, as far as is known
    beats = [(0, last)]
    for place in range(len(at_s)):
        ends = place + 1 < len(at_s)
        rr = float(rr_s[place])
        if ends:
            then = float(rr_s[place + 1])
            more = max(0, round((at_s[place + 1] - every_s / 2 - then - last) / rr))
        else:
            more = max(0, math.floor((end_s - last) / rr + 1e-6))
        if more > _MAX_EQUAL:
            more = 0
            last = float(at_s[place + 1]) - then if ends else last
        for _ in range(more):
            last += rr
            beats.append((place, last))
        if ends:
            change = float(at_s[place + 1])
            last = min(max(last + then, change - every_s), change)
            beats.append((place + 1, last))
    if len(beats) > 1 and beats[1][1] - beats[0][1] < float(rr_s[beats[1][0]]):
        # The first beat was before the first row: the next one's interval says when.
        beats[0] = (0, beats[1][1] - float(rr_s[beats[1][0]]))
    return beats


def fills_time(beats: list[tuple[int, float]], rr_s: NDArray[np.float64]) -> bool:
    """Whether the intervals of the beats add up to the time that they take."""
    times = np.array([time for _, time in beats])
    intervals = np.array([rr_s[change] for change, _ in beats[1:]])
    steps = np.diff(times)
    still = steps > intervals * (_MAX_EQUAL - 1)
    span = float(steps[~still].sum())
    return abs(float(intervals[~still].sum()) / max(span, 1e-9) - 1) <= _MAX_MISMATCH


def refuse_no_beats(path: str, name: str, rr_ms: NDArray[np.float64], *, has_times: bool) -> None:
    """Refuse values that are the beats of no heart, by themselves.

    All of them 60,000 over a whole number were computed from heart rates; all in equal runs are
    rows of a fixed rate that repeat the latest interval, whose beats only their times could say.
    """
    values = rr_ms[np.isfinite(rr_ms) & (rr_ms > 0)]
    if len(values) < _MANY:
        return
    ticks = (values * 1.024).round(6)  # of 1/1024 s; a file in ms may be taken for them
    if _are_rates(values) or any(_are_rates(ticks, beats) for beats in (60_000, 61_440)):
        raise EbbtideError(
            f"Every value of {name} of {path} is 60,000 divided by a whole number: computed from "
            "heart rates, not intervals between beats.",
            _EXPORT,
        )
    repeats = None if has_times else _equal_runs(values)
    if repeats:
        raise EbbtideError(
            f"{name} of {path} repeats every value {repeats}: rows of a fixed rate, not beats; "
            "which equal rows are one beat cannot be said.",
            _EXPORT,
        )


def refuse_resampled(path: str, name: str, words: str) -> None:
    """Refuse rows of which the file's own comments say that they were resampled."""
    said = resampled_in_words(words)
    if said is not None:
        raise EbbtideError(
            f"{path} says of itself '{said}': the rows of {name} come at a fixed rate and are not "
            "beats.",
            _EXPORT,
        )


def _resolution(values: NDArray[np.float64]) -> float:
    """The last decimal place in which the values are written, in ms."""
    for digits in range(4):
        if np.abs(values - values.round(digits)).max() < 1e-6:
            return float(10.0**-digits)
    return 1e-4


def _are_rates(values: NDArray[np.float64], minute: float = 60_000) -> bool:
    """Whether all values are 60,000 over a whole number, and that by no chance. ``minute``: in the
    values' unit.

    Of an interval of 800 ms in whole ms, 1 of 11 is; of 8 different ones together, 1 of 10^8.
    """
    different = np.unique(values)
    if len(different) < 5:
        return False
    half = _resolution(values) / 2 + 1e-6
    rates = np.round(minute / different)
    hits = np.abs(minute / np.maximum(rates, 1) - different) <= half
    by_chance = np.minimum(1.0, 2 * half * minute / different**2)
    return bool(hits.all()) and float(np.log10(by_chance).sum()) < -6


def _equal_runs(values: NDArray[np.float64]) -> str | None:
    """How often each value stands, where all stand several times in a row."""
    ends = np.flatnonzero(np.diff(values) != 0)
    lengths = np.diff(ends)  # without the first and the last, which may be cut off
    if len(lengths) < 10 or int(lengths.min()) < 2:
        return None
    common = int(np.gcd.reduce(lengths))
    if common > 1:
        return f"{common} times"
    usual = float(np.median(lengths))
    return "several times" if float(np.mean(np.abs(lengths - usual) <= 1)) > 0.9 else None
