"""State of a recording in one line, for ``ebbtide record``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analytics.hrv.windows import BeatArrays, hrv_windows
from ebbtide.timestamps import MINUTE, SECOND

if TYPE_CHECKING:
    from ingest.recorder import Recording

_GOOD_SHARE = 0.05
_FAIR_SHARE = 0.20
_SILENT_AFTER = 5 * SECOND


@dataclass(frozen=True, slots=True)
class LiveLine:
    """One strap at one moment. ``rmssd_ms`` is of the last minute, None where it has none.
    ``quality`` is in words; ``beats_waiting`` counts beats that are not uploaded yet. ``note``
    says each fault of what the strap sends once, "" where there is none.
    """

    strap: str
    patient: str
    link: str
    detail: str
    heart_rate_bpm: int | None
    rmssd_ms: float | None
    quality: str
    beats_kept: int
    beats_waiting: int
    gaps: int
    repeated: int
    malformed: int
    connections: int
    note: str = ""


def live_line(
    strap: str,
    patient: str,
    recording: Recording,
    ticks_per_second: int,
    waiting: int,
    now_ns: int,
) -> LiveLine:
    """Summarise a recording."""
    fresh = (
        recording.last_arrival_ns is not None and now_ns - recording.last_arrival_ns < _SILENT_AFTER
    )
    arrays = _last_beats(recording, recording.ticks_per_second or ticks_per_second)
    # Up to the last beat and not to now: notifications come up to a second late.
    end = int(arrays.time_ns[-1]) + 1 if len(arrays.time_ns) else now_ns
    window = hrv_windows(arrays, np.array([end - MINUTE]), MINUTE)
    rmssd_ms = float(window.value("rmssd_ms")[0])
    removed = 1 - float(window.metrics.normal_share[0]) if window.metrics.intervals[0] else None
    return LiveLine(
        strap=strap,
        patient=patient,
        link=str(recording.connection),
        detail=recording.detail,
        heart_rate_bpm=recording.heart_rate_bpm if fresh else None,
        rmssd_ms=rmssd_ms if fresh and math.isfinite(rmssd_ms) else None,
        quality=_quality(recording, removed, fresh, now_ns),
        beats_kept=recording.beats,
        beats_waiting=waiting,
        gaps=recording.gaps,
        repeated=recording.repeated,
        malformed=recording.malformed,
        connections=recording.connections,
        note=_note(recording),
    )


def _last_beats(recording: Recording, ticks_per_second: int) -> BeatArrays:
    recent = list(recording.recent)
    return BeatArrays(
        time_ns=np.array([beat.time_ns for beat in recent], dtype=np.int64),
        rr_ms=np.array([beat.rr_ticks for beat in recent], dtype=np.float64)
        * (1000 / ticks_per_second),
        follows=np.array([beat.follows for beat in recent], dtype=np.bool_),
        contact=np.array(
            [-1 if beat.contact is None else int(beat.contact) for beat in recent], dtype=np.int8
        ),
        stream=np.zeros(len(recent), dtype=np.int32),
    )


def _quality(recording: Recording, removed: float | None, fresh: bool, now_ns: int) -> str:
    if not fresh:
        return "no signal"
    if recording.contact is False:
        return "no skin contact: wet the electrodes"
    if recording.distrusted:
        return "poor: its intervals do not fit the clock"
    if recording.without_rr > 15 and not recording.recent:
        return "heart rate without RR: no variability from this strap"
    if recording.recent and now_ns - recording.recent[-1].time_ns > _SILENT_AFTER:
        return "heart rate, but no RR just now: wet the electrodes"
    if removed is None:
        return "not known yet"
    if removed <= _GOOD_SHARE:
        return "good" if recording.misfit is None else "fair: see the note on its intervals"
    if removed <= _FAIR_SHARE:
        return "fair"
    return "poor: many beats disturbed"


def _note(recording: Recording) -> str:
    parts = []
    misfit = recording.misfit
    if misfit is not None and misfit.is_doubled:
        parts.append(
            "Everything is delivered twice: copies are left out; the seconds in which some were "
            "kept are marked and enter no figure."
        )
    elif misfit is not None:
        share = f"Its intervals did not fit the clock (they filled {misfit.filled:.1%} of the time)"
        if misfit.ticks_per_second is None:
            parts.append(
                f"{share}: the minute before is marked and enters no figure, and intervals are "
                "left out until they fit."
            )
        else:
            unit = f"1/{misfit.ticks_per_second} s"
            parts.append(
                f"{share}: it counts in {unit}. The minute before is marked and enters no figure; "
                "a new stream with that unit began."
            )
    parts += [
        f"It sends {fault} ({count} notifications): heart rate and whole intervals were kept."
        for fault, count in recording.faults.items()
    ]
    return " ".join(parts)
