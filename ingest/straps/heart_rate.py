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

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS

CHARACTERISTIC = "00002a37-0000-1000-8000-00805f9b34fb"
SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"

_WIDE_HEART_RATE = 0x01
_CONTACT_DETECTED = 0x02
_CONTACT_SUPPORTED = 0x04
_ENERGY = 0x08
_RR = 0x10


class MalformedMeasurementError(EbbtideError):
    """The bytes are not a Heart Rate Measurement."""


@dataclass(frozen=True, slots=True)
class HeartRateMeasurement:
    """One notification, decoded.

    ``contact`` is None where the strap cannot detect it; ``rr_ticks`` are in 1/1024 s, oldest
    first, and may be empty.
    """

    heart_rate_bpm: int
    contact: bool | None = None
    energy_kj: int | None = None
    rr_ticks: tuple[int, ...] = ()


def decode(payload: bytes) -> HeartRateMeasurement:
    """Decode one notification.

    Raises MalformedMeasurementError, naming the bytes, when the payload is too short for what
    its flags promise or carries bytes that they do not announce: half a measurement would be a
    wrong beat. The reserved flags are ignored, as the specification asks.
    """
    if not payload:
        raise _malformed(payload, "it is empty")
    flags = payload[0]
    position = 1

    def take(size: int, name: str) -> int:
        nonlocal position
        if len(payload) < position + size:
            raise _malformed(payload, f"it ends before its {name}")
        value = int.from_bytes(payload[position : position + size], "little")
        position += size
        return value

    heart_rate = take(2 if flags & _WIDE_HEART_RATE else 1, "heart rate")
    contact = bool(flags & _CONTACT_DETECTED) if flags & _CONTACT_SUPPORTED else None
    energy = take(2, "energy expended") if flags & _ENERGY else None
    rest = payload[position:]
    if not flags & _RR:
        if rest:
            raise _malformed(payload, f"{len(rest)} bytes follow that its flags do not announce")
        return HeartRateMeasurement(heart_rate, contact, energy)
    if not rest:
        raise _malformed(payload, "its flags announce RR intervals and none follow")
    if len(rest) % 2:
        raise _malformed(payload, "its last RR interval is cut in half")
    return HeartRateMeasurement(
        heart_rate, contact, energy, struct.unpack(f"<{len(rest) // 2}H", rest)
    )


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
