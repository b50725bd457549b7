"""From the store's beats to the arrays that analytics works on."""

from __future__ import annotations

from analytics.hrv.windows import BeatArrays
from ebbtide.rr_units import ms_from_ticks
from store.models import Beats


def to_beat_arrays(beats: Beats) -> BeatArrays:
    """Ticks become milliseconds; nothing else changes."""
    return BeatArrays(
        time_ns=beats.time_ns,
        rr_ms=ms_from_ticks(beats.rr_ticks, beats.ticks_per_second),
        follows=beats.follows,
        contact=beats.contact,
        stream=beats.stream,
    )
