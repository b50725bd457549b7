"""A run of notifications as one compact block of bytes.

Columns, not rows: numbers of one kind lie together; of times only what the intervals do not say
already; each in the fewest bytes that hold it, then deflate (zlib). Under 3 bytes a beat, against
some 60 as a row (benchmarks/store.py). A block starts with a version number, so that the layout
can change and old blocks still be read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import Notification
from store.encoding import beat_block_v1

_VERSION = 2
# Version, notifications, beats, ticks per second that predict the times best, and the unit of the
# times of arrival in ns.
_HEADER = struct.Struct("<BIIII")
# Of a column: bytes of a value, whether all after the first are the same, whether they are steps.
_FIRST = struct.Struct("<B??q")
_KINDS = ("|i1", "<i2", "<i4", "<i8")
_KIND_OF = {np.dtype(kind).itemsize: kind for kind in _KINDS}
_SCALES = (1024, 1000)
_MS = 1_000_000
_NO_ENERGY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Decoded columns: ``received_ns``, ``heart_rate_bpm``, ``contact`` (1, 0, -1),
    ``energy_kj`` (-1 none) and ``rr_count`` have one entry a notification; ``time_ns`` and
    ``rr_ticks`` one a beat.
    """

    received_ns: NDArray[np.int64]
    heart_rate_bpm: NDArray[np.uint16]
    contact: NDArray[np.int8]
    energy_kj: NDArray[np.int32]
    rr_count: NDArray[np.uint8]
    time_ns: NDArray[np.int64]
    rr_ticks: NDArray[np.uint16]


def from_notifications(notifications: Sequence[Notification]) -> Block:
    """The columns of these notifications."""
    contact = [-1 if n.contact is None else int(n.contact) for n in notifications]
    energy = [_NO_ENERGY if n.energy_kj is None else n.energy_kj for n in notifications]
    return Block(
        np.array([n.received_ns for n in notifications], dtype=np.int64),
        np.array([n.heart_rate_bpm for n in notifications], dtype=np.uint16),
        np.array(contact, dtype=np.int8),
        np.array(energy, dtype=np.int32),
        np.array([len(n.rr_ticks) for n in notifications], dtype=np.uint8),
        np.array([t for n in notifications for t in n.beat_times_ns], dtype=np.int64),
        np.array([t for n in notifications for t in n.rr_ticks], dtype=np.uint16),
    )


def to_notifications(first: int, block: Block) -> list[Notification]:
    """The notifications themselves; ``first`` is the sequence number of the first."""
    ticks, times = block.rr_ticks.tolist(), block.time_ns.tolist()
    ends = np.cumsum(block.rr_count, dtype=np.int64).tolist()
    facts = zip(
        block.received_ns.tolist(),
        block.heart_rate_bpm.tolist(),
        block.contact.tolist(),
        block.energy_kj.tolist(),
        [0, *ends],
        ends,
        strict=False,
    )
    return [
        Notification(
            sequence,
            received,
            rate,
            tuple(ticks[begin:end]),
            tuple(times[begin:end]),
            None if contact < 0 else bool(contact),
            None if energy == _NO_ENERGY else energy,
        )
        for sequence, (received, rate, contact, energy, begin, end) in enumerate(facts, first)
    ]


def concat(first: Block, second: Block) -> Block:
    """Two blocks of neighbouring sequence numbers as one."""
    return Block(
        np.concatenate([first.received_ns, second.received_ns]),
        np.concatenate([first.heart_rate_bpm, second.heart_rate_bpm]),
        np.concatenate([first.contact, second.contact]),
        np.concatenate([first.energy_kj, second.energy_kj]),
        np.concatenate([first.rr_count, second.rr_count]),
        np.concatenate([first.time_ns, second.time_ns]),
        np.concatenate([first.rr_ticks, second.rr_ticks]),
    )


def merge(previous: Sequence[bytes], block: Block) -> bytes:
    """Encode ``block`` after the encoded blocks of the sequence numbers just before it."""
    for data in reversed(previous):
        block = concat(decode(data), block)
    return encode(block)


def encode(block: Block) -> bytes:
    """Encode a block."""
    times = block.time_ns.astype(np.int64)
    ticks = block.rr_ticks.astype(np.int64)
    # A beat is later than the one before it by its own interval, but for a small correction.
    scale = min(_SCALES, key=lambda scale: _cost(_beyond(times, ticks, scale)[1:]))
    unit = _MS if not np.any(block.received_ns % _MS) else 1
    columns = (
        block.rr_count,
        block.contact,
        block.heart_rate_bpm,
        block.energy_kj,
        ticks,
        _beyond(times, ticks, scale),
        block.received_ns // unit - _last_beats(times, block.rr_count) // unit,
    )
    header = _HEADER.pack(_VERSION, len(block.received_ns), len(times), scale, unit)
    return header + zlib.compress(b"".join(_column(column) for column in columns), 6)


def decode(data: bytes, beats_alone: bool = False) -> Block:
    """The block of these bytes; ``beats_alone`` may leave out, as empty, when notifications came,
    their heart rate and energy, which whoever reads beats does not need. Raises ValueError when
    they are damaged.
    """
    version = data[0] if data else 0
    try:
        if version == beat_block_v1.VERSION:
            return Block(*beat_block_v1.decode(data))
        if version == _VERSION:
            return _decode(data, beats_alone)
    except (struct.error, zlib.error, IndexError, KeyError, ValueError) as error:
        raise ValueError(f"a block of beats is damaged: {error}") from error
    raise ValueError(f"block version {version} is not known to this Ebbtide")


def _decode(data: bytes, beats_alone: bool) -> Block:
    _, notifications, beats, scale, unit = _HEADER.unpack_from(data)
    body = _Reader(zlib.decompress(memoryview(data)[_HEADER.size :]))
    rr_count = body.column(notifications).astype(np.uint8)
    contact = body.column(notifications).astype(np.int8)
    if beats_alone:
        heart_rate, energy = np.empty(0, np.uint16), np.empty(0, np.int32)
        body.skip(notifications)
        body.skip(notifications)
    else:
        heart_rate = body.column(notifications).astype(np.uint16)
        energy = body.column(notifications).astype(np.int32)
    ticks = body.column(beats)
    times = _nanoseconds(ticks, scale)
    times += body.column(beats)
    np.cumsum(times, out=times)
    received = np.empty(0, np.int64)
    if not beats_alone:
        received = (body.column(notifications) + _last_beats(times, rr_count) // unit) * unit
    return Block(received, heart_rate, contact, energy, rr_count, times, ticks.astype(np.uint16))


def _nanoseconds(ticks: NDArray[np.int64], scale: int) -> NDArray[np.int64]:
    return ticks * 1_000_000_000 // scale


def _beyond(times: NDArray[np.int64], ticks: NDArray[np.int64], scale: int) -> NDArray[np.int64]:
    """How much later each beat is than its interval says."""
    return np.diff(times, prepend=np.int64(0)) - _nanoseconds(ticks, scale)


def _last_beats(times: NDArray[np.int64], rr_count: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The time of the last beat up to each notification; 0 before the first."""
    ends = np.cumsum(rr_count, dtype=np.int64)
    if not len(times):
        return np.zeros(len(ends), dtype=np.int64)
    return np.where(ends > 0, times[ends - 1], 0)


def _cost(values: NDArray[np.int64]) -> float:
    """Roughly, how many bits they need."""
    return float(np.sum(np.log2(1.0 + np.abs(values.astype(np.float64)))))


def _column(values: NDArray[Any]) -> bytes:
    """The first value (of times it is far from the rest), then the others, or the steps between
    them where those are smaller, in the fewest bytes that hold them; all low bytes before all high
    ones, which repeat and deflate to almost nothing. One value throughout takes no more than one.
    """
    if not len(values):
        return b""
    wide = values.astype(np.int64)
    first, rest, steps = int(wide[0]), wide[1:], np.diff(wide)
    as_steps = _cost(steps) < _cost(rest - int(np.median(rest))) if len(rest) else False
    if as_steps:
        rest = steps
    same = not len(rest) or bool(np.all(rest == rest[0]))
    low, high = int(np.min(rest, initial=0)), int(np.max(rest, initial=0))
    kind = next(kind for kind in _KINDS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    stored = np.ascontiguousarray((rest[:1] if same else rest).astype(kind))
    width = stored.itemsize
    planes = stored.view(np.uint8).reshape(-1, width).T
    return _FIRST.pack(width, same, as_steps, first) + planes.tobytes()


class _Reader:
    """Takes columns from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def column(self, count: int) -> NDArray[np.int64]:
        """The next column."""
        values = np.empty(count, dtype=np.int64)
        if not count:
            return values
        width, stored, as_steps, values[0] = self._first(count)
        raw = np.frombuffer(self._data, np.uint8, width * stored, self._at)
        self._at += width * stored
        planes = np.ascontiguousarray(raw.reshape(width, stored).T)
        values[1:] = planes.view(_KIND_OF[width]).reshape(stored)
        return np.cumsum(values, out=values) if as_steps else values

    def skip(self, count: int) -> None:
        """Go past the next column."""
        if count:
            width, stored, _, _ = self._first(count)
            self._at += width * stored

    def _first(self, count: int) -> tuple[int, int, bool, int]:
        """Bytes of a value, how many are stored after the first, whether as steps, the first."""
        width, same, as_steps, first = _FIRST.unpack_from(self._data, self._at)
        self._at += _FIRST.size
        return width, min(1, count - 1) if same else count - 1, as_steps, first
