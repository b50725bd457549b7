"""Decode blocks of beats of version 1, which stores have from before version 2."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

VERSION = 1
_HEADER = struct.Struct("<BxxxII")  # version, notifications, beats


def decode(
    data: bytes,
) -> tuple[
    NDArray[np.int64],
    NDArray[np.uint16],
    NDArray[np.int8],
    NDArray[np.int32],
    NDArray[np.uint8],
    NDArray[np.int64],
    NDArray[np.uint16],
]:
    """The columns of a block: of notifications when they were received, heart rate, contact,
    energy and how many beats; of beats times and ticks. Raises struct.error and zlib.error.
    """
    _, notifications, beats = _HEADER.unpack_from(data)
    body = zlib.decompress(data[_HEADER.size :])
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
    return received, heart_rate, contact, energy, rr_count, times, rr_ticks
