"""Encode the windows of a day as one block of bytes: names, starts, then each metric as float32,
which is finer than a metric is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from store.models.beats import DailyWindows

_HEADER = struct.Struct("<BxHI")  # version, bytes of names, windows
_VERSION = 2


def encode(day: DailyWindows) -> bytes:
    """Encode a day's windows."""
    names = json.dumps(list(day.metrics)).encode()
    return b"".join(
        [
            _HEADER.pack(_VERSION, len(names), len(day.start_ns)),
            names,
            day.start_ns.astype("<i8").tobytes(),
            *(values.astype("<f4").tobytes() for values in day.metrics.values()),
        ]
    )


@lru_cache(maxsize=64)
def _places(names: bytes) -> dict[str, int]:
    """Return which row each metric is. Nearly all days have the same."""
    return {name: k for k, name in enumerate(json.loads(names))}


def decode(fingerprint: str, data: bytes, names: Sequence[str]) -> DailyWindows:
    """Decode the windows with the metrics ``names``; NaN where one was not stored. Raises
    ValueError when the bytes are of another version.
    """
    version, width, count = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"a day's windows of version {version} are not known to this Ebbtide")
    begin = _HEADER.size + width
    places = _places(data[_HEADER.size : begin])
    stored = np.frombuffer(data, "<f4", len(places) * count, begin + 8 * count)
    columns = stored.reshape(len(places), count).astype(np.float64)
    metrics = {
        name: columns[places[name]] if name in places else np.full(count, np.nan) for name in names
    }
    return DailyWindows(
        fingerprint, np.frombuffer(data, "<i8", count, begin).astype(np.int64), metrics
    )
