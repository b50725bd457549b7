"""Five-minute HRV of the beats of a person, a day in memory at a time.

Windows begin at whole five minutes of the clock of the lake, as in its own table ``hrv``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from analytics.hrv.windows import METHOD, WINDOW_NS, BeatArrays, HrvWindows, hrv_windows
from cli.analysis.cohort.lake_tables import Partition
from ebbtide.timestamps import DAY, HOUR, MINUTE

__all__ = ["METHOD", "NEEDED", "OPTIONAL", "SCHEMA", "person_windows", "window_table"]

NEEDED = ("time_ns", "rr_ticks", "ticks_per_second", "follows")
OPTIONAL = ("contact", "stream")
# The label of a beat depends on 64 intervals to either side.
_MARGIN_NS = 10 * MINUTE
_MAX_HELD = 2_000_000  # beats: of a day no heart and no ten straps have as many
_METRICS = ("mean_hr_bpm", "rmssd_ms", "sdnn_ms", "stress_index_baevsky")
SCHEMA = pa.schema(
    [
        ("person", pa.string()),
        ("start_ns", pa.int64()),
        ("usable", pa.bool_()),
        ("local_hour", pa.float64()),
        *((name, pa.float64()) for name in _METRICS),
        ("beats", pa.int32()),
        ("nn_seconds", pa.float64()),
        ("normal_share", pa.float64()),
        ("missing", pa.string()),
        ("start", pa.timestamp("ns")),
    ]
)


def person_windows(person: str, partitions: list[Partition]) -> Iterator[HrvWindows]:
    """Yield the windows of each day of a person that has beats, by time.

    Raises BrokenPartitionError; ValueError where the beats are not in order of time, or there are
    more than can be.
    """
    streams: dict[str, int] = {}
    held = _no_beats()
    done_ns = -(2**62)  # the end of the last day that was given
    for partition in partitions:
        for batch in partition.rows_of([person], NEEDED, OPTIONAL):
            held = _join(held, _to_beats(batch, streams))
            while len(held.time_ns):
                day_ns = _next_day(held, done_ns)
                if day_ns is None or held.time_ns[-1] < day_ns + DAY + _MARGIN_NS:
                    break
                yield from _day(held, day_ns)
                done_ns = day_ns + DAY
                held = _after(held, done_ns - _MARGIN_NS)
            if len(held.time_ns) > _MAX_HELD:
                raise ValueError(f"more than {_MAX_HELD} beats in a day")
    while (day_ns := _next_day(held, done_ns)) is not None:
        yield from _day(held, day_ns)
        done_ns = day_ns + DAY


def window_table(person: str, windows: HrvWindows) -> pa.Table:
    """The rows of windows that have any beats."""
    rows = windows.metrics.intervals > 0
    start = windows.start_ns[rows]
    columns = {
        "person": [person] * len(start),
        "start_ns": start,
        "usable": windows.usable[rows],
        "local_hour": start % DAY / HOUR,
        **{name: _null_nan(windows.value(name)[rows]) for name in _METRICS},
        "beats": windows.metrics.intervals[rows],
        "nn_seconds": windows.metrics.nn_seconds[rows],
        "normal_share": windows.metrics.normal_share[rows],
        "missing": [windows.missing_detail[row] for row in np.flatnonzero(rows)],
        "start": start.astype("datetime64[ns]"),
    }
    return pa.table(columns, schema=SCHEMA)


def _null_nan(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pa.Array:
    return pa.array(values, mask=~np.isfinite(values))


def _day(held: BeatArrays, day_ns: int) -> Iterator[HrvWindows]:
    near = slice(*np.searchsorted(held.time_ns, (day_ns - _MARGIN_NS, day_ns + DAY + _MARGIN_NS)))
    beats = _slice(held, near)
    inside = beats.time_ns[(beats.time_ns >= day_ns) & (beats.time_ns < day_ns + DAY)]
    starts = np.unique(inside // WINDOW_NS * WINDOW_NS)
    if len(starts):
        yield hrv_windows(beats, starts, WINDOW_NS, with_rates=False)


def _next_day(held: BeatArrays, done_ns: int) -> int | None:
    first = int(np.searchsorted(held.time_ns, done_ns))
    return None if first == len(held.time_ns) else int(held.time_ns[first]) // DAY * DAY


def _to_beats(batch: pa.RecordBatch, streams: dict[str, int]) -> BeatArrays:
    ticks = batch.column("rr_ticks").to_numpy().astype(np.float64)
    count = batch.num_rows
    contact, stream = np.full(count, -1, np.int8), np.zeros(count, np.int32)
    if "contact" in batch.schema.names:
        values = batch.column("contact")
        contact = np.asarray(values.cast(pa.int8()).fill_null(-1), dtype=np.int8)
    if "stream" in batch.schema.names:
        names = batch.column("stream").dictionary_encode()
        codes = [streams.setdefault(name, len(streams)) for name in names.dictionary.to_pylist()]
        stream = np.array(codes, np.int32)[np.asarray(names.indices)]
    return BeatArrays(
        np.asarray(batch.column("time_ns"), dtype=np.int64),
        ticks / batch.column("ticks_per_second").to_numpy() * 1000,
        np.asarray(batch.column("follows").to_numpy(zero_copy_only=False), dtype=np.bool_),
        contact,
        stream,
    )


def _join(held: BeatArrays, more: BeatArrays) -> BeatArrays:
    joined = BeatArrays(
        *(
            np.concatenate([getattr(held, name), getattr(more, name)])
            for name in BeatArrays.__slots__
        )
    )
    if np.any(np.diff(joined.time_ns[max(0, len(held.time_ns) - 1) :]) < 0):
        raise ValueError("its beats are not in order of time")
    return joined


def _after(held: BeatArrays, time_ns: int) -> BeatArrays:
    return _slice(held, slice(int(np.searchsorted(held.time_ns, time_ns)), None))


def _slice(beats: BeatArrays, rows: slice) -> BeatArrays:
    # Copies: a view would keep all that it is a part of.
    return BeatArrays(*(getattr(beats, name)[rows].copy() for name in BeatArrays.__slots__))


def _no_beats() -> BeatArrays:
    return BeatArrays(
        np.empty(0, np.int64),
        np.empty(0),
        np.empty(0, np.bool_),
        np.empty(0, np.int8),
        np.empty(0, np.int32),
    )
