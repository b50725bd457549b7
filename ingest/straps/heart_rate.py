"""Heart Rate Measurement, characteristic 0x2A37.

Source: Bluetooth SIG, Heart Rate Service 1.0, section 3.1, and GATT Specification Supplement,
"Heart Rate Measurement". All numbers are little-endian.

====  =======================================================
bit   flags (first byte)
====  =======================================================
0     heart rate value has 16 bits (else 8)
1     contact detected (meaningful only with bit 2)
2     the strap can detect contact
3     energy expended follows (16 bits, kJ since reset)
4     RR intervals follow (16 bits each, 1/1024 s, oldest first)
5-7   reserved
====  =======================================================
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS, STRAP_TICKS_PER_SECOND

CHARACTERISTIC = "00002a37-0000-1000-8000-00805f9b34fb"
SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"

# 10 s, six beats a minute: what is longer is a code (0xFFFF, 0x7FFF, 0x8000), not an interval.
MAX_RR_TICKS = 10 * STRAP_TICKS_PER_SECOND

_WIDE_HEART_RATE = 0x01
_CONTACT_DETECTED = 0x02
_CONTACT_SUPPORTED = 0x04
_ENERGY = 0x08
_RR = 0x10


class MalformedMeasurementError(EbbtideError):
    """The bytes are not a Heart Rate Measurement."""


class Fault(StrEnum):
    """What a strap's bytes have that the specification does not; the good part is decoded."""

    ZERO_PLACES = "intervals of 0 in unused places"
    NO_VALUE = "a code for 'no value' in place of an interval"
    ODD_BYTE = "an odd byte at the end"
    TRAILING_BYTES = "bytes that the flags do not announce"
    ENERGY_CUT = "an energy field that is cut short"


@dataclass(frozen=True, slots=True)
class HeartRateMeasurement:
    """One notification, decoded.

    ``contact`` is None where the strap cannot detect it; ``rr_ticks`` are in 1/1024 s, oldest
    first, and may be empty. ``no_value_at`` has an index into ``rr_ticks`` for each place that
    held a code instead of an interval: a beat may be missing before that interval.
    """

    heart_rate_bpm: int
    contact: bool | None = None
    energy_kj: int | None = None
    rr_ticks: tuple[int, ...] = ()
    no_value_at: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()


def decode(payload: bytes) -> HeartRateMeasurement:
    """Decode one notification: its heart rate and its whole intervals, with the faults around them.

    Raises MalformedMeasurementError, naming the bytes, only when the heart rate itself is missing.
    The flag for RR without an interval is no fault: no beat ended in that second. The reserved
    flags are ignored, as the specification requires.
    """
    if not payload:
        raise _malformed(payload, "it is empty")
    flags = payload[0]
    width = 2 if flags & _WIDE_HEART_RATE else 1
    if len(payload) < 1 + width:
        raise _malformed(payload, "it ends before its heart rate")
    heart_rate = int.from_bytes(payload[1 : 1 + width], "little")
    contact = bool(flags & _CONTACT_DETECTED) if flags & _CONTACT_SUPPORTED else None
    rest = payload[1 + width :]
    energy = None
    if flags & _ENERGY:
        if len(rest) < 2:
            return HeartRateMeasurement(heart_rate, contact, faults=(Fault.ENERGY_CUT,))
        energy, rest = int.from_bytes(rest[:2], "little"), rest[2:]
    if not flags & _RR:
        faults = (Fault.TRAILING_BYTES,) if rest else ()
        return HeartRateMeasurement(heart_rate, contact, energy, faults=faults)
    ticks, no_value_at, found = _whole_intervals(rest)
    return HeartRateMeasurement(heart_rate, contact, energy, ticks, no_value_at, found)


def _whole_intervals(rest: bytes) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Fault, ...]]:
    """The intervals of an RR field, where codes stood between them, and its faults."""
    whole = len(rest) // 2
    places = struct.unpack(f"<{whole}H", rest[: 2 * whole])
    odd = (Fault.ODD_BYTE,) if len(rest) % 2 else ()
    if not places or (min(places) > 0 and max(places) <= MAX_RR_TICKS):
        return places, (), odd
    ticks: list[int] = []
    no_value_at: list[int] = []
    for place in places:
        if place > MAX_RR_TICKS:
            no_value_at.append(len(ticks))
        elif place:
            ticks.append(place)
    faults = (
        *((Fault.ZERO_PLACES,) if 0 in places else ()),
        *((Fault.NO_VALUE,) if no_value_at else ()),
        *odd,
    )
    return tuple(ticks), tuple(no_value_at), faults


def encode(measurement: HeartRateMeasurement) -> bytes:
    """Encode as a strap does. Raises ValueError for what the fields cannot hold."""
    flags = 0
    body = b""
    if measurement.heart_rate_bpm > 0xFF:
        flags |= _WIDE_HEART_RATE
        body += _u16(measurement.heart_rate_bpm, "heart rate")
    else:
        body += bytes([measurement.heart_rate_bpm])
    if measurement.contact is not None:
        flags |= _CONTACT_SUPPORTED | (_CONTACT_DETECTED if measurement.contact else 0)
    if measurement.energy_kj is not None:
        flags |= _ENERGY
        body += _u16(measurement.energy_kj, "energy expended")
    if measurement.rr_ticks:
        flags |= _RR
        body += _rr_field(measurement.rr_ticks)
    return bytes([flags]) + body


def _rr_field(rr_ticks: Sequence[int]) -> bytes:
    return b"".join(_u16(ticks, "RR interval") for ticks in rr_ticks)


def _u16(value: int, name: str) -> bytes:
    if not 0 <= value <= MAX_TICKS:
        raise ValueError(f"{name} {value} does not fit 16 bits")
    return value.to_bytes(2, "little")


def _malformed(payload: bytes, why: str) -> MalformedMeasurementError:
    start = payload[:24].hex(" ") or "nothing"
    return MalformedMeasurementError(
        f"Not a heart-rate measurement: {why} (bytes: {start}).",
        "The notification was left out; if this repeats, restart the strap.",
    )
