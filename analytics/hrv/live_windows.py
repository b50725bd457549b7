"""Windows while beats come: what new beats cannot have changed is kept, and the rest computed.

A window depends on the beats in it, on ``CONTEXT`` beats to both sides (labels, correction and
spline) and on those of ``RATES_REACH_NS`` (which intervals the rates accept). So after a minute of
new beats the windows that ended some minutes before it are as they were.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from analytics._types import IntArray
from analytics.hrv.engine import CONTEXT
from analytics.hrv.heart_rate import ACCEPT_REACH_NS, WindowRates, empty_rates, window_rates
from analytics.hrv.metric import Domain
from analytics.hrv.windows import (
    TIME_ONLY,
    BeatArrays,
    HrvWindows,
    Movement,
    concat_windows,
    hrv_windows,
    use_more_known,
)


def extend_windows(
    known: HrvWindows,
    beats: BeatArrays,
    start_ns: IntArray,
    changed_ns: int,
    domains: Collection[Domain] = TIME_ONLY,
    movement: Movement | None = None,
) -> HrvWindows:
    """Compute the HRV of windows, of which those of ``known`` are taken that cannot have changed.

    Parameters
    ----------
    known : HrvWindows
        Windows of the beats as they were, with the same ``domains``.
    beats : BeatArrays
        All beats as they are now; or as many as the windows that are computed depend on
        (``needed_from_ns``). Since then beats were added, none of them before ``changed_ns``.
    start_ns : array of int64, shape (w,)
        Starts of the windows in UTC nanoseconds, in any order. Those that ``known`` lacks are
        computed.
    changed_ns : int
        The time of the first beat, or of the first movement, that was added, or one before it.
    domains : collection of Domain
        Which metrics; those of ``known``.
    movement : Movement, optional
        How much the wearer moved, as far as windows are computed.

    Returns
    -------
    HrvWindows
        To 1e-9 what ``hrv_windows`` computes of these beats.

    Raises
    ------
    ValueError
        If ``known`` has other metrics than ``domains``.

    Notes
    -----
    How far a label and a spline reach: ``analytics.hrv.engine``.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv import BeatArrays, extend_windows, hrv_windows
    >>> rr_ms = 800 + 30 * np.sin(0.8 * np.arange(3000))
    >>> time_ns = np.cumsum(rr_ms * 1e6).astype(np.int64)
    >>> def first(n):
    ...     everywhere = np.full(n, -1, np.int8), np.zeros(n, np.int32)
    ...     return BeatArrays(time_ns[:n], rr_ms[:n], np.arange(n) > 0, *everywhere)
    >>> minute = 60_000_000_000
    >>> starts = minute * np.arange(35)
    >>> known = hrv_windows(first(2900), starts, 5 * minute)
    >>> now = extend_windows(known, first(3000), starts, int(time_ns[2900]))
    >>> bool(np.allclose(now.value("rmssd_ms"), hrv_windows(first(3000), starts, 5 * minute)
    ...      .value("rmssd_ms"), rtol=1e-9))
    True
    """
    starts = np.asarray(start_ns, np.int64)
    settled = starts + known.window_ns <= settled_until_ns(beats, changed_ns)
    order = np.argsort(known.start_ns, kind="stable")
    place = np.searchsorted(known.start_ns[order], starts)
    has = np.zeros(len(starts), np.bool_)
    inside = place < len(order)
    has[inside] = known.start_ns[order[place[inside]]] == starts[inside]
    keep = settled & has
    anew = np.flatnonzero(~keep)
    fresh = hrv_windows(
        _around(beats, starts[anew], known.window_ns),
        starts[anew],
        known.window_ns,
        domains,
        movement,
        origin_ns=int(beats.time_ns[0]) if len(beats.time_ns) else None,
    )
    if fresh.metrics.values.keys() != known.metrics.values.keys():
        raise ValueError("known must have the metrics of domains")
    chosen = np.empty(len(starts), np.int64)
    chosen[keep] = order[place[keep]]
    chosen[anew] = len(known) + np.arange(len(anew))
    return concat_windows([known, fresh], chosen, known.window_ns)


def latest_rates(beats: BeatArrays, start_ns: int, window_ns: int) -> WindowRates:
    """Compute the heart rates of one window alone, as ``hrv_windows`` does, and nothing else.

    ``beats``: those of the window and of ``ACCEPT_REACH_NS`` to both sides, by time.
    """
    start = np.array([start_ns], np.int64)
    found = empty_rates(1, window_ns)
    for stream in np.unique(beats.stream).tolist():
        own = beats.of_stream(stream)
        near = own.time_ns[0] - window_ns < start_ns <= own.time_ns[-1]
        if near:
            columns = (own.time_ns, own.rr_ms, own.follows, own.contact)
            use_more_known(found, window_rates(*columns, start, window_ns), np.zeros(1, np.int64))
    return found


def settled_until_ns(beats: BeatArrays, changed_ns: int) -> int:
    """Find until when windows end that beats added from ``changed_ns`` on do not change."""
    until = changed_ns - ACCEPT_REACH_NS
    for stream in np.unique(beats.stream[np.searchsorted(beats.time_ns, changed_ns) :]).tolist():
        times = beats.time_ns[beats.stream == stream]
        at = int(np.searchsorted(times, changed_ns, "left"))
        until = min(until, int(times[max(0, at - CONTEXT)]))
    return until


def needed_from_ns(beats: BeatArrays, first_start_ns: int) -> int:
    """Find since when beats matter to windows that begin at ``first_start_ns`` or later."""
    since = first_start_ns - ACCEPT_REACH_NS
    for stream in np.unique(beats.stream).tolist():
        times = beats.time_ns[beats.stream == stream]
        at = int(np.searchsorted(times, first_start_ns, "left"))
        since = min(since, int(times[max(0, min(at, len(times) - 1) - CONTEXT)]))
    return since


def _around(beats: BeatArrays, starts: IntArray, window_ns: int) -> BeatArrays:
    """Select the beats that windows depend on."""
    if not len(starts) or not len(beats.time_ns):
        rows = slice(0, 0)
    else:
        first, last = int(np.min(starts)), int(np.max(starts)) + window_ns
        begin = needed_from_ns(beats, first)
        until = last + ACCEPT_REACH_NS
        for stream in np.unique(beats.stream).tolist():
            times = beats.time_ns[beats.stream == stream]
            at = int(np.searchsorted(times, last, "left"))
            until = max(until, int(times[min(len(times) - 1, at + CONTEXT)]))
        edges = np.searchsorted(beats.time_ns, [begin, until + 1], "left")
        rows = slice(int(edges[0]), int(edges[1]))
    return BeatArrays(
        beats.time_ns[rows],
        beats.rr_ms[rows],
        beats.follows[rows],
        beats.contact[rows],
        beats.stream[rows],
    )
