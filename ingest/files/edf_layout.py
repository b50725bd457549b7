"""The layout of an EDF file, and the times that its annotation signals hold.

The header and the signals are read with edfio. The annotations are read here a record at a time:
edfio makes an object of each at once, and one damaged record would lose all of them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ebbtide.errors import EbbtideError

HEADER_BYTES = 256
_MAX_SIGNALS = 4096
_MAX_TEXTS = 1000
_MAX_RECORD_BYTES = 64_000_000
_MAX_ONSET_S = 1e8  # three years
_ANNOTATIONS = "EDF Annotations"
# A time-stamped annotation list of EDF+: +onset, duration after 0x15, texts between 0x14.
_LIST = re.compile(rb"([+-]\d{1,12}(?:\.\d*)?)(?:\x15[\d.]*)?\x14(.*)\x14", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EdfLayout:
    """Where in a record the samples of each signal stand. ``stated``: records that the header says
    there are (-1: not closed), ``records``: those that the file holds. ``spare``: bytes after them.
    """

    labels: tuple[str, ...]
    samples: tuple[int, ...]
    record_s: float
    records: int
    stated: int
    spare: int
    is_discontinuous: bool

    @property
    def header_bytes(self) -> int:
        """Of the header and all signal headers."""
        return HEADER_BYTES * (len(self.labels) + 1)

    @property
    def record_bytes(self) -> int:
        """Of all signals."""
        return 2 * sum(self.samples)

    @property
    def annotation_signals(self) -> list[int]:
        """Places of the signals that hold annotations."""
        return [place for place, label in enumerate(self.labels) if label == _ANNOTATIONS]


def read_layout(path: Path) -> EdfLayout:
    """Read the numbers of the header. Raises EbbtideError where they contradict the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        count = _number(head[252:256])
        if len(head) < HEADER_BYTES:
            raise _damaged(path, "it ends within its header")
        if count is None or not 1 <= count <= _MAX_SIGNALS or count != int(count):
            raise _damaged(path, f"its header says {head[252:256]!r} signals")
        signals = int(count)
        rest = file.read(HEADER_BYTES * signals)
    if len(rest) < HEADER_BYTES * signals:
        raise _damaged(path, "it ends within its header")
    stated, record_s = _number(head[236:244]), _number(head[244:252])
    if stated is None or record_s is None or record_s < 0 or record_s > 1e7:
        raise _damaged(path, f"its header says {head[236:252]!r} for the number of records")
    if _number(head[184:192]) != HEADER_BYTES * (signals + 1):
        raise _damaged(path, f"its header says that it has {head[184:192]!r} bytes")
    labels = tuple(
        rest[16 * i : 16 * (i + 1)].decode("latin-1").strip(" \x00") for i in range(signals)
    )
    at = 216 * signals
    counts = [_number(rest[at + 8 * i : at + 8 * (i + 1)]) for i in range(signals)]
    samples = tuple(int(x) if x is not None and 0 <= x == int(x) else -1 for x in counts)
    width = 2 * sum(samples)
    if min(samples) < 0 or not 0 < width <= _MAX_RECORD_BYTES:
        raise _damaged(path, "its header gives no sensible number of samples a record")
    if record_s == 0 and any(label != _ANNOTATIONS for label in labels):
        raise _damaged(path, "its records of signals last 0 s")
    body = size - HEADER_BYTES * (signals + 1)
    return EdfLayout(
        labels,
        samples,
        record_s,
        body // width,
        int(stated),
        body % width,
        head[192:197] == b"EDF+D",
    )


@dataclass(slots=True)
class EdfAnnotations:
    """Seconds after the header's time, by the text of the annotation."""

    onsets: dict[str, array[float]]
    record_starts: array[float]  # NaN where the record does not say
    damaged: int


def read_annotations(path: Path, layout: EdfLayout) -> EdfAnnotations:
    """Read all annotations, a record at a time."""
    found = EdfAnnotations({}, array("d"), 0)
    if not layout.annotation_signals:
        return found
    for _, lists in _read_lists(path, layout):
        first = None if lists is None else lists[0]
        is_start = first is not None and first[1][:1] == ("",)
        found.record_starts.append(first[0] if first is not None and is_start else np.nan)
        if lists is None:
            found.damaged += 1
            continue
        for onset, texts in lists:
            for text in texts:
                if text and (text in found.onsets or len(found.onsets) < _MAX_TEXTS):
                    found.onsets.setdefault(text, array("d")).append(onset)
    return found


def _read_lists(
    path: Path, layout: EdfLayout
) -> Iterator[tuple[int, list[tuple[float, tuple[str, ...]]] | None]]:
    """(number of the record, its annotations of all signals; None where they cannot be read).

    The first annotation of a record says when the record begins, in s after the header's time.
    """
    places = layout.annotation_signals
    begins = [2 * sum(layout.samples[:place]) for place in places]
    widths = [2 * layout.samples[place] for place in places]
    with path.open("rb") as file:
        file.seek(layout.header_bytes)
        for record in range(layout.records):
            data = file.read(layout.record_bytes)
            found: list[tuple[float, tuple[str, ...]]] = []
            for begin, width in zip(begins, widths, strict=True):
                # Split first: a search in a record without ends would take the square of its size.
                for part in data[begin : begin + width].split(b"\x00"):
                    one = _LIST.fullmatch(part)
                    if one is not None and abs(float(one[1])) < _MAX_ONSET_S:
                        words = one[2].decode("utf-8", "replace").split("\x14")
                        found.append((float(one[1]), tuple(words)))
            yield record, found or None


def record_values(
    path: Path, layout: EdfLayout, place: int, gain: float, offset: float
) -> Iterator[tuple[int, np.ndarray[tuple[int, int], np.dtype[np.float64]]]]:
    """(first record, physical values of one signal: a row a record) in pieces of bounded size."""
    begin = sum(layout.samples[:place])
    count = layout.samples[place]
    step = max(1, min(4_000_000 // layout.record_bytes, 1_000_000 // max(count, 1)))
    with path.open("rb") as file:
        file.seek(layout.header_bytes)
        for first in range(0, layout.records, step):
            rows = min(step, layout.records - first)
            raw = np.frombuffer(file.read(rows * layout.record_bytes), dtype="<i2")
            digital = raw.reshape(rows, -1)[:, begin : begin + count]
            yield first, (digital.astype(np.float64) + offset) * gain


def _number(field: bytes) -> float | None:
    try:
        value = float(field.decode("ascii").strip(" \x00"))
    except ValueError:
        return None
    return value if abs(value) < 1e12 else None


def _damaged(path: Path, why: str) -> EbbtideError:
    return EbbtideError(
        f"{path} begins as an EDF file and is damaged: {why}.", "Export or copy it again."
    )
