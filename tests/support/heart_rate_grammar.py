"""A grammar of heart-rate notifications as straps send them, with what must be decoded of each."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from ingest.straps.heart_rate import (
    MAX_RR_TICKS,
    Fault,
    HeartRateMeasurement,
    MalformedMeasurementError,
    decode,
)

_CODES = (0xFFFF, 0xFFFE, 0x8000, 0x7FFF)


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes, and their meaning; None where the heart rate itself is missing."""

    payload: bytes
    meaning: HeartRateMeasurement | None


def draw_message(chance: random.Random) -> Message:
    """Draw a message, in a third of all cut at any byte."""
    flags = chance.choice((0, 2, 4, 6)) | chance.choice((0, 0, 0, 0x20, 0x40, 0x80, 0xE0))
    rate = chance.randrange(0x10000) if chance.random() < 0.1 else chance.randrange(256)
    is_wide = rate > 0xFF or chance.random() < 0.2
    energy = chance.randrange(0x10000) if chance.random() < 0.2 else None
    has_rr = chance.random() < 0.85
    body = rate.to_bytes(2 if is_wide else 1, "little")
    if energy is not None:
        body += energy.to_bytes(2, "little")
    if has_rr:
        body += b"".join(
            _draw_place(chance).to_bytes(2, "little") for _ in range(_draw_count(chance))
        )
    body += chance.choice((b"", b"", b"", b"\0", b"\xff", b"\0\0", b"\xff\xff", b"\0\0\0\0"))
    flags |= is_wide | (8 if energy is not None else 0) | (0x10 if has_rr else 0)
    payload = bytes([flags]) + body
    if chance.random() < 1 / 3:
        payload = payload[: chance.randrange(len(payload) + 1)]
    return Message(payload, _read(payload))


def _draw_count(chance: random.Random) -> int:
    return chance.choice((0, 1, 1, 1, 2, 2, 3, 9))


def _draw_place(chance: random.Random) -> int:
    kind = chance.random()
    if kind < 0.15:
        return 0
    if kind < 0.25:
        return chance.choice(_CODES)
    return chance.randint(1, MAX_RR_TICKS) if kind < 0.35 else chance.randint(300, 1700)


def _read(payload: bytes) -> HeartRateMeasurement | None:
    """Read byte by byte, apart from the decoder: what can be told of ``payload``."""
    left = list(payload)
    if not left:
        return None
    flags = left.pop(0)
    if len(left) < 1 + flags % 2:
        return None
    rate = left.pop(0) + (left.pop(0) << 8 if flags % 2 else 0)
    contact = {0b100: False, 0b110: True}.get(flags & 0b110)
    energy, faults = None, []
    if flags >> 3 & 1:
        if len(left) < 2:
            return HeartRateMeasurement(rate, contact, faults=(Fault.ENERGY_CUT,))
        energy = left.pop(0) + (left.pop(0) << 8)
    rr: list[int] = []
    gaps: list[int] = []
    if not flags >> 4 & 1:
        faults += [Fault.TRAILING_BYTES] if left else []
        return HeartRateMeasurement(rate, contact, energy, faults=tuple(faults))
    while len(left) >= 2:
        place = left.pop(0) + (left.pop(0) << 8)
        if place == 0:
            faults += [Fault.ZERO_PLACES]
        elif place > MAX_RR_TICKS:
            faults += [Fault.NO_VALUE]
            gaps.append(len(rr))
        else:
            rr.append(place)
    faults += [Fault.ODD_BYTE] if left else []
    order = tuple(fault for fault in Fault if fault in faults)
    return HeartRateMeasurement(rate, contact, energy, tuple(rr), tuple(gaps), order)


def check_messages(count: int, seed: int) -> Counter[str]:
    """Decode ``count`` messages and count what they had. Raises AssertionError, with the bytes."""
    chance, counts = random.Random(seed), Counter[str]()
    for _ in range(count):
        message = draw_message(chance)
        counts["messages"] += 1
        try:
            found = decode(message.payload)
        except MalformedMeasurementError as error:
            assert message.meaning is None, message.payload.hex(" ")
            assert error.what and error.remedy
            counts["without a heart rate: refused"] += 1
            continue
        assert found == message.meaning, message.payload.hex(" ")
        counts["heart rates"] += 1
        counts["intervals"] += len(found.rr_ticks)
        for fault in found.faults:
            counts[f"fault: {fault}"] += 1
    return counts
