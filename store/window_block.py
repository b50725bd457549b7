"""The windows of a day as one compact block of bytes: names, starts, then each figure as float32,
which is far finer than a figure is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

import numpy as np

from store.beats import KeptDay

_HEADER = struct.Struct("<BxHI")  # version, bytes of names, windows
_VERSION = 2


def packed(day: KeptDay) -> bytes:
    """The bytes of a day's windows."""
    names = json.dumps(list(day.figures)).encode()
    return b"".join(
        [
            _HEADER.pack(_VERSION, len(names), len(day.start_ns)),
            names,
            day.start_ns.astype("<i8").tobytes(),
            *(values.astype("<f4").tobytes() for values in day.figures.values()),
        ]
    )


def unpacked(content: str, data: bytes, names: Sequence[str]) -> KeptDay:
    """The windows with the figures asked for; NaN where a figure was not kept. Raises ValueError
    when the bytes are of another version.
    """
    version, width, count = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"a day's windows of version {version} are not known to this Ebbtide")
    begin = _HEADER.size + width
    places = {name: k for k, name in enumerate(json.loads(data[_HEADER.size : begin]))}
    figures = {}
    for name in names:
        if name in places:
            offset = begin + 8 * count + 4 * count * places[name]
            figures[name] = np.frombuffer(data, "<f4", count, offset).astype(np.float64)
        else:
            figures[name] = np.full(count, np.nan)
    return KeptDay(content, np.frombuffer(data, "<i8", count, begin).astype(np.int64), figures)
