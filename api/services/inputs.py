"""From what the stores hold to the arrays that analytics works on."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.relative_stress import StressIndexInput, stress_index_input
from analytics.hrv.reported import ReportedRates
from analytics.hrv.windows import BeatArrays, HrvWindows, Movement
from ebbtide.beats import Origin
from ebbtide.rr_units import ms_from_ticks
from ebbtide.timestamps import DAY, MINUTE, SECOND, utc_offset_s
from store import Stores
from store.models import Beats, Person

_QUARTER = 15 * MINUTE
_FIRST_DAY = 719_163  # the ordinal of 1970-01-01


def load_beats(stores: Stores, person: Person, start_ns: int, end_ns: int) -> BeatArrays:
    """Read a person's beats in [start_ns, end_ns) as arrays, by time."""
    return to_beat_arrays(stores.beats.read(person.subject_id, start_ns, end_ns))


def to_beat_arrays(beats: Beats) -> BeatArrays:
    """Convert ticks to milliseconds; nothing else changes."""
    return BeatArrays(
        time_ns=beats.time_ns,
        rr_ms=ms_from_ticks(beats.rr_ticks, beats.ticks_per_second),
        follows=beats.follows,
        contact=beats.contact,
        stream=beats.stream,
    )


def load_movement(stores: Stores, person: Person, start_ns: int, end_ns: int) -> Movement:
    """Read how much the wearer moved in [start_ns, end_ns), every five seconds."""
    spans = stores.beats.activity(person.subject_id, start_ns, end_ns)
    return Movement(
        np.array([span.start_ns for span in spans], dtype=np.int64),
        np.array([span.mad_mg for span in spans], dtype=np.float64),
    )


def load_rates(
    stores: Stores, person: Person, start_ns: int, end_ns: int
) -> tuple[ReportedRates, frozenset[Origin]]:
    """Read the heart rates in [start_ns, end_ns) that devices and other systems reported without
    intervals, by time, and where they come from. What a person counted by hand is left out.
    """
    own = stores.beats.rates(person.subject_id, start_ns, end_ns)
    imported = stores.records.heart_rate_columns(person.id, start_ns, end_ns)
    origins = {own.streams[place].origin for place in np.unique(own.stream).tolist()}
    simulated = np.unique(imported.simulated).tolist()
    origins |= {Origin.SIMULATED if is_simulated else Origin.FILE for is_simulated in simulated}
    # Numbered by name, so that of two devices with as many rates the same is always taken.
    by_name = np.argsort(np.argsort(np.array(imported.devices, dtype=np.str_)))
    numbers = (len(own.streams) + by_name).astype(np.int32)
    time_ns = np.append(own.time_ns, imported.time_ns)
    bpm = np.append(own.bpm, imported.bpm)
    source = np.append(own.stream, numbers[imported.device]).astype(np.int32)
    order = np.argsort(time_ns, kind="stable")
    return ReportedRates(time_ns[order], bpm[order], source[order]), frozenset(origins)


def day_fingerprints(stores: Stores, person: Person, start_ns: int, end_ns: int) -> dict[int, str]:
    """Return the fingerprint of each UTC day in the range that has beats or heart rates, those of
    other systems among them.
    """
    days = stores.beats.day_fingerprints(person.subject_id, start_ns, end_ns)
    for day, facts in stores.records.heart_rate_days(person.id, start_ns, end_ns).items():
        words = f"{days.get(day, '')} heart rates {facts}"
        days[day] = hashlib.sha256(words.encode()).hexdigest()
    return days


def name_inputs(beats: BeatArrays, movement: Movement, words: str = "") -> bytes:
    """Name exactly these beats, this movement and whatever else the words say."""
    digest = hashlib.sha256(words.encode())
    for column in (
        *(beats.time_ns, beats.rr_ms, beats.follows, beats.contact, beats.stream),
        *(movement.time_ns, movement.mad_mg),
    ):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.digest()


def windows_to_stress_index_input(hrv: HrvWindows, zone: str) -> StressIndexInput:
    """Convert HRV windows to what the stress index takes, with the person's local day and hour."""
    return stress_index_input(hrv, *local_day_and_hour(hrv.start_ns + hrv.window_ns // 2, zone))


def local_day_and_hour(
    time_ns: NDArray[np.int64], zone: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Compute the local day (an ordinal) and hour of each instant."""
    # The offset of a zone changes on whole quarters of an hour: one look-up for each is enough.
    quarters, which = np.unique(np.asarray(time_ns) // _QUARTER, return_inverse=True)
    offsets = np.array(
        [utc_offset_s(int(quarter) * _QUARTER, zone) for quarter in quarters],
        dtype=np.int64,
    )
    local = np.asarray(time_ns, dtype=np.int64) + (offsets * SECOND)[which]
    day = local // DAY + _FIRST_DAY
    hour = (local % DAY // MINUTE) / 60.0
    return day, hour
