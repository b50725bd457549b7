"""A run of notifications as one compact block of bytes.

Columns, not rows: numbers of one kind lie together, times as differences, then deflate (zlib).
About 5 bytes a beat, against some 60 as a row. A block starts with a version number, so that
the layout can change and old blocks still be read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebbtide.records import Notification

_VERSION = 1
_HEADER = struct.Struct("<BxxxII")  # version, notifications, beats
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


def of_notifications(notifications: Sequence[Notification]) -> Block:
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


def joined(first: Block, second: Block) -> Block:
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


def packed(block: Block) -> bytes:
    """The bytes of a block."""
    columns = (
        np.diff(block.received_ns, prepend=np.int64(0)),
        block.heart_rate_bpm,
        block.contact,
        block.energy_kj,
        block.rr_count,
        np.diff(block.time_ns, prepend=np.int64(0)),
        block.rr_ticks,
    )
    body = b"".join(_planes(column) for column in columns)
    header = _HEADER.pack(_VERSION, len(block.received_ns), len(block.time_ns))
    return header + zlib.compress(body, 6)


def unpacked(data: bytes) -> Block:
    """The block of these bytes. Raises ValueError when they are damaged."""
    try:
        version, notifications, beats = _HEADER.unpack_from(data)
        if version != _VERSION:
            raise ValueError(f"block version {version} is not known to this Ebbtide")
        body = zlib.decompress(data[_HEADER.size :])
    except (struct.error, zlib.error) as error:
        raise ValueError(f"a block of beats is damaged: {error}") from error
    position = 0

    def column(kind: str, count: int) -> NDArray[np.generic]:
        nonlocal position
        width = np.dtype(kind).itemsize
        raw = np.frombuffer(body, np.uint8, count * width, position)
        position += count * width
        return np.ascontiguousarray(raw.reshape(width, count).T).view(kind).reshape(count)

    received = np.cumsum(column("<i8", notifications).astype(np.int64))
    heart_rate = column("<u2", notifications).astype(np.uint16)
    contact = column("<i1", notifications).astype(np.int8)
    energy = column("<i4", notifications).astype(np.int32)
    rr_count = column("<u1", notifications).astype(np.uint8)
    times = np.cumsum(column("<i8", beats).astype(np.int64))
    rr_ticks = column("<u2", beats).astype(np.uint16)
    return Block(received, heart_rate, contact, energy, rr_count, times, rr_ticks)


def _planes(column: NDArray[np.generic]) -> bytes:
    """All first bytes, then all second bytes: high bytes repeat and deflate to almost nothing."""
    little = column.astype(column.dtype.newbyteorder("<"), copy=False)
    width = little.dtype.itemsize
    return np.ascontiguousarray(little).view(np.uint8).reshape(-1, width).T.tobytes()
