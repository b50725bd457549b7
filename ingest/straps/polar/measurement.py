"""Polar's own measurement service: pulse intervals, acceleration and ECG.

Source: Polar Electro, "Polar Measurement Data Specification" (2023), published with the Polar BLE
SDK. All numbers are little-endian. A data frame is: type (1 byte), timestamp of its last sample
(8 bytes, ns), frame type (1 byte; bit 7 set: delta-compressed), samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ingest.straps.heart_rate import HeartRateMeasurement, MalformedMeasurementError

SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"

PPI_TICKS_PER_SECOND = 1000  # pulse intervals are in milliseconds

_FEATURES = 0x0F
_RESPONSE = 0xF0
_GET_SETTINGS = 0x01
_START = 0x02
_HEADER = 10
_PPI_SAMPLE = 6
_ECG_SAMPLE = 3


class Kind(IntEnum):
    """What can be measured."""

    ECG = 0
    ACCELERATION = 2
    PPI = 3


class Setting(IntEnum):
    """What can be chosen of a measurement."""

    SAMPLE_RATE = 0
    RESOLUTION = 1
    RANGE = 2
    RANGE_MILLI = 3
    CHANNELS = 4
    FACTOR = 5


_SETTING_SIZE = {
    Setting.SAMPLE_RATE: 2,
    Setting.RESOLUTION: 2,
    Setting.RANGE: 2,
    Setting.RANGE_MILLI: 4,
    Setting.CHANNELS: 1,
    Setting.FACTOR: 4,
}
_ERRORS = {
    1: "it does not know the command",
    2: "it does not know the measurement",
    3: "it does not support this",
    4: "it was asked with a wrong length",
    5: "it was asked with a wrong setting",
    6: "it measures this already",
    7: "it does not allow this setting",
    8: "its battery or charger forbids it",
    9: "its answer was cut",
    10: "it is busy with another request",
    11: "another request is missing",
    12: "it wants to be paired first",
    13: "it is charging",
    14: "its disk is full",
}


class PolarRefusedError(Exception):
    """The device refused a command; the text says why."""


def parse_features(read: bytes) -> frozenset[Kind]:
    """What the device can measure, from a read of CONTROL. Empty when that is malformed."""
    if len(read) < 2 or read[0] != _FEATURES:
        return frozenset()
    return frozenset(kind for kind in Kind if read[1] >> kind & 1)


def get_settings_command(kind: Kind) -> bytes:
    """The command that requests the available settings."""
    return bytes([_GET_SETTINGS, kind])


def start_command(kind: Kind, settings: dict[Setting, int]) -> bytes:
    """The command that starts a measurement, with one value for each setting."""
    body = b"".join(
        bytes([setting, 1]) + value.to_bytes(_SETTING_SIZE[setting], "little")
        for setting, value in settings.items()
    )
    return bytes([_START, kind]) + body


def parse_response(indication: bytes) -> bytes:
    """The parameters of a control answer. Raises PolarRefusedError, with the reason."""
    if len(indication) < 4 or indication[0] != _RESPONSE:
        raise PolarRefusedError(f"it answered {indication.hex(' ')}, which is no answer")
    status = indication[3]
    if status:
        raise PolarRefusedError(_ERRORS.get(status, f"it answered with error {status}"))
    return indication[5:]


def parse_settings(parameters: bytes) -> dict[Setting, list[int]]:
    """The values offered for each setting; unknown settings end the list."""
    found: dict[Setting, list[int]] = {}
    position = 0
    while position + 2 <= len(parameters):
        try:
            setting = Setting(parameters[position])
        except ValueError:
            break
        count, size = parameters[position + 1], _SETTING_SIZE[setting]
        position += 2
        values = parameters[position : position + count * size]
        found[setting] = [
            int.from_bytes(values[i : i + size], "little") for i in range(0, len(values), size)
        ]
        position += count * size
    return found


def choose_settings(offer: dict[Setting, list[int]]) -> dict[Setting, int]:
    """Choose the lowest rate (25 Hz distinguishes rest from walking) and the widest range."""
    wanted: dict[Setting, int] = {}
    for setting, values in offer.items():
        if not values or setting is Setting.FACTOR:
            continue
        wanted[setting] = min(values) if setting is Setting.SAMPLE_RATE else max(values)
    return wanted


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame, cut into its parts."""

    kind: int
    timestamp_ns: int
    frame_type: int
    body: bytes


def parse_frame(payload: bytes) -> Frame:
    """The parts of a data frame. Raises MalformedMeasurementError."""
    if len(payload) < _HEADER:
        raise _malformed(payload, "a Polar frame is cut short")
    return Frame(payload[0], int.from_bytes(payload[1:9], "little"), payload[9], payload[_HEADER:])


def decode_ppi(payload: bytes) -> HeartRateMeasurement:
    """A frame of pulse-to-pulse intervals, as a measurement with ticks of 1/1000 s.

    An interval of 0 is no beat. Where the device itself marks one as blocked (movement, poor
    signal), the whole frame counts as without contact: its beats are stored, and no HRV is computed
    from them. Otherwise contact is that of the last sample, where the device can detect it.
    """
    cut = parse_frame(payload)
    if cut.kind != Kind.PPI or cut.frame_type != 0:
        raise _malformed(payload, f"not pulse intervals (type {cut.kind}, {cut.frame_type})")
    if len(cut.body) % _PPI_SAMPLE:
        raise _malformed(payload, "its last pulse interval is cut")
    heart_rate, contact, blocked = 0, None, False
    ticks = []
    for at in range(0, len(cut.body), _PPI_SAMPLE):
        sample = cut.body[at : at + _PPI_SAMPLE]
        heart_rate = sample[0]
        interval = int.from_bytes(sample[1:3], "little")
        flags = sample[5]
        contact = bool(flags & 2) if flags & 4 else None
        blocked = blocked or bool(flags & 1)
        if interval:
            ticks.append(interval)
    return HeartRateMeasurement(heart_rate, False if blocked else contact, None, tuple(ticks))


def decode_acceleration(payload: bytes) -> tuple[tuple[int, int, int], ...]:
    """Samples of (x, y, z) in thousandths of g. Raises MalformedMeasurementError."""
    cut = parse_frame(payload)
    if cut.kind != Kind.ACCELERATION:
        raise _malformed(payload, f"not acceleration (type {cut.kind})")
    if cut.frame_type & 0x80:
        samples = _delta(cut.body, 3, 16, payload)
    else:
        width = {0: 1, 1: 2, 2: 3}.get(cut.frame_type)
        if width is None or len(cut.body) % (3 * width):
            raise _malformed(payload, f"acceleration of frame type {cut.frame_type} is not known")
        numbers = [
            int.from_bytes(cut.body[at : at + width], "little", signed=True)
            for at in range(0, len(cut.body), width)
        ]
        samples = [tuple(numbers[at : at + 3]) for at in range(0, len(numbers), 3)]
    return tuple((x, y, z) for x, y, z in samples)


def decode_ecg(payload: bytes) -> tuple[int, ...]:
    """Samples in microvolts. Raises MalformedMeasurementError."""
    cut = parse_frame(payload)
    if cut.kind != Kind.ECG or cut.frame_type != 0 or len(cut.body) % _ECG_SAMPLE:
        raise _malformed(payload, f"not an ECG (type {cut.kind}, {cut.frame_type})")
    return tuple(
        int.from_bytes(cut.body[at : at + _ECG_SAMPLE], "little", signed=True)
        for at in range(0, len(cut.body), _ECG_SAMPLE)
    )


def _delta(body: bytes, channels: int, bits: int, payload: bytes) -> list[tuple[int, ...]]:
    """Delta frames: a whole sample, then runs of (bits a difference, count, differences)."""
    size = channels * bits // 8
    if len(body) < size:
        raise _malformed(payload, "a compressed frame is cut short")
    width = bits // 8
    current = [
        int.from_bytes(body[at : at + width], "little", signed=True) for at in range(0, size, width)
    ]
    samples = [tuple(current)]
    position = size
    while position < len(body):
        if position + 2 > len(body):
            raise _malformed(payload, "a compressed frame is cut short")
        delta_bits, count = body[position], body[position + 1]
        position += 2
        length = -(-delta_bits * channels * count // 8)
        run = body[position : position + length]
        if len(run) < length or not 0 < delta_bits <= 32:
            raise _malformed(payload, "a compressed frame is cut short")
        position += length
        packed = int.from_bytes(run, "little")
        for _ in range(count):
            for channel in range(channels):
                value = packed & ((1 << delta_bits) - 1)
                packed >>= delta_bits
                if value >> (delta_bits - 1):
                    value -= 1 << delta_bits
                current[channel] += value
            samples.append(tuple(current))
    return samples


def _malformed(payload: bytes, why: str) -> MalformedMeasurementError:
    return MalformedMeasurementError(
        f"Not a Polar measurement: {why} (bytes: {payload[:24].hex(' ') or 'nothing'}).",
        "The notification was left out; if this repeats, restart the device.",
    )
