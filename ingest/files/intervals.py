"""Digests of the intervals of a recording without their times, to find them at another time.

A window of 32 intervals is taken where the first three of it happen to fulfil a condition, about
once in 64 beats (content-defined sampling, Manber 1994): the same intervals in a longer or a
shorter file give the same windows. By chance, 32 intervals of a heart do not come twice.
"""

from __future__ import annotations

import hashlib
from array import array

from ingest.files.recording import FileRecording

_WINDOW = 32
_EVERY = 64
_MIN_DIFFERENT = 6  # in a window: some devices fill gaps with one value
_MAX_BEATS = 3_000_000  # looked at of one recording: a month, in two seconds


def interval_digests(recording: FileRecording) -> dict[int, int]:
    """Return digests (signed, 64 bits) of intervals, with the time of the beat that ends each."""
    ticks, times = recording.rr_ticks, recording.times_ns
    if not ticks:  # heart rates alone
        return {}
    scale = recording.ticks_per_second
    found = {_digest(ticks, scale, "all"): times[0]}
    end = min(len(ticks), _MAX_BEATS) - _WINDOW
    for at in range(end + 1):
        if at and (ticks[at] * 31 + ticks[at + 1] * 17 + ticks[at + 2]) % _EVERY:
            continue
        window = ticks[at : at + _WINDOW]
        if len(set(window)) >= _MIN_DIFFERENT:
            found.setdefault(_digest(window, scale, "window"), times[at])
    return found


def _digest(ticks: array[int], scale: int, kind: str) -> int:
    hashed = hashlib.blake2b(f"{kind} {scale} ".encode(), digest_size=8)
    hashed.update(ticks.tobytes())
    return int.from_bytes(hashed.digest(), "little", signed=True)
