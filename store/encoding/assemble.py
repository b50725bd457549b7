"""Assemble the beats of a subject from those of its streams, in the same way for every engine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import Stream
from store.models.beats import Beats, Rates

_Value = TypeVar("_Value", bound=np.generic)
StreamPart = tuple[
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int8],
    NDArray[np.bool_],
    NDArray[np.int32],
]
EMPTY_PART: StreamPart = (
    np.empty(0, np.int64),
    np.empty(0, np.int32),
    np.empty(0, np.int32),
    np.empty(0, np.int8),
    np.empty(0, np.bool_),
    np.empty(0, np.int32),
)


def stream_part(
    index: int,
    stream: Stream,
    runs: Sequence[tuple[int, int]],
    gaps: Sequence[int],
    times: NDArray[np.int64],
    ticks: NDArray[np.int32],
    contact: NDArray[np.int8],
    sequence: NDArray[np.int64],
    range_ns: tuple[int, int],
) -> StreamPart:
    """The columns of ``Beats`` for one stream, within ``range_ns``, a half-open range.

    ``runs``: (first, last) sequence number of each run that was read, by first; ``gaps``: sequence
    numbers before which there is a gap; the other arrays have one entry a beat, by time.
    """
    follows = np.ones(len(times), dtype=np.bool_)
    follows[:1] = False
    # A gap, and a hole between runs that were uploaded out of order, end the run of beats: the
    # first beat at or after that sequence number follows nothing.
    holes = [run[0] for before, run in itertools.pairwise(runs) if run[0] != before[1] + 1]
    starts = np.searchsorted(sequence, [*gaps, *holes], side="left")
    follows[starts[starts < len(follows)]] = False
    first, end = (int(place) for place in np.searchsorted(times, range_ns, side="left"))
    if first < end:
        follows[first] = False
    n = end - first
    return (
        _part(times, first, end),
        _part(ticks, first, end),
        np.full(n, stream.ticks_per_second, dtype=np.int32),
        _part(contact, first, end),
        _part(follows, first, end),
        np.full(n, index, dtype=np.int32),
    )


def without_contact(
    contact: NDArray[np.int8], times: NDArray[np.int64], spans: Sequence[tuple[int, int]]
) -> NDArray[np.int8]:
    """Mark beats within ``spans``, [start, end) in ns, as without contact: they enter no metric.

    For gaps ``OFF_THE_CLOCK``: the beats in them were stored before the fault was noticed.
    """
    if not spans:
        return contact
    marked = contact.copy()
    for start, end in spans:
        first, after = np.searchsorted(times, (start, end), side="left")
        marked[first:after] = 0
    return marked


def _part(column: NDArray[_Value], first: int, end: int) -> NDArray[_Value]:
    """Copy a small part: a view would keep all the blocks it was read from in memory."""
    part = column[first:end]
    return part.copy() if len(part) < len(column) // 2 else part


def merge_streams(streams: tuple[Stream, ...], parts: Sequence[StreamPart]) -> Beats:
    """The parts of all streams as one."""
    filled = [part for part in parts if len(part[0])] or [EMPTY_PART]
    time, ticks, scale, contact, follows, index = (
        np.concatenate(columns) if len(filled) > 1 else columns[0]
        for columns in zip(*filled, strict=True)
    )
    if len(filled) > 1:
        order = np.argsort(time, kind="stable")
        time, ticks, scale, contact, follows, index = (
            column[order] for column in (time, ticks, scale, contact, follows, index)
        )
    return Beats(time, ticks, scale, contact, follows, index, streams)


def merge_rates(
    streams: tuple[Stream, ...],
    parts: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> Rates:
    """Join the times and heart rates of these streams, by time."""
    times = np.concatenate([part[0] for part in parts] or [np.empty(0, np.int64)])
    bpm = np.concatenate([part[1] for part in parts] or [np.empty(0)])
    stream = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part[0]) for part in parts])
    order = np.argsort(times, kind="stable")
    return Rates(times[order], bpm[order], stream[order], streams)
